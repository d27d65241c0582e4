"""The operators' page: whose it is, what reaches them, whether our mail is let in, and the outbox in numbers."""

import datetime as dt
import json
import re
from typing import Any
from unittest.mock import patch

from django.http import HttpResponse
from django.test import Client, override_settings

from tests.services.domains import FOUR, GOOD, SIX, changed
from tests.services.zone import serving
from tests.web.test_doors import Doors
from vteam import clock
from vteam.campaigns.joining import account
from vteam.campaigns.organisers import invite, take_invitation
from vteam.channels.mail import nameserver
from vteam.channels.mail.models import OutboxMessage, Trouble, new_token
from vteam.channels.mail.stopping import stop_token
from vteam.people.models import Person
from vteam.permissions.models import GrantEvent
from vteam.permissions.queries import found_subject, proof_holds, standing
from vteam.permissions.services import INSTALLATION
from vteam.rules.grants import Grant, Pace, Purpose

PAGE = "/en/operator"
OURS: dict[str, Any] = {
    "EMAIL_FROM": "vTeam <team@example.org>",
    "MAIL_IPS": [FOUR, SIX],
    "DKIM_SELECTORS": ["vteam"],
}


class Operating(Doors):
    dov: Person

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.dov = account(address="dov@example.org", language="en", at=clock.now())
        secret = invite(campaign=None, name="Dov", at=clock.now())
        assert secret is not None
        take_invitation(secret=secret, person=cls.dov)

    def operator(self) -> Client:
        return self.signed_in(self.dov, host="dov.localhost")

    def grant(self) -> Grant:
        subject = found_subject(person_id=self.dov.pk, campaign_id=INSTALLATION)
        return standing(subject.pk, Purpose.FAULTS, at_us=clock.now_us()) if subject else Grant()

    def press(self, act: str, **more: str) -> HttpResponse:
        client = self.operator()
        words = re.search(r'name="words" value="(\w+)"', client.get(PAGE).text)
        assert words is not None
        form = {"purpose": "faults", "act": act, "words": words[1], "back": PAGE, "who": self.dov.pk}
        return client.post("/en/operator/said", form | more)


class DoorTests(Operating):
    def test_it_is_nothing_to_anybody_else_and_leads_who_is_signed_out_to_the_door(self) -> None:
        for path in ("/operator", "/operator/mail", "/operator/receipt.json"):
            self.assertEqual(self.signed_in().get(path).status_code, 404, path)
            self.assertRedirects(self.client.get(path), f"/sign-in?after={path.replace('/', '%2F')}")
        for path in ("/operator/mail", "/operator/said"):
            self.assertEqual(self.signed_in().post(path, {"act": "given"}).status_code, 404, path)
        self.assertIn("no-store", self.operator().get("/operator")["Cache-Control"])
        self.assertFalse(GrantEvent.objects.exists())

    def test_one_s_own_page_leads_operators_there_and_nobody_else(self) -> None:
        link = 'href="/operator">This vTeam</a>'
        self.assertContains(self.operator().get("/me"), link)
        self.assertNotContains(self.signed_in().get("/me"), link)


class ReachingTests(Operating):
    def test_nothing_is_on_before_an_operator_switches_it_on_and_one_press_ends_it(self) -> None:
        page = self.operator().get(PAGE).text
        self.assertEqual(page.count('aria-checked="false"'), 1)
        self.assertIn("Never asked for: nothing comes.", page)
        self.assertRedirects(self.press("given"), f"{PAGE}#faults", fetch_redirect_response=False)
        self.assertEqual((self.grant().is_live, self.grant().pace), (True, Pace.AT_ONCE))
        self.assertIn('aria-checked="true"', self.operator().get(PAGE).text)
        self.press("withdrawn")
        self.assertFalse(self.grant().is_given)

    def test_another_pace_and_a_pause_are_theirs_to_choose(self) -> None:
        self.press("given")
        self.press("pace-changed", pace="daily")
        self.assertEqual(self.grant().pace, Pace.DAILY)
        self.press("pace-changed", pace="weekly")
        self.assertEqual(self.grant().pace, Pace.DAILY, "faults do not wait for a Monday")
        self.press("paused")
        self.assertIsNotNone(self.grant().paused_until_us)
        page = self.operator().get(PAGE).text
        self.assertIn("Paused until", page)
        history = page.partition("What I said")[2].partition("</details>")[0]
        for said in ("· yes, at once", "· rather once a day", "· paused"):
            self.assertIn(said, history)

    def test_what_is_kept_is_in_the_installation_s_own_chain_and_the_receipt_holds(self) -> None:
        self.assertEqual(self.operator().get("/operator/receipt.json").status_code, 404)
        self.press("given")
        event = GrantEvent.objects.get()
        self.assertEqual((event.campaign_id, event.seq), (INSTALLATION, 1))
        self.assertEqual(json.loads(event.body)["page"], "operator")
        response = self.operator().get("/operator/receipt.json")
        self.assertIn("vteam-what-reaches-me.json", response["Content-Disposition"])
        (kept,) = json.loads(response.content)["events"]
        self.assertTrue(proof_holds(kept))
        self.assertIn("dov@example.org", kept["proof"])

    def test_nothing_of_a_campaign_is_said_here_and_no_other_words_are_agreed_to(self) -> None:
        for act, purpose in (("given", "news"), ("given", "code"), ("expired", "faults")):
            self.assertEqual(self.press(act, purpose=purpose).status_code, 404, (act, purpose))
        self.press("given", words="0" * 64)
        self.assertFalse(GrantEvent.objects.exists())

    def test_an_address_that_did_not_work_is_said_and_can_be_tried_again(self) -> None:
        Trouble.objects.create(person=self.dov, since=clock.now(), status="5.1.1")
        self.assertContains(self.operator().get("/fr/operator"), "Nous n’y écrivons plus.")
        self.operator().post("/operator/said", {"act": "try-again"})
        self.assertFalse(Trouble.objects.exists())

    def test_a_letter_s_own_link_ends_it_and_leads_back(self) -> None:
        self.press("given")
        subject = found_subject(person_id=self.dov.pk, campaign_id=INSTALLATION)
        assert subject is not None
        address = f"/fr/stop/{stop_token(subject.pk, Purpose.FAULTS)}"
        self.assertContains(self.client.get(address), "parce que vous l’avez demandé")
        self.client.post(address, {"act": "withdrawn"})
        self.assertContains(self.client.get(address), 'href="/fr/operator"')
        self.assertFalse(self.grant().is_given)

    def test_french_says_vous(self) -> None:
        self.press("given")
        page = self.operator().get("/fr/operator").text
        shown = re.sub(r"<[^>]+>", " ", page.partition("<main")[2].partition("</main>")[0])
        self.assertIn("Pour vous qui veillez", shown)
        self.assertNotRegex(shown, r"(?i)\b(tu|ton|ta|tes|toi)\b|\bt’")


class MailTests(Operating):
    def check(self, address: str, **headers: str) -> HttpResponse:
        with override_settings(**OURS, RESOLVER=address):
            return self.operator().post("/en/operator/mail", headers=headers)

    def test_the_page_asks_nobody_by_itself(self) -> None:
        with serving(GOOD) as server, override_settings(**OURS, RESOLVER=server.address):
            page = self.operator().get(PAGE)
            self.assertContains(page, "Check now")
            self.assertContains(page, "<strong>example.org</strong>")
            self.assertNotContains(page, "VTEAM_")
            self.assertRedirects(self.operator().get("/en/operator/mail"), PAGE)
        self.assertEqual(server.asked, [])

    def test_without_a_script_the_answer_is_the_page_with_what_was_found(self) -> None:
        with serving(GOOD) as server:
            page = self.check(server.address).text
        self.assertIn("All is fine", page)
        self.assertIn("Check again", page)
        self.assertIn("The outbox", page)
        self.assertNotIn("finding--wrong", page)

    def test_with_one_it_is_the_part_alone(self) -> None:
        with serving(GOOD) as server:
            part = self.check(server.address, **{"HX-Request": "true"}).text
        self.assertNotIn("<html", part)
        self.assertIn('id="mail-said" hx-swap-oob="innerHTML"', part)

    def test_what_is_wrong_stands_first_with_a_word_a_sign_and_the_record_to_set(self) -> None:
        with serving(changed(spf=["v=spf1 -all"], dmarc=None)) as server:
            page = self.check(server.address).text
        states = re.findall(r"finding finding--(\w+)", page)
        self.assertEqual(states, sorted(states, key=["wrong", "missing", "unknown", "fine"].index))
        self.assertIn("3 things to put right.", page)
        signs = set(re.findall(r"<svg.*?>(<.*?)</svg>", page))
        self.assertEqual(len(signs), len(set(states)), "each state has a sign of its own")
        self.assertIn('<span class="finding__state">missing</span>', page)
        self.assertIn('data-copy="_dmarc.example.org."', page)
        self.assertIn('data-copy="v=DMARC1; p=none"', page)
        self.assertIn(f"ip4:{FOUR}", page)

    def test_a_silent_resolver_is_said_to_be_one_within_ten_seconds(self) -> None:
        self.assertLess(nameserver.SILENCES_MAX * nameserver.ANSWER_SECONDS, 10)
        with serving(GOOD, silent=["*"]) as server, patch.object(nameserver, "ANSWER_SECONDS", 0.5):
            page = self.check(server.address).text
        self.assertEqual(len(set(server.asked)), nameserver.SILENCES_MAX)
        self.assertIn("Nothing is wrong, but", page)
        self.assertNotIn("finding--fine", page)

    def test_a_resolver_nobody_can_ask_is_said_not_a_fault(self) -> None:
        self.assertContains(self.check("nowhere"), "Set VTEAM_RESOLVER before the next start")

    def test_the_settings_that_are_missing_are_named(self) -> None:
        with override_settings(**OURS | {"MAIL_IPS": [], "DKIM_SELECTORS": []}):
            page = self.operator().get(PAGE).text
        self.assertIn("<code>VTEAM_MAIL_IPS</code>", page)
        self.assertIn("<code>VTEAM_DKIM_SELECTOR</code>", page)
        self.assertNotIn("<code>VTEAM_EMAIL_FROM</code>", page)
        with override_settings(**OURS | {"EMAIL_FROM": "vTeam <vteam@localhost>"}):
            page = self.operator().get(PAGE).text
            self.assertIn("<code>VTEAM_EMAIL_FROM</code>", page)
            self.assertNotIn("Check now", page)
            self.assertContains(self.operator().post("/operator/mail"), "Nothing can be checked yet.")

    def test_what_others_wrote_into_their_records_is_no_markup_of_ours(self) -> None:
        evil = '"><script>alert(1)</script>'
        with serving(changed(dmarc=[f"v=DMARC1; p={evil}"])) as server:
            page = self.check(server.address).text
        self.assertNotIn("<script>alert", page)
        self.assertIn("&lt;script&gt;alert", page)


class OutboxTests(Operating):
    def message(self, state: str, *, reason: str = "", ago: dt.timedelta = dt.timedelta(hours=1)) -> None:
        at = clock.now() - ago
        waits = state in (OutboxMessage.WAITING, OutboxMessage.HANDING)
        OutboxMessage.objects.create(
            purpose=Purpose.CODE, token=new_token(), state=state, reason=reason, created_at=at, due_at=at,
            useless_at=at, ended_at=None if waits else at,
        )  # fmt: skip

    def numbers(self, page: str) -> list[str]:
        return re.findall(r"<dd><b>(\d+)</b></dd>", page)

    def test_it_counts_what_waits_and_what_became_of_a_week_s_messages(self) -> None:
        OutboxMessage.objects.all().delete()
        for state, many in {
            "waiting": 2,
            "handing": 1,
            "sent": 4,
            "given_up": 1,
            "bounced": 2,
            "unsure": 1,
        }.items():
            for _ in range(many):
                self.message(state)
            self.message(state, ago=dt.timedelta(days=8))
        OutboxMessage.objects.create(
            purpose=Purpose.CODE, is_null=True, created_at=clock.now(), due_at=clock.now(), useless_at=clock.now()
        )  # fmt: skip
        page = self.operator().get(PAGE).text
        self.assertEqual(self.numbers(page), ["5", "4", "1", "2", "1"], "what waits is as old as it is")

    def test_an_empty_outbox_says_so_in_zeros(self) -> None:
        OutboxMessage.objects.all().delete()
        page = self.operator().get(PAGE).text
        self.assertEqual(self.numbers(page), ["0"] * 5)
        self.assertNotIn("The oldest", page)
        self.assertNotIn("did not arrive", page)

    def test_why_the_oldest_waits_and_the_last_did_not_arrive_is_said_without_an_address(self) -> None:
        OutboxMessage.objects.all().delete()
        self.message("waiting", reason="450 4.2.1 <bo@example.org> busy", ago=dt.timedelta(hours=3))
        self.message("waiting", reason="younger")
        self.message("given_up", reason="550 5.1.1 nobody at 203.0.113.9", ago=dt.timedelta(hours=2))
        self.message("bounced", reason="older", ago=dt.timedelta(hours=4))
        page = self.operator().get(PAGE).text
        self.assertIn("450 4.2.1 &lt;…&gt; busy", page)
        self.assertIn("550 5.1.1 nobody at …", page)
        for hidden in ("bo@example.org", "203.0.113.9", "younger", "older</"):
            self.assertNotIn(hidden, page)
