"""Setting a kiosk up: by its owner only, with a code; and forgetting it all when it changes hands."""

from tests.worlds.conftest import Place
from tests.worlds.lsldoor import LOST, Door
from tests.worlds.lslworld import Resident, World


def enrol(kiosk: World, owner: Resident, code: str) -> None:
    kiosk.touch(owner)
    kiosk.run(2)
    kiosk.type(owner, code)
    kiosk.run(5)


def test_ana_sets_her_kiosk_up_with_a_code(bare: World, door: Door, ana: Resident) -> None:
    code = door.code(world=bare.limits.world)
    enrol(bare, ana, code)
    assert door.got[0].values == {"code": code}
    assert [header for header, _ in bare.sent[0].headers if header.startswith("X-VTeam")] == []
    assert ana.shown[-1].text == "This kiosk is ready."
    assert door.paths() == ["enrol", "heartbeat"]
    assert door.got[1].values == {"url": bare.urls[0]}


def test_the_line_comes_with_the_key(bare: World, door: Door, ana: Resident) -> None:
    door.line = "touch me: Lune Noire's vTeam (album: 27 November)"
    enrol(bare, ana, door.code(world=bare.limits.world))
    (_, first), (at, second) = bare.hover
    assert (first, second) == ("touch me: Lune Noire's vTeam", door.line)
    assert at < bare.sent[1].at


def test_others_are_told_privately_that_it_is_not_set_up(bare: World, door: Door, ana: Resident) -> None:
    bo, cy = Resident("Bo Resident", "fr"), Resident("Cy Resident", "en-us")
    bare.touch(bo, cy)
    bare.run(5)
    assert [shown.text for shown in bo.shown] == ["Je ne suis pas encore configurée."]
    assert [shown.text for shown in cy.shown] == ["I am not set up yet."]
    assert not ana.shown
    assert not door.got
    assert not bare.listens


def test_nobody_else_can_type_a_code_even_on_the_right_channel(
    bare: World, door: Door, ana: Resident
) -> None:
    bo = bare.add(Resident("Bo Resident"))
    bare.touch(ana)
    bare.run(2)
    bare.chat(bo, ana.dialog.channel, door.code(world=bare.limits.world))
    bare.run(5)
    assert not door.got


def test_a_wrong_code_is_answered_with_why_and_the_way_to_try_again(
    bare: World, door: Door, ana: Resident
) -> None:
    enrol(bare, ana, "not a code")
    assert ana.dialog.text == "This code is wrong, used or too old."
    bare.press(ana, "Set up")
    bare.run(2)
    bare.type(ana, door.code(world=bare.limits.world))
    bare.run(5)
    assert ana.shown[-1].text == "This kiosk is ready."


def test_a_key_whose_answer_was_lost_is_asked_for_again_with_the_same_code(
    bare: World, door: Door, ana: Resident
) -> None:
    door.faults = [LOST]
    enrol(bare, ana, door.code(world=bare.limits.world))
    assert door.paths() == ["enrol", "enrol", "heartbeat"]
    assert [shown.text for shown in ana.kinds("dialog")] == ["This kiosk is ready."]
    assert list(door.known.secrets.items()) == [(bare.script.kiosk, bare.script.secret)]
    assert not door.refusals


def test_what_no_code_mends_asks_the_owner_for_none(kiosk: World, door: Door, ana: Resident) -> None:
    door.clock = lambda: kiosk.now + 1_000
    kiosk.touch(ana)
    kiosk.run(3)
    assert (ana.dialog.text, ana.dialog.buttons) == ("The time is wrong.", ("OK",))


def test_a_revoked_key_is_told_to_all_and_only_the_owner_can_set_up_anew(
    kiosk: World, door: Door, ana: Resident
) -> None:
    door.known.secrets.clear()
    bo = Resident("Bo Resident")
    kiosk.touch(bo)
    kiosk.run(3)
    assert (bo.dialog.text, bo.dialog.buttons) == ("This key is not known.", ("OK",))
    kiosk.touch(ana)
    kiosk.run(3)
    assert ana.dialog.buttons == ("Set up", "OK")
    kiosk.press(ana, "OK")
    kiosk.run(3)
    assert not kiosk.listens
    kiosk.touch(ana)
    kiosk.run(3)
    kiosk.press(ana, "Set up")
    kiosk.run(2)
    kiosk.type(ana, door.code(world=kiosk.limits.world))
    kiosk.run(5)
    kiosk.touch(bo)
    kiosk.run(3)
    assert "Hello Bo Resident." in bo.dialog.text


def test_given_away_it_forgets_its_key_and_asks_the_new_owner(
    kiosk: World, door: Door, ana: Resident
) -> None:
    cy = Resident("Cy Resident")
    kiosk.push(door.push("touch me: they play here tonight", key=kiosk.script.kiosk, at=kiosk.now))
    kiosk.give_to(cy)
    kiosk.run(2)
    assert kiosk.hover[-1][1] == "touch me: Lune Noire's vTeam"
    assert (kiosk.script.kiosk, kiosk.script.secret) == ("", "")
    assert not kiosk.linkset_data
    assert not kiosk.urls
    before = len(door.got)
    kiosk.touch(ana)
    kiosk.run(1000)
    assert ana.shown[-1].text == "I am not set up yet."
    assert len(door.got) == before
    enrol(kiosk, cy, door.code(world=kiosk.limits.world))
    assert cy.shown[-1].text == "This kiosk is ready."
    assert not door.refusals


def test_taken_out_again_it_has_forgotten_its_key(kiosk: World, ana: Resident) -> None:
    kiosk.take_out_again()
    kiosk.run(2)
    assert kiosk.script.secret == ""
    assert not kiosk.linkset_data
    kiosk.touch(ana)
    kiosk.run(2)
    assert ana.dialog.kind == "textbox"


def test_a_reset_is_survived_where_the_world_keeps_data(kiosk: World, door: Door, ana: Resident) -> None:
    bo = Resident("Bo Resident")
    kiosk.reset()
    kiosk.run(3)
    kiosk.touch(bo)
    kiosk.run(3)
    if kiosk.limits.has_linkset_data:
        assert "Hello Bo Resident." in bo.dialog.text
    else:
        assert bo.shown[-1].text == "I am not set up yet."
        enrol(kiosk, ana, door.code(world=kiosk.limits.world))
        assert ana.shown[-1].text == "This kiosk is ready."


def test_another_script_without_the_phrase_can_neither_read_nor_spoil_the_secret(
    kiosk: World, door: Door, place: Place, ana: Resident
) -> None:
    if not kiosk.limits.has_linkset_data:
        return
    ((name, (kept, phrase)),) = kiosk.linkset_data.items()
    assert kiosk.script.secret in kept
    assert len(phrase) == 32
    other = place(door.address)  # a script downloaded anew has another phrase
    other.linkset_data[name] = (kept, phrase)
    other.reset()
    assert other.script.secret == ""
    enrol(other, ana, door.code(world=other.limits.world))
    other.reset()
    assert other.script.secret != ""
    assert other.linkset_data[name] == (kept, phrase)


def test_an_answer_without_key_or_secret_sets_nothing_up(bare: World, door: Door, ana: Resident) -> None:
    for answer in (b"{}", b'{"key": "k"}', b'{"key": "k", "secret": ""}', b"<html>", b"", b"[]"):
        door.faults.append(answer)
        enrol(bare, ana, "k4wm 7tq2")
        assert ana.shown[-1].text.startswith("I cannot reach the vTeam")
        assert bare.script.secret == ""
    assert not bare.linkset_data
