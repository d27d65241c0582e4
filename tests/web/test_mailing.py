"""News by mail as its organiser sees it: who gets it, the letter, sending, watching, stopping; and nobody else."""

import html
import re

from tests.cast import allow
from tests.web.test_doors import Doors
from vteam import clock
from vteam.campaigns.joining import account
from vteam.campaigns.models import News
from vteam.campaigns.news import published
from vteam.campaigns.organisers import invite, take_invitation
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.mailings import put_into_outbox
from vteam.channels.mail.models import Mailing, OutboxMessage
from vteam.people.models import Person
from vteam.rules.grants import Purpose


class MailingTests(Doors):
    ana: Person
    news: News

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.ana = account(address="ana@example.org", language="en", at=clock.now())
        secret = invite(campaign=cls.campaign, name="Ana", at=clock.now())
        assert secret is not None
        take_invitation(secret=secret, person=cls.ana)
        news = published(cls.campaign).first()
        assert news is not None
        cls.news = news

    def address(self, more: str = "") -> str:
        return f"/en/maree-haute/organise/news/{self.news.pk}{more}"

    def page(self) -> str:
        text = self.signed_in(self.ana).get(self.address()).text
        return " ".join(re.sub(r"<[^>]+>", " ", text.partition('id="mail"')[2]).split())

    def test_where_nobody_asked_it_says_so_and_offers_nothing(self) -> None:
        self.assertIn("Nobody has asked for news by mail yet", self.page())
        self.signed_in(self.ana).post(self.address("/mail"), {"act": "send"})
        self.assertFalse(Mailing.objects.exists())

    def test_who_gets_it_by_which_yes_and_then_it_goes_out(self) -> None:
        allow(self.bo, Purpose.NEWS, at=clock.now())
        page = self.page()
        self.assertIn("1 fan gets it, and nobody else", page)
        self.assertIn("1 asked for it at once", page)
        self.assertIn("may write to me by mail when there is news", page)
        response = self.signed_in(self.ana).post(self.address("/mail"), {"act": "send"})
        self.assertRedirects(response, f"{self.address()}#mail", fetch_redirect_response=False)
        self.assertIn("0 of 1 letters have left", self.page())
        self.assertIn('hx-trigger="every 2s"', self.signed_in(self.ana).get(self.address()).text)
        put_into_outbox(at=clock.now())
        with self.settings(QUIET_HOURS=(0, 0)):
            deliver_due(at=clock.now())
        self.assertIn("1 letter has left", self.page())
        part = self.signed_in(self.ana).get(self.address("/mail")).text
        self.assertIn("1 letter has left", part)
        self.assertNotIn("<html", part)

    def test_it_is_stopped_by_one_press(self) -> None:
        allow(self.bo, Purpose.NEWS, at=clock.now())
        self.signed_in(self.ana).post(self.address("/mail"), {"act": "send"})
        put_into_outbox(at=clock.now())
        self.signed_in(self.ana).post(self.address("/mail"), {"act": "stop"})
        self.assertIn("Stopped: 0 of 1 letters had left.", self.page())
        self.assertEqual(OutboxMessage.objects.get().state, OutboxMessage.GIVEN_UP)

    def test_the_letter_is_shown_as_it_will_be_read(self) -> None:
        for language, words in (("en", "Stop this, or change how often it comes"), ("fr", "Arrêter")):
            response = self.signed_in(self.ana).get(self.address(f"/letter/{language}"))
            self.assertContains(response, words)
            self.assertIn(self.news.subject(language), html.unescape(response.text))
            self.assertIn("style-src 'unsafe-inline'", response["Content-Security-Policy"])
            self.assertIn("default-src 'none'", response["Content-Security-Policy"])
        self.assertEqual(self.signed_in(self.ana).get(self.address("/letter/de")).status_code, 404)

    def test_nobody_but_an_organiser_of_this_campaign_sees_or_sends_it(self) -> None:
        allow(self.bo, Purpose.NEWS, at=clock.now())
        for more in ("/mail", "/letter/en"):
            self.assertEqual(self.signed_in().get(self.address(more)).status_code, 404)
            self.assertEqual(self.client.get(self.address(more)).status_code, 302)
        self.assertEqual(self.signed_in().post(self.address("/mail"), {"act": "send"}).status_code, 404)
        self.assertFalse(Mailing.objects.exists())

    def test_no_address_is_ever_taken_from_an_organiser(self) -> None:
        """No list upload exists, anywhere: the pages of organisers have no field for addresses or files."""
        for path in ("/en/maree-haute/organise", "/en/maree-haute/organise/news/new", self.address()):
            page = self.signed_in(self.ana).get(path).text
            self.assertNotRegex(page, r'type="(file|email)"')
