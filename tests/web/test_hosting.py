"""A fan's pages of kiosks they host: how many, why not another, and in pages."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client

from tests.services.worlds import enrolled
from tests.web import worldstage
from tests.web.worldstage import HOSTED, SPOT, WORLDS, code_in, enrol, signed_in, text_of
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.worlds.models import Avatar, Kiosk, World
from vteam.people.models import Fan

pytestmark = pytest.mark.django_db


def latest() -> str:
    """The page of the kiosk that was made last."""
    return f"{HOSTED}/{Kiosk.objects.latest('pk').pk}"


def test_a_fan_hosts_a_few_kiosks_trusted_a_little(demo: Campaign, bos: Client, settings: Any) -> None:
    settings.KIOSKS_PER_FAN = 1
    assert enrol(code_in(bos.post(HOSTED, SPOT, follow=True))) == 200
    kiosk = Kiosk.objects.get()
    assert (kiosk.acts_per_day, kiosk.trusted) == (20, False)
    assert bos.post(HOSTED, SPOT).status_code == 409
    second = code_in(bos.post(latest(), {"act": "code"}, follow=True))
    assert bos.post(latest(), {"act": "revoke"})["Location"] == latest()
    assert enrol(second) == 403
    assert bos.post(latest(), {"act": "code"}).status_code == 409
    assert bos.post(HOSTED, SPOT).status_code == 302
    assert bos.post(latest(), {"act": "dance"}).status_code == 404


def test_a_code_ends_with_the_kiosk_and_the_page_says_so_once_it_is_open_again(
    demo: Campaign, bos: Client
) -> None:
    code = code_in(bos.post(HOSTED, SPOT, follow=True))
    for act in ("revoke", "reopen"):
        bos.post(latest(), {"act": act})
    assert enrol(code) == 403
    page = text_of(bos.get(latest()))
    assert "waits for its code" not in page
    assert "its code is too old" in page


def test_a_kiosk_that_an_organiser_closed_counts_on(
    demo: Campaign, ana: Client, bos: Client, settings: Any
) -> None:
    settings.KIOSKS_PER_FAN = 1
    bos.post(HOSTED, SPOT)
    page = latest()
    ana.post(f"{WORLDS}/{Kiosk.objects.get().pk}", {"act": "revoke"})
    refused = bos.post(HOSTED, SPOT | {"place": "The pier"})
    assert refused.status_code == 409
    assert "host 1 kiosk, and one that an organiser closed counts. Ask them to open it" in text_of(refused)
    assert 'value="The pier"' in refused.content.decode()
    ana.post(f"{WORLDS}/{Kiosk.objects.get().pk}", {"act": "restore"})
    bos.post(page, {"act": "revoke"})
    assert bos.post(HOSTED, SPOT).status_code == 302


def test_not_for_ever_new_ones_in_a_day(at_noon: None, demo: Campaign, bos: Client, settings: Any) -> None:
    settings.KIOSKS_PER_FAN = 1
    bos.post(HOSTED, SPOT)
    bos.post(latest(), {"act": "revoke"})
    bos.post(HOSTED, SPOT)
    bos.post(latest(), {"act": "delete"})  # it was made all the same
    refused = bos.post(HOSTED, SPOT)
    assert (refused.status_code, Kiosk.objects.count()) == (409, 1)
    assert "You made 2 kiosks today" in text_of(refused)
    assert "Come back tomorrow" in text_of(refused)
    with time_machine.travel(clock.now() + dt.timedelta(days=1)):
        bos.force_login(Fan.objects.get(name="Bo").person)
        assert bos.post(HOSTED, SPOT).status_code == 302


def test_fans_together_have_a_limit_too(demo: Campaign, bos: Client, settings: Any) -> None:
    settings.KIOSKS_PER_CAMPAIGN = 1
    enrolled(demo)  # an organiser's takes no room from fans
    assert bos.post(HOSTED, SPOT).status_code == 302
    cy = signed_in("cy@example.org", fan_of=demo)
    refused = cy.post(HOSTED, SPOT)
    assert refused.status_code == 409
    assert "Fans host 1 kiosk, as many as this campaign can have" in text_of(refused)


def test_where_fans_host_none_they_are_told_so(demo: Campaign, bos: Client, settings: Any) -> None:
    settings.KIOSKS_PER_FAN = 0
    assert "Only organisers put up kiosks here" in text_of(bos.post(HOSTED, SPOT))
    assert not Kiosk.objects.exists()


def test_a_fan_opens_again_what_they_closed_and_not_what_an_organiser_did(
    demo: Campaign, ana: Client, bos: Client, settings: Any
) -> None:
    settings.KIOSKS_PER_FAN = 1
    bos.post(HOSTED, SPOT)
    page, kiosk = latest(), Kiosk.objects.get()
    for act in ("revoke", "reopen"):
        assert bos.post(page, {"act": act}).status_code == 302
    kiosk.refresh_from_db()
    assert kiosk.revoked_at is None
    bos.post(page, {"act": "revoke"})
    assert bos.post(HOSTED, SPOT).status_code == 302
    refused = bos.post(page, {"act": "reopen"})
    assert refused.status_code == 409
    assert "One fan can host 1 kiosk. Close the one you have" in text_of(refused)
    other = Kiosk.objects.latest("pk")
    ana.post(f"{WORLDS}/{other.pk}", {"act": "revoke"})
    assert "An organiser closed it" in text_of(bos.get(HOSTED))
    refused = bos.post(latest(), {"act": "reopen"})
    assert refused.status_code == 409
    assert "An organiser closed this kiosk. Ask them" in text_of(refused)
    other.refresh_from_db()
    assert other.revoked_at is not None


def test_a_fans_closed_kiosks_come_last(demo: Campaign, bos: Client) -> None:
    for place in ("The square", "The pier"):
        bos.post(HOSTED, SPOT | {"place": place})
    bos.post(latest(), {"act": "revoke"})
    listed = text_of(bos.get(HOSTED)).partition("Kiosks I host")[2]
    assert listed.index("The square") < listed.index("The pier")


def test_every_list_of_the_page_comes_in_pages_of_its_own(demo: Campaign, bo: Fan, bos: Client) -> None:
    worldstage.set_up(demo, bo)
    at = clock.now()
    for n in range(11):
        made = at - dt.timedelta(minutes=n + 1)
        Avatar.objects.create(campaign_id=demo.pk, lookup=f"{n}", grid=f"grid {n};", fan=bo, linked_at=made)
        Kiosk.objects.create(
            campaign_id=demo.pk, fan=bo, world=World.OTHER, grid="g", place=f"mine {n};", language="en",
            acts_per_day=1, vouched=False, made_at=made,
        )  # fmt: skip
        Kiosk.objects.create(
            campaign_id=demo.pk, world=World.OTHER, grid="g", place=f"open {n};", language="en", acts_per_day=1,
            vouched=True, made_at=made, key=f"key {n}", seen_at=at - dt.timedelta(seconds=n + 1),
        )  # fmt: skip
    first = text_of(bos.get(HOSTED))
    for name, begins in (("avatars", "grid"), ("mine", "mine"), ("open", "open")):
        second = bos.get(f"{HOSTED}?{name}=2")
        assert f"{begins} 0;" in first
        assert f"{begins} 10;" not in first
        assert f"{begins} 10;" in text_of(second)
        assert f"{begins} 0;" not in text_of(second)
        assert f'href="?{name}=2" rel="next"' in bos.get(HOSTED).content.decode()
        assert f'href="?{name}=1" rel="prev"' in second.content.decode()
        assert bos.get(f"{HOSTED}?{name}=3").status_code == 404
        assert bos.get(f"{HOSTED}?{name}=x").status_code == 404
