"""What happened, as it was seen: the kinds of facts, their content and the key that makes each one unique.

A fact carries ids and keyed hashes, never names, addresses or IPs. The same thing seen twice has the same key
and is one fact. All times are whole microseconds UTC (`*_us`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple


class Kind(StrEnum):
    """Every kind of fact the journal holds; docs/facts.md explains each."""

    CAMPAIGN_VERSIONED = "CampaignVersioned"
    MISSION_VERSIONED = "MissionVersioned"
    FAN_CONFIRMED = "FanConfirmed"
    ARRIVAL_CONFIRMED = "ArrivalConfirmed"
    TITLE_DOWNLOADED = "TitleDownloaded"
    COPY_SERVED = "CopyServed"
    WORLD_ACTED = "WorldActed"
    RIGHT_AGREED = "RightAgreed"
    RIGHT_WITHDRAWN = "RightWithdrawn"
    HOLD_ENDED = "HoldEnded"
    REVIEW_DECIDED = "ReviewDecided"
    AWARD_REVERSED = "AwardReversed"
    RESULT_FROZEN = "ResultFrozen"
    PRIZE_MOVED = "PrizeMoved"
    DRAW_ANNOUNCED = "DrawAnnounced"
    DRAW_DONE = "DrawDone"


class Evidence(StrEnum):
    """How we know that a title left a fan's computer whole; docs/evidence.md says what each kind leaves open."""

    RELAYED = "relayed"  # every byte went through the edge
    RECEIPTED = "receipted"  # both ends of a direct transfer signed what they sent and got
    WITNESSED = "witnessed"  # a peer of ours watched a torrent client's download


class Act(StrEnum):
    """What a mission in a virtual world asks of residents."""

    ANSWER = "answer"  # a question about a title; one of its choices is right
    VOTE = "vote"  # a choice, none of them wrong
    CONCERT = "concert"  # being there: pressing "I'm here" while it is announced
    BRING = "bring"  # something they made; a person looks at it


class Doubt(StrEnum):
    """Why a copy that was `witnessed` is not simply believed; without any, all of it was seen."""

    UNSEEN = "unseen"  # its listener claimed to have it and showed nothing of it
    SPOILED = "spoiled"  # a piece asked for on the way was not the title's
    SUDDEN = "sudden"  # it was never seen between little and all
    GAP = "gap"  # we were away for a part of it
    UNCHECKED = "unchecked"  # it grew as a download does, and no piece of it could be asked for
    COUNTERS = "counters"  # what its two ends say they sent and got contradicts what was seen


# Of these the first with a key is the fact and later ones are the same thing seen again, whatever they add.
FIRST_WINS = frozenset({Kind.ARRIVAL_CONFIRMED})

# A visit travels through the edge's inbox like a fact, and becomes a counter instead of one: strangers must not
# be able to write for ever into what is kept for ever.
VISIT = "Visit"
# What was seen of a copy on its way, beside the fact that names its hash: it becomes a row that can be erased.
EVIDENCE = "Evidence"
# How the downloads of a torrent stand, for its fan's page and for the edge to go on from when it starts again.
WATCHED = "Watched"
NO_FACTS = frozenset({VISIT, EVIDENCE, WATCHED})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFact:
    """A fact on its way to the journal. `key` is unique within its campaign."""

    kind: str
    key: str
    seen_at_us: int
    body: Mapping[str, Any]


class Fact(NamedTuple):
    """A fact in the journal: `seq` (from 1, without gaps) is the only order."""

    campaign_id: int
    seq: int
    kind: str
    key: str
    seen_at_us: int
    body: Mapping[str, Any]


def campaign_versioned(*, version: int, season: Mapping[str, Any], sha256: str, at_us: int) -> NewFact:
    """The organiser applied a campaign file; `season` as in `missions.Season`."""
    body = {"version": version, "season": dict(season), "file_sha256": sha256}
    return NewFact(kind=Kind.CAMPAIGN_VERSIONED, key=f"campaign:{version}", seen_at_us=at_us, body=body)


def result_frozen(*, season_ends_at_us: int, at_us: int) -> NewFact:
    """The season's holds, reviews and appeals are over: the ranking is final, and no fact after this one changes it."""
    body = {"season_ends_at_us": season_ends_at_us}
    return NewFact(kind=Kind.RESULT_FROZEN, key="result", seen_at_us=at_us, body=body)


def prize_moved(
    *, prize: str, number: int, step: int, fan: int | None, state: str, by: str, at_us: int
) -> NewFact:
    """An offer of a prize was made, or became something else. `number`: which offer of this prize, from 1; `step`:
    how often it has moved, 0 when it was made; `state` and `by` as in `rules.prizes`. `fan`: None once erased.
    """
    body = {"prize": prize, "number": number, "fan": fan, "state": state, "by": by}
    key = f"prize:{prize}:{number}:{step}"
    return NewFact(kind=Kind.PRIZE_MOVED, key=key, seen_at_us=at_us, body=body)


def draw_announced(*, prize: str, number: int, announced: str, entries: int, at_us: int) -> NewFact:
    """A draw's entries are frozen. `announced`: the hash of what was published; `number`: from 1, a void one's too."""
    body = {"prize": prize, "number": number, "announced": announced, "entries": entries}
    return NewFact(kind=Kind.DRAW_ANNOUNCED, key=f"draw:{prize}:{number}", seen_at_us=at_us, body=body)


def draw_done(*, prize: str, number: int, announced: str, record: str, at_us: int) -> NewFact:
    """The randomness of a draw came; `record`: SHA-256 of the order it led to, an id a line; "" where it is void."""
    body = {"prize": prize, "number": number, "announced": announced, "record": record}
    return NewFact(kind=Kind.DRAW_DONE, key=f"drawn:{prize}:{number}", seen_at_us=at_us, body=body)


def mission_versioned(*, mission: Mapping[str, Any], at_us: int) -> NewFact:
    """A mission came into force, changed, or was closed; `mission` as in `missions.Mission`."""
    key = f"mission:{mission['key']}:{mission['version']}"
    return NewFact(kind=Kind.MISSION_VERSIONED, key=key, seen_at_us=at_us, body=dict(mission))


def fan_confirmed(
    *, fan: int, recruiter: int | None, share: int | None, network: str, same_session: bool, at_us: int
) -> NewFact:
    """Somebody proved their address and is in the vTeam; `recruiter` is the fan whose share brought them."""
    body = {
        "fan": fan,
        "recruiter": recruiter,
        "share": share,
        "network": network,
        "same_session": same_session,
    }
    return NewFact(kind=Kind.FAN_CONFIRMED, key=f"fan:{fan}", seen_at_us=at_us, body=body)


def arrival_confirmed(
    *, share: int, owner: int, networks: tuple[str, str, str], day: str, by: int | None, act: str, at_us: int
) -> NewFact:
    """A person, not a scanner, came through a share: the first from that network on that day.

    `networks`: keyed hashes of address, near network and wide network. `by`: the fan who came, when signed in.
    `act`: what showed a person ("stayed", "played", "joined").
    """
    address, near, wide = networks
    body = {
        "share": share,
        "fan": owner,
        "network": near,
        "networks": {"address": address, "near": near, "wide": wide},
        "by": by,
        "act": act,
    }
    key = f"arrival:{share}:{near}:{day}"
    return NewFact(kind=Kind.ARRIVAL_CONFIRMED, key=key, seen_at_us=at_us, body=body)


def title_downloaded(*, fan: int, title: int, at_us: int) -> NewFact:
    """A fan's personal copy was sent to them whole; `at_us` is when it was asked for."""
    body = {"fan": fan, "title": title}
    return NewFact(kind=Kind.TITLE_DOWNLOADED, key=f"download:{fan}:{title}", seen_at_us=at_us, body=body)


def copy_served(
    *,
    introduction: str,
    fan: int,
    title: int,
    listener: str,
    by: int | None,
    same_person: bool,
    network: str,
    evidence: Evidence,
    proof: str,
    at_us: int,
    doubt: Doubt | None = None,
) -> NewFact:
    """A title went whole from a fan's own computer to a listener's; we had introduced the two to each other.

    `introduction`: a random name, one for each time two were introduced. `listener`: a keyed hash (32 hex digits) of
    the browser or client that has the title now; `by`: the fan it belongs to, when signed in. `same_person`: the two
    ends share a session or an account. `network`: a keyed hash of the listener's near network. `proof`: SHA-256 (64
    hex digits) of the evidence row, which can be erased. `doubt`: what was missing where it was `witnessed`.
    """
    body = {
        "fan": fan,
        "title": title,
        "listener": listener,
        "by": by,
        "same_person": same_person,
        "network": network,
        "evidence": str(evidence),
        "proof": proof,
    }
    if doubt is not None:
        body["doubt"] = str(doubt)
    return NewFact(kind=Kind.COPY_SERVED, key=f"served:{introduction}", seen_at_us=at_us, body=body)


def world_acted(
    *,
    fan: int,
    avatar: int,
    mission: str,
    act: Act,
    kiosk: int | None,
    choice: int | None,
    right: bool | None,
    proof: str | None,
    at_us: int,
) -> NewFact:
    """A resident of a virtual world did what a mission asks, and is linked to a fan; `at_us` is when they did it.

    `avatar`: our number for who they are in their grid. `kiosk`: the object it came from. `choice`: which of the
    choices, from 1; `right`: whether that is the answer. `proof`: salted SHA-256 (64 hex digits) of what they told
    of what they brought, whose text can be erased. Each None where the act has none.
    """
    body = {
        "fan": fan,
        "avatar": avatar,
        "mission": mission,
        "act": str(act),
        "kiosk": kiosk,
        "choice": choice,
        "right": right,
        "proof": proof,
    }
    key = world_key(mission=mission, avatar=avatar)
    return NewFact(kind=Kind.WORLD_ACTED, key=key, seen_at_us=at_us, body=body)


def world_key(*, mission: str, avatar: int) -> str:
    """One result for each mission and avatar."""
    return f"world:{mission}:{avatar}"


def right_changed(
    *, agreed: bool, event: int, title: int, way: str, holder: int, is_open: bool, at_us: int
) -> NewFact:
    """A holder agreed or withdrew; `is_open` says whether the way is open now that they did."""
    kind = Kind.RIGHT_AGREED if agreed else Kind.RIGHT_WITHDRAWN
    body = {"title": title, "way": way, "holder": holder, "open": is_open}
    return NewFact(kind=kind, key=f"right:{event}", seen_at_us=at_us, body=body)


def hold_ended(*, decision: int, at_us: int) -> NewFact:
    """The waiting time of a held award is over; `decision` is the held one's seq."""
    return NewFact(
        kind=Kind.HOLD_ENDED, key=f"hold:{decision}", seen_at_us=at_us, body={"decision": decision}
    )


def review_decided(*, decision: int, accepted: bool, reason: str, at_us: int) -> NewFact:
    """A person looked at an award that waited for review and accepted or refused it, with a reason to show."""
    body = {"decision": decision, "accepted": accepted, "reason": reason}
    return NewFact(kind=Kind.REVIEW_DECIDED, key=f"review:{decision}", seen_at_us=at_us, body=body)


def award_reversed(*, decision: int, reason: str, at_us: int) -> NewFact:
    """A person took back an award that had counted, with a reason to show."""
    body = {"decision": decision, "reason": reason}
    return NewFact(kind=Kind.AWARD_REVERSED, key=f"reversal:{decision}", seen_at_us=at_us, body=body)
