"""Passing on, the site's part: tickets, the copy's bytes, asking a fan, what is kept of it, and the demo's stage."""

import base64
import datetime as dt
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.db import connection
from django.test import override_settings

from tests.web.test_doors import Doors
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.copies.models import CopySent
from vteam.channels.erasing import erase
from vteam.channels.links.models import Share
from vteam.channels.links.services import end_share
from vteam.channels.swarm.evidence import Part, rows_of
from vteam.channels.swarm.models import Asked, EvidenceRow
from vteam.channels.swarm.pieces import Pieces, pieces_of
from vteam.channels.swarm.services import ASKED_DAYS, ASKED_PER_NETWORK_HOUR
from vteam.channels.swarm.tickets import Role, Ticket, opened
from vteam.jobs.loop import forget
from vteam.jobs.moving import InboxTable, Mover
from vteam.journal.models import Inbox, Rejected
from vteam.ledger.queries import points_of
from vteam.ledger.replay import replay
from vteam.ledger.verify import verify
from vteam.rules.canonical import digest
from vteam.rules.facts import Evidence

BROWSER = {"browser": "abcdefghijklmnop"}
SEEDER = "/maree-haute/titles/les-digues/pass-on"


class PassingDoors(Doors):
    def hand(self) -> Share:
        """The share Bo's page shows."""
        self.signed_in().get(SEEDER)
        return self.bo.shares.get(kind="hand")

    def listeners_ticket(self, host: str = "cy.localhost", **fields: str) -> Any:
        address = f"/l/{self.hand().code}/les-digues/ticket"
        return self.client.post(address, BROWSER | fields, headers={"Host": host})

    def ticket_in(self, content: Mapping[str, str]) -> Ticket:
        key = settings.SECRET_KEY.encode()
        found = opened(content["ticket"], key=key, at_us=clock.now_us())
        assert found is not None
        return found

    def title(self, key: str = "les-digues") -> Any:
        return self.campaign.titles.get(key=key)

    def take_back(self, key: str = "les-digues") -> None:
        from vteam.campaigns.agreements import speak
        from vteam.rights.models import Holder
        from vteam.rules.rights import Act, Way

        title = self.title(key)
        speak(
            holder=Holder.objects.filter(titles__title_id=title.pk)[0],
            person=None,
            title=title,
            way=Way.PASS_ON,
            act=Act.WITHDRAWN,
            language="en",
            at_us=clock.now_us(),
        )


class LinkOnTheScreenTests(PassingDoors):
    def test_the_page_says_that_bo_has_ended_it_and_where_to_open_it_again(self) -> None:
        bo = self.signed_in()
        said = "You have ended this link: whoever opens it finds nothing."
        self.assertNotContains(bo.get(SEEDER), said)
        end_share(share=self.hand(), at=clock.now())
        self.assertContains(bo.get(SEEDER), said)
        self.assertContains(
            bo.get(SEEDER), f'<a href="/maree-haute/links/{self.hand().code}">Open it again</a>'
        )


class TicketTests(PassingDoors):
    def test_bos_ticket_names_the_copy_their_page_is_given(self) -> None:
        bo = self.signed_in()
        given = bo.post(f"{SEEDER}/ticket", BROWSER).json()
        ticket, copy = self.ticket_in(given), b"".join(bo.get(f"{SEEDER}/copy").streaming_content)
        self.assertEqual(ticket.pieces, pieces_of([copy], length=given["length"]))
        self.assertEqual(given["hashes"], base64.b64encode(ticket.pieces.hashes).decode())
        self.assertEqual((ticket.role, ticket.fan, ticket.by), (Role.SEEDER, self.bo.pk, self.bo.pk))
        self.assertEqual(given["socket"], f"ws://bo.localhost:{settings.EDGE_PORT}/ws")
        self.assertIn(f"stun:bo.localhost:{settings.STUN_PORT}", given["ice"])

    def test_what_bos_page_fetches_is_no_download(self) -> None:
        b"".join(self.signed_in().get(f"{SEEDER}/copy").streaming_content)
        self.assertFalse(CopySent.objects.exists())
        self.assertFalse(Inbox.objects.filter(kind="TitleDownloaded").exists())

    def test_a_strangers_ticket_names_nobody_but_bo(self) -> None:
        ticket = self.ticket_in(self.listeners_ticket().json())
        self.assertEqual((ticket.role, ticket.fan, ticket.by), (Role.LISTENER, self.bo.pk, None))
        self.assertIsNone(ticket.pieces)
        again = self.ticket_in(self.listeners_ticket().json())
        self.assertEqual(ticket.browser, again.browser)
        other = self.ticket_in(self.listeners_ticket(browser="ponmlkjihgfedcba").json())
        self.assertNotEqual(ticket.browser, other.browser)
        elsewhere = self.ticket_in(self.listeners_ticket(host="di.localhost").json())
        self.assertNotEqual(ticket.network, elsewhere.network)

    def test_signed_in_bo_is_bo_on_their_own_landing_page(self) -> None:
        code = self.hand().code
        given = self.signed_in().post(f"/l/{code}/les-digues/ticket", BROWSER).json()
        self.assertEqual(self.ticket_in(given).by, self.bo.pk)
        self.assertNotContains(self.signed_in().get(f"/l/{code}"), "data-getting")
        self.assertContains(self.client.get(f"/l/{code}"), "data-getting")

    def test_what_is_no_browsers_name_is_refused(self) -> None:
        for browser in ("", "short", "x" * 65, "with space with space", "é" * 20):
            self.assertEqual(self.listeners_ticket(browser=browser).status_code, 400, browser)
        self.assertEqual(self.signed_in().post(f"{SEEDER}/ticket").status_code, 400)

    def test_a_title_taken_back_has_no_tickets_and_no_bytes(self) -> None:
        code = self.hand().code
        self.take_back()
        bo, address = self.signed_in(), f"/l/{code}/les-digues/ticket"
        for answer in (bo.post(f"{SEEDER}/ticket", BROWSER), self.client.post(address, BROWSER)):
            self.assertEqual((answer.status_code, answer.json()), (410, {"why": "withdrawn"}))
        self.assertEqual(bo.get(f"{SEEDER}/copy").status_code, 410)
        self.assertRedirects(bo.get(SEEDER), "/maree-haute/titles/les-digues/permission")
        # The one that was never agreed to leads there, too.
        self.assertRedirects(bo.get("/maree-haute/titles/sel/pass-on"), "/maree-haute/titles/sel/permission")
        self.assertNotContains(self.client.get(f"/l/{code}"), "/les-digues/ticket")

    def test_after_the_season_there_are_no_tickets(self) -> None:
        code = self.hand().code
        over = self.campaign.file.shifted(-100)
        Campaign.objects.filter(pk=self.campaign.pk).update(document=over.model_dump_json())
        answers = (
            self.signed_in().post(f"{SEEDER}/ticket", BROWSER),
            self.client.post(f"/l/{code}/les-digues/ticket", BROWSER),
        )
        for answer in answers:
            self.assertEqual(answer.json(), {"why": "season"})

    def test_tickets_have_a_budget(self) -> None:
        with patch("vteam.web.views.getting.TICKETS_PER_NETWORK_HOUR", 1):
            self.assertEqual(self.listeners_ticket().status_code, 200)
            self.assertEqual(self.listeners_ticket().json(), {"why": "too_many"})
        with patch("vteam.web.views.passing.TICKETS_PER_HOUR", 1):
            self.signed_in().post(f"{SEEDER}/ticket", BROWSER)
            self.assertEqual(self.signed_in().post(f"{SEEDER}/ticket", BROWSER).status_code, 429)

    def test_strangers_are_led_to_the_door_and_a_part_leads_its_page(self) -> None:
        self.assertRedirects(self.client.get(SEEDER), f"/sign-in?after={SEEDER.replace('/', '%2F')}")
        page = f"http://testserver{SEEDER}"
        headers = {"HX-Request": "true", "HX-Current-URL": page}
        part = self.client.get(f"{SEEDER}/counted", headers=headers)
        self.assertEqual(part["HX-Redirect"], f"/sign-in?after={SEEDER.replace('/', '%2F')}")

    def test_pages_may_talk_to_the_edge_and_to_nobody_else(self) -> None:
        code = self.hand().code
        for page in (
            self.signed_in().get(SEEDER),
            self.client.get(f"/l/{code}", headers={"Host": "cy.localhost"}),
        ):
            policy = page["Content-Security-Policy"]
            self.assertRegex(policy, rf"connect-src 'self' ws://(bo|cy)\.localhost:{settings.EDGE_PORT}/ws;")
            self.assertIn("media-src 'self' blob:;", policy)
            self.assertIn("frame-ancestors 'none'", policy)


class AskingTests(PassingDoors):
    def let(self, may: str) -> None:
        self.signed_in().post("/maree-haute/pass-on/asking", {"may": may, "key": "les-digues"})

    def ask(self) -> Any:
        return self.client.post(f"/l/{self.hand().code}/les-digues/ask")

    def test_nobody_is_asked_who_did_not_allow_it(self) -> None:
        self.assertContains(self.ask(), "Bo is not to be asked", status_code=429)
        self.assertNotContains(self.client.get(f"/l/{self.hand().code}"), "Ask Bo for it")
        self.let("yes")
        self.assertContains(self.client.get(f"/l/{self.hand().code}"), "Ask Bo for it")
        self.assertEqual(self.ask().status_code, 302)
        self.assertContains(self.signed_in().get("/maree-haute/home"), "Somebody asked you for “Les digues”")
        self.let("no")
        self.assertFalse(Asked.objects.exists())

    def test_the_code_says_where_it_stands(self) -> None:
        self.let("yes")
        address = self.ask()["Location"]
        self.assertContains(self.client.get(address), "Bo reads it at the next visit")
        self.assertEqual(dict(self.client.cookies), {})
        self.signed_in().get(SEEDER)
        self.assertContains(self.client.get(address), "Try it now")
        self.client.post(address)
        self.assertContains(self.client.get(address), "This is done.")
        self.assertNotContains(self.signed_in().get("/maree-haute/home"), "asked you for")
        self.assertContains(self.client.get("/asked/zzzzzzzzzz"), "not known", status_code=404)

    def test_asking_has_a_budget_and_is_forgotten(self) -> None:
        self.let("yes")
        for _ in range(ASKED_PER_NETWORK_HOUR):
            self.assertEqual(self.ask().status_code, 302)
        self.assertContains(self.ask(), "in an hour", status_code=429)
        later = clock.now() + dt.timedelta(days=ASKED_DAYS + 1)
        with patch("vteam.clock.now", lambda: later):
            forget()
        self.assertFalse(Asked.objects.exists())


class EvidenceTests(PassingDoors):
    """What the edge left in its inbox becomes points and a row that can be erased."""

    def served(self) -> list[Any]:
        self.hand()
        seeder = self.ticket_in(self.signed_in().post(f"{SEEDER}/ticket", BROWSER).json())
        listener = self.ticket_in(self.listeners_ticket(browser="ponmlkjihgfedcba").json())
        pieces: Pieces = seeder.pieces  # type: ignore[assignment]
        at_us = clock.now_us()
        part = Part(
            introduction="ab" * 16,
            way=Evidence.RELAYED,
            start=0,
            stop=pieces.count,
            begun_us=at_us - 9,
            ended_us=at_us,
            signed={},
        )
        return rows_of(
            introduction="ab" * 16, seeder=seeder, listener=listener, pieces=pieces, parts=[part], at_us=at_us
        )

    def leave(self, rows: list[Any]) -> None:
        for campaign, kind, key, at_us, body in rows:
            Inbox.objects.create(campaign_id=campaign, kind=kind, key=key, seen_at_us=at_us, body=body)
        Mover(InboxTable()).move()

    def test_it_is_worth_500_once_and_the_fact_carries_the_rows_hash(self) -> None:
        rows = self.served()
        self.leave(rows)
        self.leave(rows)  # an edge that was killed after its commit may bring it twice
        self.assertEqual(points_of(self.campaign.pk, self.bo.pk), (500, 0))
        kept = EvidenceRow.objects.get()
        self.assertEqual((kept.fan_id, kept.introduction), (self.bo.pk, "ab" * 16))
        self.assertIn(f'"proof":"{digest(kept.content)}"', rows[1][4])
        self.assertContains(self.signed_in().get(SEEDER), "went whole from you to someone else")

    def test_it_is_erased_with_its_fan_and_the_books_still_hold(self) -> None:
        self.leave(self.served())
        erase(person=self.bo.person, at=clock.now())
        self.assertFalse(EvidenceRow.objects.exists())
        self.assertIsNone(verify(connection, self.campaign.pk))
        self.assertIsNone(replay(connection, self.campaign.pk))

    def test_of_a_fan_who_erased_themselves_meanwhile_nothing_is_kept(self) -> None:
        rows = self.served()
        erase(person=self.bo.person, at=clock.now())
        self.leave(rows)
        self.assertFalse(EvidenceRow.objects.exists())
        self.assertIsNone(verify(connection, self.campaign.pk))

    def test_evidence_of_nobody_is_kept_aside(self) -> None:
        at_us, pk = clock.now_us(), self.campaign.pk
        self.leave([(pk, "Evidence", "cd" * 16, at_us, "{}"), (pk, "Evidence", "ef" * 16, at_us, "no json")])
        self.assertEqual(Rejected.objects.filter(kind="Evidence").count(), 2)
        self.assertFalse(EvidenceRow.objects.exists())


class StageTests(PassingDoors):
    def on(self, host: str, path: str) -> Any:
        return self.client.get(path, headers={"Host": host})

    def test_the_stage_frames_three_pages_and_only_it_may(self) -> None:
        self.assertRedirects(
            self.on("localhost", "/demo"),
            f"http://demo.localhost:{settings.SITE_PORT}/demo",
            fetch_redirect_response=False,
        )
        stage = self.on("demo.localhost", "/demo")
        self.assertEqual([frame["who"] for frame in stage.context["frames"]], ["bo", "cy", "artist"])
        self.assertIn("frame-src http://bo.demo.localhost", stage["Content-Security-Policy"])
        self.assertEqual(stage["X-Frame-Options"], "DENY")
        framed = self.on("cy.demo.localhost", "/maree-haute/")
        self.assertIn(
            f"frame-ancestors http://demo.localhost:{settings.SITE_PORT}", framed["Content-Security-Policy"]
        )
        self.assertNotIn("X-Frame-Options", framed)
        self.assertEqual(self.on("bo.localhost", "/maree-haute/")["X-Frame-Options"], "DENY")

    def test_each_frame_signs_in_its_own_person(self) -> None:
        self.on("demo.localhost", "/demo")
        self.assertIn("/pass-on", self.on("bo.demo.localhost", "/demo/as/bo")["Location"])
        self.assertIn("/holder/", self.on("artist.demo.localhost", "/demo/as/artist")["Location"])
        for host, who in (
            ("artist.demo.localhost", "bo"),
            ("bo.localhost", "bo"),
            ("cy.demo.localhost", "cy"),
        ):
            self.assertEqual(self.on(host, f"/demo/as/{who}").status_code, 404)

    def test_there_is_no_stage_outside_the_demo_nor_for_others(self) -> None:
        for path, host in (("/demo", "demo.localhost"), ("/demo/as/bo", "bo.demo.localhost")):
            with override_settings(DEMO=False):
                self.assertEqual(self.on(host, path).status_code, 404)
            far = self.client.get(path, headers={"Host": host}, REMOTE_ADDR="203.0.113.9")
            self.assertEqual(far.status_code, 404)
            proxied = self.client.get(path, headers={"Host": host, "X-Forwarded-For": "127.0.0.1"})
            self.assertEqual(proxied.status_code, 404)
