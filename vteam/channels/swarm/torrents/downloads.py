"""The story of one download as the witness sees it, and what is missing of it before it is believed.

A download counts without a doubt when it was seen from little to all of it, no faster than lines are, while the fan's
own computer was there; when pieces asked for on the way were the title's; and when what both ends say they sent and
got does not contradict it. Whoever holds a copy already and plays a slow download passes: docs/evidence.md says so.

Pure: times are given (µs), nothing is read or sent. `kept` and `Download.again` carry a story over a restart.
"""

import secrets
from dataclasses import dataclass, field, fields
from typing import Any, Self

from vteam.channels.swarm.torrents.announce import Announce, Event
from vteam.channels.swarm.torrents.ends import Ends
from vteam.channels.swarm.torrents.metainfo import Template
from vteam.channels.swarm.torrents.places import is_six
from vteam.rules.facts import Doubt

SECOND_US = 1_000_000
BYTES_PER_S_MAX = 12_500_000
"""No download is believed to be faster than this (100 Mbit/s); what comes faster was there before."""
BURST = 2
"""Pieces that may come in one moment all the same."""
LITTLE, HALF, MUCH, ENOUGH = 0.2, 0.5, 0.8, 0.8
"""Shares of a title: where a download must have been seen to begin (much is enough within `EARLY_US` of its first
announce: lines are fast, and clients meet us a second later than the fan's), from where an end that the client tells
the tracker is believed (some leave with their last pieces untold), and how much of the rest must have been seen to
come (and be in the counters)."""
EARLY_US = 15 * SECOND_US
ASK_AT = (0.2, 0.4, 0.6, 0.8)
ASKED_MAX = 12
CURVE_POINTS = 48
INFLATED = 3


@dataclass(slots=True, kw_only=True)
class Download:
    """One listener's download of one torrent. `listener`: a keyed hash of where it goes on (32 hex digits).

    `have`: pieces it had when last seen; `seen`: of those, how many were seen to come after the first look
    (`looked_us`), no faster than a line could have brought them since it began. `curve`: pairs of time and pieces.
    `asked`: pairs of piece and whether what came was right (None: nothing came). `claims`: its client says that it
    downloads. `same`: it goes on where the fan's own computer is. `near`: a keyed hash of its near network.
    """

    listener: str
    near: str
    first_us: int
    introduction: str = field(default_factory=lambda: secrets.token_hex(8))
    salt: str = field(default_factory=lambda: secrets.token_hex(16))
    last_us: int = 0
    looked_us: int = 0
    client: str = ""
    met: bool = False
    first_have: int = -1
    have: int = 0
    seen: int = 0
    curve: list[list[int]] = field(default_factory=list)
    asked: list[list[Any]] = field(default_factory=list)
    ends: Ends = field(default_factory=Ends)
    claims: bool = False
    whole_us: int = 0
    gap: bool = False
    same: bool = False
    judged_us: int = 0
    doubt: str = ""

    def kept(self) -> dict[str, Any]:
        """The story as it is kept; to be written out at once, since nothing in it is copied."""
        return {name: getattr(self, name) for name in _FIELDS} | {"ends": self.ends.kept()}

    @classmethod
    def again(cls, kept: dict[str, Any]) -> Self:
        """A story that was kept; what was not whole yet has a gap from then on. TypeError or KeyError for others."""
        found = cls(**{**kept, "ends": Ends.again(kept["ends"])})
        found.interrupt()
        return found

    def interrupt(self) -> None:
        """Some of it may have gone unseen."""
        self.gap = self.gap or (self.met and not self.whole_us)

    # What is seen ------------------------------------------------------------------------------------------------
    def has(self, pieces: int, template: Template, *, at_us: int, seeder: bool) -> None:
        """It has so many pieces now; `seeder`: whether the fan's own computer is there."""
        pieces = min(pieces, template.pieces)
        if self.first_have < 0:
            self.first_have = self.have = pieces
            self.looked_us = at_us
            self._draw(at_us, template)
        elif pieces > self.have:
            since_us = max(at_us - self.first_us, 0)
            could = BYTES_PER_S_MAX * since_us // SECOND_US // template.piece_bytes + BURST
            if seeder:
                self.seen = min(self.seen + pieces - self.have, max(could, self.seen))
            self.have = pieces
            self._draw(at_us, template)
        self.last_us = at_us
        if self.have == template.pieces and not self.whole_us:
            self.whole_us = at_us

    def told(self, announce: Announce, template: Template, *, at_us: int, seeder: bool, address: str) -> None:
        """Its client announced. That it is whole is believed where we saw most of it come."""
        self.ends.told(announce, at_us, over_six=is_six(address))
        self.last_us = at_us
        self.claims = self.claims or announce.left > 0 or announce.event is Event.COMPLETED
        if announce.left:
            return
        # A client that leaves the moment it is done tells the tracker and nobody else.
        if self.met and self.first_have >= 0 and self.have >= HALF * template.pieces:
            self.has(template.pieces, template, at_us=at_us, seeder=seeder)
        elif announce.event is Event.COMPLETED and not self.whole_us:
            self.whole_us = at_us

    def _draw(self, at_us: int, template: Template) -> None:
        """Adds a point where the curve has moved enough."""
        step = template.pieces / (CURVE_POINTS - 2)
        last = self.curve[-1][1] if self.curve else -1
        if not self.curve or self.have - last >= step or self.have == template.pieces:
            self.curve.append([at_us, self.have])

    # Asking for pieces -------------------------------------------------------------------------------------------
    def wants(self, template: Template) -> bool:
        """Whether a piece should be asked for now."""
        if self.judged_us or len(self.asked) >= ASKED_MAX or not self.have:
            return False
        got = self.right + self.wrong
        due = sum(self.have >= mark * template.pieces for mark in ASK_AT) + bool(self.whole_us)
        return got < due

    @property
    def right(self) -> int:
        """How many pieces it gave when asked were the title's; the same one again is no other."""
        return len({index for index, right in self.asked if right})

    @property
    def wrong(self) -> int:
        """How many were not."""
        return sum(right is False for _, right in self.asked)

    @property
    def withheld(self) -> int:
        """How many it was asked for and did not give."""
        return sum(right is None for _, right in self.asked)

    # Judging -----------------------------------------------------------------------------------------------------
    def is_one(self, template: Template) -> bool:
        """Whether it is a download at all: who comes with all of it and claims nothing merely has it already."""
        return self.claims or 0 <= self.first_have < template.pieces

    def is_ready(
        self, template: Template, *, at_us: int, here: bool, seeder_told_us: int, settle_us: int
    ) -> bool:
        """Whether all that can be known is: pieces were given or will not be, both ends have told their counters since,
        and the client has shown all that it says it has.

        `here`: whether its client is still connected. `seeder_told_us`: when the fan's client last announced.
        """
        if not self.whole_us or self.judged_us or not self.is_one(template):
            return False
        waited_us = at_us - self.whole_us
        if waited_us >= 2 * settle_us:
            return True
        checked = self.right > 0 or self.wrong > 0 or not here
        # A client may tell the tracker that it has all of it some seconds before it tells the witness of its pieces.
        shown = self.have == template.pieces or not here
        both_told = seeder_told_us > self.whole_us and self.ends.told_us >= self.whole_us
        return checked and ((shown and both_told) or waited_us >= settle_us)

    def verdict(
        self, template: Template, *, sent: int, seeder_told_us: int, seeder_fell: bool
    ) -> Doubt | None:
        """What is missing; None where it is believed. `sent`: bytes the fan's clients say they sent meanwhile."""
        is_early = self.claims and self.looked_us - self.first_us <= EARLY_US
        begun_small = 0 <= self.first_have <= (MUCH if is_early else LITTLE) * template.pieces
        rest = template.pieces - self.first_have
        doubts = {
            Doubt.SPOILED: self.wrong > 0,
            Doubt.UNSEEN: not self.right and not begun_small,
            Doubt.GAP: self.gap,
            Doubt.SUDDEN: not begun_small or self.seen < ENOUGH * rest,
            Doubt.UNCHECKED: self.right <= self.withheld,
            Doubt.COUNTERS: seeder_fell or self._contradicted(template, sent, seeder_told_us),
        }
        return next((doubt for doubt, applies in doubts.items() if applies), None)

    def _contradicted(self, template: Template, sent: int, seeder_told_us: int) -> bool:
        """Whether what either end told after the end is not what was seen. An end that told nothing is not blamed."""
        seen_bytes = ENOUGH * (self.seen * template.piece_bytes - template.piece_bytes)
        too_little = self.ends.told_us >= self.whole_us and self.ends.got < seen_bytes
        too_much = self.ends.most_got > INFLATED * template.size
        unsent = seeder_told_us > self.whole_us and sent < seen_bytes
        return self.ends.fell_us > 0 or too_little or too_much or unsent


_FIELDS = tuple(each.name for each in fields(Download))
