"""The kiosk in a real Minetest server, touched by players who speak Minetest's own protocol."""

import json
import time

import pytest

from tests.worlds.luanti import pages
from tests.worlds.luanti.conftest import World
from tests.worlds.luanti.door import LINE, WELCOME
from tests.worlds.luanti.player import Player, To
from tests.worlds.luanti.server import KIOSK, ROOM

DISTURBING = (To.PLAY_SOUND, To.PARTICLE, To.PARTICLES, To.HUD_ADD)


def touched(player: Player, text: str = "1,250 points"):
    """What the player sees when they touch the kiosk."""
    player.touch(KIOSK)
    return player.form(text)


def has_come(player: Player) -> None:
    """Whatever the player did so far, the server has seen: it says again what they say afterwards."""
    player.say("so far")
    player.wait(lambda: f"<{player.name}> so far" in player.chats)


def test_bo_touches_the_kiosk_reads_the_page_and_chooses(world: World) -> None:
    bo = world.join()
    form = touched(bo)
    assert form.texts == ["La vTeam de Lune Noire", "You have 1,250 points: 12th of 640."]
    assert list(form.buttons) == ["×", "Missions", "Ranking", "Link me"]
    world.door.answer = lambda path, told: WELCOME | {"text": "Five missions today."}
    bo.press(form, "Missions")
    bo.form("Five missions")
    touch, action = world.door.visits
    assert (touch.path, touch.told) == (
        "/world/v1/touch",
        {"avatar": bo.name, "name": bo.name, "language": ""},
    )
    assert (action.path, action.told["choice"]) == ("/world/v1/action", "missions")
    assert touch.headers["Content-Type"] == "application/json"


def test_what_bo_types_arrives_as_it_was_typed(world: World) -> None:
    world.door.answer = lambda path, told: pages.ASKS
    bo = world.join()
    form = touched(bo, "lighthouse")
    assert "What is it, and where does it stand?" in form.texts
    bo.press(form, "Send", ask='Une affiche "bleue" \\ près du phare, (12, 8, -3) 🎸')
    told = world.door.wait("action").told
    assert (told["choice"], told["text"]) == (
        "bring:poster",
        'Une affiche "bleue" \\ près du phare, (12, 8, -3) 🎸',
    )


def test_the_enter_key_sends_what_was_typed_and_an_empty_line_sends_nothing(world: World) -> None:
    world.door.answer = lambda path, told: pages.ASKS
    bo = world.join()
    form = touched(bo, "lighthouse")
    bo.fields(form.name, ask="   ", key_enter="true", key_enter_field="ask")
    bo.fields(form.name, ask="by the pier", key_enter="true", key_enter_field="ask")
    assert world.door.wait("action").told["text"] == "by the pier"
    assert len(world.door.asked("action")) == 1


@pytest.mark.parametrize("instead", [(504, b"<html>"), (200, b"")], ids=["no answer in time", "an empty one"])
def test_what_bo_typed_and_nobody_answered_stands_in_the_form_again(
    world: World, instead: tuple[int, bytes]
) -> None:
    typed = 'Une affiche "bleue" ];[\\ près du phare, ${name} (12, 8, -3) 🎸'
    world.door.answer = lambda path, told: pages.ASKS
    bo = world.join()
    form = touched(bo, "lighthouse")
    world.door.instead = instead
    bo.press(form, "Send", ask=typed)
    form = bo.form("Nothing is lost: try again")
    assert form.fields == {"ask": typed}
    assert "What is it, and where does it stand?" in form.texts
    world.door.instead = None
    world.door.answer = lambda path, told: WELCOME
    bo.press(form, "Send")
    bo.form("1,250 points")
    assert [each.told["text"] for each in world.door.asked("action")] == [typed, typed]


@pytest.mark.parametrize(
    ("instead", "words"),
    [
        ((504, b""), "Nothing is lost"),
        ((429, b'{"text": "Too many at once. Try again.", "why": "too_often"}'), "Too many at once"),
    ],
    ids=["no answer", "a refusal"],
)
def test_what_was_not_taken_stands_in_the_form_until_it_is(
    world: World, instead: tuple[int, bytes], words: str
) -> None:
    world.door.answer = lambda path, told: pages.ASKS
    bo = world.join()
    form = touched(bo, "lighthouse")
    world.door.instead = instead
    bo.press(form, "Send", ask="by the pier")
    form = bo.form(words)
    assert form.fields == {"ask": "by the pier"}
    world.door.instead = None
    bo.press(form, "Send")
    assert world.door.wait("action", 2).told["text"] == "by the pier"
    assert bo.form("lighthouse").fields == {"ask": ""}


def test_the_longest_text_in_any_script_stays_within_the_limits(world: World) -> None:
    world.door.answer = lambda path, told: pages.ASKS
    bo = world.join()
    bo.press(touched(bo, "lighthouse"), "Send", ask='🎸"' * 600)
    request = world.door.wait("action")
    assert len(request.told["text"]) == 400
    assert len(request.raw) <= 4096


def test_being_there_goes_to_its_own_address(world: World) -> None:
    world.door.answer = lambda path, told: pages.LONG
    bo = world.join(language="fr")
    bo.press(touched(bo, "trois missions"), "Je suis là")
    assert world.door.wait("presence").told == {"avatar": bo.name, "name": bo.name, "language": "fr"}
    assert world.door.asked("action") == []


def test_the_largest_page_of_the_contract_is_shown_whole(world: World) -> None:
    assert len(pages.LONG["text"].encode()) >= 495
    world.door.answer = lambda path, told: pages.LONG
    bo = world.join()
    form = touched(bo, "trois missions")
    assert form.texts == [pages.LONG["title"], pages.LONG["text"]]
    assert list(form.buttons)[1:] == [label for _, label in pages.LONG["choices"]]


def test_touching_the_room_says_so(world: World) -> None:
    bo = world.join()
    bo.touch(ROOM)
    bo.form("1,250 points")
    assert world.door.wait("touch").told["at"] == "room"


def test_a_bystander_is_sent_nothing_at_all(world: World) -> None:
    cy = world.join()
    bo = world.join()
    cy.wait(lambda: any(bo.name in each for each in cy.chats))
    heard, seen = list(cy.chats), {each: cy.seen[each] for each in DISTURBING}
    form = touched(bo)
    bo.press(form, "Missions")
    bo.form("1,250 points")
    cy.say("still here")
    cy.wait(lambda: any("still here" in each for each in cy.chats))
    assert cy.forms == []
    assert [each for each in cy.chats if each not in heard] == [f"<{cy.name}> still here"]
    assert {each: cy.seen[each] for each in DISTURBING} == seen
    assert [each for each in bo.chats if "vTeam" in each and "Server:" not in each] == []


def test_the_line_is_what_the_platform_says_and_shows_no_secret(world: World) -> None:
    bo = world.join()
    touched(bo)
    bo.wait(lambda: bo.nodes[KIOSK]["infotext"] == LINE)
    world.door.answer = lambda path, told: WELCOME | {"line": "touch me: Lune Noire plays here now"}
    touched(bo)
    bo.wait(lambda: bo.nodes[KIOSK]["infotext"] == "touch me: Lune Noire plays here now")
    told = json.dumps([dict(each) for each in bo.nodes.values()])
    for key, secret in world.door.known.secrets.items():
        assert key not in told
        assert secret not in told


def test_hostile_words_from_the_platform_are_words_only(world: World) -> None:
    world.door.answer = lambda path, told: pages.HOSTILE
    bo = world.join()
    form = touched(bo, "formspec_version")
    kinds = [kind for kind, _ in form.elements]
    assert kinds.count("button") == 4
    assert kinds.count("formspec_version") == 1
    assert set(form.buttons.values()) == {"close", "choice_1", "choice_2", "send", "flyer"}
    assert "\x1b" not in form.spec
    assert not any(ord(each) < 32 and each != "\n" for each in form.spec)
    assert "red" in form.text
    assert "(c@#ff0000)" not in form.text
    assert form.fields["address"] == "https://vteam.example/?a=[1];b=2,3"
    bo.press(form, "];button[0,0;1,1;x;y]")
    assert world.door.wait("action").told["choice"] == "a];b"
    bo.wait(lambda: bo.nodes[KIOSK]["infotext"].startswith("one two ];["))
    assert "\x1b" not in bo.nodes[KIOSK]["infotext"]
    assert "\n" not in bo.nodes[KIOSK]["infotext"]


def test_fields_of_a_form_somebody_else_was_shown_are_refused(world: World) -> None:
    bo, cy = world.join(), world.join()
    form = touched(bo)
    cy.press(form, "Missions")
    cy.fields("vteam:visit_1", choice_1="x")
    bo.press(form, "Ranking")
    assert world.door.wait("action").told["avatar"] == bo.name
    assert len(world.door.asked("action")) == 1
    assert cy.forms == []


def test_a_choice_that_was_not_offered_is_refused(world: World) -> None:
    bo = world.join()
    form = touched(bo)
    bo.fields(form.name, choice_4="Stop", send="", ask="something", flyer="", enrol="", code="k4wm7tq2")
    bo.fields(form.name, choice_0="", key_enter_field="code", code="k4wm7tq2")
    bo.fields("vteam:flyer", choice_1="")
    bo.fields("", choice_1="")
    bo.press(form, "Ranking")
    assert world.door.wait("action").told["choice"] == "ranking"
    assert [each.path for each in world.door.visits] == ["/world/v1/touch", "/world/v1/action"]


def test_the_fields_of_a_form_that_was_replaced_are_refused(world: World) -> None:
    bo = world.join()
    old = touched(bo)
    world.door.answer = lambda path, told: WELCOME | {"text": "Another page.", "choices": [["stop", "Stop"]]}
    bo.press(old, "Missions")
    new = bo.form("Another page")
    bo.press(old, "Missions")
    bo.press(new, "Stop")
    assert world.door.wait("action", 2).told["choice"] == "stop"
    assert len(world.door.asked("action")) == 2


def test_pressing_many_times_asks_once(world: World) -> None:
    bo = world.join()
    form = touched(bo)
    with world.door.holding_back():
        for _ in range(5):
            bo.press(form, "Missions")
            bo.touch(KIOSK)
        has_come(bo)
    bo.form("1,250 points")
    assert [each.path for each in world.door.visits] == ["/world/v1/touch", "/world/v1/action"]


def test_an_answer_that_comes_after_the_form_was_closed_is_dropped(world: World) -> None:
    bo = world.join()
    with world.door.holding_back():
        bo.touch(KIOSK)
        bo.close(bo.form("One moment"))
        world.door.wait("touch")
        has_come(bo)
    time.sleep(0.5)
    assert len(bo.forms) == 1
    touched(bo)


def test_whoever_touches_again_while_the_answer_is_on_its_way_gets_that_one(world: World) -> None:
    bo = world.join()
    with world.door.holding_back():
        bo.touch(KIOSK)
        bo.close(bo.form("One moment"))
        bo.touch(KIOSK)
        bo.form("One moment")
    bo.form("1,250 points")
    assert len(world.door.asked("touch")) == 1


def test_whoever_leaves_is_forgotten_and_may_come_back(world: World) -> None:
    bo = world.join("bo")
    with world.door.holding_back():
        bo.touch(KIOSK)
        bo.form("One moment")
        bo.leave()
        world.server.logged("bo leaves game")
    time.sleep(0.5)
    again = world.join("bo")
    assert again.forms == []
    touched(again)


def test_whoever_was_carried_away_must_come_back(world: World) -> None:
    bo = world.join()
    form = touched(bo)
    bo.say("/away")
    bo.wait(lambda: bo.position[0] > 50)
    bo.press(form, "Missions")
    bo.form("too far away")
    assert world.door.asked("action") == []


MAD = {
    "500": (500, b'{"text": "a stack trace"}'),
    "a web page": (200, b"<html>"),
    "nothing": (200, b""),
    "null": (200, b"null"),
    "no text": (200, b'{"title": "no text"}'),
    "deep": (200, b'{"text": ' + b"[" * 2000 + b"]" * 2000 + b"}"),
    "huge": (200, b'{"text": "' + b"x" * 1_000_000 + b'"}'),
    "cut": (200, b'{"text": "\xff\xfe'),
    "numbers": (200, b'{"text": 1, "choices": 2, "open": 3, "ask": [], "line": {}}'),
}


def test_a_platform_gone_mad_is_told_as_one_that_cannot_be_reached(world: World) -> None:
    bo = world.join(language="fr")
    for instead in MAD.values():
        world.door.instead = instead
        bo.touch(KIOSK)
        bo.close(bo.form("n'arrive pas à joindre la vTeam"))
    world.door.instead = None
    touched(bo)


def test_what_is_strange_in_a_page_is_left_out_and_the_rest_shown(world: World) -> None:
    world.door.instead = (
        200,
        json.dumps(
            {
                "text": "Fine.\x00",
                "title": 5,
                "choices": {"a": "b"},
                "ask": {"choice": 7},
                "line": "\x1b(c@red)",
                "open": {"address": "javascript:alert(1)", "label": "x", "flyer": True},
            }
        ).encode(),
    )
    bo = world.join()
    form = touched(bo, "Fine.")
    assert (form.texts, list(form.buttons), form.fields) == (["vTeam", "Fine."], ["×"], {})
    assert bo.nodes[KIOSK]["infotext"] != ""


def test_a_refusal_is_shown_in_the_platforms_words(world: World) -> None:
    bo = world.join()
    world.door.instead = (403, b'{"text": "This kiosk was taken back.", "why": "unknown"}')
    bo.touch(KIOSK)
    assert bo.form("This kiosk was taken back").texts == ["vTeam", "This kiosk was taken back."]


@pytest.mark.parametrize("why", ["late", "revoked", "repeated"])
def test_what_no_code_mends_asks_nobody_for_one(world: World, why: str) -> None:
    world.door.instead = (403, f'{{"text": "Not now.", "why": "{why}"}}'.encode())
    world.ana.touch(KIOSK)
    assert world.ana.form("Not now").fields == {}


def test_a_kiosk_that_is_not_believed_any_more_takes_a_new_code_from_its_owner_alone(world: World) -> None:
    world.door.instead = (403, b'{"text": "Type a new code.", "why": "unknown"}')
    bo = world.join()
    bo.touch(KIOSK)
    assert bo.form("Type a new code").fields == {}
    world.ana.touch(ROOM)
    assert world.ana.form("Type a new code").fields == {}
    world.ana.touch(KIOSK)
    form = world.ana.form("Type a new code")
    world.door.instead = None
    world.ana.press(form, "Set up", code=world.door.code())
    world.ana.close(world.ana.form("This kiosk is now"))
    touched(bo)
    keys = [each.headers["X-VTeam-Key"] for each in world.door.asked("touch")]
    assert keys[0] == keys[1] == keys[2] != keys[3]


def test_a_code_whose_answer_was_lost_is_typed_again(world: World) -> None:
    world.door.instead = (403, b'{"text": "Type a new code.", "why": "unknown"}')
    world.ana.touch(KIOSK)
    form = world.ana.form("Type a new code")
    code = world.door.code()
    world.door.instead = (504, b"<html>")
    world.ana.press(form, "Set up", code=code)
    form = world.ana.form("Nothing is lost")
    assert form.fields == {"code": code}
    world.door.instead = None
    world.ana.press(form, "Set up")
    world.ana.close(world.ana.form("This kiosk is now"))
    touched(world.join())
    assert [each.told["code"] for each in world.door.asked("enrol")] == [code, code]


def test_the_address_of_a_link_is_for_one_player_and_kept_nowhere(world: World) -> None:
    bo = world.join()
    world.door.answer = lambda path, told: pages.OPENS
    form = touched(bo, "ten minutes")
    assert form.fields == {"address": "https://vteam.example/link/4f9c2ab17d"}
    assert "Take a flyer" not in form.buttons
    bo.fields(form.name, flyer="x", address="https://vteam.example/link/4f9c2ab17d")
    time.sleep(0.3)
    assert not any("flyer" in each for each in bo.inventory)
    assert "4f9c2ab17d" not in world.server.log


def test_a_newer_client_can_open_the_address_itself(world: World) -> None:
    bo = world.join(formspec_version=8)
    world.door.answer = lambda path, told: pages.OPENS
    form = touched(bo, "ten minutes")
    (parts,) = [parts for kind, parts in form.elements if kind == "button_url"]
    assert parts[4] == "https://vteam.example/link/4f9c2ab17d"


def test_a_flyer_is_taken_handed_on_and_read_by_somebody_else(world: World) -> None:
    bo, cy = world.join(), world.join()
    world.door.answer = lambda path, told: pages.FLYER
    bo.press(touched(bo, "Here is a flyer"), "Take a flyer")
    bo.form("in your inventory")
    bo.wait(lambda: any("vteam:flyer" in each for each in bo.inventory))
    at = next(at for at, each in enumerate(bo.inventory) if "vteam:flyer" in each)
    bo.close(bo.forms[-1])
    bo.drop(at)
    cy.pick_up()
    cy.wait(lambda: any("vteam:flyer" in each for each in cy.inventory))
    cy.use(next(at for at, each in enumerate(cy.inventory) if "vteam:flyer" in each))
    form = cy.form("Lune Noire")
    assert form.fields == {"address": "https://vteam.example/r/k7q2m9"}
    assert pages.AD in form.text
    assert len(world.door.visits) == 1


def test_no_nonce_is_used_twice_and_every_signature_is_right(world: World) -> None:
    bo = world.join()
    for _ in range(5):
        bo.close(touched(bo))
    nonces = [each.headers["X-VTeam-Nonce"] for each in world.door.visits]
    assert len(set(nonces)) == 5
    assert {each.refusal for each in world.door.requests} == {""}
