"""The edge's figures and health as its private port tells them, read from what is there when somebody asks."""

import asyncio
from collections.abc import Iterable

from prometheus_client.core import Metric

from vteam.channels.swarm.meetings import Meetings
from vteam.edge import counted
from vteam.edge.budget import VisitBudget
from vteam.edge.commits import GroupCommit
from vteam.errors import Away
from vteam.metrics.families import counter, counters, gauge, spreads

HEALTH_SECONDS_MAX = 2.0


class EdgeFigures:
    """Made in the running loop; asked by the private port's thread."""

    def __init__(self, *, inbox: GroupCommit, budget: VisitBudget, meetings: Meetings) -> None:
        self._inbox, self._budget, self._meetings = inbox, budget, meetings
        self._loop = asyncio.get_running_loop()

    def well(self) -> None:
        """Returns when a visit could be recorded now; Away otherwise."""
        asked = asyncio.run_coroutine_threadsafe(_checked(self._inbox), self._loop)
        try:
            asked.result(HEALTH_SECONDS_MAX)
        except TimeoutError:
            asked.cancel()
            raise Away(f"no visit could be recorded within {HEALTH_SECONDS_MAX:g} s") from None

    def collect(self) -> Iterable[Metric]:
        """Everything an operator may know."""
        yield counters(
            "vteam_edge_requests",
            "Requests answered, by door and kind of status.",
            ["door", "status"],
            counted.answers,
        )
        yield spreads("vteam_edge_commit_seconds", "How long commits took.", [], {(): counted.commits})
        yield spreads("vteam_edge_commit_rows", "Visits recorded by one commit.", [], {(): counted.rows})
        yield counter("vteam_edge_visits_recorded", "Visits made durable.", counted.rows.total)
        yield counter(
            "vteam_edge_visits_over_budget",
            "Visits not counted: one network made too many.",
            self._budget.refused_ever,
        )
        yield gauge(
            "vteam_edge_rows_waiting",
            "Visits not durable yet, whose visitors wait.",
            self._inbox.rows_waiting,
        )
        yield gauge("vteam_edge_pages", "Pages that pass titles on or wait for one.", self._meetings.people())
        yield counter(
            "vteam_edge_introductions", "Pages introduced to each other.", self._meetings.introduced
        )
        yield counter("vteam_edge_copies_passed", "Titles that passed whole.", self._meetings.passed)
        yield counter("vteam_edge_relayed_bytes", "Bytes the relay carried.", self._meetings.relayed_bytes)
        yield gauge("vteam_edge_away", "1 while visits cannot be recorded.", self._inbox.is_away)


async def _checked(inbox: GroupCommit) -> None:
    await inbox.check()
