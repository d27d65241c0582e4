"""What every answer carries, and what no other site's page gets past."""

from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from vteam.web.guards import BODY_BYTES_MAX, POLICY, cross_origin_ok
from vteam.web.language import editions, plain_reverse
from vteam.web.wsgi import BuiltFiles


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


def reads(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{len(request.body)} {request.POST.get('name', '')}")


urlpatterns = [
    path("page", page),
    path("reads", reads),
    path("parts", lambda request: HttpResponse(request.POST.get("name", ""))),
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
    assert posted(Origin="https://bo.localhost:8000").status_code == 403
    assert posted(Origin="bo.localhost:8000").status_code == 403
    assert posted(Origin="null").status_code == 403


def test_behind_a_proxy_the_public_address_says_the_scheme() -> None:
    with override_settings(PUBLIC_URL="https://bo.localhost:8000"):
        assert posted(Origin="https://bo.localhost:8000").status_code == 200
        assert posted(Origin="http://bo.localhost:8000").status_code == 403


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


# Bodies ---------------------------------------------------------------------------------------------------------
class Watched(BytesIO):
    """A body that knows how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        got = super().read(size)
        self.taken += len(got)
        return got


def sent(body: Watched, **environment: Any) -> Any:
    """POST a body as a server hands it over; the client's own idea of its length is left out."""
    with here:
        return Client(headers={"Host": "bo.localhost:8000"}).generic(
            "POST",
            "/reads",
            **{"wsgi.input": body, "CONTENT_TYPE": "application/x-www-form-urlencoded"} | environment,
        )


def test_a_body_bigger_than_any_form_is_refused_before_it_is_read() -> None:
    body = Watched(b"name=" + b"x" * BODY_BYTES_MAX)
    answer = sent(body, CONTENT_LENGTH=str(BODY_BYTES_MAX + 1))
    assert (answer.status_code, body.taken) == (413, 0)
    assert answer.headers["Content-Security-Policy"] == POLICY


def test_a_body_of_the_biggest_size_is_read() -> None:
    body = Watched(b"name=" + b"x" * (BODY_BYTES_MAX - 5))
    answer = sent(body, CONTENT_LENGTH=str(BODY_BYTES_MAX))
    assert (answer.status_code, body.taken) == (200, BODY_BYTES_MAX)


def test_a_body_of_no_stated_length_is_not_read_at_all() -> None:
    body = Watched(b"name=Bo" + b"x" * 1_000_000)
    answer = sent(body, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert (answer.status_code, answer.content, body.taken) == (200, b"0 ", 0)


@pytest.mark.parametrize("length", ["much", "-7", "1_0", "9" * 30])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    body = Watched(b"name=Bo")
    answer = sent(body, CONTENT_LENGTH=length)
    assert (answer.status_code, body.taken) == (400, 0)


def test_a_form_without_files_is_taken_and_one_with_a_file_is_not() -> None:
    def formed(disposition: str) -> Any:
        body = f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\nBo\r\n--b--\r\n"
        with here:
            client = Client(headers={"Host": "bo.localhost:8000"})
            return client.generic("POST", "/parts", body, content_type="multipart/form-data; boundary=b")

    assert formed('name="name"').content == b"Bo"
    for disposition in ('name="name"; filename="a.txt"', 'name="other"; filename="a"'):
        assert formed(disposition).status_code == 400


def test_a_built_file_that_a_later_build_took_away_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "site-1.css").write_text("a{}")
    files = BuiltFiles(lambda environ, start: [], str(tmp_path), prefix="static/")
    said: list[str] = []
    environ = {"PATH_INFO": "/static/site-1.css", "REQUEST_METHOD": "GET"}

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        said.append(status)

    with closing(files(environ, start)) as answer:
        assert b"".join(answer) == b"a{}"
    (tmp_path / "site-1.css").unlink()
    assert b"no such file" in b"".join(files(environ, start))
    assert said == ["200 OK", "404 Not Found"]
