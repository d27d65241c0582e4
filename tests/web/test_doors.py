"""What every page owes who knocks: no cookie before they come in, equal answers, kind refusals, nothing left open."""

import re
from http.cookies import SimpleCookie
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

from django.conf import settings
from django.test import Client, TestCase, override_settings
from django.urls import URLPattern, get_resolver

from vteam import clock
from vteam.campaigns import files
from vteam.campaigns.agreements import speak
from vteam.campaigns.file import RESERVED_SLUGS
from vteam.campaigns.joining import account
from vteam.campaigns.models import Campaign, Title
from vteam.channels.links.models import Share
from vteam.channels.links.services import end_share, make_share
from vteam.channels.mail.delivery import deliver_due
from vteam.channels.mail.models import OutboxMessage
from vteam.demo.opening import open_demo
from vteam.jobs.moving import InboxTable, Mover
from vteam.journal.models import Inbox
from vteam.ledger.queries import points_of
from vteam.people.models import Fan, Person
from vteam.people.services import become_fan
from vteam.rights.models import Holder
from vteam.rules.rights import Act, Way

PUBLIC = ["/maree-haute/", "/maree-haute/join", "/maree-haute/ranking", "/sign-in", "/mailbox"]
FAN_PAGES = ["home", "home/live", "points", "links", "titles"]
JOINING = {"address": "new@example.org", "name": "Bo", "age": "yes"}


class Doors(TestCase):
    """The demo campaign, opened once; Bo is a fan of it."""

    campaign: Campaign
    bo: Fan

    @classmethod
    def setUpTestData(cls) -> None:
        cls.campaign = open_demo()
        person = account(address="bo@example.org", language="en", at=clock.now())
        cls.bo, _ = become_fan(
            person=person, campaign_id=cls.campaign.pk, name="Bo", share_id=None, at=clock.now()
        )
        Mover(InboxTable()).move()

    def signed_in(self, person: Person | None = None, host: str = "bo.localhost") -> Client:
        client = Client(headers={"Host": host})
        client.force_login(person or self.bo.person)
        return client

    def share(self) -> Share:
        made = make_share(fan=self.bo, place="the ska forum", at=clock.now())
        assert isinstance(made, Share)
        return made


class CookieTests(Doors):
    def test_no_page_sets_a_cookie_before_somebody_comes_in(self) -> None:
        share = self.share()
        for path in [
            *PUBLIC,
            f"/l/{share.code}",
            "/fr/maree-haute/",
            "/never?k=x",
            "/code?k=x",
            "/nothing/here",
        ]:
            response = self.client.get(path)
            self.assertEqual(response.cookies, SimpleCookie(), path)
        self.client.post("/maree-haute/join", JOINING)
        self.assertEqual(dict(self.client.cookies), {})

    def test_the_foot_says_whether_there_is_a_cookie(self) -> None:
        self.assertContains(self.client.get("/maree-haute/"), "No cookie, no tracker")
        self.assertContains(self.signed_in().get("/maree-haute/"), "One cookie keeps you signed in.")

    def test_never_again_says_what_it_costs_and_no_cache_keeps_it(self) -> None:
        self.client.post("/sign-in", {"address": "bo@example.org"})
        deliver_due(at=clock.now())
        newest = self.client.get("/mailbox", headers={"Host": "localhost"}).context["letters"][0]
        found = re.search(r"/never\?k=(\S+)", newest.text)
        assert found, newest.text
        token = unquote(found[1])
        response = self.client.get("/never", {"k": token})
        self.assertContains(response, "no longer sign in here")
        self.assertIn("no-store", response["Cache-Control"])
        self.assertContains(self.client.post("/never", {"k": token}), "Done. Never again.")

    def test_no_page_loads_anything_from_another_origin(self) -> None:
        share = self.share()
        for path in [*PUBLIC, f"/l/{share.code}"]:
            response = self.client.get(path)
            self.assertIn("default-src 'none'", response["Content-Security-Policy"], path)
            loads = re.findall(
                r'(?:src|srcset|poster|data)="([^"]+)"|<link[^>]+href="([^"]+)"', response.text
            )
            for address in filter(None, (a or b for a, b in loads)):
                self.assertTrue(address.startswith(("/", "http://testserver/")), f"{path} loads {address}")

    def test_every_first_part_of_our_addresses_is_closed_to_campaigns(self) -> None:
        patterns = [p for p in get_resolver().url_patterns if isinstance(p, URLPattern)]
        firsts = {str(p.pattern).split("/")[0].split(".")[0] for p in patterns} | {"static", "announce", "ws"}
        for first in firsts:
            if first and "<" not in first and "(" not in first and len(first) >= 3:
                self.assertIn(first, RESERVED_SLUGS)


class JoiningTests(Doors):
    def test_known_unknown_and_refused_addresses_get_the_same_answer(self) -> None:
        answers = set()
        for address in ("bo@example.org", "nobody@example.org", "nobody@example.org"):
            response = self.client.post("/sign-in", {"address": address})
            page = self.client.get(response["Location"])
            answers.add((response.status_code, page.status_code, page.text.replace(address, "ADDRESS")))
        pages = {re.sub(r"/code/[^\"'? ]+", "/code/TOKEN", text) for _, _, text in answers}
        self.assertEqual(len(pages), 1)
        self.assertEqual({(first, second) for first, second, _ in answers}, {(302, 200)})

    def test_nobody_is_stored_before_the_code_is_right(self) -> None:
        before = Person.objects.count(), Fan.objects.count()
        response = self.client.post("/maree-haute/join", JOINING)
        self.client.post(response["Location"], {"code": "000000"})
        self.assertEqual((Person.objects.count(), Fan.objects.count()), before)

    def test_somebody_too_young_is_told_kindly_and_nothing_is_kept(self) -> None:
        before = OutboxMessage.objects.count(), Inbox.objects.count()
        response = self.client.post("/maree-haute/join", JOINING | {"age": "no"})
        self.assertEqual(response.status_code, 200)
        self.assertTemplateUsed(response, "too_young.html")
        self.assertEqual((OutboxMessage.objects.count(), Inbox.objects.count()), before)

    def test_what_is_missing_is_said_beside_its_field(self) -> None:
        response = self.client.post("/maree-haute/join", {"address": "bo", "name": "\u202e", "age": ""})
        self.assertEqual(response.status_code, 422)
        for words in ("does not look like a mail address", "Which name shall others see", "how old you are"):
            self.assertContains(response, words, status_code=422)

    def test_a_fan_who_comes_to_the_join_page_is_led_home(self) -> None:
        self.assertRedirects(self.signed_in().get("/maree-haute/join"), "/maree-haute/home")

    def test_a_page_to_come_back_to_is_never_somebody_elses(self) -> None:
        for after in ("//evil.example/", "https://evil.example/", "\\\\evil.example", "/\\evil.example"):
            response = self.signed_in().get("/sign-in", {"after": after})
            self.assertRedirects(response, "/me", fetch_redirect_response=False)

    def test_posts_from_another_site_are_refused(self) -> None:
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            response = self.client.post("/maree-haute/join", JOINING, headers=headers)
            self.assertEqual(response.status_code, 403)
        self.assertEqual(OutboxMessage.objects.count(), 0)


class FanPageTests(Doors):
    def test_strangers_are_led_to_the_door_and_back(self) -> None:
        for page in FAN_PAGES:
            response = self.client.get(f"/maree-haute/{page}")
            self.assertRedirects(response, f"/sign-in?after=%2Fmaree-haute%2F{page.replace('/', '%2F')}")

    def test_a_fan_sees_every_page_and_no_cache_keeps_them(self) -> None:
        client = self.signed_in()
        share = self.share()
        for page in [*FAN_PAGES, f"links/{share.code}", f"links/{share.code}.svg", f"links/{share.code}.png"]:
            response = client.get(f"/maree-haute/{page}")
            self.assertEqual(response.status_code, 200, page)
            self.assertIn("no-store", response["Cache-Control"])

    def test_nothing_new_is_an_empty_answer(self) -> None:
        client = self.signed_in()
        home = client.get("/maree-haute/home")
        version = home.context["live"]["version"]
        self.assertContains(home, f'hx-get="/maree-haute/home/live?since={version}" hx-trigger="every 1s"')
        self.assertEqual(client.get("/maree-haute/home/live", {"since": version}).status_code, 204)
        self.assertEqual(client.get("/maree-haute/home/live", {"since": "old"}).status_code, 200)

    def test_nobody_opens_somebody_elses_link(self) -> None:
        share = self.share()
        other = account(address="cy@example.org", language="en", at=clock.now())
        become_fan(person=other, campaign_id=self.campaign.pk, name="Cy", share_id=None, at=clock.now())
        client = self.signed_in(other)
        self.assertEqual(client.get(f"/maree-haute/links/{share.code}").status_code, 404)
        self.assertEqual(client.post(f"/maree-haute/links/{share.code}/end").status_code, 404)

    def test_a_name_with_markup_is_shown_as_it_is(self) -> None:
        Fan.objects.filter(pk=self.bo.pk).update(name="<script>alert(1)</script>")
        for path in ("/maree-haute/", "/maree-haute/ranking", f"/l/{self.share().code}"):
            self.assertNotContains(self.client.get(path), "<script>alert")


class LandingTests(Doors):
    def test_a_link_nobody_made_and_an_ended_one_get_kind_pages(self) -> None:
        self.assertTemplateUsed(self.client.get("/l/aaaaaaaaaa"), "link_unknown.html")
        self.assertEqual(self.client.get("/l/aaaaaaaaaa").status_code, 404)
        share = self.share()
        end_share(share=share, at=clock.now())
        response = self.client.get(f"/l/{share.code}")
        self.assertEqual(response.status_code, 410)

    def test_the_landing_page_says_who_earns_and_what_messengers_show(self) -> None:
        response = self.client.get(f"/l/{self.share().code}")
        self.assertIn("no-store", response["Cache-Control"])
        self.assertContains(response, "vTeam and earns points towards prizes")
        for name in ("og:title", "og:description", "og:image"):
            self.assertContains(response, f'property="{name}"')
        self.assertNotContains(response, "autoplay")

    @override_settings(ARRIVAL_DWELL_SECONDS=0)
    def test_a_confirmed_visitor_counts_once_and_a_fan_on_their_own_link_never(self) -> None:
        share = self.share()
        token = self.client.get(f"/l/{share.code}").context["arrival"]
        for _ in range(2):
            self.assertEqual(self.client.post("/arrived", {"token": token, "act": "stayed"}).status_code, 204)
        Mover(InboxTable()).move()
        self.assertEqual(points_of(self.campaign.pk, self.bo.pk), (50, 0))
        own = self.signed_in().get(f"/l/{share.code}")
        self.assertTrue(own.context["is_own"])
        self.assertEqual(own.context["arrival"], "")

    @override_settings(ARRIVAL_DWELL_SECONDS=0)
    def test_a_token_is_worth_nothing_from_another_network_or_with_an_invented_act(self) -> None:
        share = self.share()
        token = self.client.get(f"/l/{share.code}").context["arrival"]
        elsewhere = Client(headers={"Host": "cy.localhost"})
        elsewhere.post("/arrived", {"token": token, "act": "stayed"})
        self.client.post("/arrived", {"token": token, "act": "paid"})
        self.client.post("/arrived", {"token": "x" * 5000, "act": "stayed"})
        self.assertEqual(Inbox.objects.filter(kind="ArrivalConfirmed").count(), 0)


class TitleTests(Doors):
    def title(self) -> Title:
        return Title.objects.get(campaign=self.campaign, key="les-digues")

    def fetch(self, client: Client, path: str, *, part: str | None = None) -> tuple[Any, bytes]:
        """A streamed answer, read to its end: only then does the test client let go of it."""
        response = client.get(path, headers={"Range": part} if part else {})
        return response, b"".join(response)

    def test_the_audio_comes_whole_or_in_the_part_asked_for(self) -> None:
        path, size = "/maree-haute/titles/les-digues/listen.mp3", self.title().body_bytes
        whole, body = self.fetch(self.client, path)
        self.assertEqual((whole.status_code, whole["Content-Length"], len(body)), (200, str(size), size))
        self.assertEqual(whole["Content-Type"], "audio/mpeg")
        part, some = self.fetch(self.client, path, part="bytes=100-299")
        self.assertEqual((part.status_code, part["Content-Range"]), (206, f"bytes 100-299/{size}"))
        self.assertEqual(some, body[100:300])
        self.assertEqual(self.fetch(self.client, path, part=f"bytes={size}-")[0].status_code, 416)
        head = self.client.head(path)
        self.assertEqual((head["Content-Length"], b"".join(head)), (str(size), b""))  # type: ignore[arg-type]

    def test_a_copy_counts_when_it_was_sent_whole_in_parts_too_and_only_once(self) -> None:
        client, path = self.signed_in(), "/maree-haute/titles/les-digues/copy.mp3"
        b"".join(client.head(path))  # type: ignore[arg-type]
        self.fetch(client, path, part="bytes=-1")
        self.fetch(client, path, part="bytes=0-99999")
        Mover(InboxTable()).move()
        self.assertEqual(points_of(self.campaign.pk, self.bo.pk), (0, 0))
        self.fetch(client, path, part="bytes=100000-")
        self.fetch(client, path)
        Mover(InboxTable()).move()
        self.assertEqual(points_of(self.campaign.pk, self.bo.pk), (50, 0))

    def test_after_a_withdrawal_pages_and_files_say_410_even_while_bytes_leave(self) -> None:
        client, path = self.signed_in(), "/maree-haute/titles/les-digues/copy.mp3"
        under_way = iter(client.get(path))
        first = next(under_way)
        self.assertLess(len(first), self.title().body_bytes // 4)
        self.withdraw(Way.DOWNLOAD)
        # Asked again at every chunk instead of every two seconds.
        with patch("vteam.channels.copies.services.ASK_AGAIN_SECONDS", -1.0):
            rest = b"".join(under_way)
        self.assertLess(len(rest), self.title().body_bytes // 2)
        self.assertEqual(client.get(path).status_code, 410)
        self.assertContains(client.get(path), "What you earned with it stays yours", status_code=410)
        audio = "/maree-haute/titles/les-digues/listen.mp3"
        self.assertEqual(self.fetch(self.client, audio)[0].status_code, 200)
        self.withdraw(Way.LISTEN)
        self.assertEqual(self.fetch(self.client, audio)[0].status_code, 410)
        self.assertNotContains(self.client.get("/maree-haute/"), "les-digues/listen.mp3")

    def withdraw(self, way: Way) -> None:
        holder = Holder.objects.filter(titles__title_id=self.title().pk)[0]
        speak(
            holder=holder,
            person=None,
            title=self.title(),
            way=way,
            act=Act.WITHDRAWN,
            language="en",
            at_us=clock.now_us(),
        )

    def test_stored_audio_is_not_given_out_as_a_picture(self) -> None:
        self.assertEqual(self.client.get(f"/pictures/{self.title().body_sha256}.jpg").status_code, 404)
        self.assertEqual(self.client.get(f"/pictures/{'0' * 64}.jpg").status_code, 404)
        self.assertEqual(self.client.get("/pictures/..%2f..%2fkeys%2fmaster.jpg").status_code, 404)
        name = self.campaign.pictures["page"]
        cover, content = self.fetch(self.client, f"/pictures/{name}.jpg")
        self.assertEqual(cover["Content-Type"], "image/jpeg")
        self.assertEqual(content, files.path_of(name).read_bytes())


class HolderTests(Doors):
    def test_only_the_holder_opens_their_page_and_only_for_their_titles(self) -> None:
        holder = Holder.objects.get(campaign_id=self.campaign.pk, key="ines-morvan")
        self.assertEqual(self.signed_in().get(f"/holder/{holder.pk}").status_code, 404)
        assert holder.person is not None
        client = self.signed_in(holder.person)
        self.assertContains(client.get(f"/holder/{holder.pk}"), "Les digues")
        sel = Title.objects.get(campaign=self.campaign, key="sel")
        body = {"title": sel.pk, "way": "listen", "act": "withdrawn"}
        self.assertEqual(client.post(f"/holder/{holder.pk}", body).status_code, 404)

    def test_keep_it_but_do_not_pass_it_on_is_one_choice(self) -> None:
        holder = Holder.objects.get(campaign_id=self.campaign.pk, key="ines-morvan")
        assert holder.person is not None
        title = Title.objects.get(campaign=self.campaign, key="les-digues")
        body = {"title": title.pk, "way": "keep", "act": "agreed", "words": "Keep it, please."}
        response = self.signed_in(holder.person).post(f"/holder/{holder.pk}", body)
        self.assertEqual(response.status_code, 302)
        self.assertContains(self.signed_in().get("/maree-haute/titles"), "Keep it, please.")

    def test_an_invitation_works_once(self) -> None:
        from vteam.rights.services import invite

        holder = Holder.objects.get(campaign_id=self.campaign.pk, key="ines-morvan")
        secret = invite(holder=holder, at=clock.now())
        self.assertEqual(self.client.get(f"/invitation/{secret}").status_code, 200)
        client = self.signed_in()
        self.assertRedirects(client.post(f"/invitation/{secret}"), f"/holder/{holder.pk}")
        self.assertEqual(client.get(f"/invitation/{secret}").status_code, 410)


class MailboxTests(Doors):
    def status(self, host: str = "localhost:8000", **given: Any) -> int:
        return self.client.get(
            "/mailbox", headers={"Host": host, **given.pop("headers", {})}, **given
        ).status_code

    def test_the_mailbox_is_refused_off_loopback_and_outside_the_demo(self) -> None:
        for host in ("localhost:8000", "bo.localhost", "127.0.0.1:8000", "[::1]:8000"):
            self.assertEqual(self.status(host), 200, host)
        self.assertEqual(self.status(REMOTE_ADDR="192.0.2.7"), 404)
        with override_settings(DEMO=False):
            self.assertEqual(self.status(), 404)
        self.assertTrue(settings.DEMO)

    def test_the_mailbox_is_refused_through_a_proxy_and_under_a_foreign_name(self) -> None:
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            for value in ("127.0.0.1", ""):
                self.assertEqual(self.status(headers={name: value}), 404, name)
        with override_settings(ALLOWED_HOSTS=["*"]):
            for host in ("evil.example", "evil.example:8000", "localhost.evil.example", "notlocalhost"):
                self.assertEqual(self.status(host), 404, host)
