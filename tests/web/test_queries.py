"""Pages cost the database the same number of queries in a small campaign and in a big one, with a short history and
with a long one: the number itself is nobody's business, that it never grows is.
"""

from unittest.mock import patch

import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import cast
from tests.services.worlds import NADIA, enrolled
from tests.web.test_doors import Doors
from vteam import clock
from vteam.campaigns.joining import account
from vteam.campaigns.news import Draft, latest, publish, write_news
from vteam.campaigns.organisers import invite, take_invitation
from vteam.channels.worlds.enrolling import SEEN_EVERY
from vteam.demo.season import play_season
from vteam.ledger.queries import decisions_of, fans_ranked
from vteam.ledger.services import reverse_award
from vteam.people.models import Fan
from vteam.people.services import become_fan
from vteam.rules import facts

PAGES = ("home", "home/live", "home/live?since=old", "points", "ranking", "", "links", "titles", "news")
DAYS = 25


class QueryTests(Doors):
    def queries(self, fan: Fan) -> dict[str, int]:
        """How many queries each page costs the fan."""
        client, costs = self.signed_in(fan.person), {}
        for page in PAGES:
            with CaptureQueriesContext(connection) as captured:
                self.assertEqual(client.get(f"/maree-haute/{page}").status_code, 200, page)
            costs[page] = len(captured)
        return costs

    def newcomer(self, name: str) -> Fan:
        person = account(
            address=f"{name.lower().replace(' ', '-')}@example.org", language="en", at=clock.now()
        )
        fan, _ = become_fan(
            person=person, campaign_id=self.campaign.pk, name=name, share_id=None, at=clock.now()
        )
        return fan

    def a_day_of_bo(self, number: int) -> None:
        """Bo makes a link, has a title and passes it on, brings somebody in, and one award of theirs is taken back."""
        campaign, now_us = self.campaign.pk, clock.now_us()
        share = cast.share_of(self.bo, f"place {number}")
        # A title pays once: the first and the last day have one of their own.
        title = self.campaign.titles.order_by("position")[{0: 0, DAYS - 1: 1}.get(number, 2)].pk
        recruit, near = self.newcomer(f"Recruit {number}"), f"near {number}"
        cast.offer(
            campaign,
            facts.title_downloaded(fan=self.bo.pk, title=title, at_us=now_us),
            cast.served(self.bo.pk, title=title, listener=f"phone {number}", by=recruit.pk, at_us=now_us),
            cast.joined(recruit.pk, recruiter=self.bo.pk, network=near, at_us=now_us),
            cast.arrival(share.pk, self.bo.pk, near=near, at_us=now_us),
        )
        cast.move()
        newest = decisions_of(campaign, self.bo.pk, at_most=1)[0]
        reverse_award(campaign_id=campaign, decision=newest.seq, reason="a test", at_us=now_us)
        cast.move()

    def test_no_page_costs_more_queries_as_the_campaign_and_the_fans_history_grow(self) -> None:
        self.a_day_of_bo(0)
        few = self.queries(self.bo)
        for number in range(1, DAYS):
            self.a_day_of_bo(number)
        play_season(self.campaign, fans=90)
        self.assertGreaterEqual(fans_ranked(self.campaign.pk), 90)
        self.assertEqual(self.queries(self.bo), few)

    def test_a_fan_with_nothing_yet_costs_no_more(self) -> None:
        newcomer = self.newcomer("Cy")
        self.a_day_of_bo(0)
        few = self.queries(self.bo)
        for page, queries in self.queries(newcomer).items():
            self.assertLessEqual(queries, few[page], page)


class NewsTests(Doors):
    def told(self, *, more: int = 0) -> None:
        """So many further pieces of news, and as many drafts."""
        draft = Draft(subjects={"en": "Tide", "fr": "Marée"}, texts={"en": "It comes.", "fr": "Elle vient."})
        for _ in range(more):
            news, _ = (write_news(campaign=self.campaign, draft=draft, at=clock.now()) for _ in range(2))
            publish(news=news, at=clock.now())

    def queries(self) -> list[int]:
        """How many queries the pages with news cost a fan who organises."""
        client, costs = self.signed_in(), []
        newest = latest(self.campaign, at_most=1)[0].pk
        for page in (
            "",
            "home",
            "news",
            f"news/{newest}",
            "organise",
            "organise/news/new",
            f"organise/news/{newest}",
        ):
            with CaptureQueriesContext(connection) as captured:
                self.assertEqual(client.get(f"/maree-haute/{page}").status_code, 200, page)
            costs.append(len(captured))
        return costs

    def test_no_page_costs_more_queries_as_more_is_told(self) -> None:
        secret = invite(campaign=self.campaign, name="Bo", at=clock.now())
        assert secret is not None
        take_invitation(secret=secret, person=self.bo.person)
        self.told(more=1)
        few = self.queries()
        self.told(more=40)
        self.assertEqual(self.queries(), few)

    def test_a_visitor_is_not_asked_about(self) -> None:
        with CaptureQueriesContext(connection) as captured:
            self.client.get("/maree-haute/news")
        self.assertFalse([query for query in captured if "campaigns_organiser" in query["sql"]])


class RankingTests(Doors):
    def test_pages_carry_on_to_the_place_where_the_list_says_that_it_ends(self) -> None:
        joined = [cast.joined(fan, network=f"home {fan}", at_us=clock.now_us()) for fan in range(1, 6)]
        cast.offer(self.campaign.pk, *joined)
        cast.move()
        views = "vteam.web.views.campaign"
        with patch(f"{views}.PAGE", 2), patch(f"{views}.PAGES_MAX", 2):
            first, last, beyond = (self.client.get(f"/maree-haute/ranking?page={n}") for n in (1, 2, 3))
        self.assertContains(first, 'rel="next"')
        self.assertNotContains(first, "The list ends here")
        self.assertContains(last, "The list ends here, at place 4.")
        self.assertNotContains(last, 'rel="next"')
        self.assertEqual(beyond.status_code, 404)
        whole = self.client.get("/maree-haute/ranking")
        self.assertEqual(whole.text.count('<li class="rank'), 5)
        self.assertNotContains(whole, "The list ends here")


class KioskTests(Doors):
    def costs(self, name: str, content: dict[str, str]) -> tuple[int, int]:
        """How many statements a request of the object's costs, and how many waits for the disk."""
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(self.kiosk.send(name, content).status_code, 200)
        said = [query["sql"].split()[0] for query in captured]
        inside = 0
        for word in said:
            inside += (word == "SAVEPOINT") - (word == "RELEASE")
            self.assertTrue(inside or word not in {"INSERT", "UPDATE", "DELETE"}, f"{word} waits alone")
        return len(said), said.count("SAVEPOINT")

    def test_what_an_object_sends_costs_few_statements_and_waits_for_the_disk_once_or_twice(self) -> None:
        _, self.kiosk = enrolled(self.campaign)
        touch, beat = {"avatar": NADIA}, {"room": "(12, 8, -3)"}
        self.kiosk.send("heartbeat", beat)
        alone = self.costs("touch", touch)
        with time_machine.travel(clock.now() + SEEN_EVERY):
            beating = self.costs("heartbeat", beat)
        for (statements, waits), (statements_max, waits_max) in ((alone, (10, 2)), (beating, (6, 1))):
            self.assertLessEqual(statements, statements_max)
            self.assertLessEqual(waits, waits_max)
        for number in range(20):
            enrolled(self.campaign)
            self.kiosk.choose("link", avatar=f"somebody {number}")
        self.assertEqual(self.costs("touch", touch), alone)
