"""A played season taken out of our tables as plain values, for the peer to be filled with. Runs in our process."""

from typing import Any

from vteam import clock
from vteam.campaigns.models import Campaign, Title
from vteam.campaigns.values import Words
from vteam.channels.links.models import Share
from vteam.journal.models import Fact
from vteam.journal.queries import COLUMNS, fact_from
from vteam.ledger.models import Decision, Total
from vteam.ledger.past import from_body
from vteam.people.models import Fan


def season(campaign: Campaign) -> dict[str, Any]:
    """The rows of each of the peer's tables; moments are ISO texts."""
    file = campaign.file
    return {
        "campaign": {
            "slug": file.slug,
            "name": file.name,
            "artist": file.artist,
            "team": file.team,
            "starts_at": file.season.starts_at.isoformat(),
            "release_at": file.season.release_at.isoformat(),
            "ends_at": file.season.ends_at.isoformat(),
            "time_zone": file.season.time_zone,
        },
        "missions": [_mission(campaign, number) for number in range(len(file.missions))],
        "milestones": [
            {"points": entry.points, **_in_two_languages(entry.name, entry.explanation)}
            for entry in file.milestones
        ],
        "titles": list(Title.objects.filter(campaign=campaign).values("id", "name")),
        "fans": _fans(campaign),
        "shares": list(Share.objects.filter(campaign_id=campaign.pk).values("id", "fan_id", "place")),
        "awards": _awards(campaign),
    }


def _mission(campaign: Campaign, number: int) -> dict[str, Any]:
    entry = campaign.file.missions[number]
    return {
        "id": number + 1,
        "kind": entry.kind,
        "points": entry.points,
        "per_day": entry.per_fan_per_day,
        "per_fan": entry.per_fan,
        "coming": entry.coming,
        "opens_at": campaign.file.mission_opens_at(entry).isoformat(),
        "closes_at": campaign.file.mission_closes_at(entry).isoformat(),
        **_in_two_languages(entry.name, entry.explanation),
    }


def _in_two_languages(name: Words, explanation: Words) -> dict[str, str]:
    return {
        f"{what}_{code}": words.in_language(code)
        for what, words in (("name", name), ("explanation", explanation))
        for code in ("en", "fr")
    }


def _fans(campaign: Campaign) -> list[dict[str, Any]]:
    totals = {total.fan_id: total for total in Total.objects.filter(campaign_id=campaign.pk)}
    return [
        {
            "id": fan.pk,
            "name": fan.name,
            "points": totals[fan.pk].confirmed,
            "waiting": totals[fan.pk].pending,
        }
        for fan in Fan.objects.filter(campaign_id=campaign.pk).order_by("id")
    ]


def _awards(campaign: Campaign) -> list[dict[str, Any]]:
    missions = {entry.key: number for number, entry in enumerate(campaign.file.missions, start=1)}
    columns = COLUMNS.split(", ")
    facts = {
        row[1]: fact_from(row).body
        for row in Fact.objects.filter(campaign_id=campaign.pk).values_list(*columns)
    }
    seen = dict(Fact.objects.filter(campaign_id=campaign.pk).values_list("seq", "seen_at_us"))
    awards = []
    for body in (
        Decision.objects.filter(campaign_id=campaign.pk).order_by("seq").values_list("body", flat=True)
    ):
        made = from_body(body)
        about, decision = facts[made.fact_seq], made.decision
        awards.append(
            {
                "id": made.seq,
                "fan_id": decision.fan,
                "mission_id": missions[made.mission],
                "outcome": str(decision.outcome),
                "points": decision.points,
                "at": clock.from_us(seen[made.fact_seq]).isoformat(),
                "due_at": clock.from_us(decision.due_at_us).isoformat() if decision.due_at_us else None,
                "share_id": about.get("share") if "recruiter" not in about else None,
                "title_id": about.get("title"),
                "recruit_id": about.get("fan") if "recruiter" in about else None,
            }
        )
    return awards
