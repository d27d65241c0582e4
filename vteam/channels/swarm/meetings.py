"""Where pages meet: a fan's open pages and those who came through the fan's links, title by title.

Only they are introduced to each other, and only while the title may be passed on. Nothing here knows sockets,
databases or clocks: whoever owns it tells what came in and what time it is. Every list has an end; whoever breaks the
rules of the talk is told why and let go.
"""

import itertools
import secrets
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vteam.channels.links.redirect import InboxRow
from vteam.channels.swarm.evidence import Part, rows_of, up_to
from vteam.channels.swarm.passing import FRAME, Broken, Introduction, Page
from vteam.channels.swarm.tickets import Role
from vteam.errors import Away

LISTENERS_AT_ONCE = 8
SEEDERS_PER_ROOM, LISTENERS_PER_ROOM = 8, 100
SIGNALS_MAX, REFUSED_MAX = 120, 3
STALLED_US = 45_000_000
"""An introduction in which nothing moved for so long makes room for others."""
KEPT_MAX, KEPT_US = 10_000, 6 * 3600 * 1_000_000
ID_BYTES = 16

Recorded = Callable[[Away | None], None]
Record = Callable[[Sequence[InboxRow], Recorded], None]
Room = tuple[int, int]


@dataclass(slots=True)
class Kept:
    """What of a title had come when its listener left, and until when (µs) that is remembered."""

    parts: list[Part]
    until_us: int


@dataclass(slots=True, eq=False)
class Seat:
    """A page in its room with the introductions it takes part in, by their number (listeners: at most one).

    `have`: so many first pieces a listener's page has already, of the copy with the sum `of`. `is_done`: it needs
    nobody any more. `told`: what it heard last of its waiting.
    """

    page: Page
    have: int = 0
    of: str = ""
    is_done: bool = False
    told: str = ""
    meets: dict[int, Introduction] = field(default_factory=dict)


class Meetings:
    """All rooms of an edge. `record` makes rows durable and then calls back; `spend`: the relay's budget."""

    def __init__(self, *, record: Record, now_us: Callable[[], int], spend: Callable[[int], bool]) -> None:
        self._record, self._now_us, self._spend = record, now_us, spend
        self._seeders: dict[Room, list[Seat]] = defaultdict(list)
        self._listeners: dict[Room, list[Seat]] = defaultdict(list)
        self._kept: OrderedDict[tuple[Room, str], Kept] = OrderedDict()
        self._held: OrderedDict[Introduction, None] = OrderedDict()
        self._numbers = itertools.count(1)
        self.introduced = self.passed = self.relayed_bytes = 0

    # Coming and going --------------------------------------------------------------------------------------------

    def titles(self) -> set[int]:
        """The titles somebody is here for."""
        return {title for rooms in (self._seeders, self._listeners) for (_, title) in rooms}

    def people(self) -> int:
        """How many pages are here."""
        return sum(len(seats) for rooms in (self._seeders, self._listeners) for seats in rooms.values())

    def enter(self, page: Page, *, have: int = 0, of: str = "") -> Seat | None:
        """A page comes in; None where its room is full, which it was told. `have`, `of`: what it kept from before."""
        seat, room = Seat(page, have=max(0, have), of=of), page.ticket.room
        rooms, most = (
            (self._seeders, SEEDERS_PER_ROOM)
            if page.ticket.role is Role.SEEDER
            else (self._listeners, LISTENERS_PER_ROOM)
        )
        if page.ticket.role is Role.LISTENER:
            self._one_page_a_browser(page)
        if sum(not seated.is_done for seated in rooms[room]) >= most:
            page.end.tell({"now": "closed", "why": "full"})
            page.end.close()
            return None
        rooms[room].append(seat)
        if page.ticket.role is Role.SEEDER:
            page.end.tell({"now": "open", "waiting": len(self._listeners.get(room, ()))})
        self._introduce(room)
        return seat

    def _one_page_a_browser(self, page: Page) -> None:
        for seated in list(self._listeners.get(page.ticket.room, ())):
            if seated.page.ticket.browser == page.ticket.browser:
                self._let_go(seated, "elsewhere")

    def leave(self, seat: Seat) -> None:
        """A page's connection is gone."""
        room = seat.page.ticket.room
        rooms = self._seeders if seat.page.ticket.role is Role.SEEDER else self._listeners
        if seat not in rooms.get(room, ()):
            return
        rooms[room].remove(seat)
        if not rooms[room]:
            del rooms[room]
        introductions = list(seat.meets.values())
        for introduction in introductions:
            self._part(introduction, Broken.LEFT)
        if not introductions:
            self._introduce(room)

    def close(self, titles: Iterable[int], *, why: str) -> None:
        """These titles may not pass any more: their pages are told and let go. `why` "": they may come again."""
        closed = set(titles)
        for rooms in (self._listeners, self._seeders):
            for room in [room for room in rooms if room[1] in closed]:
                for seat in list(rooms.get(room, ())):
                    self._let_go(seat, why)

    def end_seasons(self) -> None:
        """Whoever is here for a season that is over is told and let go."""
        for rooms in (self._listeners, self._seeders):
            for seat in [seat for seats in rooms.values() for seat in seats]:
                if seat.page.ticket.ends_us <= self._now_us():
                    self._let_go(seat, "season")

    def end_stalled(self) -> None:
        """Where nothing moves any more somebody else may have their turn."""
        before_us = self._now_us() - STALLED_US
        for seat in [seat for seats in self._listeners.values() for seat in seats]:
            for met in [met for met in seat.meets.values() if met.moved_us < before_us]:
                self._part(met, Broken.STALLED)

    def _let_go(self, seat: Seat, why: str) -> None:
        if why:
            seat.page.end.tell({"now": "closed", "why": why})
        self.leave(seat)
        seat.page.end.close()

    # Introductions -----------------------------------------------------------------------------------------------

    def _introduce(self, room: Room) -> None:
        """Whoever waits is introduced to the seeder who has the fewest listeners, while one has room."""
        for listener in [
            seat for seat in self._listeners.get(room, ()) if not seat.meets and not seat.is_done
        ]:
            seeders = [seat for seat in self._seeders.get(room, ()) if len(seat.meets) < LISTENERS_AT_ONCE]
            if not seeders:
                self._tell_waiting(listener)
                continue
            self._meet(min(seeders, key=lambda seat: len(seat.meets)), listener)

    def _tell_waiting(self, listener: Seat) -> None:
        """Why nobody is introduced to a listener yet; once, until that changes."""
        now = "busy" if self._seeders.get(listener.page.ticket.room) else "away"
        if listener.told != now:
            listener.told = now
            listener.page.end.tell({"now": now})

    def _meet(self, seeder: Seat, listener: Seat) -> None:
        pieces = seeder.page.ticket.pieces
        assert pieces is not None, "a seeder's ticket names the pieces of its copy"
        before = self._kept.get((seeder.page.ticket.room, listener.page.ticket.browser))
        start, whole, earlier = 0, pieces.sum_of(0, pieces.count), list[Part]()
        if before and before.until_us > self._now_us() and listener.of == whole:
            start, earlier = up_to(before.parts, listener.have)
        met = Introduction(
            id=secrets.token_hex(ID_BYTES),
            number=next(self._numbers),
            seeder=seeder.page,
            listener=listener.page,
            pieces=pieces,
            start=start,
            begun_us=self._now_us(),
            earlier=earlier,
        )
        seeder.meets[met.number] = listener.meets[met.number] = met
        direct = seeder.page.direct and listener.page.direct
        word = {
            "now": "met",
            "id": met.id,
            "number": met.number,
            "from": start,
            "direct": direct,
            "ahead": met.ahead,
        }
        self.introduced += 1
        listener.told = "met"
        seeder.page.end.tell(word)
        if listener.of != whole:
            listener.have, listener.of = 0, whole
        listener.page.end.tell(word | pieces.told())

    def _part(self, met: Introduction, why: Broken) -> None:
        """An introduction is over; how far it came is remembered, unless it came to its end."""
        self._forget(met)
        parts = met.parts(at_us=self._now_us())
        if parts and not met.is_whole and why is not Broken.SPOILED:
            key = (met.seeder.ticket.room, met.listener.ticket.browser)
            self._kept[key] = Kept(parts, self._now_us() + KEPT_US)
            self._kept.move_to_end(key)
            if len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
        for seat in self._seats(met):
            if seat.page is met.listener:
                # A seeder who left may come back; after a mistake the page begins anew, if it wants to.
                seat.have, seat.is_done = max(seat.have, met.confirmed), why is not Broken.LEFT
            seat.page.end.tell({"now": "parted", "number": met.number, "why": why})
        self._introduce(met.seeder.ticket.room)

    def _forget(self, met: Introduction) -> None:
        self._held.pop(met, None)
        for seat in self._seats(met):
            if seat.meets.get(met.number) is met:
                del seat.meets[met.number]

    def _seats(self, met: Introduction) -> list[Seat]:
        room = met.seeder.ticket.room
        return [
            seat
            for rooms, page in ((self._seeders, met.seeder), (self._listeners, met.listener))
            for seat in rooms.get(room, ())
            if seat.page is page
        ]

    # What pages say ----------------------------------------------------------------------------------------------

    def said(self, seat: Seat, message: dict[str, Any]) -> str | None:
        """A page says something; a reason where it is not to be understood, and the page is to be let go."""
        act = message.get("do")
        if act == "here":
            seat.page.end.tell({"now": "here"})  # what stands between us hears both sides
            return None
        number = message.get("number")
        met = seat.meets.get(number) if isinstance(number, int) else None
        if met is None:
            return None  # it was over before the page knew
        known = _ACTS.get(str(act))
        return known(self, seat, met, message) if known else "unknown"

    def block(self, seat: Seat, frame: bytes) -> str | None:
        """A seeder's page sends a block; a reason where it is none."""
        if len(frame) <= FRAME.size or seat.page.ticket.role is not Role.SEEDER:
            return "unknown"
        met = seat.meets.get(FRAME.unpack_from(frame)[0])
        if met is None:
            return None
        broken = met.block(frame) if met.relayed else Broken.OUT_OF_ORDER
        if broken:
            self._part(met, broken)
        else:
            self.relayed_bytes += len(frame) - FRAME.size
        return None

    def turn(self) -> None:
        """Let go on what the relay's budget or a full connection held back: one piece each, in turn."""
        for met in list(self._held):
            if met.listener.end.is_full:
                continue
            if not self._spend(met.pieces.bytes_of(met.held[0])):
                return
            piece = met.forward()
            met.seeder.end.tell({"now": "want", "number": met.number, "piece": piece})
            self._held.move_to_end(met)
            if not met.held:
                del self._held[met]

    def _signal(self, seat: Seat, met: Introduction, message: dict[str, Any]) -> str | None:
        data = message.get("data")
        if not isinstance(data, str):
            return "unknown"
        met.signals += 1
        if met.signals > SIGNALS_MAX:
            return "too_many"
        other = met.listener if seat.page is met.seeder else met.seeder
        if met.seeder.direct and met.listener.direct and not met.relayed:
            other.end.tell({"now": "signal", "number": met.number, "data": data})
        return None

    def _relay(self, seat: Seat, met: Introduction, message: dict[str, Any]) -> str | None:
        if not met.relayed:
            met.relay(at_us=self._now_us())
            word = {"now": "relay", "number": met.number, "from": met.confirmed}
            met.seeder.end.tell(word)
            met.listener.end.tell(word)
        return None

    def _want(self, seat: Seat, met: Introduction, message: dict[str, Any]) -> str | None:
        if seat.page is not met.listener or not met.relayed:
            return None
        if broken := met.ask(_number(message, "piece")):
            self._part(met, broken)
            return None
        self._held.setdefault(met)
        self.turn()
        return None

    def _got(self, seat: Seat, met: Introduction, message: dict[str, Any]) -> str | None:
        if seat.page is not met.listener or not met.relayed:
            return None
        if broken := met.got(_number(message, "piece"), at_us=self._now_us()):
            self._part(met, broken)
        else:
            self._came(met)
        return None

    def _receipt(self, seat: Seat, met: Introduction, message: dict[str, Any]) -> str | None:
        stop, signature = _number(message, "pieces"), str(message.get("signature"))
        refused = met.receipt(seat.page.ticket.role, stop, signature, at_us=self._now_us())
        if refused:
            met.refused += 1
            seat.page.end.tell({"now": "refused", "number": met.number, "why": refused})
            if met.refused > REFUSED_MAX:
                self._part(met, Broken.OUT_OF_ORDER)
        else:
            self._came(met)
        return None

    def _came(self, met: Introduction) -> None:
        """It came further: both ends see it; at the end it is recorded, and told once that is durable."""
        if not met.is_whole:
            met.seeder.end.tell({"now": "came", "number": met.number, "pieces": met.confirmed})
            return
        at_us = self._now_us()
        rows = rows_of(
            introduction=met.id,
            seeder=met.seeder.ticket,
            listener=met.listener.ticket,
            pieces=met.pieces,
            parts=met.parts(at_us=at_us),
            at_us=at_us,
        )
        self._kept.pop((met.seeder.ticket.room, met.listener.ticket.browser), None)
        seats = self._seats(met)
        for seat in seats:
            seat.is_done = seat.page is met.listener
        self._forget(met)
        self.passed += 1
        self._introduce(met.seeder.ticket.room)

        def recorded(away: Away | None) -> None:
            for seat in seats:
                seat.page.end.tell({"now": "whole", "number": met.number, "counted": away is None})

        self._record(rows, recorded)


Act = Callable[[Meetings, Seat, Introduction, dict[str, Any]], str | None]
_ACTS: dict[str, Act] = {
    "signal": Meetings._signal,
    "relay": Meetings._relay,
    "want": Meetings._want,
    "got": Meetings._got,
    "receipt": Meetings._receipt,
}


def _number(message: dict[str, Any], name: str) -> int:
    value = message.get(name)
    return value if type(value) is int else -1
