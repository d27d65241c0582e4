"""The campaign file: everything an organiser decides, as `campaign.toml` says it, read and frozen.

One table, one class; a key no class names is refused, and so is a number written as text. What must hold
*between* tables (dates inside the season, names that exist) and the files it names are looked at by
`vteam.campaigns.check`, which is the way a file from outside becomes a `CampaignFile`.
"""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from vteam.campaigns.values import (
    ChoiceWords,
    Colour,
    Country,
    ExplanationWords,
    FileName,
    Hold,
    Key,
    Language,
    Line,
    LongWords,
    Moment,
    NameWords,
    PitchWords,
    QuestionWords,
    Table,
    WebAddress,
    Zone,
    begins_at,
    day_of,
    hold_seconds,
    over_at,
    refusal,
)

Role = Literal["author", "performer", "producer", "publisher"]
MissionKind = Literal["recruit", "spread", "download", "pass-on", "world"]
WorldAct = Literal["answer", "vote", "concert", "bring"]
EvidenceKind = Literal["relayed", "receipted", "witnessed"]
PrizeKind = Literal["ranking", "milestone", "draw", "first-come"]
ClaimKind = Literal["nothing", "name", "address"]
Points = Annotated[int, Field(ge=1, le=100_000)]
Limit = Annotated[int, Field(ge=1, le=100_000)]

PLACES_MAX: Final = 10
"""Places of a concert one winner gets."""
PLACES_AT_MOST: Final = 5_000
"""Places of a concert one prize gives."""
OF_CONCERT: Final = ("places", "given_on")
"""The lines of a prize that say something for places at a concert, and nowhere else."""
OF_PASS_ON: Final = ("evidence", "full_per_fan_per_day", "unknown_per_fan_per_day")
"""The lines of a mission that say something where copies are passed on, and nowhere else."""
OF_WORLD: Final = ("act", "question", "choices", "answer")
"""The lines of a mission that say something in a virtual world, and nowhere else."""
CHOICES_MAX: Final = 6
USUAL: Final[Mapping[str, Mapping[str, Any]]] = {
    "recruit": {"hold": "24h", "per_network_per_day": 5},
    "spread": {"per_network_per_day": 5},
    "pass-on": {
        "hold": "48h",
        "per_network_per_day": 5,
        "evidence": ["relayed", "receipted", "witnessed"],
        "full_per_fan_per_day": 20,
        "unknown_per_fan_per_day": 10,
    },
}
"""What holds for a mission of each kind where its file says nothing."""
# The first part of an address belongs to pages of vTeam's own.
RESERVED_SLUGS = frozenset({
    "account", "accounts", "admin", "announce", "api", "arrived", "asked", "assets", "books", "campaign",
    "campaigns", "code", "demo", "door", "draw", "feeds", "fetch", "healthz", "holder", "invitation", "join", "login",
    "logout", "mailbox", "media", "messages", "metrics", "never", "news", "operator", "organise", "parent",
    "pictures", "ranking", "robots", "sign-in", "sign-out", "signin", "static", "stop", "supplier", "theme",
    "vteam", "world",
})  # fmt: skip


def _free_slug(slug: str) -> str:
    if slug in RESERVED_SLUGS:
        raise refusal(f"“{slug}” is an address vTeam uses itself", f'write another, such as "{slug}-2026"')
    return slug


SETTLED_DAYS: Final = 14
"""How long after the season's last day the result becomes final, where a file says nothing."""


class Season(Table):
    """When the campaign runs. A day counts whole: it starts at midnight and ends at the next one.

    `settled`: the last day on which points that wait may still come to count; then the result is final.
    """

    starts: Moment = Field(examples=["2026-11-16"])
    release: Moment = Field(examples=["2026-12-18"])
    ends: Moment = Field(examples=["2027-01-10"])
    settled: Moment | None = Field(None, examples=["2027-01-24"])
    time_zone: Zone = Field(examples=['"Europe/Paris"'])

    @property
    def starts_at(self) -> dt.datetime:
        """The season's first instant, aware UTC."""
        return begins_at(self.starts, self.time_zone)

    @property
    def release_at(self) -> dt.datetime:
        """The release's first instant, aware UTC."""
        return begins_at(self.release, self.time_zone)

    @property
    def ends_at(self) -> dt.datetime:
        """The first instant after the season, aware UTC."""
        return over_at(self.ends, self.time_zone)

    @property
    def settled_at(self) -> dt.datetime:
        """From when the result is final, aware UTC."""
        last = self.settled or day_of(self.ends) + dt.timedelta(days=SETTLED_DAYS)
        return over_at(last, self.time_zone)


class Theme(Table):
    """How the campaign looks: two spot colours (sRGB, `#rrggbb`) and its picture."""

    colours: Annotated[tuple[Colour, Colour], Strict(False)] = Field(examples=['["#ff5a3c", "#1f6f78"]'])
    cover: FileName = Field(examples=['"cover.jpg"'])


class LinkEntry(Table):
    """An address of the band's own, shown at the foot of the campaign's page."""

    name: NameWords
    address: WebAddress = Field(examples=['"https://example.org"'])


class TitleEntry(Table):
    """A piece of music fans may hear or have, once all its holders agree."""

    key: Key = Field(examples=['"les-digues"'])
    name: Line = Field(examples=['"Les digues"'])
    file: FileName = Field(examples=['"titles/les-digues.mp3"'])
    artist: Line | None = Field(None, examples=['"Lune Noire"'])
    cover: FileName | None = Field(None, examples=['"titles/les-digues.jpg"'])


class HolderEntry(Table):
    """Somebody whose agreement titles need. `titles` empty: every title of the campaign."""

    key: Key = Field(examples=['"mira"'])
    name: Line = Field(examples=['"Mira Kalt"'])
    role: Role = Field(examples=['"author"'])
    titles: Annotated[tuple[Key, ...], Strict(False), Field(max_length=50)] = Field(
        (), examples=['["les-digues"]']
    )


class MissionEntry(Table):
    """What earns points. A limit that is None does not exist; `opens` and `closes` None: the season's.

    Of copies passed on, `evidence` says which are paid, and the last two limits how many a day: so many at full
    value, then halved as often as they are used up again; so many to listeners who are no fans, then a person looks.
    In a virtual world, `act` is what residents do; where they choose, then from `choices`, of which `answer`
    (counted from 1) is right.
    """

    key: Key = Field(examples=['"recruit"'])
    kind: MissionKind = Field(examples=['"recruit"'])
    points: Points = Field(examples=["500"])
    name: NameWords
    explanation: ExplanationWords
    per_fan_per_day: Limit | None = Field(None, examples=["10"])
    per_fan: Limit | None = Field(None, examples=["200"])
    per_network_per_day: Limit | None = Field(None, examples=["5"])
    hold: Hold = Field("0", examples=['"24h"'])
    opens: Moment | None = Field(None, examples=["2026-11-20"])
    closes: Moment | None = Field(None, examples=["2026-12-24"])
    evidence: Annotated[tuple[EvidenceKind, ...], Strict(False), Field(min_length=1, max_length=3)] | None = (
        Field(None, examples=['["relayed", "receipted", "witnessed"]'])
    )
    full_per_fan_per_day: Limit | None = Field(None, examples=["20"])
    unknown_per_fan_per_day: Limit | None = Field(None, examples=["10"])
    act: WorldAct | None = Field(None, examples=['"answer"'])
    question: QuestionWords | None = None
    choices: Annotated[tuple[ChoiceWords, ...], Strict(False), Field(max_length=CHOICES_MAX)] = Field(
        (), examples=['["1998", "2001", "2004"]']
    )
    answer: Annotated[int, Field(ge=1, le=CHOICES_MAX)] | None = Field(None, examples=["2"])
    coming: bool = Field(False, examples=["true"])

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_its_kind(cls, given: Any) -> Any:
        """Written out, so that a later change of a default changes no campaign already running."""
        if not isinstance(given, dict) or not isinstance(given.get("kind"), str):
            return given
        return {**USUAL.get(given["kind"], {}), **given}

    @property
    def hold_seconds(self) -> int:
        """How long points earned here wait before they count, in seconds."""
        return hold_seconds(self.hold)


class MilestoneEntry(Table):
    """Something every fan who reaches `points` gets, whatever their rank."""

    points: Annotated[int, Field(ge=1, le=10_000_000)] = Field(examples=["1_000"])
    name: NameWords
    explanation: ExplanationWords


class PrizeEntry(Table):
    """A prize: for the `first` of the ranking, for who reaches the `milestone`, drawn, or for who comes first.

    `how_many` are there in all (None: as many as there are winners). Not `confirmed`: shown as such. `value`: what it
    is worth, in words. `needs`: what a winner has to tell so that they can be given it. `claim_days`: how long they
    have; then the next in line is offered it. `countries`: where it may be won (ISO 3166; none named: everywhere).
    Drawn among whoever has `qualify` points, all with the same chances unless `weighted` by points.
    `concert`: which of the campaign's concerts it lets its winner into, with so many `places`, each a ticket that may
    be `given_on` to somebody else or not. `file`: what a winner downloads.
    """

    key: Key = Field(examples=['"concert"'])
    kind: PrizeKind = Field(examples=['"ranking"'])
    name: NameWords
    explanation: ExplanationWords
    first: Annotated[int, Field(ge=1, le=10_000)] | None = Field(None, examples=["5"])
    milestone: Annotated[int, Field(ge=1, le=10_000_000)] | None = Field(None, examples=["1_000"])
    how_many: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(None, examples=["5"])
    qualify: Annotated[int, Field(ge=0, le=10_000_000)] | None = Field(None, examples=["1"])
    weighted: bool = Field(False, examples=["true"])
    supplied_by: Line = Field(examples=['"Lune Noire"'])
    confirmed: bool = Field(False, examples=["true"])
    value: NameWords | None = None
    needs: ClaimKind = Field("nothing", examples=['"address"'])
    concert: Key | None = Field(None, examples=['"nantes"'])
    places: Annotated[int, Field(ge=1, le=PLACES_MAX)] = Field(1, examples=["2"])
    given_on: bool = Field(False, examples=["true"])
    file: FileName | None = Field(None, examples=['"prizes/wallpaper.zip"'])
    claim_days: Annotated[int, Field(ge=1, le=90)] = Field(14, examples=["14"])
    minimum_age: Annotated[int, Field(ge=13, le=21)] | None = Field(None, examples=["18"])
    countries: Annotated[tuple[Country, ...], Strict(False), Field(max_length=250)] = Field(
        (), examples=['["FR", "BE"]']
    )

    @property
    def stock(self) -> int | None:
        """How many of it there are; None: as many as it takes."""
        return self.first if self.kind == "ranking" else self.how_many


class ConcertEntry(Table):
    """Where the band plays: `at` a day, or an hour of it. `time_zone` None: the season's."""

    key: Key = Field(examples=['"nantes"'])
    name: NameWords
    at: Moment = Field(examples=["2026-12-19T20:30:00"])
    place: Line = Field(examples=['"La Cale, Nantes"'])
    time_zone: Zone | None = Field(None, examples=['"Europe/London"'])
    tickets: WebAddress | None = Field(None, examples=['"https://example.org/tickets"'])
    explanation: ExplanationWords | None = None


class ConditionsEntry(Table):
    """What holds for who takes part from one `country` (ISO 3166)."""

    country: Country = Field(examples=['"BE"'])
    text: LongWords


def _by_country(conditions: tuple[ConditionsEntry, ...]) -> tuple[ConditionsEntry, ...]:
    """One order, so that the same conditions are the same content."""
    return tuple(sorted(conditions, key=lambda each: each.country))


class RulesEntry(Table):
    """What the rules of the contest say besides what follows from the file: who `answers` for it, what `more`, and the
    `conditions` of single countries.
    """

    answers: Line = Field(examples=['"Petit Large, 3 rue du Port, 29680 Roscoff"'])
    more: LongWords | None = None
    conditions: Annotated[
        tuple[ConditionsEntry, ...], Strict(False), Field(max_length=250), AfterValidator(_by_country)
    ] = ()


class CampaignFile(Table):
    """A whole campaign. Keys are unique within their list; names in the fans' pages come in `languages`."""

    slug: Annotated[
        str,
        Field(min_length=3, max_length=40, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$"),
        AfterValidator(_free_slug),
    ] = Field(examples=['"maree-haute"'])
    name: Line = Field(examples=['"Marée haute"'])
    artist: Line = Field(examples=['"Lune Noire"'])
    team: Line = Field(examples=['"La vTeam"'])
    languages: Annotated[tuple[Language, ...], Strict(False), Field(min_length=1, max_length=2)] = Field(
        examples=['["fr", "en"]']
    )
    pitch: PitchWords
    description: LongWords | None = None
    minimum_age: Annotated[int, Field(ge=13, le=21)] = Field(15, examples=["15"])
    season: Season
    theme: Theme
    rules: RulesEntry | None = None
    links: Annotated[tuple[LinkEntry, ...], Strict(False), Field(max_length=20)] = ()
    titles: Annotated[tuple[TitleEntry, ...], Strict(False), Field(min_length=1, max_length=50)]
    holders: Annotated[tuple[HolderEntry, ...], Strict(False), Field(min_length=1, max_length=100)]
    missions: Annotated[tuple[MissionEntry, ...], Strict(False), Field(min_length=1, max_length=40)]
    milestones: Annotated[tuple[MilestoneEntry, ...], Strict(False), Field(max_length=50)] = ()
    prizes: Annotated[tuple[PrizeEntry, ...], Strict(False), Field(max_length=100)] = ()
    concerts: Annotated[tuple[ConcertEntry, ...], Strict(False), Field(max_length=100)] = ()

    def canonical(self) -> str:
        """The one text of this content: JSON, sorted keys, no spaces, every default written out."""
        content = self.model_dump(mode="json")
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def artist_of(self, title: TitleEntry) -> str:
        """Who plays `title`: its own artist, or the campaign's."""
        return title.artist or self.artist

    def holders_of(self, title_key: str) -> tuple[HolderEntry, ...]:
        """Everybody whose agreement the title needs, in the file's order."""
        return tuple(holder for holder in self.holders if not holder.titles or title_key in holder.titles)

    def titles_of(self, holder: HolderEntry) -> tuple[str, ...]:
        """The keys of the titles `holder` speaks for, in the file's order."""
        return tuple(title.key for title in self.titles if not holder.titles or title.key in holder.titles)

    def mission_opens_at(self, mission: MissionEntry) -> dt.datetime:
        """From when `mission` pays, aware UTC."""
        return begins_at(mission.opens or self.season.starts, self.season.time_zone)

    def mission_closes_at(self, mission: MissionEntry) -> dt.datetime:
        """The first instant `mission` no longer pays, aware UTC."""
        return over_at(mission.closes or self.season.ends, self.season.time_zone)

    def zone_of(self, concert: ConcertEntry) -> str:
        """The IANA time zone `concert` is played in."""
        return concert.time_zone or self.season.time_zone

    def concert_of(self, prize: PrizeEntry) -> ConcertEntry | None:
        """The concert `prize` lets its winner into."""
        return self.concert(prize.concert) if prize.concert else None

    def concert(self, key: str) -> ConcertEntry | None:
        """The concert with a key."""
        return next((each for each in self.concerts if each.key == key), None)

    def begins_at(self, concert: ConcertEntry) -> dt.datetime:
        """When `concert` begins, aware UTC; where the file names its day alone, the day's end."""
        zone = self.zone_of(concert)
        return (begins_at if isinstance(concert.at, dt.datetime) else over_at)(concert.at, zone)

    def day_begins_at(self, concert: ConcertEntry) -> dt.datetime:
        """The first instant of the day of `concert`, aware UTC."""
        return begins_at(day_of(concert.at), self.zone_of(concert))

    def over_at(self, concert: ConcertEntry) -> dt.datetime:
        """The first instant after the day of `concert`, aware UTC."""
        return over_at(day_of(concert.at), self.zone_of(concert))

    def concerts_ahead(self, at: dt.datetime) -> tuple[ConcertEntry, ...]:
        """The concerts whose day is not over at `at`, the next one first."""
        ahead = [each for each in self.concerts if at < self.over_at(each)]
        return tuple(sorted(ahead, key=lambda each: begins_at(each.at, self.zone_of(each))))

    def shifted(self, days: int) -> Self:
        """The same campaign `days` later (earlier when negative): every date moves, local hours stay."""
        move = dt.timedelta(days=days)
        season = self.season.model_copy(
            update={
                name: day + move
                for name in ("starts", "release", "ends", "settled")
                if (day := getattr(self.season, name))
            }
        )
        missions = tuple(
            mission.model_copy(
                update={name: day + move for name in ("opens", "closes") if (day := getattr(mission, name))}
            )
            for mission in self.missions
        )
        concerts = tuple(each.model_copy(update={"at": each.at + move}) for each in self.concerts)
        return self.model_copy(update={"season": season, "missions": missions, "concerts": concerts})
