"""What happened, told to the fan it happened to: every line of "my points" says what, when, how much and why."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import formats, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.campaigns.queries import full_points, title_names
from vteam.channels.links.queries import places_of
from vteam.journal.queries import facts_at
from vteam.ledger.past import Recorded
from vteam.ledger.queries import decisions_of, facts_behind
from vteam.people.models import Fan
from vteam.people.queries import names_of
from vteam.rules.decisions import WAITING, Outcome
from vteam.rules.facts import Act, Doubt, Fact, Kind

LOOKED_AT, SHOWN = 60, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One line. `points` is signed; `seq` is the decision's number.

    `waits`: they are put among those that wait, or taken away from them, and never counted.
    """

    seq: int
    what: str
    why: str
    mission: str
    at: dt.datetime
    points: int
    waits: bool


def stories(campaign: Campaign, decisions: Sequence[Recorded]) -> list[Story]:
    """The stories of decisions, in their order."""
    facts = facts_at(connection, campaign.pk, [decision.fact_seq for decision in decisions])
    # Ended holds, reviews and reversals are really about the fact behind an earlier decision.
    earlier = {fact.body["decision"] for fact in facts.values() if "decision" in fact.body}
    causes = facts_behind(campaign.pk, earlier)
    facts |= facts_at(connection, campaign.pk, causes.values())
    served = {each.mission for each in decisions if facts[each.fact_seq].kind == Kind.COPY_SERVED}
    told = _Told(campaign, facts, causes, full_points(campaign.pk, served))
    return [told.story(decision) for decision in decisions]


def stories_of_passing(campaign: Campaign, fan: Fan) -> list[Story]:
    """The latest of the fan's stories about titles that were passed on."""
    missions = {entry.key for entry in campaign.file.missions if entry.kind == "pass-on"}
    latest = decisions_of(campaign.pk, fan.pk, at_most=LOOKED_AT)
    return stories(campaign, [made for made in latest if made.mission in missions][:SHOWN])


class _Told:
    """Names of what the facts are about, fetched once for all lines; `causes`: earlier decision -> its fact.

    `full`: the points of the missions that copies are judged by, by key and version, before any halving.
    """

    def __init__(
        self,
        campaign: Campaign,
        facts: dict[int, Fact],
        causes: dict[int, int],
        full: dict[tuple[str, int], int],
    ) -> None:
        self.campaign, self.facts, self.causes, self.full = campaign, facts, causes, full
        bodies = [fact.body for fact in facts.values()]
        self.shares = places_of({body["share"] for body in bodies if body.get("share")})
        self.titles = title_names({body["title"] for body in bodies if body.get("title")})
        self.fans = names_of({body["fan"] for body in bodies if "recruiter" in body})
        language = translation.get_language() or "en"
        self.missions = {entry.key: entry.name.in_language(language) for entry in campaign.file.missions}

    def story(self, recorded: Recorded) -> Story:
        """One decision's line."""
        fact = self.facts[recorded.fact_seq]
        about = self.facts[self.causes[fact.body["decision"]]] if "decision" in fact.body else fact
        outcome = recorded.decision.outcome
        return Story(
            seq=recorded.seq,
            what=self._what(about),
            why=self._why(recorded, fact),
            mission=self.missions.get(recorded.mission, recorded.mission),
            at=clock.from_us(about.seen_at_us),
            points=_signed(recorded),
            waits=outcome in WAITING or (outcome in _WAITED_IN_VAIN and recorded.decision.points > 0),
        )

    def _what(self, fact: Fact) -> str:
        body = fact.body
        if fact.kind == Kind.FAN_CONFIRMED:
            name = self.fans.get(body["fan"], _("Somebody"))
            return _("%(name)s joined because of you") % {"name": name}
        if fact.kind == Kind.ARRIVAL_CONFIRMED:
            place = self.shares.get(body["share"], "")
            if place:
                return _("Someone came from “%(place)s”") % {"place": place}
            return _("Someone came through your copy of a title")
        if fact.kind == Kind.WORLD_ACTED:
            return _ACTS[Act(body["act"])]()
        title = self.titles.get(body.get("title", 0), _("a title"))
        if fact.kind == Kind.COPY_SERVED:
            return _("“%(title)s” went whole from you to someone else") % {"title": title}
        return _("You downloaded “%(title)s”") % {"title": title}

    def _why(self, recorded: Recorded, fact: Fact) -> str:
        if fact.kind == Kind.HOLD_ENDED:
            return _("the waiting time is over: it counts now")
        if fact.kind in (Kind.REVIEW_DECIDED, Kind.AWARD_REVERSED) and fact.body["reason"]:
            return _("a person looked at it: %(reason)s") % {"reason": fact.body["reason"]}
        outcome, less = recorded.decision.outcome, self._is_worth_less(recorded, fact)
        if outcome is Outcome.HELD_UNTIL:
            when = when_due(self.campaign, recorded.decision.due_at_us or 0)
            if less:
                return _("counts %(when)s; many today already: worth less now") % {"when": when}
            return _("counts %(when)s") % {"when": when}
        if outcome is Outcome.AWARDED and less:
            return _("many today already: worth less now")
        return _DOUBTS[Doubt(fact.body["doubt"])]() if outcome in _WITH_DOUBT else _REASONS[outcome]()

    def _is_worth_less(self, recorded: Recorded, fact: Fact) -> bool:
        """Whether a copy's award was halved, because its fan had passed on so many that day."""
        full = self.full.get((recorded.mission, recorded.version), 0)
        return fact.kind == Kind.COPY_SERVED and recorded.decision.points < full


# What every outcome says but those a doubt led to.
_REASONS: dict[Outcome, Callable[[], str]] = {
    Outcome.AWARDED: lambda: _("counted at once"),
    Outcome.NEEDS_REVIEW: lambda: _("many from the same network today: a person will look at it"),
    Outcome.REVIEW_OF_UNKNOWN: lambda: _("many listeners we do not know today: a person will look at it"),
    Outcome.REVIEW_OF_MADE: lambda: _("a person will look at what you brought"),
    Outcome.WRONG_ANSWER: lambda: _("that was not the answer"),
    Outcome.EVIDENCE_UNPAID: lambda: _("this way of passing it on is seen, and not paid here"),
    Outcome.ALREADY_COUNTED: lambda: _("this already counted once"),
    Outcome.ALREADY_WAITS: lambda: _("this already waits for a person to look at it"),
    Outcome.OVER_DAILY_LIMIT: lambda: _("over today's limit: try again tomorrow"),
    Outcome.OVER_LIMIT: lambda: _("you have reached the limit of this mission"),
    Outcome.OUTSIDE_SEASON: lambda: _("outside the season"),
    Outcome.RESULT_FINAL: lambda: _("it came to the books after the result was final"),
    Outcome.OUTSIDE_MISSION: lambda: _("this mission was not open at that moment"),
    Outcome.SAME_PERSON: lambda: _("your own visit does not count"),
    Outcome.RIGHTS_WITHDRAWN: lambda: _("the title did not circulate this way any more"),
    Outcome.REFUSED: lambda: _("a person looked at it and did not count it"),
    Outcome.REVERSED: lambda: _("taken back"),
}


_ACTS: dict[Act, Callable[[], str]] = {
    Act.ANSWER: lambda: _("You answered a question in a virtual world"),
    Act.VOTE: lambda: _("You voted in a virtual world"),
    Act.CONCERT: lambda: _("You were at a concert in a virtual world"),
    Act.BRING: lambda: _("You brought something you made to a kiosk"),
}
_WITH_DOUBT = frozenset({Outcome.REVIEW_OF_DOUBT, Outcome.NOT_SEEN})
_DOUBTS: dict[Doubt, Callable[[], str]] = {
    Doubt.UNSEEN: lambda: _("the other computer said it had the title, and gave us no piece of it"),
    Doubt.SPOILED: lambda: _("the other computer gave us a piece that is not the title's"),
    Doubt.SUDDEN: lambda: _("it was there all at once, not bit by bit: a person will look at it"),
    Doubt.GAP: lambda: _("we were away for a part of this download: a person will look at it"),
    Doubt.UNCHECKED: lambda: _(
        "the other computer left before we could ask for a piece: a person will look at it"
    ),
    Doubt.COUNTERS: lambda: _(
        "what the two computers say they sent and got does not fit what we saw: a person will look at it"
    ),
}


# Taken from what waited; what already counted has points only where a review found it so.
_WAITED_IN_VAIN = frozenset({Outcome.REFUSED, Outcome.ALREADY_COUNTED})


def _signed(recorded: Recorded) -> int:
    outcome, points = recorded.decision.outcome, recorded.decision.points
    return -points if outcome in _WAITED_IN_VAIN or outcome is Outcome.REVERSED else points


def when_due(campaign: Campaign, due_at_us: int) -> str:
    """When a waiting award will count, as people say it where the campaign is: "on Thursday at 14:02"."""
    due = clock.from_us(due_at_us).astimezone(ZoneInfo(campaign.file.season.time_zone))
    day, hour = formats.date_format(due, "l"), formats.date_format(due, pgettext("time format", "H:i"))
    return _("on %(day)s at %(time)s") % {"day": day, "time": hour}
