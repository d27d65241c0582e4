"""Tickets and doors in the browser: a winner's tickets, the phone at the door, the organiser's night."""

import datetime as dt
import io
import json
import re
import secrets
import subprocess
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from PIL import Image

from tests.services.winners import EVENING, NIGHT, SETTLED, places
from tests.web.prizestage import AT_HOME, Stage, text
from vteam import clock
from vteam.prizes.doors import open_door
from vteam.prizes.models import Door, Offer, Scan, Ticket
from vteam.prizes.tickets import told_by
from vteam.rules.prizes import State
from vteam.rules.tickets import mark_of
from vteam.web.views.door import CODES_PER_HOUR, MERGED_AT_ONCE

pytestmark = pytest.mark.django_db(transaction=True)
CONCERT = "/maree-haute/organise/concerts/nantes"


class Night:
    """Bo has claimed two places; it is the evening of the concert."""

    def __init__(self, **of: Any) -> None:
        with time_machine.travel(SETTLED):
            self.stage = Stage(places(given_on=True, first=1, **of))
            self.stage.settle()
            self.bo = self.stage.client(self.stage.bo)
            self.won = self.stage.won(self.stage.bo)
            form = {"name": "Bo Le Goff", "age": "adult", "act": "claim"}
            assert self.bo.post(self.won, form).status_code == 302

    def tickets(self) -> list[Ticket]:
        return list(
            Ticket.objects.filter(void_at=None).select_related("offer__fan__person").order_by("place")
        )

    def code(self, place: int = 1) -> str:
        told = told_by(self.tickets()[place - 1])
        assert told is not None
        return told.code

    def door(self, name: str = "Main door") -> Client:
        """A phone that has typed a door's code."""
        opened = open_door(campaign=self.stage.campaign, concert=EVENING, name=name, at=clock.now())
        assert opened is not None
        phone = self.stage.client()
        assert phone.post("/door", {"code": opened[1].upper()})["Location"] == "/door"
        return phone


@pytest.fixture
def night() -> Any:
    with time_machine.travel(NIGHT, tick=True):
        yield Night()


def test_a_winner_has_a_ticket_for_each_place_to_print_and_as_a_picture(night: Night) -> None:
    page = text(night.bo.get(night.won))
    assert page.count('class="ticket__code"') == 2
    assert "Bo Le Goff" in page
    assert "place 2 of 2" in page
    printed = night.bo.get(f"{night.won}/tickets.pdf")
    assert printed.content.startswith(b"%PDF")
    picture = night.bo.get(f"{night.won}/ticket-2.png")
    assert Image.open(io.BytesIO(picture.content)).size == (1080, 1620)
    assert picture["Cache-Control"] == "private, no-store"
    for missing in ("ticket-3.png", "ticket-0.png"):
        assert night.bo.get(f"{night.won}/{missing}").status_code == 404
    cy = night.stage.client(night.stage.cy)
    for path in ("tickets.pdf", "ticket-1.png"):
        assert cy.get(f"{night.won}/{path}").status_code == 404
        assert night.stage.client().get(f"{night.won}/{path}").status_code == 302


def test_a_place_is_given_on_where_the_prize_allows_it(night: Night) -> None:
    before = night.code()
    assert "Give it to somebody else" in text(night.bo.get(night.won))
    night.bo.post(f"{night.won}/ticket-1/give", {"name": "  Di   Kerbrat "})
    assert "Di Kerbrat" in text(night.bo.get(night.won))
    assert night.code() != before
    night.bo.post(f"{night.won}/ticket-1/give", {"name": ""})
    assert "Di Kerbrat" in text(night.bo.get(night.won)), "nobody is no name"
    assert (
        night.stage.client(night.stage.cy).post(f"{night.won}/ticket-1/give", {"name": "Cy"}).status_code
        == 404
    )
    said = text(night.door().post("/door/let-in", {"code": before}))
    assert "Another ticket took its place" in said


def test_every_letter_of_a_name_is_printed_however_long_it_is(night: Night, tmp_path: Path) -> None:
    """A line after one with letters of another font file was printed in the wrong font."""
    name = "Łukasz Wiśniewski-Ødegård de la très longue Rivière"
    night.bo.post(f"{night.won}/ticket-1/give", {"name": name})
    ana = night.stage.client(night.stage.ana)
    for file in (f"{night.won}/tickets.pdf", f"{CONCERT}/guests.pdf"):
        (tmp_path / "printed.pdf").write_bytes((ana if "guests" in file else night.bo).get(file).content)
        read = subprocess.run(
            ["pdftotext", tmp_path / "printed.pdf", "-"], check=True, capture_output=True, text=True
        )
        assert name in " ".join(read.stdout.split())


def test_where_the_prize_does_not_allow_it_nothing_is_given_on() -> None:
    with time_machine.travel(NIGHT):
        night = Night()
        stage = night.stage
        from tests.services.winners import give

        give(stage.campaign, places(given_on=False, first=1))
        assert "Give it to somebody else" not in text(night.bo.get(night.won))
        assert "the door may ask for your name" in text(night.bo.get(night.won))
        assert night.bo.post(f"{night.won}/ticket-1/give", {"name": "Di"}).status_code == 404


def test_a_door_lets_in_by_code_and_by_name_without_a_script(night: Night) -> None:
    phone = night.door()
    answer = phone.get("/door")
    assert "camera=(self)" in answer["Permissions-Policy"]
    assert "in, of 2 expected" in text(answer)
    said = phone.post("/door/let-in", {"code": night.code(1)})
    assert "Come in" in text(said)
    assert "Bo Le Goff" in text(said)
    again = text(phone.post("/door/let-in", {"code": night.code(1)}))
    assert "Somebody is in with it already" in again
    assert "Main door" in again
    found = text(phone.post("/door/names", {"name": "go bö"}))
    assert "place 1 of 2" in found
    assert "in since" in found
    known = re.search(r'name="hash" value="([0-9a-f]{64})"', found)
    assert known
    assert "Come in" in text(phone.post("/door/let-in", {"hash": known[1]}, headers={"HX-Request": "true"}))
    assert "Nobody on the list" in text(phone.post("/door/names", {"name": "zz"}))
    assert phone.get("/door/names?name=bo").status_code == 405, "a name stands in no address"
    assert "none of our tickets" in text(phone.post("/door/let-in", {"code": "https://example.org"}))
    assert Offer.objects.get().state == State.RECEIVED
    assert "You are in." in text(night.bo.get(night.won))
    assert night.bo.post(night.won, {"act": "not-received"}).status_code == 404


def test_a_mistake_at_the_door_is_undone(night: Night) -> None:
    phone = night.door()
    said = text(phone.post("/door/let-in", {"code": night.code()}))
    scan = re.search(r'name="scan" value="([0-9a-f]{32})"', said)
    assert scan
    assert "good again" in text(phone.post("/door/undo", {"scan": scan[1]}, headers={"HX-Request": "true"}))
    assert "too late" in text(phone.post("/door/undo", {"scan": scan[1]}, headers={"HX-Request": "true"}))
    assert phone.post("/door/undo", {"scan": "x"}).status_code == 302
    (known, _), *_ = phone.get("/door/known.json").json()["tickets"]
    again = text(phone.post("/door/let-in", {"hash": known}))
    mine = re.search(r'name="scan" value="([0-9a-f]{32})"', again)
    assert mine
    other = {"scan": secrets.token_hex(16), "hash": known, "at": int(NIGHT.timestamp() * 1000)}
    told(phone, phone.get("/door/known.json").json()["pass"], other)
    assert "is still in" in text(phone.post("/door/undo", {"scan": mine[1]}, headers={"HX-Request": "true"}))
    phone.post("/door/undo", {"scan": other["scan"]})
    assert "Come in" in text(phone.post("/door/let-in", {"code": night.code()}))


def test_a_guest_is_found_by_the_winners_name_and_by_the_mark_and_undone_from_there(night: Night) -> None:
    night.bo.post(f"{night.won}/ticket-2/give", {"name": "Karim Benali"})
    phone, karim = night.door(), night.tickets()[1]
    for asked in ("benali", "le goff karim", mark_of(bytes(karim.token_hash)).lower()):
        found = text(phone.post("/door/names", {"name": asked}))
        assert "Karim Benali" in found, asked
        assert "guest of Bo Le Goff" in found
    phone.post("/door/let-in", {"code": night.code(2)})
    found = text(phone.post("/door/names", {"name": "benali"}, headers={"HX-Request": "true"}))
    scan = re.search(r'name="scan" value="([0-9a-f]{32})"', found)
    assert scan
    assert 'name="scan"' not in text(night.door("Back door").post("/door/names", {"name": "benali"}))
    assert "good again" in text(phone.post("/door/undo", {"scan": scan[1]}, headers={"HX-Request": "true"}))
    page = text(night.stage.client(night.stage.ana).get(CONCERT))
    assert "guest of Bo Le Goff" in page


def test_who_gave_a_place_on_is_told_what_to_do_and_prints_that_one(night: Night) -> None:
    given = night.bo.post(f"{night.won}/ticket-2/give", {"name": "Karim"})
    assert given["Location"].endswith("?given#ticket-2")
    assert "Hand them their ticket now" in text(night.bo.get(given["Location"]))
    one = night.bo.get(f"{night.won}/tickets.pdf?place=2").content
    assert len(one) < len(night.bo.get(f"{night.won}/tickets.pdf").content)
    assert night.bo.get(f"{night.won}/tickets.pdf?place=3").status_code == 404


def test_nobody_without_a_code_is_at_a_door_and_guessing_ends(night: Night) -> None:
    stranger = night.stage.client()
    assert "type the code" in text(stranger.get("/door"))
    for path in ("state", "known.json"):
        assert stranger.get(f"/door/{path}").status_code == 403
    for path in ("let-in", "undo", "names"):
        assert stranger.post(f"/door/{path}", {"code": night.code()}).status_code == 403
    assert stranger.cookies == {}
    assert night.tickets()[0].entered_at is None
    for _ in range(CODES_PER_HOUR):
        assert stranger.post("/door", {"code": "aaaaaaaa"}).status_code == 422
    assert stranger.post("/door", {"code": "aaaaaaaa"}).status_code == 429
    assert "Too many codes" in text(stranger.post("/door", {"code": "aaaaaaaa"}))


def test_a_closed_door_lets_nobody_in_and_a_phone_leaves_it(night: Night) -> None:
    phone, other = night.door(), night.door("Back door")
    Door.objects.filter(name="Main door").update(ended_at=clock.now())
    assert phone.get("/door").status_code == 403
    assert "This door is closed" in text(phone.get("/door"))
    assert phone.post("/door/let-in", {"code": night.code()}).status_code == 403
    assert other.post("/door/leave")["Location"] == "/door"
    assert "type the code" in text(other.get("/door"))


def told(phone: Client, passed: str, *scans: dict[str, Any]) -> Any:
    body = json.dumps({"pass": passed, "scans": scans})
    return phone.post("/door/merge", body, content_type="application/json")


def test_what_phones_did_without_network_is_merged_and_conflicts_show(night: Night) -> None:
    phone, other = night.door(), night.door("Back door")
    known, others = (each.get("/door/known.json").json() for each in (phone, other))
    assert [is_in for _, is_in in known["tickets"]] == [0, 0]
    assert "Le Goff" not in json.dumps(known)
    first, second = (each for each, _ in known["tickets"])
    at = int(NIGHT.timestamp() * 1000)
    mine = {"scan": secrets.token_hex(16), "hash": first, "at": at}
    assert told(phone, known["pass"], mine).json() == {"became": ["in"]}
    assert told(phone, known["pass"], mine).json() == {"became": ["in"]}, "told twice, it is one"
    theirs = {"scan": secrets.token_hex(16), "hash": first, "at": at + 60_000}
    stray = {"scan": secrets.token_hex(16), "hash": "0" * 64, "at": at}
    assert told(other, others["pass"], theirs, stray).json() == {"became": ["already_in", "not_ours"]}
    state = text(phone.get("/door/state"))
    assert "1 let in on a ticket that was no good" in state
    assert "Le Goff" not in text(phone.get("/door")), "what a phone keeps names nobody"
    Door.objects.filter(name="Back door").update(ended_at=clock.now())
    late = {"scan": secrets.token_hex(16), "hash": second, "at": at}
    assert told(night.stage.client(), others["pass"], late).json() == {"became": ["told_late"]}
    page = text(night.stage.client(night.stage.ana).get(CONCERT))
    assert "Let in on a ticket that was no good" in page
    assert "Back door, without network: somebody was in with it already" in page
    assert "told once that door was closed; the ticket is still good" in page
    assert told(phone, known["pass"] + "x", mine).status_code == 403
    with time_machine.travel(NIGHT + dt.timedelta(days=3)):
        assert told(phone, known["pass"], mine).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "null", '{"pass": "x", "scans": 3}', '{"pass": "x", "scans": [3]}', '{"pass": 3, "scans": []}',
        '{"pass": "x", "scans": [{"scan": "x", "hash": "y", "at": 1}]}', '{"scans": []}',
        json.dumps({"pass": "x", "scans": [{"scan": "0" * 32, "hash": "0" * 64, "at": True}]}).replace("true", "1e400"),
        json.dumps({"pass": "x", "scans": [{"scan": "0" * 32, "hash": "0" * 64, "at": -1}]}),
        json.dumps({"pass": "x", "scans": [{"scan": "0" * 32, "hash": "0" * 64, "at": 0}] * (MERGED_AT_ONCE + 1)}),
        "[" * 60_000,
    ],
)  # fmt: skip
def test_what_no_phone_tells_is_refused_in_words(night: Night, body: str) -> None:
    answer = night.door().post("/door/merge", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json() == {"wrong": "this is not what a door tells"}
    assert not Scan.objects.exists()


def test_before_the_day_a_door_can_practise() -> None:
    with time_machine.travel(SETTLED):
        night = Night()
        said = text(night.door().post("/door/let-in", {"code": night.code()}))
        assert "Not today" in said
        assert night.tickets()[0].entered_at is None


def test_ana_makes_doors_and_has_the_guest_list(night: Night) -> None:
    ana = night.stage.client(night.stage.ana)
    assert "The release concert" in text(ana.get(AT_HOME))
    assert "The door and the guest list" in text(ana.get(f"{AT_HOME}/record"))
    assert ana.post(CONCERT, {"act": "open", "name": ""}).status_code == 422
    page = text(ana.post(CONCERT, {"act": "open", "name": "Main entrance"}))
    code = re.search(r'<p class="door__code number">([a-z0-9]{4}-[a-z0-9]{4})</p>', page)
    assert code
    assert code[1] not in text(ana.get(CONCERT)), "it is shown once"
    phone = night.stage.client()
    assert phone.post("/door", {"code": code[1]}).status_code == 302
    assert "Main entrance" in text(phone.get("/door"))
    assert "Bo Le Goff" in text(ana.get(CONCERT))
    table = ana.get(f"{CONCERT}/guests.csv").content.decode()
    assert "Bo Le Goff,1,2," in table
    assert ana.get(f"{CONCERT}/guests.pdf").content.startswith(b"%PDF")
    said = phone.post("/door/let-in", {"code": night.code()})
    assert "Come in" in text(said)
    out = re.search(r'name="ticket" value="(\d+)"', text(ana.get(CONCERT)))
    assert out
    assert ana.post(CONCERT, {"act": "out", "ticket": out[1]}).status_code == 302
    assert night.tickets()[0].entered_at is None
    assert ana.post(CONCERT, {"act": "end", "door": Door.objects.get().pk}).status_code == 302
    assert phone.get("/door").status_code == 403
    for wrong in ("", "x", "0", "9" * 30):
        assert ana.post(CONCERT, {"act": "end", "door": wrong}).status_code == 404
        assert ana.post(CONCERT, {"act": "out", "ticket": wrong}).status_code == 404
    for path in (CONCERT, f"{CONCERT}/guests.csv", f"{CONCERT}/guests.pdf"):
        assert night.bo.get(path).status_code == 404
        assert night.stage.client().get(path).status_code == 302
    assert ana.get("/maree-haute/organise/concerts/nowhere").status_code == 404


def test_nothing_is_sent_to_who_comes_to_a_concert(night: Night) -> None:
    ana, its = night.stage.client(night.stage.ana), Offer.objects.get()
    page = text(ana.get(f"{AT_HOME}/record"))
    assert 'value="sent"' not in page
    sent = {"offer": its.pk, "step": its.step, "to": "sent", "note": ""}
    assert ana.post(f"{AT_HOME}/record", sent).status_code == 409
    assert ana.post(f"{AT_HOME}/record", {**sent, "to": "withdrawn"}).status_code == 302
    assert night.tickets() == []
    assert "This place was given up" in text(
        night.door().post("/door/let-in", {"hash": bytes(Ticket.objects.first().token_hash).hex()})  # type: ignore[union-attr]
    )
