"""What reaches somebody, as they see and change it: on their page, where asked, and from a message's own link."""

import json
import re
from http.cookies import SimpleCookie

from django.http import HttpResponse
from django.test import Client

from tests.cast import allow
from tests.web.test_doors import Doors
from vteam import clock
from vteam.campaigns.joining import account
from vteam.channels.erasing import erase
from vteam.channels.mail.models import Trouble
from vteam.channels.mail.stopping import stop_token
from vteam.channels.swarm.services import let_be_asked
from vteam.people.models import Fan
from vteam.people.services import become_fan
from vteam.permissions.models import GrantEvent
from vteam.permissions.queries import found_subject, proof_holds, standing
from vteam.rules.canonical import digest
from vteam.rules.grants import Event, Grant, Pace, Purpose

PAGE = "/en/maree-haute/reaches-me"


class Reaching(Doors):
    def grant(self, purpose: Purpose = Purpose.NEWS, fan: Fan | None = None) -> Grant:
        who = fan or self.bo
        subject = found_subject(person_id=who.person_id, campaign_id=self.campaign.pk)
        return standing(subject.pk, purpose, at_us=clock.now_us()) if subject else Grant()

    def allow(self, purpose: Purpose = Purpose.NEWS) -> str:
        """Bo said yes; returns what a message's link carries."""
        return stop_token(allow(self.bo, purpose, at=clock.now()).pk, purpose)

    @property
    def me(self) -> dict[str, int]:
        """Whose page it is, as its forms say."""
        return {"who": self.bo.person_id}

    def words(self, page: str, purpose: Purpose) -> str:
        """The hash of the words a page shows for a purpose."""
        found = re.search(rf'value="{purpose}"(?:(?!</form>).)*?name="words" value="(\w+)"', page, re.S)
        assert found, page
        return found[1]


class PageTests(Reaching):
    def press(self, act: str, purpose: Purpose = Purpose.NEWS, **more: str) -> HttpResponse:
        client = self.signed_in()
        form = {
            "purpose": purpose,
            "act": act,
            "words": self.words(client.get(PAGE).text, purpose),
            "back": PAGE,
            "who": self.bo.person_id,
        }
        return client.post("/en/maree-haute/reaches-me/said", form | more)

    def test_nothing_is_on_before_somebody_switches_it_on(self) -> None:
        page = self.signed_in().get(PAGE).text
        self.assertEqual(page.count('aria-checked="false"'), 4)
        self.assertNotIn('aria-checked="true"', page)
        self.assertNotIn("Nothing at all", page)

    def test_a_switch_is_one_press_either_way_and_leads_back_to_its_place(self) -> None:
        response = self.press("given")
        self.assertRedirects(response, f"{PAGE}#news", fetch_redirect_response=False)
        self.assertTrue(self.grant().is_live)
        page = self.signed_in().get(PAGE).text
        self.assertIn("By mail, at once, since", page)
        self.press("withdrawn")
        self.assertFalse(self.grant().is_given)

    def test_what_is_kept_of_a_yes_is_what_was_on_the_page(self) -> None:
        page = self.signed_in().get(PAGE.replace("/en/", "/fr/")).text
        form = {"purpose": "news", "act": "given", "words": self.words(page, Purpose.NEWS)}
        self.signed_in().post(
            "/fr/maree-haute/reaches-me/said",
            form | {"back": "/fr/maree-haute/home", "who": self.bo.person_id},
        )
        content = json.loads(GrantEvent.objects.get().body)
        self.assertEqual(
            (content["language"], content["page"], content["act"]), ("fr", "home", "pressed given")
        )
        self.assertEqual(content["wording"], form["words"])

    def test_nobody_agrees_to_other_words_than_they_saw(self) -> None:
        self.press("given", words="0" * 64)
        self.assertFalse(GrantEvent.objects.exists())

    def test_a_pause_another_pace_and_nothing_at_all(self) -> None:
        self.press("given")
        self.press("given", Purpose.POINTS)
        self.press("pace-changed", pace="weekly")
        self.assertEqual(self.grant().pace, Pace.WEEKLY)
        self.press("paused")
        self.assertIsNotNone(self.grant().paused_until_us)
        page = self.signed_in().get(PAGE).text
        self.assertIn("Paused until", page)
        self.press("given", pace="weekly")
        self.assertTrue(self.grant().is_live, "and on again")
        self.signed_in().post(
            "/en/maree-haute/reaches-me/said", {"act": "nothing", "back": PAGE, "who": self.bo.person_id}
        )
        self.assertFalse(self.grant().is_given or self.grant(Purpose.POINTS).is_given)

    def test_what_no_form_of_ours_says_is_not_there(self) -> None:
        for wrong in (
            {"purpose": "code"},
            {"purpose": "faults"},
            {"act": "expired"},
            {"act": "x"},
            {"pace": "x"},
        ):
            form = {
                "purpose": "news",
                "act": "given",
                "words": "",
                "back": PAGE,
                "who": self.bo.person_id,
            } | wrong
            response = self.signed_in().post("/en/maree-haute/reaches-me/said", form)
            self.assertEqual(response.status_code, 404, wrong)
        self.assertFalse(GrantEvent.objects.exists())

    def test_another_sites_page_says_nothing_in_a_fans_name(self) -> None:
        response = self.signed_in().post(
            "/en/maree-haute/reaches-me/said",
            {"purpose": "news", "act": "refused", "back": PAGE, "who": self.bo.person_id},
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        self.assertEqual(response.status_code, 403)
        self.assertFalse(GrantEvent.objects.exists())

    def test_somewhere_else_is_no_way_back(self) -> None:
        form = {"purpose": "news", "act": "refused", "back": "//evil.example/", "who": self.bo.person_id}
        response = self.signed_in().post("/en/maree-haute/reaches-me/said", form)
        self.assertRedirects(response, f"{PAGE}#news", fetch_redirect_response=False)

    def test_the_history_tells_each_thing_that_was_said(self) -> None:
        self.press("refused")
        self.press("given")
        page = self.signed_in().get(PAGE).text
        history = page.partition("What I said")[2].partition("</details>")[0]
        self.assertIn("· yes, at once", history)
        self.assertIn("· no<", history)

    def test_the_receipt_is_the_fans_own_and_holds(self) -> None:
        self.assertEqual(self.signed_in().get("/en/maree-haute/reaches-me/receipt.json").status_code, 404)
        self.press("given")
        response = self.signed_in().get("/en/maree-haute/reaches-me/receipt.json")
        self.assertIn("attachment", response["Content-Disposition"])
        self.assertIn("no-store", response["Cache-Control"])
        (event,) = json.loads(response.content)["events"]
        self.assertEqual(digest(event["body"], after=event["after"]), event["sha256"])
        self.assertTrue(proof_holds(event))
        self.assertIn("bo@example.org", event["proof"])
        self.assertEqual(self.client.get("/en/maree-haute/reaches-me/receipt.json").status_code, 302)

    def test_an_address_that_did_not_work_is_said_and_can_be_tried_again(self) -> None:
        Trouble.objects.create(person=self.bo.person, since=clock.now(), status="5.1.1")
        page = self.signed_in().get(PAGE).text
        self.assertIn("bo@example.org takes no mail", page)
        self.signed_in().post(
            "/en/maree-haute/reaches-me/said", {"act": "try-again", "back": PAGE, "who": self.bo.person_id}
        )
        self.assertFalse(Trouble.objects.exists())

    def test_a_page_opened_by_somebody_else_speaks_for_nobody(self) -> None:
        cy = account(address="cy@example.org", language="en", at=clock.now())
        become_fan(person=cy, campaign_id=self.campaign.pk, name="Cy", share_id=None, at=clock.now())
        form = {
            "purpose": "news",
            "act": "given",
            "words": self.words(self.signed_in().get(PAGE).text, Purpose.NEWS),
        }
        self.signed_in(cy).post(
            "/en/maree-haute/reaches-me/said", form | {"back": PAGE, "who": self.bo.person_id}
        )
        self.assertFalse(GrantEvent.objects.exists())

    def test_the_chain_cannot_be_filled_and_a_no_is_always_heard(self) -> None:
        for _ in range(25):
            self.press("given")
            self.press("withdrawn")
        self.assertLessEqual(GrantEvent.objects.count(), 80)
        for _ in range(3):
            self.press("given", Purpose.POINTS)
        for _ in range(20):
            self.press("paused", Purpose.POINTS)
        self.assertEqual(self.press("refused", Purpose.ASKED).status_code, 429)
        self.press("withdrawn", Purpose.POINTS)
        self.assertFalse(self.grant(Purpose.POINTS).is_given)


class AskingTests(Reaching):
    def asked(self, path: str) -> bool:
        return "May we write to you?" in self.signed_in().get(f"/en/maree-haute/{path}").text

    def test_each_purpose_is_asked_where_it_makes_sense_one_at_a_time(self) -> None:
        self.assertTrue(self.asked("home"))
        self.assertTrue(self.asked("points"))
        passing = "titles/les-digues/pass-on"
        self.assertFalse(self.asked(passing), "nobody may ask Bo for a title: there is nothing to tell")
        let_be_asked(fan=self.bo, may=True)
        self.assertTrue(self.asked(passing))
        for path in ("home", "points", passing):
            page = self.signed_in().get(f"/en/maree-haute/{path}").text
            self.assertEqual(page.count("May we write to you?"), 1)
            self.assertNotIn("checked", page.partition("May we write to you?")[2].partition("</section>")[0])

    def test_whoever_said_no_is_not_asked_again_and_plays_all_the_same(self) -> None:
        page = self.signed_in().get("/en/maree-haute/home").text
        form = {
            "purpose": "news",
            "act": "refused",
            "pace": "at-once",
            "words": self.words(page, Purpose.NEWS),
        }
        response = self.signed_in().post(
            "/en/maree-haute/reaches-me/said",
            form | {"back": "/en/maree-haute/home", "who": self.bo.person_id},
        )
        self.assertRedirects(response, "/en/maree-haute/home", fetch_redirect_response=False)
        self.assertFalse(self.asked("home"))
        self.assertTrue(self.asked("points"), "another purpose is another question")
        self.assertEqual(self.grant().last, Event.REFUSED)


class LinkTests(Reaching):
    def test_a_bare_post_stops_it_without_a_cookie_a_session_or_a_redirect(self) -> None:
        address = f"/en/stop/{self.allow()}"
        stranger = Client(headers={"Host": "localhost"}, enforce_csrf_checks=True)
        response = stranger.post(
            address,
            "List-Unsubscribe=One-Click",
            content_type="application/x-www-form-urlencoded",
            headers={"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"},
        )
        self.assertEqual((response.status_code, response.cookies), (200, SimpleCookie()))
        self.assertFalse(self.grant().is_given)
        self.assertEqual(
            stranger.post(address, {"List-Unsubscribe": "One-Click"}).status_code, 200, "and again"
        )

    def test_whatever_looks_at_it_changes_nothing(self) -> None:
        token = self.allow()
        for _ in range(3):
            for method in ("get", "head"):
                for query in ("", "?List-Unsubscribe=One-Click", "?act=withdrawn"):
                    response = getattr(self.client, method)(f"/en/stop/{token}{query}")
                    self.assertEqual((response.status_code, response.cookies), (200, SimpleCookie()))
        self.assertTrue(self.grant().is_live)
        self.assertEqual(GrantEvent.objects.count(), 1)

    def test_the_page_stops_slows_or_pauses_and_cannot_do_more(self) -> None:
        address = f"/en/stop/{self.allow(Purpose.ASKED)}"
        self.assertContains(self.client.get(address), "Rather once a day")
        self.client.post(address, {"act": "daily"})
        self.assertEqual(self.grant(Purpose.ASKED).pace, Pace.DAILY)
        self.client.post(address, {"act": "paused"})
        self.assertIsNotNone(self.grant(Purpose.ASKED).paused_until_us)
        self.assertRedirects(self.client.post(address, {"act": "withdrawn"}), address)
        self.assertContains(self.client.get(address), "Done. It has stopped.")
        for act in ("given", "at-once", "", "refused"):
            self.assertEqual(self.client.post(address, {"act": act}).status_code, 404, act)
        self.assertFalse(self.grant(Purpose.ASKED).is_given)

    def test_a_pause_pressed_again_and_again_is_one(self) -> None:
        address = f"/en/stop/{self.allow()}"
        for _ in range(10):
            self.client.post(address, {"act": "paused"})
        self.assertEqual(GrantEvent.objects.count(), 2)

    def test_it_stops_its_own_purpose_or_everything_of_its_campaign(self) -> None:
        address = f"/en/stop/{self.allow()}"
        self.allow(Purpose.POINTS)
        self.client.post(address, {"act": "withdrawn"})
        self.assertTrue(self.grant(Purpose.POINTS).is_live)
        self.allow()
        self.client.post(address, {"act": "nothing"})
        self.assertFalse(self.grant(Purpose.POINTS).is_given or self.grant().is_given)

    def test_a_forged_link_leads_nowhere(self) -> None:
        token = self.allow()
        subject, _, rest = token.partition("-")
        for forged in (
            "x",
            f"{subject}-points.{rest.partition('.')[2]}",
            f"{token}x",
            token.replace(".", ""),
        ):
            self.assertEqual(
                self.client.post(f"/en/stop/{forged}", {"act": "withdrawn"}).status_code, 404, forged
            )
        self.assertTrue(self.grant().is_live)

    def test_the_link_of_somebody_who_is_gone_says_so(self) -> None:
        token = self.allow()
        erase(person=self.bo.person, at=clock.now())
        response = self.client.get(f"/fr/stop/{token}")
        self.assertContains(response, "Plus rien ne te parvient")
        self.assertEqual(
            self.client.post(f"/fr/stop/{token}", {"List-Unsubscribe": "One-Click"}).status_code, 200
        )
