"""What happens at kiosks at the very same moment: one result, one key, one use of a number."""

import functools
import time
from typing import Any

import pytest

from tests.services.concurrency import at_once, raised
from tests.services.worlds import NADIA, REMI, enrolled, link, outcomes, put
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.worlds import acting, enrolling
from vteam.channels.worlds.enrolling import Around, Enrolled, enrol, reopen, revoke
from vteam.channels.worlds.models import Avatar, Kiosk, WorldAct
from vteam.people import vault
from vteam.people.models import Fan
from vteam.rules.decisions import Outcome

pytestmark = pytest.mark.django_db(transaction=True)
QUIZ = "kitchen-quiz"


def slowly(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    """What is called there takes a moment, so that others come meanwhile."""
    usual = getattr(module, name)

    def later(*given: Any, **named: Any) -> Any:
        time.sleep(0.3)
        return usual(*given, **named)

    monkeypatch.setattr(module, name, later)


def test_two_avatars_of_a_fan_have_one_result(
    demo: Campaign, bo: Fan, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = {NADIA: enrolled(demo)[1], REMI: enrolled(demo)[1]}
    for avatar, kiosk in used.items():
        link(kiosk, bo, avatar)
    slowly(monkeypatch, acting, "_keep")
    doings = [functools.partial(kiosk.choose, f"answer:{QUIZ}:2", avatar) for avatar, kiosk in used.items()]
    results = at_once(*doings, *doings)
    assert raised(results) == []
    assert (
        sum("That is the answer" in told["text"] and "already" not in told["text"] for told in results) == 1
    )
    assert WorldAct.objects.count() == 1
    assert outcomes(bo) == [Outcome.AWARDED]


def test_somebody_new_who_presses_often_is_one_avatar(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    results = at_once(*[functools.partial(kiosk.choose, f"answer:{QUIZ}:2")] * 4)
    assert raised(results) == []
    assert (Avatar.objects.count(), WorldAct.objects.count()) == (1, 1)


def test_a_code_typed_into_two_objects_is_one_of_theirs(
    demo: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk, code = put(demo)
    slowly(monkeypatch, vault, "seal")
    results = at_once(
        *(
            functools.partial(enrol, typed=code, around=Around(owner=owner, shard="OpenSim"), at=clock.now())
            for owner in (NADIA, REMI)
        )
    )
    assert raised(results) == []
    (given,) = [found for found in results if isinstance(found, Enrolled)]
    kiosk.refresh_from_db()
    assert kiosk.key == given.kiosk.key


def test_a_number_sent_twice_at_once_is_believed_once(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    touch = functools.partial(kiosk.send, "touch", {"avatar": NADIA}, nonce="1-00000000000000aa")
    results = at_once(*[touch] * 4)
    assert raised(results) == []
    assert sorted(answer.status_code for answer in results) == [200, 403, 403, 403]


def test_what_an_organiser_closes_while_its_fan_opens_it_stays_closed(
    demo: Campaign, bo: Fan, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk, _ = put(demo, fan=bo)
    revoke(kiosk=kiosk, at=clock.now(), by_organiser=False)
    slowly(monkeypatch, enrolling, "_why_not_hosted")
    results = at_once(
        functools.partial(reopen, kiosk=Kiosk.objects.get()),
        functools.partial(revoke, kiosk=Kiosk.objects.get(), at=clock.now(), by_organiser=True),
    )
    assert raised(results) == []
    kiosk.refresh_from_db()
    assert kiosk.revoked_at is not None
    assert kiosk.barred
