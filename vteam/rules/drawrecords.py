"""A draw's published record, and everything that can be wrong with one.

    {"announcement": {…}, "announced": its hash, "entries": [[id, weight], …], "randomness": {…}, "order": [id, …]}

The announcement is published before anybody can know the randomness; the rest when it has come. docs/draws.md says what
each field means, and what a record proves and cannot prove.

Pure: a record comes in as the values JSON gave, and every fault of it goes out in words.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from vteam.rules import draws
from vteam.rules.beacons import BEACONS, Beacon, randomness_of
from vteam.rules.draws import Entry

ENTRIES_MAX = 10_000_000
DRAWN_MAX = 10_000
"""So many are drawn at most, and as many next in line: drawing one takes longer the more were drawn before."""
CONTRIBUTORS_MAX = 50
SECRET_BYTES = 32
_HEX = frozenset("0123456789abcdef")
_ID_CHARACTERS = frozenset("0123456789abcdefghijklmnopqrstuvwxyz")
ID_LENGTH_MAX = 40


class Part(StrEnum):
    """The parts of a record, as a fault names them."""

    RECORD = "record"
    ANNOUNCEMENT = "announcement"
    ENTRIES = "entries"
    RANDOMNESS = "randomness"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a part of a record."""

    part: Part
    wrong: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of checking a record. `faults`: none where it holds; `order`: what the draw leads to, as far as known.

    `left_out`: contributors who never revealed what they had committed to; `too_few`: so many that there is no draw.
    """

    faults: tuple[Fault, ...]
    announced: str = ""
    order: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    too_few: bool = False


class _Wrong(Exception):
    """A part that cannot be gone on with."""

    def __init__(self, part: Part, wrong: str) -> None:
        super().__init__(wrong)
        self.fault = Fault(part, wrong)


class _TooFew(_Wrong):
    """Not as many revealed as the announcement asks for."""


# Making one ----------------------------------------------------------------------------------------------------------
def from_beacon(beacon: Beacon, round_: int) -> dict[str, Any]:
    """Where the randomness will come from, as an announcement says it: a round of a public beacon."""
    return {"from": "beacon", "chain": beacon.chain, "round": round_}


def from_commitments(commitments: Mapping[str, str], *, until: dt.datetime, at_least: int) -> dict[str, Any]:
    """The same without a beacon: everybody named has committed to a secret, and reveals it until then.

    Fewer than `at_least` who do: there is no draw, and another one is announced.
    """
    contributors = [{"name": name, "commitment": commitments[name]} for name in sorted(commitments)]
    return {
        "from": "commitments", "contributors": contributors, "reveal_until": stated(until), "at_least": at_least,
    }  # fmt: skip


def announcement(
    *,
    campaign: str,
    prize: str,
    how_many: int,
    in_line: int,
    entries: Sequence[Entry],
    at: dt.datetime,
    randomness: Mapping[str, Any],
) -> dict[str, Any]:
    """What is published before the draw. `in_line`: how many more are drawn, to take the place of who declines."""
    return {
        "algorithm": draws.ALGORITHM,
        "campaign": campaign,
        "prize": prize,
        "how_many": how_many,
        "in_line": in_line,
        "entries": len(entries),
        "weight": sum(entry.weight for entry in entries),
        "entries_sha256": draws.entries_sha256(entries),
        "announced_at": stated(at),
        "randomness": dict(randomness),
    }


def unchecked(
    announcement: Mapping[str, Any], entries: Sequence[Entry], randomness: Mapping[str, Any]
) -> dict[str, Any]:
    """A record whose randomness may be wrong, and whose order is not known yet: for `checked` to find it."""
    return {
        "announcement": dict(announcement),
        "announced": draws.announcement_sha256(announcement),
        "entries": [list(entry) for entry in entries],
        "randomness": dict(randomness),
        "order": [],
    }


def record(
    announcement: Mapping[str, Any], entries: Sequence[Entry], randomness: Mapping[str, Any]
) -> dict[str, Any]:
    """The record of a draw whose randomness has come: a round's `signature`, or what was `revealed` by whom."""
    found = unchecked(announcement, entries, randomness)
    return {**found, "order": list(checked(found).order)}


def commitment_to(name: str, secret: str) -> str:
    """What a contributor publishes of their secret (64 hex digits) beforehand: 64 hex digits."""
    return hashlib.sha256(f"{draws.ALGORITHM} {name} {secret}".encode()).hexdigest()


def stated(at: dt.datetime) -> str:
    """A moment as records state it: ISO 8601 in UTC, whole seconds."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# Checking one --------------------------------------------------------------------------------------------------------
def checked(found: Any, *, announced: str = "") -> Checked:
    """Does a draw again from its record alone.

    `announced`: the announcement's hash as somebody saw it published; without it nothing says that the announcement is
    the one that was published.
    """
    try:
        told = _announcement(found)
    except _Wrong as wrong:
        return Checked(faults=(wrong.fault,))
    hashed = draws.announcement_sha256(told)
    faults = list(_of_the_hash(found, hashed, announced))
    order: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    entries: list[Entry] = []
    too_few = False
    try:
        entries = _entries(found, told)
    except _Wrong as wrong:
        faults.append(wrong.fault)
    try:
        randomness, left_out = _randomness(told, _object(found.get("randomness"), Part.RANDOMNESS))
        if entries:
            seed = draws.seed_of(hashed, randomness)
            places = draws.drawn(seed, [entry.weight for entry in entries], _drawn_in_all(told))
            order = tuple(entries[place].id for place in places)
    except _Wrong as wrong:
        too_few = isinstance(wrong, _TooFew)
        faults.append(wrong.fault)
    if order and found.get("order") != list(order):
        faults.append(Fault(Part.ORDER, "the entries drawn are not those this draw leads to"))
    return Checked(faults=tuple(faults), announced=hashed, order=order, left_out=left_out, too_few=too_few)


_UNREADABLE: Final = "it is not what a draw's announcement contains"


def _announcement(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise _Wrong(Part.RECORD, "this is not the record of a draw")
    told = found.get("announcement")
    if not isinstance(told, dict) or told.get("algorithm") != draws.ALGORITHM:
        raise _Wrong(Part.ANNOUNCEMENT, f"it is not the announcement of a {draws.ALGORITHM} draw")
    numbers = [_is_number(told.get(name), most) for name, most in _NUMBERS.items()]
    texts = [
        isinstance(told.get(name), str) for name in ("campaign", "prize", "entries_sha256", "announced_at")
    ]
    if not all(numbers) or not all(texts) or not isinstance(told.get("randomness"), dict):
        raise _Wrong(Part.ANNOUNCEMENT, _UNREADABLE)
    if told.keys() != _FIELDS or told["how_many"] < 1 or told["entries"] < 1:
        raise _Wrong(Part.ANNOUNCEMENT, _UNREADABLE)
    if moment(told["announced_at"]) is None or not _is_source(told["randomness"]):
        raise _Wrong(Part.ANNOUNCEMENT, _UNREADABLE)
    try:
        draws.announcement_sha256(told)
    except TypeError as error:
        raise _Wrong(Part.ANNOUNCEMENT, _UNREADABLE) from error
    return told


def _is_source(source: Mapping[str, Any]) -> bool:
    """Whether it has the fields a source has, and no others; what stands in them is looked at later."""
    contributors = source.get("contributors", [])
    return (
        set(source) == _SOURCES.get(str(source.get("from")), set())
        and isinstance(contributors, list)
        and all(isinstance(each, dict) and each.keys() == {"name", "commitment"} for each in contributors)
    )


_SOURCES: dict[str, set[str]] = {
    "beacon": {"from", "chain", "round"},
    "commitments": {"from", "contributors", "reveal_until", "at_least"},
}
_NUMBERS = {
    "how_many": DRAWN_MAX, "in_line": DRAWN_MAX, "entries": ENTRIES_MAX, "weight": draws.TOTAL_MAX - 1,
}  # fmt: skip
_FIELDS = {*_NUMBERS, "algorithm", "campaign", "prize", "entries_sha256", "announced_at", "randomness"}


def _of_the_hash(found: Mapping[str, Any], hashed: str, announced: str) -> Iterator[Fault]:
    if found.get("announced") != hashed:
        yield Fault(Part.ANNOUNCEMENT, "it was changed: its hash is not the one the record names")
    if announced and announced != hashed:
        yield Fault(
            Part.ANNOUNCEMENT, "it is another one than was published: its hash is not the one you gave"
        )


def _entries(found: Mapping[str, Any], told: Mapping[str, Any]) -> list[Entry]:
    rows = found.get("entries")
    if not isinstance(rows, list) or not rows:
        raise _Wrong(Part.ENTRIES, "there are none")
    last, total, entries = "", 0, []
    for row in rows:
        if not isinstance(row, list) or len(row) != 2:
            raise _Wrong(Part.ENTRIES, "one of them is not an id and a weight")
        id_, weight = row
        if (
            not isinstance(id_, str)
            or not 0 < len(id_) <= ID_LENGTH_MAX
            or not _ID_CHARACTERS.issuperset(id_)
        ):
            raise _Wrong(Part.ENTRIES, "one of them has an id that is none")
        if type(weight) is not int or not 0 < weight <= draws.WEIGHT_MAX:
            raise _Wrong(Part.ENTRIES, f"{id_} has a weight that is none")
        if id_ <= last:
            raise _Wrong(Part.ENTRIES, f"{id_} is not in the order of the ids, or there twice")
        last, total = id_, total + weight
        entries.append(Entry(id_, weight))
    if len(entries) != told["entries"] or total != told["weight"]:
        raise _Wrong(Part.ENTRIES, "they are not as many, or do not weigh as much, as was announced")
    if draws.entries_sha256(entries) != told["entries_sha256"]:
        raise _Wrong(Part.ENTRIES, "they were changed: their hash is not the one announced")
    return entries


def _drawn_in_all(told: Mapping[str, Any]) -> int:
    in_all: int = told["how_many"] + told["in_line"]
    return in_all


def _randomness(told: Mapping[str, Any], came: Mapping[str, Any]) -> tuple[bytes, tuple[str, ...]]:
    """The randomness (32 bytes) and who was left out of it; _Wrong where it is not what was announced."""
    source = told["randomness"]
    if source.get("from") == "beacon":
        return _from_round(told, source, came), ()
    if source.get("from") == "commitments":
        return _from_revealed(told, source, came)
    raise _Wrong(Part.ANNOUNCEMENT, "it names no source of randomness known here")


def _from_round(told: Mapping[str, Any], source: Mapping[str, Any], came: Mapping[str, Any]) -> bytes:
    beacon = BEACONS.get(str(source.get("chain")))
    round_ = source.get("round")
    if beacon is None or not _is_number(round_, 2**40) or not round_:
        raise _Wrong(Part.ANNOUNCEMENT, "it names no beacon, or no round of it, known here")
    at = moment(told["announced_at"])
    if at is None or at.timestamp() >= beacon.time_of(round_):
        raise _Wrong(Part.ANNOUNCEMENT, "it was made when its round was there already")
    signature = _bytes(came.get("signature"))
    if not signature or not beacon.signed(round_, signature):
        raise _Wrong(Part.RANDOMNESS, f"the signature is not the beacon's for round {round_}")
    return randomness_of(signature)


def _from_revealed(
    told: Mapping[str, Any], source: Mapping[str, Any], came: Mapping[str, Any]
) -> tuple[bytes, tuple[str, ...]]:
    contributors, at_least = source.get("contributors"), source.get("at_least")
    before, until = moment(told["announced_at"]), moment(str(source.get("reveal_until")))
    if before is None or until is None or before >= until:
        raise _Wrong(Part.ANNOUNCEMENT, "it was made when the time to reveal was over already")
    if not isinstance(contributors, list) or not 0 < len(contributors) <= CONTRIBUTORS_MAX:
        raise _Wrong(Part.ANNOUNCEMENT, "it names no contributors, or too many")
    if not _is_number(at_least, len(contributors)) or not at_least:
        raise _Wrong(Part.ANNOUNCEMENT, "it does not say how many have to reveal")
    revealed = _object(came.get("revealed"), Part.RANDOMNESS)
    hashed, left_out = hashlib.sha256(), []
    for contributor in contributors:
        name, commitment = (
            _object(contributor, Part.ANNOUNCEMENT).get(key) for key in ("name", "commitment")
        )
        if not isinstance(name, str):
            raise _Wrong(Part.ANNOUNCEMENT, "it names a contributor without a name")
        secret = revealed.get(name)
        if secret is None:
            left_out.append(name)
            continue
        if len(_bytes(secret)) != SECRET_BYTES or commitment_to(name, secret) != commitment:
            raise _Wrong(Part.RANDOMNESS, f"what {name} revealed is not what they had committed to")
        hashed.update(bytes.fromhex(secret))
    if revealed.keys() - {contributor["name"] for contributor in contributors}:
        raise _Wrong(Part.RANDOMNESS, "somebody revealed who had not committed")
    if len(contributors) - len(left_out) < at_least:
        raise _TooFew(Part.RANDOMNESS, f"fewer than {at_least} revealed: there is no draw")
    return hashed.digest(), tuple(left_out)


def _object(value: Any, part: Part) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(part, "it is missing, or not what it should be")
    return value


def _is_number(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _bytes(text: Any) -> bytes:
    """The bytes of hex digits; none where they are none."""
    if not isinstance(text, str) or len(text) % 2 or not _HEX.issuperset(text):
        return b""
    return bytes.fromhex(text)


def moment(text: str) -> dt.datetime | None:
    """The moment a record states; None where it is none."""
    try:
        return dt.datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
    except ValueError:
        return None


_MOMENT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
