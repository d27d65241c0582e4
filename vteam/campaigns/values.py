"""The single values a campaign file is made of: words, moments, holds, colours, file names, web addresses.

Each refuses what it cannot mean with two plain sentences for the person who wrote it, what is wrong and
what to write instead; `vteam.campaigns.check` adds the line. Nothing here opens a file or asks the
clock.
"""

import datetime as dt
import re
import unicodedata
import zoneinfo
from collections.abc import Callable
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

Language = Literal["en", "fr"]

YEARS = range(2000, 2101)
HOLD_DAYS_MAX = 30
HOLD_UNITS = {"m": 60, "h": 3_600, "d": 86_400}
# Marks that turn the direction of the text after them: a name could show something else than it says.
TURNING_MARKS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def refusal(wrong: str, instead: str) -> PydanticCustomError:
    """What to raise inside a validator: what is `wrong`, and what to write `instead` (an imperative)."""
    return PydanticCustomError("refusal", "{wrong} → {instead}", {"wrong": wrong, "instead": instead})


class Table(BaseModel):
    """One table of the file: frozen, nothing but the keys it names, no guessing between types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, str_strip_whitespace=True)


# Texts ------------------------------------------------------------
def _printable(text: str) -> str:
    """`text` in composed form (NFC); control characters and direction marks are refused."""
    for mark in text:
        if mark in TURNING_MARKS or (unicodedata.category(mark) == "Cc" and mark != "\n"):
            raise refusal(
                f"there is an invisible character in it (U+{ord(mark):04X})",
                "write the text again by hand here",
            )
    return unicodedata.normalize("NFC", text)


def _one_line(text: str) -> str:
    if "\n" in text:
        raise refusal("it runs over several lines", "write it on one line")
    return text


Line = Annotated[
    str, Field(min_length=1, max_length=80), AfterValidator(_printable), AfterValidator(_one_line)
]
Prose = Annotated[str, Field(min_length=1, max_length=4_000), AfterValidator(_printable)]
Key = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Words(Table):
    """A text a fan reads: one string for every language, or one per language (`{ en = "…", fr = "…" }`)."""

    en: Prose | None = None
    fr: Prose | None = None

    @model_validator(mode="before")
    @classmethod
    def _the_same_for_all(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"en": given, "fr": given}
        if not isinstance(given, dict):
            raise refusal("this is not a text", 'write it between quotes, or { en = "…", fr = "…" }')
        return given

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.en is None and self.fr is None:
            raise refusal("the text is in no language", 'write { en = "…", fr = "…" }')
        return self

    def in_language(self, code: str) -> str:
        """The text in `code` (`en`, `fr`), or in a language there is."""
        wanted: str | None = getattr(self, code, None) if code in type(self).model_fields else None
        return wanted or self.en or self.fr or ""


def _no_longer_than(characters: int, *, one_line: bool) -> Callable[[Words], Words]:
    def bounded(words: Words) -> Words:
        for text in (words.en, words.fr):
            if text is not None and len(text) > characters:
                raise refusal(f"it is {len(text)} characters long", f"write at most {characters} characters")
            if one_line and text is not None:
                _one_line(text)
        return words

    return bounded


def _no_bigger_than(size: int) -> Callable[[Words], Words]:
    """For what objects in virtual worlds show: there texts are measured in bytes, and an accent takes two."""

    def bounded(words: Words) -> Words:
        for text in (words.en, words.fr):
            if text is not None and len(text.encode()) > size:
                raise refusal(f"it is {len(text.encode())} bytes long", f"write at most {size} bytes")
            if text is not None:
                _one_line(text)
        return words

    return bounded


QuestionWords = Annotated[Words, AfterValidator(_no_bigger_than(200))]
ChoiceWords = Annotated[Words, AfterValidator(_no_bigger_than(40))]
NameWords = Annotated[Words, AfterValidator(_no_longer_than(80, one_line=True))]
PitchWords = Annotated[Words, AfterValidator(_no_longer_than(300, one_line=False))]
ExplanationWords = Annotated[Words, AfterValidator(_no_longer_than(600, one_line=False))]
LongWords = Annotated[Words, AfterValidator(_no_longer_than(4_000, one_line=False))]


# Times ------------------------------------------------------------
def read_moment(given: object) -> dt.date:
    """A day or a naive local datetime, from itself or its ISO text; a refusal for anything else."""
    if isinstance(given, str):
        given = _moment_from_text(given)
    if not isinstance(given, dt.date):
        raise refusal("this is not a date", "write a date such as 2026-12-18, or 2026-12-18T20:00:00")
    if isinstance(given, dt.datetime) and given.tzinfo is not None:
        raise refusal(
            "this time carries a zone of its own", "write the local time alone, such as 2026-12-18T20:00:00"
        )
    if given.year not in YEARS:
        raise refusal(f"the year {given.year} cannot be meant", "write a year from 2000 to 2100")
    return given


def _moment_from_text(given: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(given) if len(given) == 10 else dt.datetime.fromisoformat(given)
    except ValueError:
        return None


Moment = Annotated[
    dt.date,
    PlainValidator(read_moment),
    PlainSerializer(lambda moment: moment.isoformat(), return_type=str, when_used="json"),
]
"""A day, or a naive local datetime; the season's time zone gives it its place in time."""


@lru_cache(maxsize=1024)
def begins_at(moment: dt.date, zone: str) -> dt.datetime:
    """The first instant of `moment` (a day begins at its midnight) in `zone`, aware UTC."""
    local = moment if isinstance(moment, dt.datetime) else dt.datetime.combine(moment, dt.time())
    return local.replace(tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(dt.UTC)


def over_at(moment: dt.date, zone: str) -> dt.datetime:
    """The first instant after `moment` (a day lasts until the next midnight) in `zone`, aware UTC."""
    if isinstance(moment, dt.datetime):
        return begins_at(moment, zone)
    return begins_at(moment + dt.timedelta(days=1), zone)


def day_of(moment: dt.date) -> dt.date:
    """The day `moment` is, or is in, where it is local."""
    return moment.date() if isinstance(moment, dt.datetime) else moment


def read_zone(name: str) -> str:
    """An IANA time zone's name, or a refusal."""
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        known = False
    else:
        known = name == "UTC" or "/" in name
    if not known:
        raise refusal(f"there is no time zone named “{name}”", f"write {nearest_zone(name)}")
    return name


def nearest_zone(name: str) -> str:
    """A time zone the writer may have meant, in quotes as the file wants it."""
    place = name.casefold().replace(" ", "_").rpartition("/")[2]
    for zone in sorted(zoneinfo.available_timezones()):
        if "/" in zone and place and zone.casefold().rpartition("/")[2] == place:
            return f'"{zone}"'
    return 'the nearest large city\'s, such as "Europe/Paris" or "America/Montreal"'


Zone = Annotated[str, Field(min_length=3, max_length=60), AfterValidator(read_zone)]


def hold_seconds(hold: str) -> int:
    """Seconds in a hold as written: "0", "30m", "24h", "2d". Anything else raises ValueError."""
    shape = re.fullmatch(r"(0)|([1-9][0-9]{0,4})([mhd])", hold)
    if shape is None:
        raise ValueError(hold)
    return 0 if shape[1] else int(shape[2]) * HOLD_UNITS[shape[3]]


def read_hold(given: object) -> str:
    """A length of time in its one spelling ("24h", "2d", "0"), or a refusal."""
    written = "0" if given == 0 and given is not False else given
    try:
        seconds = hold_seconds(written) if isinstance(written, str) else None
    except ValueError:
        seconds = None
    if seconds is None:
        raise refusal("this is not a length of time", 'write "24h", "2d", "30m", or "0" for no hold')
    if seconds > HOLD_DAYS_MAX * HOLD_UNITS["d"]:
        raise refusal("points would be held too long", f'write "{HOLD_DAYS_MAX}d" or less')
    return _shortest(seconds)


def _shortest(seconds: int) -> str:
    """One spelling per length of time, so that "48h" and "2d" are the same rule."""
    if seconds == 0:
        return "0"
    if seconds % HOLD_UNITS["d"] == 0 and seconds > HOLD_UNITS["d"]:
        return f"{seconds // HOLD_UNITS['d']}d"
    unit = "h" if seconds % HOLD_UNITS["h"] == 0 else "m"
    return f"{seconds // HOLD_UNITS[unit]}{unit}"


Hold = Annotated[str, PlainValidator(read_hold)]


# Countries ------------------------------------------------------------
def _country(given: str) -> str:
    if not re.fullmatch("[A-Z]{2}", given):
        raise refusal(f"“{given}” is not a country's code", 'write its two capital letters, such as "BE"')
    return given


Country = Annotated[str, AfterValidator(_country)]
"""A country by its code (ISO 3166). Whether there is one of that code is asked when a file is checked."""
# In the CLDR's list of countries, and none: regions, groups and private codes.
NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})


def names_of_countries(language: str) -> dict[str, str]:
    """Every country by its code (ISO 3166), as a language calls it."""
    from babel import Locale  # for who writes or reads rules, or claims a prize, and nobody else

    names: dict[str, str] = dict(Locale.parse(language, sep="-").territories)
    return {
        code: name
        for code, name in names.items()
        if re.fullmatch("[A-Z]{2}", code) and code not in NO_COUNTRIES
    }


# Looks, files, addresses ------------------------------------------------------------
def read_colour(given: str) -> str:
    """A colour as `#rrggbb` in small letters, or a refusal."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", given):
        raise refusal(
            f"“{given}” is not a colour", 'write # and six figures or letters a to f, such as "#ff5a3c"'
        )
    return given.lower()


Colour = Annotated[str, AfterValidator(read_colour)]


def file_name_problem(given: str) -> str | None:
    """Why `given` cannot name a file beside the campaign file, or None."""
    if (
        not given
        or len(given.encode()) > 200
        or any(unicodedata.category(mark).startswith("C") for mark in given)
    ):
        return "this is not a file's name"
    if "\\" in given or ":" in given:
        return "a file's name here has no \\ and no :"
    path = PurePosixPath(given)
    if path.is_absolute() or ".." in path.parts or given.startswith("~"):
        return "the file would lie outside the campaign's folder"
    return None


def _file_name(given: str) -> str:
    problem = file_name_problem(given)
    if problem:
        raise refusal(
            problem, 'put the file beside the campaign file and write its name, such as "titles/song.mp3"'
        )
    return given


FileName = Annotated[str, AfterValidator(_file_name)]

HOST = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def _web_address(given: str) -> str:
    problem = _web_address_problem(given)
    if problem:
        raise refusal(problem, 'write a plain address such as "https://example.org/band"')
    return given


def _web_address_problem(given: str) -> str | None:
    if len(given) > 300 or not re.fullmatch(r"[!-~]+", given) or re.search(r"[\\\"'<>`{}|^]", given):
        return "a web address has no spaces, accents or quotes in it, and at most 300 characters"
    if not given.startswith("https://"):
        return "only addresses that begin with https:// are shown"
    try:
        parts = urlsplit(given)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "this is not a web address"
    if port is not None or "@" in parts.netloc or not HOST.fullmatch(host):
        return "the address needs a site's name, without password, port or numbers"
    return None


WebAddress = Annotated[str, AfterValidator(_web_address)]
