"""What the edge counts while it works: one addition a request, two a commit. `edge.figures` tells it.

One edge runs in a process, so the process is where it is counted.
"""

from vteam.channels.links.redirect import PREFIX
from vteam.metrics.spread import ROWS, SECONDS, Spread

DOORS = ("links", "health", "none")
"""Where a request can knock; `none`: at no door of ours."""
CLASSES = ("2xx", "3xx", "4xx", "5xx")

answers: dict[tuple[str, str], int] = {(door, status): 0 for door in DOORS for status in CLASSES}
rows = Spread(ROWS)
commits = Spread(SECONDS)


def answer(path: str, status: int) -> None:
    """One request was answered."""
    door = "links" if path.startswith(PREFIX) else "health" if path == "/healthz" else "none"
    answers[door, CLASSES[status // 100 - 2]] += 1


def commit(count: int, seconds: float) -> None:
    """So many rows became durable in one commit."""
    rows.observe(count)
    commits.observe(seconds)
