"""Residents at a kiosk, in both worlds: what each is shown, and that it is shown to nobody else."""

from typing import Any

import pytest

from tests.worlds.lsldoor import Door, Got, page_for
from tests.worlds.lslworld import COPY, TRANSFER, Resident, Shown, World


def people(*names: str) -> list[Resident]:
    return [Resident(f"{name} Resident") for name in names]


def touched(kiosk: World, resident: Resident) -> None:
    kiosk.touch(resident)
    kiosk.run(3)


def test_bo_touches_the_kiosk_and_is_shown_a_page_of_the_vteam(kiosk: World, door: Door) -> None:
    bo = Resident("Bo Resident", "fr")
    touched(kiosk, bo)
    assert door.got[-1].values == {"avatar": bo.key, "name": "Bo Resident", "language": "fr"}
    assert bo.dialog.text == "La vTeam de Lune Noire\n\nHello Bo Resident."
    assert len(bo.shown) == 1


@pytest.mark.parametrize("count", range(1, 12))
def test_choices_are_read_in_their_order_from_the_top_left(kiosk: World, door: Door, count: int) -> None:
    (bo,) = people("Bo")
    labels = [f"choice {number}" for number in range(count)]
    door.page = lambda got: page_for(got) | {"choices": [[label, label] for label in labels]}
    touched(kiosk, bo)
    # A dialog fills its rows of three from the bottom.
    rows = [bo.dialog.buttons[first : first + 3] for first in range(0, count, 3)]
    assert [label for row in reversed(rows) for label in row] == labels


def test_every_button_sends_back_the_choice_it_stands_for(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    choices = [[f"id:{number}", f"{'é' * 10} {number}"] for number in range(11)]
    door.page = lambda got: page_for(got) | {"choices": choices}
    for identifier, label in choices:
        touched(kiosk, bo)
        kiosk.press(bo, label)
        kiosk.run(3)
        assert door.got[-1].path == "action"
        assert door.got[-1].values["choice"] == identifier


def test_being_there_is_told_as_a_presence(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    touched(kiosk, bo)
    kiosk.press(bo, "I'm here")
    kiosk.run(3)
    assert door.got[-1].path == "presence"
    assert door.got[-1].values == {"avatar": bo.key, "name": bo.name, "language": ""}


def test_three_residents_at_once_each_get_their_own_dialog_and_link(kiosk: World, door: Door) -> None:
    trio = people("Bo", "Cy", "Di")
    kiosk.touch(*trio)
    kiosk.run(8)
    for resident in trio:
        assert f"Hello {resident.name}." in resident.dialog.text
        kiosk.press(resident, "Link me")
    kiosk.run(12)
    for resident in trio:
        assert [shown.address for shown in resident.kinds("url")] == [
            f"https://vteam.example/l/{resident.key}"
        ]
        others = [other.key for other in trio if other is not resident]
        assert not any(key in shown.text + shown.address for shown in resident.shown for key in others)


def test_what_a_resident_types_arrives_letter_by_letter(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    for typed in (
        'A "lighthouse" \\ at (12, 8, -3)',
        "[1, 2]",
        '{"choice":"x"}',
        "été/nuit\nligne 2",
        '"',
        "\\",
        "null",
    ):
        touched(kiosk, bo)
        kiosk.press(bo, "Bring")
        kiosk.run(3)
        assert bo.dialog.kind == "textbox"
        assert bo.dialog.text.endswith("Hello Bo Resident.\n\nWhat is it?")
        kiosk.type(bo, typed)
        kiosk.run(3)
        assert door.got[-1].values["choice"] == "bring:poster"
        assert door.got[-1].values["text"] == typed
    assert not door.refusals


def test_typing_is_one_more_button_where_there_are_choices_too(kiosk: World, door: Door) -> None:
    bo = Resident("Bo Resident", "fr-FR")
    asking = {"ask": {"choice": "bring:poster", "label": "Qu'est-ce que c'est ?"}}
    door.page = lambda got: page_for(got) | asking | {"choices": [[str(n), f"choix {n}"] for n in range(11)]}
    touched(kiosk, bo)
    assert len(bo.dialog.buttons) == 12
    kiosk.press(bo, "Écrire")
    kiosk.run(3)
    assert (bo.dialog.kind, bo.dialog.text) == ("textbox", "Qu'est-ce que c'est ?")
    kiosk.type(bo, "Un phare")
    kiosk.run(3)
    assert door.got[-1].values["text"] == "Un phare"


def test_long_names_and_texts_are_cut_to_what_the_platform_takes(kiosk: World, door: Door) -> None:
    bo = Resident("B" * 80)
    touched(kiosk, bo)
    assert door.got[-1].values["name"] == "B" * 64
    kiosk.press(bo, "Bring")
    kiosk.run(3)
    kiosk.type(bo, "é" * 500)
    kiosk.run(3)
    assert door.got[-1].values["text"] == "é" * 400


def test_the_line_of_a_page_is_shown_from_then_on(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    for line, shown in (("now", "now"), ("", "now"), (None, "now"), ("later", "later")):
        door.page = lambda got, line=line: page_for(got) | {"line": line}
        touched(kiosk, bo)
        assert kiosk.hover[-1][1] == shown


def test_a_text_box_left_empty_says_nothing_to_the_platform(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    touched(kiosk, bo)
    kiosk.press(bo, "Bring")
    kiosk.run(3)
    before = len(door.got)
    kiosk.type(bo, "  \n ")
    kiosk.run(5)
    assert len(door.got) == before


def test_long_pages_are_cut_to_what_a_dialog_shows(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    for text in ("é" * 250, "é" * 300, "🎸" * 200, "a" + "é" * 400):
        door.page = lambda got, text=text: page_for(got) | {"text": text}
        touched(kiosk, bo)
        assert text.startswith(bo.dialog.text)
        assert len(bo.dialog.text.encode()) > min(len(text.encode()), 511) - 4


def test_choices_of_a_careless_platform_do_not_stop_the_script(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    careless: list[Any] = [
        [["a", "é" * 30]],
        [["a", "A"], ["b", ""]],
        [],
        [[str(number), f"choice {number}"] for number in range(13)],
        "nonsense",
        None,
        [["a"]],
        [[]],
        [1, 2],
    ]
    for choices in careless:
        door.page = lambda got, choices=choices: page_for(got) | {"choices": choices}
        touched(kiosk, bo)
        assert bo.dialog.kind == "dialog"
        assert len(bo.dialog.buttons) <= 11
    assert len(bo.kinds("dialog")) == len(careless)


def test_typing_can_be_asked_for_without_a_question(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    door.page = lambda got: page_for(got) | {"ask": {"choice": "say"}}
    touched(kiosk, bo)
    kiosk.press(bo, "Write")
    kiosk.run(3)
    assert (bo.dialog.kind, bo.dialog.text) == ("textbox", "Write here:")


def test_only_web_addresses_are_opened(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    for address in ("secondlife:///app/agent/x/pay", "javascript:alert(1)", "https://x/" + "a" * 260, ""):
        opening = {"open": {"address": address, "label": "Open", "flyer": False}}
        door.page = lambda got, opening=opening: page_for(got) | opening
        touched(kiosk, bo)
    assert not bo.kinds("url")
    assert len(bo.kinds("dialog")) == 4


NOTE = "Ad: I'm on Lune Noire's vTeam and earn points towards prizes."


def a_flyer(got: Got) -> dict[str, Any]:
    return page_for(got) | {
        "open": {"address": "https://vteam.example/s/abc", "label": "My flyer", "flyer": True, "note": NOTE}
    }


def test_a_flyer_is_given_to_the_one_who_takes_it(kiosk: World, door: Door) -> None:
    bo, cy = people("Bo", "Cy")
    door.page = a_flyer
    kiosk.inventory["vTeam flyer"] = COPY | TRANSFER
    kiosk.add(cy)
    touched(kiosk, bo)
    assert [shown.text for shown in bo.kinds("given")] == ["vTeam flyer"]
    assert [shown.text for shown in bo.kinds("said")] == [f"To pass on: https://vteam.example/s/abc\n{NOTE}"]
    assert not cy.shown


def test_a_flyer_that_could_not_be_passed_on_stays_where_it_is(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    door.page = a_flyer
    kiosk.inventory["vTeam flyer"] = COPY
    touched(kiosk, bo)
    assert not bo.kinds("given")
    assert bo.kinds("url")


def test_an_address_that_is_a_secret_is_never_said_as_a_flyer(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    kiosk.inventory["vTeam flyer"] = COPY | TRANSFER
    touched(kiosk, bo)
    kiosk.press(bo, "Link me")
    kiosk.run(5)
    assert bo.kinds("url")
    assert not bo.kinds("given") + bo.kinds("said")


def test_a_dialog_left_alone_is_forgotten_and_its_channels_closed(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    touched(kiosk, bo)
    assert len(kiosk.listens) == 2
    kiosk.run(135)
    assert not kiosk.listens
    before = len(door.got)
    kiosk.press(bo, "Missions")
    kiosk.run(5)
    assert len(door.got) == before
    assert len(bo.shown) == 1


def test_two_minutes_are_two_minutes(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    for seconds, is_heard in ((115, True), (121, False), (124, False), (127, False)):
        touched(kiosk, bo)
        before = len(door.got)
        kiosk.run(seconds - 2)
        kiosk.press(bo, "Missions")
        kiosk.run(5)
        assert door.paths()[before:].count("action") == is_heard
        kiosk.run(200)


@pytest.mark.parametrize("seconds", [5.5, 20])
def test_who_answers_a_forgotten_dialog_while_another_is_open_is_told(kiosk: World, seconds: float) -> None:
    bo, cy = Resident("Bo Resident", "fr"), Resident("Cy Resident")
    touched(kiosk, bo)
    kiosk.run(110)
    touched(kiosk, cy)
    kiosk.run(seconds)
    kiosk.press(bo, "Missions")
    kiosk.run(5)
    assert bo.shown[-1].text == "C'était il y a un moment. Touche-moi de nouveau."
    assert len(cy.shown) == 1


def is_too_late(kiosk: World, door: Door, resident: Resident, older: Shown, said: str) -> None:
    """What is said at an older dialog goes nowhere, and they are told so."""
    before = len(door.got)
    kiosk.chat(resident, older.channel, said)
    kiosk.run(3)
    assert len(door.got) == before
    assert resident.shown[-1].text == "That was a while ago. Please touch me again."


def test_a_button_of_an_older_dialog_is_told_to_be_late_and_spoils_nothing(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    touched(kiosk, bo)
    door.page = lambda got: page_for(got) | {"choices": [["new", "New"]]}
    touched(kiosk, bo)
    is_too_late(kiosk, door, bo, bo.dialog, "Missions")
    kiosk.press(bo, "New")
    kiosk.run(3)
    assert door.got[-1].values["choice"] == "new"


def test_each_opening_has_channels_of_its_own_which_close_when_all_have_chosen(kiosk: World) -> None:
    (bo,) = people("Bo")
    channels = set()
    for _ in range(5):
        touched(kiosk, bo)
        channels |= set(kiosk.listens.values())
        kiosk.press(bo, "Missions")
        kiosk.run(0)
        assert not kiosk.listens
        kiosk.run(5)
        kiosk.chat(bo, bo.dialog.channel, "OK")  # answers nothing, but closes the dialog
        kiosk.run(1)
    assert len(channels) == 10
    assert max(channels) < -999_999


def test_objects_that_find_the_channel_are_not_heard(kiosk: World, door: Door, ana: Resident) -> None:
    (bo,) = people("Bo")
    touched(kiosk, bo)
    before = len(door.got)
    kiosk.object_chat(bo.dialog.channel, "Missions")
    kiosk.run(5)
    assert len(door.got) == before
    assert len(bo.shown) == 1
    assert not ana.shown


def test_somebody_who_taps_many_times_is_served_once(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    before = len(door.got)
    for _ in range(10):
        kiosk.touch(bo)
    kiosk.run(8)
    assert len(door.got) == before + 1
    assert len(bo.shown) == 1


def test_a_button_of_another_dialog_is_not_taken_for_what_is_typed(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    asking = {"ask": {"choice": "bring:poster", "label": "What is it?"}}
    door.page = lambda got: page_for(got) | asking
    for _ in range(2):
        touched(kiosk, bo)
    older = bo.dialog
    kiosk.press(bo, "Write")
    kiosk.run(3)
    is_too_late(kiosk, door, bo, older, "Missions")
    kiosk.type(bo, "A lantern")
    kiosk.run(3)
    assert door.got[-1].values["text"] == "A lantern"


@pytest.mark.parametrize("latency_s", [0.2, 4], ids=["the touch waits", "the touch was sent"])
def test_what_is_typed_while_a_touch_is_on_its_way_arrives(
    kiosk: World, door: Door, latency_s: float
) -> None:
    (bo,) = people("Bo")
    touched(kiosk, bo)
    kiosk.press(bo, "Bring")
    kiosk.run(3)
    kiosk.latency_s = latency_s
    kiosk.touch(*people("Cy"), bo)
    kiosk.run(0 if latency_s < 1 else 2)
    kiosk.type(bo, "A lantern")
    shown = len(bo.shown)
    kiosk.run(12)
    assert door.got[-1].values["text"] == "A lantern"
    # The answer to what was said is what they see, and all they see.
    assert [dialog.kind for dialog in bo.shown[shown:]] == ["dialog"]
    assert door.paths().count("action") == 2


def test_what_is_typed_into_a_box_that_another_page_replaced_is_said_to_be_late(
    kiosk: World, door: Door
) -> None:
    (bo,) = people("Bo")
    touched(kiosk, bo)
    kiosk.press(bo, "Bring")
    kiosk.run(3)
    box = bo.dialog
    touched(kiosk, bo)
    is_too_late(kiosk, door, bo, box, "A lantern")


def held(kiosk: World, *names: str) -> int:
    """Characters that the script keeps in these lists."""
    return sum(len(str(cell)) for name in names for cell in getattr(kiosk.script, name))


def test_however_large_the_pages_shown_what_it_remembers_fits_a_script(kiosk: World, door: Door) -> None:
    crowd = people(*(f"Fan {number}" for number in range(10)))
    choices = [[f"{'i' * 58}{number:02}", f"{'l' * 22}{number:02}"] for number in range(11)]
    door.page = lambda got: page_for(got) | {"choices": choices}
    kiosk.touch(*crowd)
    most = 0
    for _ in range(60):
        kiosk.run(0.5)
        most = max(most, held(kiosk, "dialogs"))
    assert 3000 < most <= 4000
    # Whose page gave way to somebody else's is told so.
    before = len(door.got)
    for fan in crowd:
        kiosk.press(fan, fan.dialog.buttons[0])
    kiosk.run(20)
    late = [fan for fan in crowd if fan.kinds("said")]
    assert late == crowd[: len(late)]
    assert len(late) + len(door.got[before:]) == 10
    assert len(late) < 8


def test_however_much_is_typed_what_it_remembers_fits_a_script(kiosk: World, door: Door) -> None:
    crowd = people(*(f"Fan {number}" for number in range(10)))
    kiosk.touch(*crowd)
    kiosk.run(20)
    for fan in crowd:
        kiosk.press(fan, "Bring")
    kiosk.run(20)
    before = len(door.got)
    for fan in crowd:
        kiosk.type(fan, "é" * 400)
    kiosk.run(0)
    assert 4000 < held(kiosk, "waiting", "sent") < 5100
    kiosk.run(20)
    told = [fan for fan in crowd if fan.kinds("said")]
    assert all(fan.shown[-1].text.startswith("Many people are touching me") for fan in told)
    assert len(told) + len(door.got[before:]) == 10
    assert len(told) < 5


def test_whatever_crowd_touches_it_what_it_remembers_stays_small(kiosk: World) -> None:
    crowd = people(*(f"Fan {number}" for number in range(60)))
    for first in range(0, 60, 12):
        kiosk.touch(*crowd[first : first + 12])
    most = {"waiting": 0, "sent": 0, "dialogs": 0}
    for _ in range(150):
        kiosk.run(0.5)
        most = {name: max(length, len(getattr(kiosk.script, name))) for name, length in most.items()}
    assert most["waiting"] <= 13 * 5
    assert most["sent"] <= 12 * 6
    assert 0 < most["dialogs"] <= 10 * 5
    served = [fan for fan in crowd if fan.kinds("dialog")]
    told = [fan for fan in crowd if fan.kinds("said")]
    assert len(served) >= 13
    assert len(served) + len(told) == 60
    assert all(fan.shown[0].text.startswith("Many people are touching me") for fan in told)


def test_a_listening_room_is_told_apart_and_where_it_is(kiosk: World, door: Door) -> None:
    (bo,) = people("Bo")
    kiosk.links = {1: "vTeam kiosk", 2: "listening room"}
    kiosk.touch(bo, link=2)
    kiosk.run(3)
    assert door.got[-1].values["at"] == "room"
    kiosk.touch(bo, link=1)
    kiosk.run(3)
    assert "at" not in door.got[-1].values
    kiosk.run(300)
    assert door.got[-1].path == "heartbeat"
    assert door.got[-1].values["room"] == "(3, 130, 25)"
