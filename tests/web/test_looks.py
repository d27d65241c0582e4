"""Every page in a real browser, on a phone and a desk, light and dark, English and French.

axe finds nothing, nothing is blocked by our own policy or asked of anybody else, nothing runs over the edge, and it
all works without a script. The server is the site's own WSGI application.
"""

import datetime as dt
import re
import secrets
import threading
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.cast import allow
from tests.services.domains import FOUR, SIX, changed
from tests.services.zone import serving
from tests.web import worldstage
from tests.web.axe import findings
from vteam import clock
from vteam.campaigns.agreements import speak
from vteam.campaigns.joining import account
from vteam.campaigns.models import Campaign
from vteam.campaigns.news import Draft, latest, take_back, write_news
from vteam.campaigns.organisers import invite, take_invitation
from vteam.channels.links.models import Share
from vteam.channels.links.services import end_share, make_share
from vteam.channels.mail.stopping import stop_token
from vteam.demo.opening import open_demo
from vteam.jobs.moving import InboxTable, Mover
from vteam.people.models import Fan
from vteam.people.services import become_fan
from vteam.permissions.services import end
from vteam.prizes.claims import Claim, claim
from vteam.prizes.doors import Heard, let_in, open_door
from vteam.prizes.models import Draw, Ticket
from vteam.prizes.offers import make_offer
from vteam.prizes.suppliers import Said, asked_text, make_link
from vteam.prizes.suppliers import speak as answer_as_supplier
from vteam.rights.models import Holder
from vteam.rules.beacons import QUICKNET
from vteam.rules.canonical import canonical, digest
from vteam.rules.drawrecords import announcement, from_beacon
from vteam.rules.draws import Entry, announcement_sha256
from vteam.rules.grants import Purpose
from vteam.rules.rights import Act, Way

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
EDITIONS = [("en", "light", PHONE), ("fr", "dark", PHONE), ("fr", "light", DESK), ("en", "dark", DESK)]


class Server(ThreadingMixIn, WSGIServer):
    """Each request in a thread of its own, which leaves no database connection behind."""

    daemon_threads = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        super().process_request_thread(request, client_address)
        connections.close_all()


class Quiet(WSGIRequestHandler):
    """No access log."""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def pages() -> dict[str, Any]:
    """The demo with Bo in it, two links, and the cookie of Bo, who is also a holder."""
    campaign, at = open_demo(), clock.now()
    person = account(address="bo@example.org", language="en", at=at)
    bo, _ = become_fan(person=person, campaign_id=campaign.pk, name="Bo", share_id=None, at=at)
    cy = account(address="cy@example.org", language="en", at=at)
    become_fan(person=cy, campaign_id=campaign.pk, name="Cy", share_id=None, at=at)
    Mover(InboxTable()).move()
    place, ended = (make_share(fan=bo, place=name, at=at) for name in ("the ska forum", "the bar"))
    assert isinstance(place, Share)
    assert isinstance(ended, Share)
    end_share(share=ended, at=at)
    holder = Holder.objects.filter(campaign_id=campaign.pk).order_by("pk").first()
    assert holder is not None
    Holder.objects.filter(pk=holder.pk).update(person=person)
    speak(
        holder=holder, person=person, title=campaign.titles.get(key="phare-eteint"), way=Way.PASS_ON,
        act=Act.WITHDRAWN, language="en", at_us=clock.to_us(at),
    )  # fmt: skip
    secret = invite(campaign=campaign, name="Bo", at=at)
    waiting = invite(campaign=campaign, name="Ana", at=at)
    assert secret is not None
    take_invitation(secret=secret, person=person)
    operates = invite(campaign=None, name="Bo", at=at)
    assert operates is not None
    take_invitation(secret=operates, person=person)
    newest, gone = latest(campaign, at_most=2)
    draft = write_news(
        campaign=campaign, draft=Draft(subjects={"en": "Soon"}, texts={"en": "x" * 4_000}), at=at
    )
    take_back(news=gone, at=at)
    news_of_bo = stop_token(allow(bo, Purpose.NEWS, at=at).pk, Purpose.NEWS)
    cys = allow(Fan.objects.get(person=cy), Purpose.POINTS, at=at)
    points_of_cy = stop_token(cys.pk, Purpose.POINTS)
    end(subject=cys, purpose=Purpose.POINTS, act="the link in a message", at=at)
    won = [
        make_offer(campaign, entry, bo, number=1, slot=1, at=at)
        for entry in campaign.file.prizes
        if entry.confirmed
    ]
    suppliers = supplied(campaign, at)
    claim(offer=won[0], claim=Claim(details={"name": "Bo Le Goff"}, is_adult=True), at=at)
    claim(offer=won[1], claim=Claim(details={"name": "Bo", "town": "Roscoff"}, is_adult=True), at=at)
    _, parents = claim(offer=won[2], claim=Claim(details={}, is_adult=False), at=at)
    draw_of(campaign, at)
    client = Client()
    client.force_login(person)
    at_the_door(campaign, client, at)
    worlds = worldstage.set_up(campaign, bo)
    slug = campaign.slug
    return {
        "public": [
            f"/{slug}/", f"/{slug}/join", f"/{slug}/ranking", f"/{slug}/titles/les-digues/permission",
            f"/{slug}/titles/sel/permission", f"/{slug}/titles/phare-eteint/permission", "/sign-in", "/mailbox",
            f"/l/{place.code}",
            f"/l/{ended.code}", "/l/aaaaaaaaaa", "/nothing/here",
            f"/{slug}/news", f"/{slug}/news/{newest.pk}", f"/{slug}/news/{gone.pk}",
            f"/organise/invitation/{waiting}", "/organise/invitation/used",
            f"/stop/{news_of_bo}", f"/stop/{points_of_cy}",
            f"/{slug}/prizes", f"/{slug}/prizes/soundcheck/draw", f"/parent/{parents}", "/parent/used",
            *(f"/supplier/{each}" for each in suppliers), "/supplier/used", f"/{slug}/rules", "/door",
            *(f"/world/link/{each}" for each in worlds.links),
        ],
        "own": [
            f"/{slug}/home", f"/{slug}/points", f"/{slug}/links", f"/{slug}/links/{place.code}",
            f"/{slug}/links/{ended.code}", f"/{slug}/titles", f"/{slug}/ranking", "/me", "/me?erase",
            f"/{slug}/titles/les-digues/permission", f"/{slug}/titles/les-digues/pass-on",
            f"/{slug}/titles/les-digues/seed",
            f"/holder/{holder.pk}", f"/{slug}/prizes", *(f"/{slug}/prizes/won/{each.pk}" for each in won),
            f"/{slug}/organise/prizes", f"/{slug}/organise/prizes/signed-record",
            f"/{slug}/organise/prizes/soundcheck", f"/{slug}/organise/prizes/soundcheck/edit",
            f"/{slug}/organise/prizes/signed-record/edit", f"/{slug}/organise/new-prize", f"/{slug}/organise/rules",
            f"/{slug}/organise/concerts/last-night", "/door",
            f"/{slug}/organise/prizes/soundcheck/supplier", f"/supplier/{suppliers[0]}",
            f"/l/{place.code}",
            f"/{slug}/news/{newest.pk}", f"/{slug}/organise", f"/{slug}/organise/news/new", f"/{slug}/reaches-me",
            f"/{slug}/organise/news/{newest.pk}", f"/{slug}/organise/news/{gone.pk}",
            f"/{slug}/organise/news/{draft.pk}", f"/{slug}/organise/news/{draft.pk}?missing",
            f"/organise/invitation/{waiting}", "/operator", f"/world/link/{worlds.links[0]}",
            f"/{slug}/kiosks", f"/{slug}/kiosks/{worlds.hosted.pk}", f"/{slug}/organise/worlds",
            *(
                f"/{slug}/organise/worlds/{each.pk}"
                for each in (worlds.kiosk, worlds.hosted, worlds.closed, worlds.waiting)
            ),
        ],
        "cookie": client.cookies[settings.SESSION_COOKIE_NAME].value,
    }  # fmt: skip


def at_the_door(campaign: Campaign, client: Client, at: dt.datetime) -> None:
    """Bo's browser stands at a door too, which lets in who has the one ticket and let in the other without network."""
    concert = next(each for each in campaign.file.concerts if each.key == "last-night")
    opened = open_door(campaign=campaign, concert=concert, name="Main entrance", at=at)
    assert opened is not None
    night = campaign.file.begins_at(concert)
    for ticket in Ticket.objects.order_by("place"):
        for offline in (False, ticket.place == 2):
            heard = Heard(scan=secrets.token_bytes(16), at=night, offline=offline, let_in=offline)
            let_in(door=opened[0], ticket=ticket, heard=heard)
    session = client.session
    session["door"] = opened[0].pk
    session.save()


def supplied(campaign: Campaign, at: dt.datetime) -> list[str]:
    """Links of who supplies the prizes: one not answered yet, a yes that can be taken back or not, and a no."""
    links = []
    for entry in campaign.file.prizes:
        links.append(make_link(campaign=campaign, prize=entry, at=at))
        said = {"signed-record": Said.YES, "soundcheck": Said.YES, "poster": Said.NO}.get(entry.key)
        if said:
            seen = digest(asked_text(campaign, entry))
            answer_as_supplier(secret=links[-1], said=said, seen=seen, name="La Cale sèche", at=at)
    return links


def draw_of(campaign: Campaign, at: dt.datetime) -> None:
    """A draw that is announced and waits for its round."""
    entries = [Entry(f"e{number}", 1) for number in range(9)]
    told = announcement(
        campaign=campaign.slug, prize="soundcheck", how_many=3, in_line=0, entries=entries, at=at,
        randomness=from_beacon(QUICKNET, QUICKNET.round_at(int(at.timestamp()) + 3_600)),
    )  # fmt: skip
    Draw.objects.create(
        campaign_id=campaign.pk, prize="soundcheck", number=1, announcement=canonical(told),
        announced=announcement_sha256(told), announced_at=at,
    )  # fmt: skip


@pytest.fixture
def site(pages: dict[str, Any]) -> Iterator[str]:
    from vteam.web.wsgi import application

    server = make_server("127.0.0.1", 0, application, Server, Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def browser(site: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield browser
        browser.close()


# Statuses a page is asked for on purpose; and there is no edge beside this site.
EXPECTED = re.compile("Failed to load|^WebSocket connection to .* failed: .*ERR_CONNECTION_REFUSED")


class Watched:
    """A page, what it asked for elsewhere and what the browser complained about."""

    def __init__(self, page: Page, site: str) -> None:
        self.page, self.complaints = page, list[str]()
        page.on("request", lambda asked: self.elsewhere(asked.url, site))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: None if EXPECTED.search(said.text) else self.complaints.append(said.text),
        )

    def elsewhere(self, address: str, site: str) -> None:
        if not address.startswith(site):
            self.complaints.append(f"asked for {address}")


@pytest.mark.parametrize(("language", "scheme", "size"), EDITIONS)
def test_axe_finds_nothing_and_nothing_is_asked_of_others(
    browser: Browser, site: str, pages: dict[str, Any], language: str, scheme: Any, size: Any
) -> None:
    found = {}
    for whose in ("public", "own"):
        context = browser.new_context(viewport=size, color_scheme=scheme)
        if whose == "own":
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": pages["cookie"], "url": site}]
            )
        page = context.new_page()
        watched = Watched(page, site)
        for address in pages[whose]:
            page.goto(f"{site}/{language}{address}", wait_until="load")
            assert page.locator("html").get_attribute("lang") == language
            too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            found[whose, address] = [
                *findings(page),
                *watched.complaints,
                *(["too wide"] if too_wide else []),
            ]
            watched.complaints.clear()
        if whose == "public":
            assert context.cookies() == []
        context.close()
    assert {where: what for where, what in found.items() if what} == {}


def test_ana_writes_news_while_it_is_counted_sees_it_and_publishes_it(
    browser: Browser, site: str, pages: dict[str, Any]
) -> None:
    context = browser.new_context(viewport=PHONE, locale="en-GB")
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": pages["cookie"], "url": site}])
    page = context.new_page()
    page.goto(f"{site}/maree-haute/organise")
    page.get_by_role("link", name="Write news").click()
    page.locator("[name=text_en]").fill("é" * 4_001)
    counted = page.locator("#id_text_en-count")
    expect(counted).to_have_text("4\u00a0001 of 4\u00a0000 characters")
    assert "field__count--over" in str(counted.get_attribute("class"))
    for name, text in {
        "subject_en": "Roscoff", "text_en": "Come.", "subject_fr": "Roscoff !", "text_fr": "Venez.",
    }.items():  # fmt: skip
        page.locator(f"[name={name}]").fill(text)
    page.locator("[name=subject_fr]").press("Enter")
    page.wait_for_url("**/organise/news/*#shown")
    box = page.locator(".phone").first.bounding_box()
    assert box is not None
    assert box["width"] == PHONE["width"]
    here = page.locator(".phone .news__subject").first.evaluate(
        "e => getComputedStyle(e).fontSize + e.clientWidth"
    )
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("link", name="As everybody sees it").click()
    page.wait_for_url("**/maree-haute/news/*")
    there = page.locator("h1").evaluate("e => getComputedStyle(e).fontSize + e.clientWidth")
    assert here == there, "the preview is what a phone shows"


def test_ana_adds_a_prize_without_a_script_and_is_asked_only_what_its_kind_has(
    browser: Browser, site: str, pages: dict[str, Any]
) -> None:
    context = browser.new_context(viewport=PHONE, locale="en-GB", java_script_enabled=False)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": pages["cookie"], "url": site}])
    page = context.new_page()
    page.goto(f"{site}/maree-haute/organise/prizes")
    page.get_by_role("link", name="Add a prize").click()
    first, milestone, qualify = (page.locator(f"[name={name}]") for name in ("first", "milestone", "qualify"))
    for kind, asked in (("ranking", first), ("draw", qualify), ("milestone", milestone)):
        page.locator(f"[name=kind][value={kind}]").check()
        assert [each for each in (first, milestone, qualify) if each.is_visible()] == [asked]
    milestone.select_option("500")
    for name in ("name_en", "name_fr", "explanation_en", "explanation_fr"):
        page.locator(f"[name={name}]").fill("A card")
    page.get_by_role("button", name="Add it").click()
    assert page.locator("[name=supplied_by]").get_attribute("aria-invalid") == "true"
    page.locator("[name=supplied_by]").fill("Lune Noire")
    page.get_by_role("button", name="Add it").click()
    page.wait_for_url("**/organise/prizes/a-card?kept")
    page.get_by_role("link", name="Change it").click()
    page.get_by_text("Take this prize out").click()
    page.get_by_role("button", name="Yes, take it out").click()
    page.wait_for_url("**/organise/prizes")
    assert page.get_by_text("A card").count() == 0


@pytest.fixture
def checked_mail(settings: Any) -> Iterator[None]:
    """A domain whose mail is let in by some and not by others, asked about at a name server of the test's own."""
    settings.EMAIL_FROM, settings.MAIL_IPS, settings.DKIM_SELECTORS = (
        "team@example.org",
        [FOUR, SIX],
        ["vteam", "old"],
    )
    with serving(changed(spf=["v=spf1 -all"], dmarc=None), broken=["old._domainkey.example.org"]) as server:
        settings.RESOLVER = server.address
        yield


@pytest.mark.usefixtures("checked_mail")
@pytest.mark.parametrize(("language", "scheme", "size"), EDITIONS)
def test_an_operator_has_the_mail_checked_with_a_script_and_without(
    browser: Browser, site: str, pages: dict[str, Any], language: str, scheme: Any, size: Any
) -> None:
    for script in (True, False):
        context = browser.new_context(viewport=size, color_scheme=scheme, java_script_enabled=script)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": pages["cookie"], "url": site}])
        page = context.new_page()
        watched = Watched(page, site)
        page.goto(f"{site}/{language}/operator")
        page.locator("form[data-check] button").click()
        page.locator(".finding--wrong .zone code").first.wait_for()
        assert page.url.endswith("/operator" if script else "/operator/mail#mail")
        assert page.locator(".finding--unknown").count() == 1
        button = page.locator("form[data-check] button")
        assert button.inner_text() == {"en": "Check again", "fr": "Vérifier à nouveau"}[language]
        assert page.locator(".copy-line button").first.is_visible() is script
        if script:
            assert page.locator("#mail-said").inner_text() == page.locator("#mail-sum").inner_text()
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert findings(page) == []
        assert watched.complaints == []
        context.close()


def test_without_a_script_music_plays_links_are_made_and_menus_open(
    browser: Browser, site: str, pages: dict[str, Any]
) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": pages["cookie"], "url": site}])
    page = context.new_page()
    page.goto(f"{site}/maree-haute/")
    assert page.locator("audio[controls]").first.is_visible()
    assert not page.locator("[data-play]").first.is_visible()
    page.goto(f"{site}/maree-haute/links")
    page.locator("[name=place]").fill("my friends")
    page.locator("main form button").first.click()
    assert page.locator("h1").inner_text() == "my friends"
    assert "/r/" in page.locator("main code").inner_text()
    page.locator(".menu summary").click()
    page.get_by_role("link", name="My titles", exact=True).click()
    assert page.locator("a[href$='copy.mp3']").count() > 0


def test_with_a_script_one_title_plays_at_a_time_and_never_by_itself(
    browser: Browser, site: str, pages: dict[str, Any]
) -> None:
    page = browser.new_context(viewport=PHONE).new_page()
    page.goto(f"{site}/maree-haute/")
    sounding = "() => [...document.querySelectorAll('audio')].map(a => !a.paused)"
    assert not any(page.evaluate(sounding))
    first, second = page.locator("[data-play]").nth(0), page.locator("[data-play]").nth(1)
    assert first.get_attribute("aria-label") == "Play “Les digues”"
    first.click()
    page.wait_for_function("() => document.querySelector('audio').currentTime > 0.1")
    assert first.get_attribute("aria-label") == "Pause “Les digues”"
    second.click()
    page.wait_for_function("() => document.querySelectorAll('audio')[1].currentTime > 0.1")
    assert page.evaluate(sounding)[:2] == [False, True]
    second.click()
    assert not any(page.evaluate(sounding))


def test_a_person_who_stays_and_does_something_arrives_and_a_page_left_alone_does_not(
    browser: Browser, site: str, pages: dict[str, Any]
) -> None:
    landing = next(address for address in pages["public"] if address.startswith("/l/"))
    page = browser.new_context(viewport=PHONE).new_page()
    posted: list[str] = []
    page.on("request", lambda asked: posted.append(asked.post_data or "") if asked.method == "POST" else None)
    page.goto(site + landing)
    page.evaluate("scrollTo(0, 400)")
    page.wait_for_timeout(1000 * settings.ARRIVAL_DWELL_SECONDS + 700)
    assert posted == []
    with page.expect_request(lambda asked: asked.method == "POST") as arrival:
        page.mouse.wheel(0, 200)
    assert "act=stayed" in (arrival.value.post_data or "")
    page.mouse.wheel(0, 200)
    page.locator("h1").click()
    page.wait_for_timeout(500)
    assert len(posted) == 1


def test_the_code_field_takes_a_whole_pasted_sentence(
    browser: Browser, site: str, pages: dict[str, Any]
) -> None:
    page = browser.new_context(viewport=PHONE).new_page()
    page.goto(f"{site}/sign-in")
    page.locator("[name=address]").fill("somebody@example.org")
    page.locator("main form button").click()
    page.wait_for_url("**/code/**", wait_until="load")
    page.locator("[name=code]").fill("Your code: 482 913.")
    assert page.locator("[name=code]").input_value() == "482913"
    assert "/code/" in page.url
