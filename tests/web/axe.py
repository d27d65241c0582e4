"""What axe finds on a page.

It runs as if typed into the browser's console: our pages' own policy would refuse it as a script of the page.
"""

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Everything a page does right would take longer to tell than to find.
VIOLATIONS = """
async rules => (await axe.run({ runOnly: rules, resultTypes: ["violations"] })).violations
"""


def findings(page: Page) -> list[str]:
    """Each rule a page breaks, with where and why; empty when axe finds nothing."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return [
        f"{rule['id']}: {node['target'][0]}: {node['failureSummary']}"
        for rule in page.evaluate(VIOLATIONS, RULES)
        for node in rule["nodes"]
    ]
