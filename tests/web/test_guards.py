"""What every answer carries, and what no other site's page gets past."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from vteam.web.guards import POLICY, cross_origin_ok
from vteam.web.language import editions, plain_reverse


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


@cross_origin_ok
def unsubscribe(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


def looks(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.session.get("seen", "nothing")))


def cycles(request: HttpRequest) -> HttpResponse:
    request.session.modified = True
    return HttpResponse("done")


def tells(request: HttpRequest) -> HttpResponse:
    switch = " ".join(edition.address for edition in editions(request))
    return HttpResponse(f"{switch} {plain_reverse('picture', 'a')}")


urlpatterns = [
    path("page", page),
    path("unsubscribe", unsubscribe),
    path("looks", looks),
    path("cycles", cycles),
    path("tells/<str:name>", lambda request, name: tells(request), name="tells"),
    path("", page, name="index"),
    path("mailbox", page, name="mailbox"),
    path("me", page, name="me"),
    path("pictures/<str:name>.jpg", lambda request, name: page(request), name="picture"),
]

here = override_settings(ROOT_URLCONF=__name__)


def posted(address: str = "/page", **headers: str) -> Any:
    with here:
        return Client(headers={"Host": "bo.localhost:8000", **headers}).post(address)


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_our_own_page_may_change_something(site: str) -> None:
    assert posted(**{"Sec-Fetch-Site": site}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "something-new"])
def test_another_page_may_not(site: str) -> None:
    answer = posted(**{"Sec-Fetch-Site": site})
    assert answer.status_code == 403
    assert "not ours" in answer.content.decode()


def test_an_older_browser_is_told_by_its_origin() -> None:
    assert posted(Origin="http://bo.localhost:8000").status_code == 200
    assert posted(Origin="http://bo.localhost:8001").status_code == 403
    assert posted(Origin="https://evil.example").status_code == 403
    assert posted(Origin="null").status_code == 403


def test_what_browsers_say_of_the_site_wins_over_the_origin() -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "http://bo.localhost:8000"}
    assert posted(**headers).status_code == 403


def test_a_program_that_is_no_browser_may() -> None:
    assert posted().status_code == 200


def test_reading_is_open_to_links_from_anywhere() -> None:
    with here:
        assert Client(headers={"Sec-Fetch-Site": "cross-site"}).get("/page").status_code == 200


def test_a_view_marked_for_it_takes_posts_from_anywhere() -> None:
    assert posted("/unsubscribe", **{"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_every_answer_carries_the_policy() -> None:
    with here:
        for address in ("/page", "/nothing-here"):
            answer = Client().get(address)
            assert answer.headers["Content-Security-Policy"] == POLICY
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "unsafe" not in POLICY
    assert POLICY.startswith("default-src 'none'")


@pytest.mark.parametrize("address", ["/page", "/looks", "/cycles"])
def test_a_visitor_gets_no_cookie(address: str) -> None:
    with here:
        answer = Client().get(address)
    assert answer.status_code == 200
    assert not answer.cookies


def test_a_page_says_that_it_varies_by_cookie_and_language() -> None:
    with here:
        assert Client().get("/page").headers["Vary"] == "Cookie, Accept-Language"
        assert Client().get("/fr/page").headers["Vary"] == "Cookie"


def test_the_browser_s_language_is_spoken_and_said() -> None:
    with here:
        answer = Client(headers={"Accept-Language": "fr-CA,fr;q=0.9"}).get("/page")
        assert answer.headers["Content-Language"] == "fr"
        assert Client(headers={"Accept-Language": "de"}).get("/page").headers["Content-Language"] == "en"


def test_an_address_can_say_its_language_and_keeps_it() -> None:
    with here:
        answer = Client(headers={"Accept-Language": "en"}).get("/fr/tells/x?page=2")
    assert answer.headers["Content-Language"] == "fr"
    assert answer.content.decode() == "/en/tells/x?page=2 /fr/tells/x?page=2 /pictures/a.jpg"


def test_the_language_of_one_page_does_not_stay_for_the_next() -> None:
    with here:
        client = Client()
        client.get("/fr/page")
        assert client.get("/tells/x").content.decode().endswith("/pictures/a.jpg")
        assert client.get("/page").headers["Content-Language"] == "en"


@pytest.mark.parametrize("address", ["/static/x.css", "/r/abc", "/pictures/x.jpg"])
def test_what_has_no_language_is_left_alone(address: str) -> None:
    with here:
        answer = Client(headers={"Accept-Language": "fr"}).get(address)
    assert "Content-Language" not in answer.headers
    assert "Accept-Language" not in answer.headers.get("Vary", "")


def test_a_kind_refusal_is_in_the_reader_s_language() -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Accept-Language": "fr"}
    assert "Pas par cette porte" in posted(**headers).content.decode()
