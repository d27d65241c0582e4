"""The redirect: what a visitor meets and who counts, at real edge processes over SQLite and PostgreSQL."""

import contextlib
import re
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.channels.edges import BROWSER, ENDED, OPEN, UNKNOWN, Edge, Start, with_shares
from vteam.channels.links.redirect import (
    Request,
    Site,
    code_in,
    is_a_visit,
    looks_like_a_person,
    typed_in,
)
from vteam.edge.budget import VisitBudget

# What a visitor meets ----------------------------------------------------------------------------------------


def test_a_visit_is_durable_when_the_redirect_arrives(edge: Edge) -> None:
    before = len(edge.rows())
    answer = edge.ask(f"/r/{OPEN}", Host=f"localhost:{edge.port}")
    new = edge.rows()[before:]
    assert answer.status == 302
    assert answer.headers["Location"] == f"http://localhost:8000/l/{OPEN}"
    assert [(row[0], row[1], row[2], row[4]) for row in new] == [(3, "Visit", "", '{"share":7}')]
    assert abs(new[0][3] - time.time_ns() // 1000) < 60_000_000


def test_the_redirect_keeps_nothing_and_tells_nothing(edge: Edge) -> None:
    answer = edge.ask(f"/r/{OPEN}")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Set-Cookie"] is None
    assert answer.headers["Server"] is None


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"User_Agent": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"}),
        ("GET", {"User_Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}),
        ("GET", {"User_Agent": "curl/8.5.0"}),
        ("GET", {"User_Agent": ""}),
        ("GET", {"User_Agent": BROWSER + "x" * 2000}),
        ("GET", {"Sec_Purpose": "prefetch;prerender"}),
        ("GET", {"Purpose": "prefetch"}),
    ],
)
def test_what_is_not_a_person_is_redirected_and_not_counted(
    edge: Edge, method: str, headers: dict[str, str]
) -> None:
    before = len(edge.rows())
    answer = edge.ask(f"/r/{OPEN}", method=method, **headers)
    assert (answer.status, answer.headers["Location"]) == (302, f"http://127.0.0.1:8000/l/{OPEN}")
    assert len(edge.rows()) == before


@pytest.mark.parametrize("code", [ENDED, UNKNOWN])
def test_ended_and_unknown_codes_go_to_the_kind_page_uncounted(edge: Edge, code: str) -> None:
    before = len(edge.rows())
    answer = edge.ask(f"/r/{code}")
    assert (answer.status, answer.headers["Location"]) == (302, f"http://127.0.0.1:8000/l/{code}")
    assert len(edge.rows()) == before


@pytest.mark.parametrize(
    ("typed", "leads_to"),
    [
        ("", "unknown"),
        ("short", "short"),
        ("abcdefghilo", "abcdefghilo"),
        ("x" * 40, "x" * 40),
        ("x" * 41, "unknown"),
        ("../../etc", "unknown"),
        ("abcdefghij/x", "unknown"),
        ("//evil.example", "unknown"),
        ("%00", "unknown"),
        ("x%0d%0aSet-Cookie:a=b", "unknown"),
        ("%c3%a9t%c3%a9", "unknown"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_that_lost_a_letter_leads_to_the_sites_kind_page_uncounted(
    edge: Edge, method: str, typed: str, leads_to: str
) -> None:
    before = len(edge.rows())
    answer = edge.ask(f"/r/{typed}", method=method)
    assert (answer.status, answer.headers["Location"]) == (302, f"http://127.0.0.1:8000/l/{leads_to}")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Set-Cookie"] is None
    assert len(edge.rows()) == before


@given(st.text())
def test_nothing_typed_can_lead_anywhere_else(typed: str) -> None:
    assert re.fullmatch("[A-Za-z0-9_-]{1,40}", typed_in(f"/r/{typed}"))


@pytest.mark.parametrize("path", ["/", "/x", "/r", "/l/abcdefghij"])
def test_what_is_no_link_gets_two_kind_sentences(edge: Edge, path: str) -> None:
    answer = edge.ask(path)
    assert (answer.status, answer.headers["Location"]) == (404, None)
    assert "ask whoever gave it to you" in answer.text  # type: ignore[attr-defined]
    assert "redemande-le" in answer.text  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8001", "localhost.evil.example", "localhost@evil.example", "", "l h", "é"],
)
def test_nobody_is_sent_to_a_typed_host(edge: Edge, host: str) -> None:
    answer = edge.ask(f"/r/{OPEN}", Host=host)
    assert (answer.status, answer.headers["Location"]) == (400, None)


def test_a_link_can_only_be_opened(edge: Edge) -> None:
    answer = edge.ask(f"/r/{OPEN}", method="POST")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_healthy_means_the_writer_works(edge: Edge) -> None:
    answer = edge.ask("/healthz")
    assert (answer.status, answer.text) == (200, "ok\n")  # type: ignore[attr-defined]


def test_malformed_bytes_leave_the_edge_standing(edge: Edge) -> None:
    for data in (
        b"\x16\x03\x01\x02",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET \xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\0" * 99,
    ):
        with edge.raw(data + b"\r\n\r\n") as door, contextlib.suppress(OSError):
            door.recv(1000)
    assert edge.ask("/healthz").status == 200


def test_many_visitors_at_once_are_all_on_disk(edge: Edge) -> None:
    before = len(edge.rows())
    answered: list[int] = []

    def visit() -> None:
        answered.extend(edge.ask(f"/r/{OPEN}").status for _ in range(10))

    visitors = [threading.Thread(target=visit) for _ in range(8)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert answered == [302] * 80
    assert len(edge.rows()) - before == 80


# Who counts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "agent",
    [
        BROWSER,
        "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
        "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36 Instagram 330.0.0.1",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 [FBAN/FBIOS;FBAV/450.0;FBLC/fr_FR]",
        "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 Chrome/100.0 Mobile Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 musical_ly_34.0 BytedanceWebview",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile [LinkedInApp]/9.30",
    ],
)
def test_browsers_and_in_app_browsers_are_people(agent: str) -> None:
    assert looks_like_a_person(agent.encode())


@pytest.mark.parametrize(
    "agent",
    [
        "Twitterbot/1.0",
        "WhatsApp/2.23.20.0 A",
        "TelegramBot (like TwitterBot)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0 Safari/537.36",
        "python-requests/2.32",
        "",
    ],
)
def test_previews_crawlers_and_scanners_are_not(agent: str) -> None:
    assert not looks_like_a_person(agent.encode())


@given(st.binary(max_size=200), st.binary(max_size=50), st.sampled_from(["GET", "HEAD"]))
def test_any_header_bytes_can_be_judged(agent: bytes, purpose: bytes, method: str) -> None:
    request = Request(method, "/r/x", {b"user-agent": agent, b"sec-purpose": purpose}, "127.0.0.1")
    assert is_a_visit(request) in (True, False)


def test_codes_survive_capitals_and_punctuation() -> None:
    for path in (OPEN, OPEN.upper(), f"{OPEN}.", f"{OPEN}/", f"{OPEN}),", f"{OPEN}»"):
        assert code_in(f"/r/{path}") == OPEN


@given(st.text())
def test_any_path_has_a_code_or_none(path: str) -> None:
    code = code_in(f"/r/{path}")
    assert code is None or len(code) == 10


def test_the_public_address_wins_over_any_host() -> None:
    site = Site(public_url="https://team.example.org/", allowed_hosts=["localhost"], port=8000)
    assert site.base(b"anything at all") == b"https://team.example.org"


def test_hosts_are_ours_as_in_the_settings() -> None:
    site = Site(
        public_url="", allowed_hosts=["127.0.0.1", "[::1]", ".localhost", "Team.example.org", "*"], port=80
    )
    assert site.base(b"bo.localhost:8001") == site.base(b"BO.localhost") == b"http://bo.localhost:80"
    assert site.base(b"localhost") == b"http://localhost:80"
    assert site.base(b"[::1]:8001") == b"http://[::1]:80"
    assert site.base(b"team.example.org") == b"http://team.example.org:80"
    for host in (b"", b"evil.example", b"notlocalhost", b"localhost:port", b"localhost/x", b"a" * 300, b"*"):
        assert site.base(host) is None


# Budgets and proxies ------------------------------------------------------------------------------------------


def test_one_network_counts_up_to_its_budget(caplog: pytest.LogCaptureFixture) -> None:
    budget = VisitBudget(per_network=2, networks_max=2)
    assert [budget.spend("a"), budget.spend("a"), budget.spend("a"), budget.spend("b")] == [
        True,
        True,
        False,
        True,
    ]
    assert not budget.spend("c"), "more networks than can be followed do not count"
    budget.turn()
    assert "2 visits did not count" in caplog.text
    assert budget.spend("a")
    assert budget.spend("c")
    caplog.clear()
    budget.turn()
    assert not caplog.text, "a quiet minute is not worth a line"


def test_behind_a_proxy_each_network_has_its_own_budget(tmp_path: Path, start: Start) -> None:
    edge = start(with_shares(tmp_path), VISITS_PER_NETWORK_MINUTE="2", TRUSTED_PROXIES="127.0.0.0/8").opened()
    for client in ("203.0.113.1", "203.0.113.2", "203.0.113.3", "198.51.100.1", "203.0.113.4, 127.0.0.1"):
        assert edge.ask(f"/r/{OPEN}", X_Forwarded_For=client).status == 302
    assert len(edge.rows()) == 3
    assert "2 visits did not count" in edge.stop()


def test_without_a_proxy_a_forwarded_address_is_ignored(tmp_path: Path, start: Start) -> None:
    edge = start(with_shares(tmp_path), VISITS_PER_NETWORK_MINUTE="2").opened()
    for number in range(5):
        assert edge.ask(f"/r/{OPEN}", X_Forwarded_For=f"203.0.{number}.1").status == 302
    assert len(edge.rows()) == 2
    edge.stop()
