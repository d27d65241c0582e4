"""What a fan reads about copies they passed on: one worth less says so, and one that is not says nothing of it."""

import datetime as dt

from tests import cast
from tests.web.test_doors import Doors
from vteam import clock
from vteam.campaigns.file import MissionEntry
from vteam.campaigns.models import Campaign
from vteam.campaigns.services import apply_campaign
from vteam.demo.opening import demo_folder
from vteam.ledger.queries import decisions_of
from vteam.web.stories import Story, stories

FULL = 20
LESS = "many today already: worth less now"


class FallingAwardTests(Doors):
    """A noon in the demo's first week, on which Bo's copies go to fans."""

    def setUp(self) -> None:
        self.noon = self.campaign.file.season.starts_at + dt.timedelta(days=3, hours=12)
        self.fans = iter(range(1_000, 2_000))

    def pass_on(self, copies: int, *, minutes: int = 0) -> None:
        at_us = clock.to_us(self.noon + dt.timedelta(minutes=minutes))
        served = (
            cast.served(self.bo.pk, title=self.title, listener=f"fan {fan}", by=fan, at_us=at_us)
            for fan in (next(self.fans) for _ in range(copies))
        )
        cast.offer(self.campaign.pk, *served)
        cast.move()

    @property
    def title(self) -> int:
        return self.campaign.titles.order_by("position")[0].pk

    def apply(self, **changes: object) -> Campaign:
        """The campaign with its pass-on mission changed, a minute after noon."""
        file, at = self.campaign.file, self.noon + dt.timedelta(minutes=1)
        missions = tuple(self.changed(mission, **changes) for mission in file.missions)
        changed = file.model_copy(update={"missions": missions})
        return apply_campaign(file=changed, folder=demo_folder(), at=at).campaign

    @staticmethod
    def changed(mission: MissionEntry, **changes: object) -> MissionEntry:
        return mission.model_copy(update=changes) if mission.kind == "pass-on" else mission

    def newest(self, at_most: int) -> list[Story]:
        return stories(self.campaign, decisions_of(self.campaign.pk, self.bo.pk, at_most=at_most))

    def test_the_first_ones_count_whole_and_those_beyond_say_why_they_are_worth_less(self) -> None:
        self.pass_on(FULL + 1)
        less, *whole = self.newest(FULL + 1)
        self.assertEqual((less.points, less.why), (250, LESS))
        self.assertEqual({(story.points, story.why) for story in whole}, {(500, "counted at once")})

    def test_their_page_says_it_in_either_language(self) -> None:
        self.pass_on(FULL + 1)
        self.assertContains(self.signed_in().get("/maree-haute/points"), LESS, count=1)
        french = self.signed_in().get("/fr/maree-haute/points", follow=True)
        self.assertContains(french, "déjà beaucoup aujourd’hui\u00a0: ça vaut moins maintenant", count=1)

    def test_one_that_waits_says_both(self) -> None:
        self.pass_on(FULL)
        self.apply(hold="2d")
        self.pass_on(1, minutes=2)
        (waits,) = self.newest(1)
        self.assertEqual(waits.points, 250)
        self.assertRegex(waits.why, rf"^counts on \w+ at \d\d:\d\d; {LESS}$")

    def test_what_was_earned_before_points_were_raised_was_not_worth_less(self) -> None:
        self.pass_on(1)
        self.apply(points=1_000)
        self.pass_on(1, minutes=2)
        told = [(story.points, story.why) for story in self.newest(2)]
        self.assertEqual(told, [(1_000, "counted at once"), (500, "counted at once")])
