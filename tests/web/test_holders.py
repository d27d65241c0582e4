"""What holders read and say, and what became of titles that circulated once."""

import datetime as dt

from tests.web.test_doors import Doors
from vteam import clock
from vteam.campaigns.agreements import speak
from vteam.campaigns.models import CirculationDay, Title
from vteam.rights.models import Holder, RightEvent
from vteam.rules.rights import Act, Way


class Holding(Doors):
    def title(self, key: str = "les-digues") -> Title:
        return Title.objects.get(campaign=self.campaign, key=key)

    def holder(self) -> Holder:
        return Holder.objects.get(campaign_id=self.campaign.pk, key="ines-morvan")

    def say(self, act: Act, *, way: Way = Way.LISTEN, language: str = "en", words: str = "") -> None:
        speak(
            holder=self.holder(), person=None, title=self.title(), way=way, act=act, language=language,
            at_us=clock.now_us(), words=words,
        )  # fmt: skip

    def listened(self, key: str = "les-digues") -> int:
        return self.client.get(f"/maree-haute/titles/{key}/listen.mp3").status_code


class HolderPageTests(Holding):
    def page(self) -> str:
        holder = self.holder()
        assert holder.person is not None
        return self.signed_in(holder.person).get(f"/en/holder/{holder.pk}").text

    def test_everything_that_was_said_names_who_spoke(self) -> None:
        other = Holder.objects.filter(titles__title_id=self.title().pk).exclude(pk=self.holder().pk).first()
        assert other is not None, "the demo's titles have several holders"
        history = self.page().partition("Everything that was said")[2].partition("</details>")[0]
        self.assertIn(f"· {other.name}<", history.replace("</span>", "<"))
        self.assertIn(f"{self.holder().name} (you)", history)

    def test_the_artists_words_carry_their_language(self) -> None:
        self.say(Act.AGREED, way=Way.DOWNLOAD, language="fr", words="Gardez-le bien.")
        page = self.page()
        self.assertIn('<span lang="fr">Gardez-le bien.</span>', page)
        self.assertIn('lang="fr">Gardez-le bien.</textarea>', page)
        titles = self.signed_in().get("/en/maree-haute/titles").text
        self.assertIn('<p lang="fr">Gardez-le bien.</p>', titles)

    def test_keeping_can_only_be_agreed_to(self) -> None:
        holder, before = self.holder(), RightEvent.objects.count()
        assert holder.person is not None
        client = self.signed_in(holder.person)
        for act in ("refused", "withdrawn"):
            body = {"title": self.title().pk, "way": "keep", "act": act}
            self.assertEqual(client.post(f"/holder/{holder.pk}", body).status_code, 422)
        self.assertEqual(client.post(f"/holder/{holder.pk}").status_code, 422)
        self.assertEqual(RightEvent.objects.count(), before)


class ClosedTitleTests(Holding):
    def test_refused_after_it_was_open_is_gone(self) -> None:
        self.say(Act.REFUSED)
        self.assertEqual(self.listened(), 410)

    def test_a_title_taken_off_the_campaign_is_gone(self) -> None:
        Title.objects.filter(pk=self.title().pk).update(retired_at=clock.now() - dt.timedelta(hours=1))
        response = self.client.get("/maree-haute/titles/les-digues/listen.mp3")
        self.assertContains(response, "The band has taken this title back", status_code=410)
        self.assertEqual(self.signed_in().get("/maree-haute/titles/les-digues/copy.mp3").status_code, 410)

    def test_what_was_never_open_or_never_was_is_not_there(self) -> None:
        new = self.title()
        new.pk, new.key = None, "nouveau"
        new.save(force_insert=True)
        self.assertEqual(self.listened("nouveau"), 404)
        self.assertEqual(self.listened("rien"), 404)


class LimitTests(Holding):
    def say_on_page(self, **fields: str) -> int:
        holder = self.holder()
        assert holder.person is not None
        body = {"title": str(self.title().pk), "way": "pass-on", "act": "agreed"} | fields
        return self.signed_in(holder.person).post(f"/holder/{holder.pk}", body).status_code

    def page(self, language: str = "en") -> str:
        holder = self.holder()
        assert holder.person is not None
        return self.signed_in(holder.person).get(f"/{language}/holder/{holder.pk}").text

    def test_a_holder_agrees_to_so_many_until_a_day_and_reads_how_it_stands(self) -> None:
        self.say(Act.REFUSED, way=Way.PASS_ON)
        self.assertIn("At most so many times", self.page())
        last = (clock.now() + dt.timedelta(days=40)).date()
        self.assertEqual(self.say_on_page(at_most="500", until=last.isoformat()), 302)
        event = RightEvent.objects.order_by("-pk")[0]
        self.assertEqual((event.at_most, event.counted_before), (500, 0))
        assert event.until_us is not None
        self.assertEqual(clock.from_us(event.until_us - 1).date(), last)
        self.assertIn("0 of 500 so far.", self.page())
        self.assertIn("0 sur 500 jusqu’ici.", self.page("fr"))

    def test_a_number_is_for_passing_on_alone(self) -> None:
        self.say_on_page(way="listen", at_most="5")
        self.assertIsNone(RightEvent.objects.order_by("-pk")[0].at_most)

    def test_a_day_that_is_over_or_no_number_is_refused(self) -> None:
        before = RightEvent.objects.count()
        for wrong in ({"until": "2020-01-01"}, {"until": "soon"}, {"at_most": "0"}, {"at_most": "-3"}):
            self.assertEqual(self.say_on_page(**wrong), 422)
        self.assertEqual(RightEvent.objects.count(), before)

    def test_a_yes_that_has_run_out_can_be_said_again(self) -> None:
        at_us = clock.now_us()
        speak(
            holder=self.holder(), person=None, title=self.title(), way=Way.PASS_ON, act=Act.AGREED, language="en",
            at_us=at_us - 2, until_us=at_us - 1,
        )  # fmt: skip
        page = self.page()
        self.assertIn("Your yes has run out.", page)
        self.assertIn("I agree: Pass on", page)

    def test_what_went_out_stands_there_by_day(self) -> None:
        title = self.title()
        self.assertIn("Nothing yet.", self.page())
        CirculationDay.objects.create(title=title, way="download", day=dt.date(2026, 11, 24), n=12)
        CirculationDay.objects.create(title=title, way="pass-on", day=dt.date(2026, 11, 24), n=3)
        page = self.page()
        self.assertIn("24 November", page)
        self.assertIn("12 downloads · 3 passed on", page)

    def test_a_number_that_is_reached_is_said_in_words(self) -> None:
        self.say(Act.USED_UP, way=Way.PASS_ON)
        page = self.page()
        self.assertIn("The number you agreed to is reached.", page)
        self.assertIn("number reached", page)
