"""Story: a kiosk and the real platform. Ana sets hers up, Bo touches it and tries every button there is.

Nothing is assumed of the pages but what docs/worlds.md promises.
"""

import json
import time

import pytest

from tests.worlds.conftest import Place
from tests.worlds.lslworld import Resident, World
from tests.worlds.platform import Platform
from vteam.channels.worlds.models import WorldAct

pytestmark = pytest.mark.django_db(transaction=True)

LABELS_MAX = 60


def set_up(platform: Platform, place: Place, ana: Resident) -> World:
    kiosk = place(platform.address)
    kiosk.touch(ana)
    kiosk.run(2)
    kiosk.type(ana, platform.code(world=kiosk.limits.world))
    kiosk.run(5)
    return kiosk


def answered(kiosk: World, resident: Resident) -> None:
    """Something new is seen, and it is not an apology."""
    before = len(resident.shown)
    kiosk.run(8)
    new = [shown.text for shown in resident.shown[before:]]
    assert new
    assert not any("cannot reach" in text for text in new), new


def test_ana_sets_her_kiosk_up_and_its_heart_beats(platform: Platform, place: Place, ana: Resident) -> None:
    kiosk = set_up(platform, place, ana)
    assert kiosk.script.kiosk
    assert kiosk.script.secret
    assert [sent.path for sent in kiosk.sent] == ["/world/v1/enrol", "/world/v1/heartbeat"]
    assert ana.dialog.kind == "dialog"
    assert kiosk.hover[-1][1]


def test_a_code_is_good_only_once(platform: Platform, place: Place, ana: Resident) -> None:
    code = platform.code(world=place(platform.address).limits.world)
    for expected in (True, False):
        kiosk = place(platform.address)
        kiosk.touch(ana)
        kiosk.run(2)
        kiosk.type(ana, code)
        kiosk.run(5)
        assert bool(kiosk.script.secret) is expected
    assert ana.dialog.buttons == ("Set up", "OK")


def test_a_code_for_another_world_is_refused_and_another_can_be_typed(
    platform: Platform, place: Place, ana: Resident
) -> None:
    kiosk = place(platform.address)
    here = kiosk.limits.world
    elsewhere = "opensimulator" if here == "secondlife" else "secondlife"
    kiosk.touch(ana)
    kiosk.run(2)
    kiosk.type(ana, platform.code(world=elsewhere))
    kiosk.run(5)
    assert "made for another world than this one" in ana.dialog.text
    kiosk.press(ana, "Set up")
    kiosk.run(2)
    kiosk.type(ana, platform.code(world=here))
    kiosk.run(5)
    assert kiosk.script.secret


def test_a_code_whose_answer_was_lost_sets_the_kiosk_up_all_the_same(
    platform: Platform, place: Place, ana: Resident
) -> None:
    platform.loses.append("/enrol")
    kiosk = set_up(platform, place, ana)
    assert [sent.path for sent in kiosk.sent] == ["/world/v1/enrol"] * 2 + ["/world/v1/heartbeat"]
    assert not platform.loses
    bo = Resident("Bo Resident")
    kiosk.touch(bo)
    answered(kiosk, bo)
    assert bo.dialog.buttons


def test_what_bo_did_is_done_once_though_its_answer_was_lost(
    platform: Platform, place: Place, ana: Resident
) -> None:
    kiosk, bo = set_up(platform, place, ana), Resident("Bo Resident")
    kiosk.touch(bo)
    answered(kiosk, bo)
    for label in ("Missions", "What do we open with?"):
        kiosk.press(bo, label)
        answered(kiosk, bo)
    vote, before = bo.dialog.buttons[0], len(kiosk.sent)
    platform.loses.append("/action")
    kiosk.press(bo, vote)
    answered(kiosk, bo)
    assert [sent.path for sent in kiosk.sent[before:]] == ["/world/v1/action"] * 2
    assert bo.dialog.text.split("\n")[-1].startswith("You have done this one already.")
    assert WorldAct.objects.get().mission == "opening-song"


def test_bo_tries_every_button_of_every_page(platform: Platform, place: Place, ana: Resident) -> None:
    """Breadth first, each label once, always from the first page on: as somebody curious would."""
    kiosk = set_up(platform, place, ana)
    bo = Resident("Bo Resident", "fr")
    paths: list[tuple[str, ...]] = [()]
    tried: set[str] = set()
    while paths:
        assert len(tried) < LABELS_MAX, tried
        path = paths.pop(0)
        kiosk.turn_back(time.time())  # the platform's clock is the real one; here time passes faster
        kiosk.touch(bo)
        answered(kiosk, bo)
        for label in path:
            if bo.dialog.kind != "dialog" or label not in bo.dialog.buttons:
                break
            kiosk.press(bo, label)
            answered(kiosk, bo)
        if bo.dialog.kind == "textbox":
            kiosk.type(bo, "Un phare, à (12, 8, -3)")
            answered(kiosk, bo)
            continue
        new = [label for label in bo.dialog.buttons if label not in tried | {"OK"}]
        tried |= set(new)
        paths += [(*path, label) for label in new]
    assert tried, "a first page without a choice"
    assert all(
        json.loads(sent.body)["avatar"] == bo.key for sent in kiosk.sent if sent.path.endswith("action")
    )


def test_two_at_once_get_pages_of_their_own(platform: Platform, place: Place, ana: Resident) -> None:
    kiosk = set_up(platform, place, ana)
    bo, cy = Resident("Bo Resident", "fr"), Resident("Cy Resident", "en-us")
    kiosk.touch(bo, cy)
    kiosk.run(8)
    assert bo.dialog.text != cy.dialog.text
    assert len(bo.shown) == len(cy.shown) == 1


def test_its_heart_goes_on_beating_after_the_region_restarts(
    platform: Platform, place: Place, ana: Resident
) -> None:
    kiosk = set_up(platform, place, ana)
    kiosk.restart_region()
    kiosk.run(8)
    assert kiosk.sent[-1].path == "/world/v1/heartbeat"
    assert json.loads(kiosk.sent[-1].body)["url"] == kiosk.urls[0]
    bo = Resident("Bo Resident")
    kiosk.touch(bo)
    answered(kiosk, bo)
    assert bo.dialog.kind == "dialog"
