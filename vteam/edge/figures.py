"""The edge's figures and health as its private port tells them, read from what is there when somebody asks."""

import asyncio
from collections.abc import Iterable

from prometheus_client.core import Metric

from vteam.channels.swarm.meetings import Meetings
from vteam.edge import counted
from vteam.edge.budget import VisitBudget
from vteam.edge.clients import Clients
from vteam.edge.commits import GroupCommit
from vteam.errors import Away
from vteam.metrics.families import counter, counters, gauge, spreads

HEALTH_SECONDS_MAX = 2.0


class EdgeFigures:
    """Made in the running loop; asked by the private port's thread."""

    def __init__(
        self, *, inbox: GroupCommit, budget: VisitBudget, meetings: Meetings, clients: Clients
    ) -> None:
        self._inbox, self._budget, self._meetings, self._clients = inbox, budget, meetings, clients
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
        yield from self._torrents()
        yield gauge("vteam_edge_away", "1 while visits cannot be recorded.", self._inbox.is_away)

    def _torrents(self) -> Iterable[Metric]:
        tracker, book, witness = self._clients.tracker, self._clients.book, self._clients.witness.figures
        yield gauge("vteam_edge_torrent_peers", "Torrent clients the tracker knows of.", tracker.swarms.peers)
        yield gauge("vteam_edge_torrents", "Torrents somebody seeds or downloads.", book.torrents)
        yield counter("vteam_edge_announces_refused", "Announces refused, in words.", tracker.refused)
        yield gauge(
            "vteam_edge_witness_connections",
            "Torrent clients the witness is connected to.",
            witness["connections"],
        )
        yield counter("vteam_edge_witness_dials", "Torrent clients the witness dialled.", witness["dials"])
        yield counter(
            "vteam_edge_witness_refused",
            "Connections, dials and metadata the witness had no room for.",
            witness["refused"] + witness["dials_refused"] + witness["metadata_refused"],
        )
        yield counter("vteam_edge_downloads_witnessed", "Downloads witnessed without a doubt.", book.counted)
        yield counter(
            "vteam_edge_downloads_doubted", "Downloads of which something was missing.", book.doubted
        )


async def _checked(inbox: GroupCommit) -> None:
    await inbox.check()
