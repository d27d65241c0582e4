"""May this title circulate this way, now? One rule, asked by every page, file, copy and door.

Each named holder must have agreed to each way separately; one missing, refusing or withdrawing holder closes it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """The ways of circulating, each agreed to separately."""

    LISTEN = "listen"
    DOWNLOAD = "download"
    PASS_ON = "pass-on"
    WORLDS = "worlds"


class Act(StrEnum):
    """What a holder did about a way."""

    AGREED = "agreed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    USED_UP = "used_up"  # said for a holder when what they allowed at most is reached


class Standing(StrEnum):
    """How a way stands."""

    OPEN = "open"
    NOT_AGREED = "not_agreed"
    NOT_BEGUN = "not_begun"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    USED_UP = "used_up"


# The most telling reason first, when several holders keep a way closed.
_GRAVITY = (
    Standing.WITHDRAWN,
    Standing.REFUSED,
    Standing.EXPIRED,
    Standing.USED_UP,
    Standing.NOT_BEGUN,
    Standing.NOT_AGREED,
)


_SHUTS: dict[str, Standing] = {
    Act.WITHDRAWN: Standing.WITHDRAWN,
    Act.REFUSED: Standing.REFUSED,
    Act.USED_UP: Standing.USED_UP,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RightRecord:
    """What one holder said about one way at `at_us`. An agreement holds from `from_us` until `until_us`."""

    holder: int
    way: str
    act: str
    at_us: int
    from_us: int
    until_us: int | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circulation:
    """The gate's answer. `waiting_for`: holders who keep it closed. `words`: what holders ask of people."""

    way: Way
    standing: Standing
    waiting_for: tuple[int, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the title may circulate this way now."""
        return self.standing is Standing.OPEN


def circulation(
    *, way: Way, holders: Sequence[int], records: Iterable[RightRecord], at_us: int
) -> Circulation:
    """Whether a title may circulate one way at a moment.

    `holders`: every named holder of the title; without any, nothing circulates. `records`: the title's records
    in the order they were made; of each holder the last one made by `at_us` speaks.
    """
    last: dict[int, RightRecord] = {}
    for record in records:
        if record.way == way and record.at_us <= at_us:
            last[record.holder] = record
    standings = {holder: _standing(last.get(holder), at_us) for holder in holders}
    closed = {holder: standing for holder, standing in standings.items() if standing is not Standing.OPEN}
    words = tuple(dict.fromkeys(last[h].words for h in holders if h in last and last[h].words))
    if not holders:
        return Circulation(way=way, standing=Standing.NOT_AGREED)
    if not closed:
        return Circulation(way=way, standing=Standing.OPEN, words=words)
    gravest = min(closed.values(), key=_GRAVITY.index)
    return Circulation(way=way, standing=gravest, waiting_for=tuple(closed), words=words)


def hearing_us(records: Iterable[RightRecord], *, at_us: int) -> int:
    """The moment to judge records at, now being `at_us`: no earlier than the last of them.

    Where a holder's word bears a later time the clock was set back since: it is heard all the same, or what was
    withdrawn would be open again until the clock comes by a second time.
    """
    return max([at_us, *(record.at_us for record in records)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What became of a way until a moment: whether it was ever open, and since when it is closed after it was (µs)."""

    ever_open: bool
    closed_since_us: int | None


def course(*, way: Way, holders: Sequence[int], records: Sequence[RightRecord], at_us: int) -> Course:
    """How a way went, with the holders of today; it can change only where somebody speaks or an agreement turns."""
    own = [record for record in records if record.way == way]
    turns = {
        turn for record in own for turn in (record.at_us, record.from_us, record.until_us) if turn is not None
    }
    ever_open, was_open, since = False, False, None
    for turn in sorted(turn for turn in turns if turn <= at_us):
        is_open = circulation(way=way, holders=holders, records=own, at_us=turn).is_open
        if was_open != is_open:
            since = None if is_open else turn
        was_open, ever_open = is_open, ever_open or is_open
    return Course(ever_open=ever_open, closed_since_us=since)


def _standing(record: RightRecord | None, at_us: int) -> Standing:
    if record is None:
        return Standing.NOT_AGREED
    if record.act in _SHUTS:
        return _SHUTS[record.act]
    if at_us < record.from_us:
        return Standing.NOT_BEGUN
    if record.until_us is not None and at_us >= record.until_us:
        return Standing.EXPIRED
    return Standing.OPEN
