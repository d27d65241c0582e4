"""What must hold between the tables of a campaign file: dates, names that exist, promises that can be kept.

Works on the tables as read, not on a validated file, so that a wrong word in one place does not hide a
wrong date in another: what cannot be understood is passed over here, for `vteam.campaigns.findings` has
said so already. Pure: no file is opened and no clock is read.
"""

import datetime as dt
import itertools
import typing
from collections.abc import Callable, Iterable, Iterator

from coloraide import Color

from vteam.campaigns.file import (
    OF_CONCERT,
    PLACES_AT_MOST,
    PrizeKind,
)
from vteam.campaigns.findings import FINDINGS_MAX, Finding, nearest, one_of, words_in
from vteam.campaigns.loosely import (
    Tables,
    entries,
    final_of,
    finding_at,
    keys,
    moment,
    number,
    table,
    text_in,
    understood,
    zone_of,
)
from vteam.campaigns.missioncoherence import (
    limits_of_passing_on,
    lines_of_worlds,
    mission_dates,
    mission_limits,
)
from vteam.campaigns.values import (
    begins_at,
    names_of_countries,
    over_at,
    read_colour,
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


def contradictions(tables: Tables, *, lost_tables: bool = False) -> list[Finding]:
    """Everything in `tables` that does not go together; at most FINDINGS_MAX.

    `lost_tables`: some could not be read at all, so a name that seems to lead nowhere proves nothing.
    """
    checks = ALONE if lost_tables else ALONE + TOGETHER
    found = (finding for check in checks for finding in check(tables))
    return list(itertools.islice(found, FINDINGS_MAX))


# Dates ------------------------------------------------------------
def _season(tables: Tables) -> Iterator[Finding]:
    season, zone = table(tables, "season"), zone_of(tables)
    starts, release, ends = (moment(season, key) for key in ("starts", "release", "ends"))
    if starts and ends and over_at(ends, zone) <= begins_at(starts, zone):
        yield finding_at("season", "ends", "the season ends before it starts", f"write a day after {starts}")
        return
    if starts and ends and over_at(ends, zone) - begins_at(starts, zone) > dt.timedelta(days=SEASON_DAYS_MAX):
        instead = f"write a day at most {SEASON_DAYS_MAX} days after {starts}"
        yield finding_at("season", "ends", "the season lasts for more than a year", instead)
    early = starts and release and begins_at(release, zone) < begins_at(starts, zone)
    late = release and ends and begins_at(release, zone) >= over_at(ends, zone)
    if early or late:
        wrong = f"the release is {'before' if early else 'after'} the season"
        yield finding_at("season", "release", wrong, f"write a day from {starts} to {ends}")


def _settled(tables: Tables) -> Iterator[Finding]:
    """The result becomes final after the season, not before and not for ever later."""
    season, zone = table(tables, "season"), zone_of(tables)
    ends, settled = moment(season, "ends"), moment(season, "settled")
    if not ends or not settled or any(_season(tables)):
        return
    end, final = over_at(ends, zone), over_at(settled, zone)
    if final < end:
        wrong = "the result would be final before the season is over"
        yield finding_at("season", "settled", wrong, f"write {ends} or later")
    elif final > end + dt.timedelta(days=SETTLED_DAYS_MAX):
        wrong = f"the result would be final more than {SETTLED_DAYS_MAX} days after the season"
        yield finding_at("season", "settled", wrong, "write a nearer day")


def _concert_dates(tables: Tables) -> Iterator[Finding]:
    """A wrong year shows: before the season nobody can come any more, long after it nobody knows yet."""
    season, zone = table(tables, "season"), zone_of(tables)
    starts, ends = moment(season, "starts"), moment(season, "ends")
    if not starts or not ends:
        return
    last = over_at(ends, zone) + dt.timedelta(days=CONCERT_DAYS_MAX)
    for at, concert in entries(tables, "concerts"):
        played, there = moment(concert, "at"), understood(read_zone, text_in(concert, "time_zone")) or zone
        if played and over_at(played, there) <= begins_at(starts, zone):
            yield finding_at(
                "concerts", at, "at", "the concert is before the season", f"write a day from {starts} on"
            )
        elif played and begins_at(played, there) >= last:
            wrong = "the concert is more than a year after the season"
            yield finding_at("concerts", at, "at", wrong, "write a nearer day")


# Names ------------------------------------------------------------
def _repeated_keys(tables: Tables) -> Iterator[Finding]:
    for name in ("titles", "holders", "missions", "prizes", "concerts"):
        yield from _repeated(tables, name, "key", text_in)
    yield from _repeated(tables, "milestones", "points", number)
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
            yield finding_at(name, at, key, wrong, "write another here, or take one of the two out")


def _holders(tables: Tables) -> Iterator[Finding]:
    """Names that lead nowhere, and titles nobody answers for."""
    titles = dict.fromkeys(keys(tables, "titles"))
    answered: set[str] = set()
    for at, holder in entries(tables, "holders"):
        listed = holder.get("titles", [])
        named = [key for key in listed if isinstance(key, str)] if isinstance(listed, list) else titles
        answered.update(named or titles)
        for place, key in enumerate(named):
            if titles and key not in titles:
                yield finding_at(
                    "holders", at, "titles", place, f"no title has the key “{key}”", _meant(key, titles)
                )
    for at, title in entries(tables, "titles"):
        own = text_in(title, "key")
        if own and tables.get("holders") and own not in answered:
            wrong = f"nobody is named whose agreement “{own}” needs"
            yield finding_at("titles", at, wrong, f'add "{own}" to the titles of a [[holders]]')


def _meant(key: str, known: Iterable[str]) -> str:
    near = nearest(key, known)
    return f'did you mean "{near}"?' if near else f"write {one_of(known)}"


# Texts and colours ------------------------------------------------------------
def _languages(tables: Tables) -> Iterator[Finding]:
    listed = tables.get("languages")
    given = listed if isinstance(listed, list) else []
    codes = [code for code in given if isinstance(code, str) and code in LANGUAGE_NAMES]
    if len(codes) != len(set(codes)):
        yield finding_at("languages", "a language is named twice", "write each once")
    for path, words in words_in(tables):
        for code in dict.fromkeys(codes):
            if not words.get(code) and any(words.get(other) for other in LANGUAGE_NAMES):
                wrong = f"`{path[-1]}` has no {LANGUAGE_NAMES[code]} text"
                instead = f'write {path[-1]}.{code} = "…" beside it, or take "{code}" out of `languages`'
                yield finding_at(*path, wrong, instead)


def _colours(tables: Tables) -> Iterator[Finding]:
    listed = table(tables, "theme").get("colours")
    if not isinstance(listed, list) or len(listed) != 2:
        return
    one, other = (understood(read_colour, colour) for colour in listed)
    if one and other and Color(one).delta_e(other, method="ok") < COLOURS_APART_MIN:
        wrong = f"the two colours, {one} and {other}, can hardly be told apart"
        yield finding_at("theme", "colours", wrong, "write two that differ clearly, in hue or in lightness")


# Prizes ------------------------------------------------------------
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
                yield finding_at("prizes", at, key, f"`{key}` says nothing for a {kind} prize", "take it out")
        for key in ("qualify", "weighted"):
            if kind in typing.get_args(PrizeKind) and kind != "draw" and key in prize:
                yield finding_at("prizes", at, key, f"`{key}` says nothing for a {kind} prize", "take it out")
        first, how_many = number(prize, "first"), number(prize, "how_many")
        if kind == "ranking" and first and how_many and how_many < first:
            wrong = f"{how_many} prizes are promised to {first} fans"
            yield finding_at("prizes", at, "how_many", wrong, f"write how_many = {first}, or leave it out")
        if kind == "draw" and (how_many or 0) > DRAWN_MAX:
            wrong = f"a draw of more than {DRAWN_MAX:_} takes too long to be done again by everybody"
            yield finding_at("prizes", at, "how_many", wrong, f"write how_many = {DRAWN_MAX:_} or less")
        if kind in ("draw", "first-come") and "how_many" not in prize:
            wrong, instead = f"a {kind} prize says how many there are to win", "write how_many = 20"
            yield Finding(path=("prizes", at), wrong=wrong, instead=instead, missing="how_many")


def _prize_milestones(tables: Tables) -> Iterator[Finding]:
    milestones = [points for _, entry in entries(tables, "milestones") if (points := number(entry, "points"))]
    for at, prize in entries(tables, "prizes"):
        wanted = number(prize, "milestone")
        if text_in(prize, "kind") == "milestone" and wanted and wanted not in milestones:
            there = ", ".join(f"{points:_}" for points in milestones)
            instead = f"write one of {there}" if there else "add a [[milestones]] with these points"
            yield finding_at(
                "prizes", at, "milestone", f"there is no milestone at {wanted:_} points", instead
            )


def _prize_concerts(tables: Tables) -> Iterator[Finding]:
    """A place at a concert is for a name, at a concert there is, and won before it begins."""
    concerts = {key: each for _, each in entries(tables, "concerts") if (key := text_in(each, "key"))}
    for at, prize in entries(tables, "prizes"):
        key = text_in(prize, "concert")
        if key is None:
            for name in (name for name in OF_CONCERT if name in prize):
                wrong = f"`{name}` says something for places at a concert only"
                yield finding_at("prizes", at, name, wrong, 'take it out, or write concert = "…" beside it')
            continue
        if concerts and key not in concerts:
            yield finding_at(
                "prizes", at, "concert", f"no concert has the key “{key}”", _meant(key, concerts)
            )
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
            yield finding_at(
                "prizes", at, "needs", "whoever downloads a file is asked for nothing", "take it out"
            )
        if "file" in prize and "concert" in prize:
            wrong = "a prize is a file or places at a concert"
            yield finding_at("prizes", at, "file", wrong, "make two prizes of it, or take one out")


def _places(at: int, prize: Tables) -> Iterator[Finding]:
    winners = number(prize, "first") or number(prize, "how_many")
    if winners is None and text_in(prize, "kind") == "milestone":
        wrong = "no concert has places without end"
        yield Finding(path=("prizes", at), wrong=wrong, instead="write how_many = 20", missing="how_many")
    elif winners and winners * (number(prize, "places") or 1) > PLACES_AT_MOST:
        wrong = f"a door lets in at most {PLACES_AT_MOST:_} winners' places"
        yield finding_at("prizes", at, "concert", wrong, "write fewer")


def _won_too_late(tables: Tables, at: int, prize: Tables, concert: Tables) -> Iterator[Finding]:
    """What is won when the result is final cannot be for a concert before."""
    season, zone = table(tables, "season"), zone_of(tables)
    ends, played = moment(season, "ends"), moment(concert, "at")
    final = final_of(season, zone, ends) if ends and not any(_settled(tables)) else None
    there = understood(read_zone, text_in(concert, "time_zone")) or zone
    if final and played and text_in(prize, "kind") in ("ranking", "draw") and over_at(played, there) <= final:
        wrong = "the concert is over before anybody has won a place at it"
        yield finding_at(
            "prizes", at, "concert", wrong, "name a later concert, or write an earlier `settled`"
        )


def _countries(tables: Tables) -> Iterator[Finding]:
    """Conditions once for each country, and countries there are."""
    first: dict[str, int] = {}
    for at, each in entries(table(tables, "rules"), "conditions"):
        code = text_in(each, "country") or ""
        yield from _no_country(code, "rules", "conditions", at, "country")
        if code and first.setdefault(code, at) != at:
            wrong = f"conditions for {code} are written twice"
            yield finding_at(
                "rules", "conditions", at, "country", wrong, "write both in one text, and take one out"
            )
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
            yield finding_at(*path, f"no country has the code “{code}”", instead)


ALONE = (
    _season,
    _settled,
    _languages,
    _colours,
    _repeated_keys,
    mission_dates,
    _concert_dates,
    mission_limits,
    limits_of_passing_on,
    lines_of_worlds,
    _prizes,
    _prize_files,
    _countries,
)
TOGETHER = (_holders, _prize_milestones, _prize_concerts)
"""What proves nothing when a table could not be read: the name looked for may stand in it."""
