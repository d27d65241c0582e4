"""What holders read and say, and what became of titles that circulated once."""

import datetime as dt

from tests.web.test_doors import Doors
from vteam import clock
from vteam.campaigns.agreements import speak
from vteam.campaigns.models import Title
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
