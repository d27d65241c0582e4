"""Passing on at the edge: the meetings with their door, the gate asked every second, and the relay's budget."""

import asyncio
import logging
import time
from collections.abc import Callable

from vteam import clock
from vteam.channels.links.redirect import NetworkOf, Site
from vteam.channels.swarm.meetings import Meetings
from vteam.edge.commits import GroupCommit
from vteam.edge.offers import Offers
from vteam.edge.rights import PassOnRights
from vteam.edge.sockets import Door
from vteam.errors import Away

GATE_SECONDS = 1.0
TURN_SECONDS = 0.05
# A withdrawal must reach pages within five seconds, also where we cannot hear of it.
UNASKED_SECONDS_MAX = 4.0
logger = logging.getLogger(__name__)


class RelayBudget:
    """Bytes the relay may carry: so many a second, half a second's worth at once; by the clock `now`, in seconds."""

    def __init__(self, *, bytes_per_s: int, now: Callable[[], float]) -> None:
        self._rate, self._most, self._now = bytes_per_s, bytes_per_s / 2, now
        self._left, self._at = self._most, now()

    def spend(self, size: int) -> bool:
        """Whether so many bytes may pass now; what is larger than the most at once waits for all of it."""
        now = self._now()
        self._left = min(self._left + (now - self._at) * self._rate, self._most)
        self._at = now
        if self._left < min(size, self._most):
            return False
        self._left -= size
        return True


class Swarm:
    """Made in the running loop; `run` goes on until it is cancelled."""

    def __init__(
        self,
        *,
        inbox: GroupCommit,
        rights: PassOnRights,
        site: Site,
        network_of: NetworkOf,
        key: bytes,
        relay_bytes_per_s: int,
        per_network: int,
    ) -> None:
        self._offers, self._rights = Offers(inbox), rights
        budget = RelayBudget(bytes_per_s=relay_bytes_per_s, now=asyncio.get_running_loop().time)
        self.meetings = Meetings(record=self._offers.record, now_us=clock.now_us, spend=budget.spend)
        self.door = Door(
            meetings=self.meetings,
            site=site,
            network_of=network_of,
            is_open=self._is_open,
            key=key,
            per_network=per_network,
            now=asyncio.get_running_loop().time,
            now_us=clock.now_us,
        )

    async def run(self) -> None:
        """The meetings' clocks: what the relay held back goes on, whatever the gate takes to answer."""
        await asyncio.gather(self._turning(), self._asking())

    async def _turning(self) -> None:
        while True:
            await asyncio.sleep(TURN_SECONDS)
            try:
                self.meetings.turn()
            except Exception:
                logger.exception("the relay's clock failed: our own fault")

    async def _asking(self) -> None:
        """The gate, every second. Where it cannot be asked for long, pages are let go: they come back by themselves."""
        asked_at = time.monotonic()
        while True:
            await asyncio.sleep(GATE_SECONDS)
            try:
                await self._ask_the_gate()
                asked_at = time.monotonic()
            except Away as away:
                if time.monotonic() - asked_at > UNASKED_SECONDS_MAX:
                    logger.warning("whether titles may be passed on cannot be asked: %s", away)
                    self.meetings.close(self.meetings.titles(), why="")
            except Exception:
                logger.exception("asking the gate failed: our own fault")

    async def _ask_the_gate(self) -> None:
        self._offers.again()
        self.meetings.end_stalled()
        self.meetings.end_seasons()
        titles = self.meetings.titles()
        if titles:
            still = await self._rights.open_titles(titles, at_us=clock.now_us())
            self.meetings.close(titles - still, why="withdrawn")

    async def _is_open(self, title: int) -> bool:
        return title in await self._rights.open_titles([title], at_us=clock.now_us())

    def close(self) -> None:
        """The last try for what could not be recorded before."""
        self._offers.again()

    @property
    def unrecorded(self) -> int:
        """How many titles passed whole and are not durable yet."""
        return self._offers.waiting
