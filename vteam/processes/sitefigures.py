"""The site's figures as its main process tells them: what its workers counted, and what they use."""

from collections.abc import Iterable

from prometheus_client.core import Metric

from vteam.metrics.families import counter, counters, gauge, spreads, workers
from vteam.metrics.tally import Tally
from vteam.web import counted


class SiteFigures:
    """Asked by the private port's thread."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def collect(self) -> Iterable[Metric]:
        """Everything an operator may know."""
        tally = self._tally
        yield counters(
            "vteam_site_requests",
            "Pages answered, by group of pages and kind of status; built files are not pages.",
            ["pages", "status"],
            counted.pages(tally),
        )
        yield spreads(
            "vteam_site_seconds",
            "How long pages took until their answer began.",
            ["pages"],
            counted.times(tally),
        )
        yield counter(
            "vteam_site_database_errors",
            "Pages that failed for want of the database.",
            counted.database_errors(tally),
        )
        processes = tally.processes()
        yield gauge("vteam_site_workers", "Processes that answer pages.", len(processes))
        yield from workers(processes)
