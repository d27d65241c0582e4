"""What must hold between the tables of a campaign file: dates, names that exist, promises that can be kept.

Works on the tables as read, not on a validated file, so that a wrong word in one place does not hide a
wrong date in another: what cannot be understood is passed over here, for `vteam.campaigns.findings` has
said so already. Pure: no file is opened and no clock is read.
"""

import datetime as dt
import itertools
import typing
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from coloraide import Color
from pydantic_core import PydanticCustomError

from vteam.campaigns.file import (
    OF_CONCERT,
    OF_PASS_ON,
    PLACES_AT_MOST,
    SETTLED_DAYS,
    USUAL,
    MissionKind,
    PrizeKind,
)
from vteam.campaigns.findings import FINDINGS_MAX, Finding, nearest, one_of, words_in
from vteam.campaigns.locate import Path
from vteam.campaigns.values import (
    begins_at,
    day_of,
    hold_seconds,
    names_of_countries,
    over_at,
    read_colour,
    read_hold,
    read_moment,
    read_zone,
)
from vteam.rules.drawrecords import DRAWN_MAX

SEASON_DAYS_MAX = 400
CONCERT_DAYS_MAX = 400
"""Days between the season's end and the last concert: beyond them stands a wrong year."""
SETTLED_DAYS_MAX = 60
"""Days after the season's end by which its result is final."""
COLOURS_APART_MIN = 0.1
"""Least distance of the two colours in OKLab (ΔE OK); 0.02 is the smallest difference an eye sees."""
LANGUAGE_NAMES = {"en": "English", "fr": "French"}

Tables = dict[str, Any]
Read = TypeVar("Read")


def contradictions(tables: Tables, *, lost_tables: bool = False) -> list[Finding]:
    """Everything in `tables` that does not go together; at most FINDINGS_MAX.

    `lost_tables`: some could not be read at all, so a name that seems to lead nowhere proves nothing.
    """
    checks = ALONE if lost_tables else ALONE + TOGETHER
    found = (finding for check in checks for finding in check(tables))
    return list(itertools.islice(found, FINDINGS_MAX))


# Reading loosely ------------------------------------------------------------
def entries(tables: Tables, name: str) -> list[tuple[int, Tables]]:
    """The tables of the list `name` with their indexes; whatever is no table is passed over."""
    given = tables.get(name)
    listed = given if isinstance(given, list) else []
    return [(at, entry) for at, entry in enumerate(listed) if isinstance(entry, dict)]


def text_in(table: Tables, key: str) -> str | None:
    """The text at `key`; None where there is none."""
    given = table.get(key)
    return given.strip() if isinstance(given, str) else None


def _table(tables: Tables, name: str) -> Tables:
    given = tables.get(name)
    return given if isinstance(given, dict) else {}


def _number(table: Tables, key: str) -> int | None:
    given = table.get(key)
    return given if isinstance(given, int) and not isinstance(given, bool) and given > 0 else None


def _moment(table: Tables, key: str) -> dt.date | None:
    return _understood(read_moment, table.get(key))


def _understood(read: Callable[[Any], Read], given: object) -> Read | None:
    try:
        return None if given is None else read(given)
    except (PydanticCustomError, TypeError):
        return None


def _zone_of(tables: Tables) -> str:
    return _understood(read_zone, text_in(_table(tables, "season"), "time_zone")) or "UTC"


def _keys(tables: Tables, name: str) -> list[str]:
    return [key for _, entry in entries(tables, name) if (key := text_in(entry, "key"))]


# Dates ------------------------------------------------------------
def _season(tables: Tables) -> Iterator[Finding]:
    season, zone = _table(tables, "season"), _zone_of(tables)
    starts, release, ends = (_moment(season, key) for key in ("starts", "release", "ends"))
    if starts and ends and over_at(ends, zone) <= begins_at(starts, zone):
        yield _at("season", "ends", "the season ends before it starts", f"write a day after {starts}")
        return
    if starts and ends and over_at(ends, zone) - begins_at(starts, zone) > dt.timedelta(days=SEASON_DAYS_MAX):
        instead = f"write a day at most {SEASON_DAYS_MAX} days after {starts}"
        yield _at("season", "ends", "the season lasts for more than a year", instead)
    early = starts and release and begins_at(release, zone) < begins_at(starts, zone)
    late = release and ends and begins_at(release, zone) >= over_at(ends, zone)
    if early or late:
        wrong = f"the release is {'before' if early else 'after'} the season"
        yield _at("season", "release", wrong, f"write a day from {starts} to {ends}")


def _settled(tables: Tables) -> Iterator[Finding]:
    """The result becomes final after the season, not before and not for ever later."""
    season, zone = _table(tables, "season"), _zone_of(tables)
    ends, settled = _moment(season, "ends"), _moment(season, "settled")
    if not ends or not settled or any(_season(tables)):
        return
    end, final = over_at(ends, zone), over_at(settled, zone)
    if final < end:
        wrong = "the result would be final before the season is over"
        yield _at("season", "settled", wrong, f"write {ends} or later")
    elif final > end + dt.timedelta(days=SETTLED_DAYS_MAX):
        wrong = f"the result would be final more than {SETTLED_DAYS_MAX} days after the season"
        yield _at("season", "settled", wrong, "write a nearer day")


def _final(season: Tables, zone: str, ends: dt.date) -> dt.datetime | None:
    """From when the result is final; None where the file's own day makes no sense."""
    settled, usual = _moment(season, "settled"), day_of(ends) + dt.timedelta(days=SETTLED_DAYS)
    final = over_at(settled or usual, zone)
    return final if final >= over_at(ends, zone) else None


def _hold_of(mission: Tables) -> str | None:
    usual = USUAL.get(text_in(mission, "kind") or "", {}).get("hold", "0")
    return _understood(read_hold, mission.get("hold", usual))


def _mission_dates(tables: Tables) -> Iterator[Finding]:
    season, zone = _table(tables, "season"), _zone_of(tables)
    starts, ends = _moment(season, "starts"), _moment(season, "ends")
    if not starts or not ends or over_at(ends, zone) <= begins_at(starts, zone):
        return
    first, end = begins_at(starts, zone), over_at(ends, zone)
    for at, mission in entries(tables, "missions"):
        opens, closes = _moment(mission, "opens"), _moment(mission, "closes")
        inside = f"write a day from {starts} to {ends}, or leave it out"
        if opens and not first <= begins_at(opens, zone) < end:
            yield _at("missions", at, "opens", "the mission opens outside the season", inside)
        if closes and not first < over_at(closes, zone) <= end:
            yield _at("missions", at, "closes", "the mission closes outside the season", inside)
        if opens and closes and over_at(closes, zone) <= begins_at(opens, zone):
            yield _at(
                "missions", at, "closes", "the mission closes before it opens", f"write a day after {opens}"
            )
        final = _final(season, zone, ends)
        yield from _hold_too_long(at, mission, max(first, begins_at(opens or starts, zone)), end, final)


def _hold_too_long(
    at: int, mission: Tables, opens: dt.datetime, end: dt.datetime, final: dt.datetime | None
) -> Iterator[Finding]:
    hold = _hold_of(mission)
    if hold and opens < end <= opens + dt.timedelta(seconds=hold_seconds(hold)):
        wrong = f"points held for {hold} would not count before the season is over"
        yield _at(
            "missions", at, "hold", wrong, 'write a shorter one, such as "24h", or open the mission earlier'
        )
    elif hold and final and end + dt.timedelta(seconds=hold_seconds(hold)) > final:
        wrong = f"points of the last day, held for {hold}, would come after the result is final"
        yield _at("missions", at, "hold", wrong, "write a shorter one, or a later `settled`")


def _concert_dates(tables: Tables) -> Iterator[Finding]:
    """A wrong year shows: before the season nobody can come any more, long after it nobody knows yet."""
    season, zone = _table(tables, "season"), _zone_of(tables)
    starts, ends = _moment(season, "starts"), _moment(season, "ends")
    if not starts or not ends:
        return
    last = over_at(ends, zone) + dt.timedelta(days=CONCERT_DAYS_MAX)
    for at, concert in entries(tables, "concerts"):
        played, there = _moment(concert, "at"), _understood(read_zone, text_in(concert, "time_zone")) or zone
        if played and over_at(played, there) <= begins_at(starts, zone):
            yield _at(
                "concerts", at, "at", "the concert is before the season", f"write a day from {starts} on"
            )
        elif played and begins_at(played, there) >= last:
            wrong = "the concert is more than a year after the season"
            yield _at("concerts", at, "at", wrong, "write a nearer day")


# Names ------------------------------------------------------------
def _repeated_keys(tables: Tables) -> Iterator[Finding]:
    for name in ("titles", "holders", "missions", "prizes", "concerts"):
        yield from _repeated(tables, name, "key", text_in)
    yield from _repeated(tables, "milestones", "points", _number)
    yield from _repeated(tables, "titles", "file", text_in)
    yield from _repeated(tables, "links", "address", text_in)


def _repeated(
    tables: Tables, name: str, key: str, read: Callable[[Tables, str], str | int | None]
) -> Iterator[Finding]:
    first: dict[str | int, int] = {}
    for at, entry in entries(tables, name):
        value = read(entry, key)
        if value is not None and first.setdefault(value, at) != at:
            wrong = f"`{key}` = {value} stands twice among the {name}"
            yield _at(name, at, key, wrong, "write another here, or take one of the two out")


def _holders(tables: Tables) -> Iterator[Finding]:
    """Names that lead nowhere, and titles nobody answers for."""
    titles = dict.fromkeys(_keys(tables, "titles"))
    answered: set[str] = set()
    for at, holder in entries(tables, "holders"):
        listed = holder.get("titles", [])
        named = [key for key in listed if isinstance(key, str)] if isinstance(listed, list) else titles
        answered.update(named or titles)
        for place, key in enumerate(named):
            if titles and key not in titles:
                yield _at(
                    "holders", at, "titles", place, f"no title has the key “{key}”", _meant(key, titles)
                )
    for at, title in entries(tables, "titles"):
        own = text_in(title, "key")
        if own and tables.get("holders") and own not in answered:
            wrong = f"nobody is named whose agreement “{own}” needs"
            yield _at("titles", at, wrong, f'add "{own}" to the titles of a [[holders]]')


def _meant(key: str, known: Iterable[str]) -> str:
    near = nearest(key, known)
    return f'did you mean "{near}"?' if near else f"write {one_of(known)}"


# Texts and colours ------------------------------------------------------------
def _languages(tables: Tables) -> Iterator[Finding]:
    listed = tables.get("languages")
    given = listed if isinstance(listed, list) else []
    codes = [code for code in given if isinstance(code, str) and code in LANGUAGE_NAMES]
    if len(codes) != len(set(codes)):
        yield _at("languages", "a language is named twice", "write each once")
    for path, words in words_in(tables):
        for code in dict.fromkeys(codes):
            if not words.get(code) and any(words.get(other) for other in LANGUAGE_NAMES):
                wrong = f"`{path[-1]}` has no {LANGUAGE_NAMES[code]} text"
                instead = f'write {path[-1]}.{code} = "…" beside it, or take "{code}" out of `languages`'
                yield _at(*path, wrong, instead)


def _colours(tables: Tables) -> Iterator[Finding]:
    listed = _table(tables, "theme").get("colours")
    if not isinstance(listed, list) or len(listed) != 2:
        return
    one, other = (_understood(read_colour, colour) for colour in listed)
    if one and other and Color(one).delta_e(other, method="ok") < COLOURS_APART_MIN:
        wrong = f"the two colours, {one} and {other}, can hardly be told apart"
        yield _at("theme", "colours", wrong, "write two that differ clearly, in hue or in lightness")


# Missions and prizes ------------------------------------------------------------
def _mission_limits(tables: Tables) -> Iterator[Finding]:
    for at, mission in entries(tables, "missions"):
        a_day, in_all = _number(mission, "per_fan_per_day"), _number(mission, "per_fan")
        if a_day and in_all and in_all < a_day:
            wrong = f"{a_day} a day can never be reached when a fan is paid {in_all} times in all"
            yield _at("missions", at, "per_fan", wrong, f"write {a_day} or more")


def _limits_of_passing_on(tables: Tables) -> Iterator[Finding]:
    """Lines that say something for a pass-on mission only, and evidence named once."""
    for at, mission in entries(tables, "missions"):
        kind = text_in(mission, "kind")
        if kind in typing.get_args(MissionKind) and kind != "pass-on":
            for key in (key for key in OF_PASS_ON if key in mission):
                wrong = f"`{key}` says something for a pass-on mission only, and this is a {kind} mission"
                yield _at("missions", at, key, wrong, "take it out")
        listed = mission.get("evidence")
        named = [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
        if len(named) != len(set(named)):
            yield _at("missions", at, "evidence", "a kind of evidence is named twice", "write each once")


def _prizes(tables: Tables) -> Iterator[Finding]:
    """A prize names what its kind needs, and nothing else."""
    for at, prize in entries(tables, "prizes"):
        kind = text_in(prize, "kind")
        for key, its_kind, example in (("first", "ranking", "5"), ("milestone", "milestone", "1_000")):
            if kind == its_kind and key not in prize:
                wrong = f"a {kind} prize says for whom it is"
                yield Finding(
                    path=("prizes", at), wrong=wrong, instead=f"write {key} = {example}", missing=key
                )
            elif kind in typing.get_args(PrizeKind) and kind != its_kind and key in prize:
                yield _at("prizes", at, key, f"`{key}` says nothing for a {kind} prize", "take it out")
        for key in ("qualify", "weighted"):
            if kind in typing.get_args(PrizeKind) and kind != "draw" and key in prize:
                yield _at("prizes", at, key, f"`{key}` says nothing for a {kind} prize", "take it out")
        first, how_many = _number(prize, "first"), _number(prize, "how_many")
        if kind == "ranking" and first and how_many and how_many < first:
            wrong = f"{how_many} prizes are promised to {first} fans"
            yield _at("prizes", at, "how_many", wrong, f"write how_many = {first}, or leave it out")
        if kind == "draw" and (how_many or 0) > DRAWN_MAX:
            wrong = f"a draw of more than {DRAWN_MAX:_} takes too long to be done again by everybody"
            yield _at("prizes", at, "how_many", wrong, f"write how_many = {DRAWN_MAX:_} or less")
        if kind in ("draw", "first-come") and "how_many" not in prize:
            wrong, instead = f"a {kind} prize says how many there are to win", "write how_many = 20"
            yield Finding(path=("prizes", at), wrong=wrong, instead=instead, missing="how_many")


def _prize_milestones(tables: Tables) -> Iterator[Finding]:
    milestones = [
        points for _, entry in entries(tables, "milestones") if (points := _number(entry, "points"))
    ]
    for at, prize in entries(tables, "prizes"):
        wanted = _number(prize, "milestone")
        if text_in(prize, "kind") == "milestone" and wanted and wanted not in milestones:
            there = ", ".join(f"{points:_}" for points in milestones)
            instead = f"write one of {there}" if there else "add a [[milestones]] with these points"
            yield _at("prizes", at, "milestone", f"there is no milestone at {wanted:_} points", instead)


def _prize_concerts(tables: Tables) -> Iterator[Finding]:
    """A place at a concert is for a name, at a concert there is, and won before it begins."""
    concerts = {key: each for _, each in entries(tables, "concerts") if (key := text_in(each, "key"))}
    for at, prize in entries(tables, "prizes"):
        key = text_in(prize, "concert")
        if key is None:
            for name in (name for name in OF_CONCERT if name in prize):
                wrong = f"`{name}` says something for places at a concert only"
                yield _at("prizes", at, name, wrong, 'take it out, or write concert = "…" beside it')
            continue
        if concerts and key not in concerts:
            yield _at("prizes", at, "concert", f"no concert has the key “{key}”", _meant(key, concerts))
        if text_in(prize, "needs") != "name":
            wrong = "whoever has a place at a concert is asked for their name at the door"
            path = ("prizes", at, "needs") if "needs" in prize else ("prizes", at)
            yield Finding(path=path, wrong=wrong, instead='write needs = "name"', missing="needs")
        yield from _places(at, prize)
        yield from _won_too_late(tables, at, prize, concerts.get(key, {}))


def _prize_files(tables: Tables) -> Iterator[Finding]:
    """Whoever downloads something is asked for nothing, and goes nowhere."""
    for at, prize in entries(tables, "prizes"):
        if "file" in prize and text_in(prize, "needs") not in (None, "nothing"):
            yield _at("prizes", at, "needs", "whoever downloads a file is asked for nothing", "take it out")
        if "file" in prize and "concert" in prize:
            wrong = "a prize is a file or places at a concert"
            yield _at("prizes", at, "file", wrong, "make two prizes of it, or take one out")


def _places(at: int, prize: Tables) -> Iterator[Finding]:
    winners = _number(prize, "first") or _number(prize, "how_many")
    if winners is None and text_in(prize, "kind") == "milestone":
        wrong = "no concert has places without end"
        yield Finding(path=("prizes", at), wrong=wrong, instead="write how_many = 20", missing="how_many")
    elif winners and winners * (_number(prize, "places") or 1) > PLACES_AT_MOST:
        wrong = f"a door lets in at most {PLACES_AT_MOST:_} winners' places"
        yield _at("prizes", at, "concert", wrong, "write fewer")


def _won_too_late(tables: Tables, at: int, prize: Tables, concert: Tables) -> Iterator[Finding]:
    """What is won when the result is final cannot be for a concert before."""
    season, zone = _table(tables, "season"), _zone_of(tables)
    ends, played = _moment(season, "ends"), _moment(concert, "at")
    final = _final(season, zone, ends) if ends and not any(_settled(tables)) else None
    there = _understood(read_zone, text_in(concert, "time_zone")) or zone
    if final and played and text_in(prize, "kind") in ("ranking", "draw") and over_at(played, there) <= final:
        wrong = "the concert is over before anybody has won a place at it"
        yield _at("prizes", at, "concert", wrong, "name a later concert, or write an earlier `settled`")


def _countries(tables: Tables) -> Iterator[Finding]:
    """Conditions once for each country, and countries there are."""
    first: dict[str, int] = {}
    for at, each in entries(_table(tables, "rules"), "conditions"):
        code = text_in(each, "country") or ""
        yield from _no_country(code, "rules", "conditions", at, "country")
        if code and first.setdefault(code, at) != at:
            wrong = f"conditions for {code} are written twice"
            yield _at("rules", "conditions", at, "country", wrong, "write both in one text, and take one out")
    for at, prize in entries(tables, "prizes"):
        listed = prize.get("countries")
        for place, code in enumerate(listed if isinstance(listed, list) else ()):
            yield from _no_country(code, "prizes", at, "countries", place)


def _no_country(code: object, *path: str | int) -> Iterator[Finding]:
    """Nothing where it is no code at all: that is said elsewhere."""
    if isinstance(code, str) and len(code) == 2 and code.isascii() and code.isupper():
        names = names_of_countries("en")
        if code not in names:
            meant = {"UK": "GB", "EN": "GB", "EL": "GR"}.get(code)
            instead = f'did you mean "{meant}", {names[meant]}?' if meant else "write its code of ISO 3166"
            yield _at(*path, f"no country has the code “{code}”", instead)


def _at(*parts: str | int) -> Finding:
    """A finding; the last two parts are its sentences, those before its path."""
    path: Path = parts[:-2]
    return Finding(path=path, wrong=str(parts[-2]), instead=str(parts[-1]))


ALONE = (
    _season,
    _settled,
    _languages,
    _colours,
    _repeated_keys,
    _mission_dates,
    _concert_dates,
    _mission_limits,
    _limits_of_passing_on,
    _prizes,
    _prize_files,
    _countries,
)
TOGETHER = (_holders, _prize_milestones, _prize_concerts)
"""What proves nothing when a table could not be read: the name looked for may stand in it."""
