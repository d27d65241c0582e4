"""What pages say before the season opens, while it runs and once it is over; every state of a mission."""

from typing import Any

from tests.web.test_doors import JOINING, Doors
from vteam import clock
from vteam.campaigns.file import CampaignFile, MissionEntry
from vteam.campaigns.joining import account
from vteam.campaigns.models import Campaign
from vteam.campaigns.queries import campaign_by_slug
from vteam.channels.mail.models import OutboxMessage
from vteam.journal.models import Inbox
from vteam.ledger.counters import place_of
from vteam.ledger.models import Counter
from vteam.people.models import Fan
from vteam.web.templatetags.vteam import day, local
from vteam.web.views.fans import mission_cards

HOME = "/maree-haute/home"


class SeasonPages(Doors):
    def apply(self, file: CampaignFile) -> Campaign:
        """The campaign with this file in force."""
        Campaign.objects.filter(pk=self.campaign.pk).update(document=file.canonical())
        found = campaign_by_slug("maree-haute")
        assert found is not None
        return found

    def days_later(self, days: int) -> Campaign:
        return self.apply(self.campaign.file.shifted(days))

    def with_mission(self, **changes: Any) -> MissionEntry:
        """The campaign with its first mission changed."""
        file = self.campaign.file
        first = file.missions[0].model_copy(update={"coming": False, **changes})
        self.apply(file.model_copy(update={"missions": (first, *file.missions[1:])}))
        return first

    def state(self) -> str:
        campaign = campaign_by_slug("maree-haute")
        assert campaign is not None
        return mission_cards(campaign, self.bo)[0].state

    def count(self, mission: str, *, today: int, in_all: int) -> None:
        """As if the fan had earned here before."""
        at = local(clock.now(), self.campaign).date().isoformat()
        names = {f"day:{mission}:{self.bo.pk}:{at}": today, f"fan:{mission}:{self.bo.pk}": in_all}
        for name, n in names.items():
            Counter.objects.create(campaign_id=self.campaign.pk, key=place_of(name), n=n)


class MissionStateTests(SeasonPages):
    def shown(self) -> str:
        response = self.signed_in().get(HOME)
        assert response.status_code == 200
        return response.text

    def test_open(self) -> None:
        entry = self.with_mission()
        self.assertEqual(self.state(), "open")
        self.assertIn(entry.explanation.in_language("en"), self.shown().replace("&#x27;", "'"))

    def test_coming(self) -> None:
        self.with_mission(coming=True)
        self.assertEqual(self.state(), "coming")
        self.assertIn(">coming</span>", self.shown())

    def test_not_yet_says_when_it_opens_though_the_mission_has_no_day_of_its_own(self) -> None:
        campaign = self.days_later(30)
        self.assertIsNone(campaign.file.missions[0].opens)
        self.assertEqual(self.state(), "not_yet")
        opens = day(local(campaign.file.season.starts_at, campaign))
        self.assertIn(f"Opens on {opens}.", self.shown())

    def test_not_yet_says_the_missions_own_day(self) -> None:
        opens = self.campaign.file.season.starts.replace(month=1, day=5, year=clock.now().year + 1)
        self.with_mission(opens=opens)
        self.assertEqual(self.state(), "not_yet")
        self.assertIn("Opens on 5 January.", self.shown())

    def test_over_says_since_when(self) -> None:
        campaign = self.days_later(-400)
        self.assertEqual(self.state(), "over")
        closed = day(local(campaign.file.season.ends_at, campaign))
        self.assertIn(f"Over since {closed}.", self.shown())

    def test_done(self) -> None:
        entry = self.with_mission(per_fan=3)
        self.count(entry.key, today=0, in_all=3)
        self.assertEqual(self.state(), "done")
        self.assertIn("All done. Thank you.", self.shown())

    def test_done_today(self) -> None:
        entry = self.with_mission(per_fan=9, per_fan_per_day=2)
        self.count(entry.key, today=2, in_all=3)
        self.assertEqual(self.state(), "done_today")
        self.assertIn("Full for today", self.shown())


class SeasonTests(SeasonPages):
    def test_before_the_season_pages_say_when_it_opens(self) -> None:
        campaign = self.days_later(30)
        opens = f"The season opens on {day(local(campaign.file.season.starts_at, campaign))}"
        self.assertContains(self.client.get("/maree-haute/"), opens)
        self.assertContains(self.client.get("/maree-haute/join"), "Send me the code")
        home = self.signed_in().get(HOME)
        self.assertContains(home, opens)
        self.assertNotContains(home, "one link away")

    def test_after_the_season_nobody_joins_and_home_promises_nothing(self) -> None:
        self.days_later(-400)
        before = OutboxMessage.objects.count(), Inbox.objects.count()
        for response in (
            self.client.get("/maree-haute/join"),
            self.client.post("/maree-haute/join", JOINING),
        ):
            self.assertEqual(response.status_code, 410)
            self.assertContains(response, "Nobody joins this vTeam any more", status_code=410)
        self.assertEqual((OutboxMessage.objects.count(), Inbox.objects.count()), before)
        home = self.signed_in().get(HOME)
        self.assertContains(home, "The season is over.")
        self.assertNotContains(home, "one link away")
        self.assertNotContains(home, "Make my first link")

    def test_while_it_runs_a_newcomer_is_welcomed_and_sees_their_place_and_neighbours(self) -> None:
        home = self.signed_in().get(HOME)
        self.assertContains(home, "one link away")
        self.assertContains(home, "Your place so far")
        self.assertContains(home, "rank--you")

    def test_home_is_only_read(self) -> None:
        client = self.signed_in()
        for path in (HOME, f"{HOME}/live"):
            self.assertEqual(client.post(path).status_code, 405)
            self.assertEqual(client.head(path).status_code, 200)


class JoiningSignedInTests(SeasonPages):
    def test_somebody_signed_in_is_a_fan_without_a_second_code(self) -> None:
        share = self.share()
        person = account(address="cy@example.org", language="en", at=clock.now())
        client = self.signed_in(person, host="cy.localhost")
        via = client.get(f"/l/{share.code}").context["via"]
        form = client.get("/maree-haute/join", {"via": via})
        self.assertNotContains(form, 'name="address"')
        self.assertContains(form, "Bo brought you")
        before = OutboxMessage.objects.count()
        response = client.post("/maree-haute/join", {"name": "Cy", "age": "yes", "via": via})
        self.assertRedirects(response, HOME)
        self.assertEqual(OutboxMessage.objects.count(), before)
        fan = Fan.objects.get(person=person)
        self.assertEqual((fan.name, fan.recruited_by_share_id), ("Cy", share.pk))
        fact = Inbox.objects.get(kind="FanConfirmed", body__contains=f'"fan":{fan.pk},')
        for part in (f'"recruiter":{self.bo.pk}', '"same_session":false', f'"share":{share.pk}'):
            self.assertIn(part, fact.body)

    def test_what_is_missing_or_too_young_is_told_as_to_everybody(self) -> None:
        person = account(address="cy@example.org", language="en", at=clock.now())
        client = self.signed_in(person)
        self.assertEqual(client.post("/maree-haute/join", {"name": "Cy"}).status_code, 422)
        young = client.post("/maree-haute/join", {"name": "Cy", "age": "no"})
        self.assertTemplateUsed(young, "too_young.html")
        self.assertFalse(Fan.objects.filter(person=person).exists())


class NameTests(SeasonPages):
    def test_a_name_nobody_sees_and_the_bands_own_are_refused(self) -> None:
        person = account(address="cy@example.org", language="en", at=clock.now())
        client = self.signed_in(person)
        unseen = ("\u3164", "\u115f\u1160", "\u2800", "\uffa0", "\u200b", "\u034f", "!!")
        for name in (*unseen, "Lune Noire", "lune  noire", "LÜNE-NÓIRE", "Lune\u3164 Noire"):
            response = client.post("/maree-haute/join", {"name": name, "age": "yes"})
            self.assertEqual(response.status_code, 422, ascii(name))
            self.assertTrue(response.context["form"]["name"].errors, ascii(name))
        response = client.post("/maree-haute/join", {"name": "梨花 7", "age": "yes"})
        self.assertRedirects(response, HOME)
