"""Reading campaigns and their titles, with how each title may circulate."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from vteam.campaigns.models import Campaign, Title
from vteam.reading import pairs
from vteam.rights.queries import Circulations, circulations
from vteam.rules.missions import mission_of
from vteam.rules.rights import Way

CAMPAIGN = "SELECT * FROM campaigns_campaign WHERE slug = %s"
NAMES = "SELECT id, name FROM campaigns_title WHERE id IN ({})"
VERSIONS = "SELECT id, body FROM campaigns_missionversion WHERE campaign_id = %s AND key IN ({})"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTitle:
    """A title and the gate's answers for it now."""

    title: Title
    ways: Circulations

    @property
    def can_listen(self) -> bool:
        """Whether it may be heard here now."""
        return self.ways[Way.LISTEN].is_open

    @property
    def can_download(self) -> bool:
        """Whether members may download it now."""
        return self.ways[Way.DOWNLOAD].is_open

    @property
    def can_pass_on(self) -> bool:
        """Whether fans may pass it on now."""
        return self.ways[Way.PASS_ON].is_open


def campaign_by_slug(slug: str) -> Campaign | None:
    """The campaign at an address."""
    return next(iter(Campaign.objects.raw(CAMPAIGN, [slug])), None)


def every_campaign() -> list[Campaign]:
    """All campaigns of this installation, newest first."""
    return list(Campaign.objects.order_by("-created_at", "-pk"))


def titles_of(campaign: Campaign, *, at_us: int) -> list[OfferedTitle]:
    """The campaign's titles in its order, each with how it may circulate now."""
    titles = list(campaign.titles.filter(retired_at=None).order_by("position"))
    ways = circulations([title.pk for title in titles], at_us=at_us)
    return [OfferedTitle(title=title, ways=ways[title.pk]) for title in titles]


def title_of(campaign: Campaign, key: str, *, at_us: int) -> OfferedTitle | None:
    """One title of a campaign."""
    title = campaign.titles.filter(key=key, retired_at=None).first()
    if title is None:
        return None
    return OfferedTitle(title=title, ways=circulations([title.pk], at_us=at_us)[title.pk])


def title_names(title_ids: Iterable[int]) -> dict[int, str]:
    """What titles are called, retired ones too."""
    return pairs(NAMES, title_ids)


def full_points(campaign_id: int, mission_keys: Iterable[str]) -> dict[tuple[str, int], int]:
    """What each version of these missions pays where nothing is halved, by key and version."""
    bodies = pairs(VERSIONS, mission_keys, first=[campaign_id]).values()
    versions = [mission_of(json.loads(body)) for body in bodies]
    return {(mission.key, mission.version): mission.points for mission in versions}
