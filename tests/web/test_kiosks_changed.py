"""What can be said anew of a kiosk, by whom, and which ones can be deleted."""

import html
from collections.abc import Callable

import pytest
from django.test import Client

from tests.services.worlds import NADIA, enrolled, put
from tests.web.worldstage import HOSTED, WORLDS, code_in, enrol, signed_in, text_of
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.worlds.enrolling import delete
from vteam.channels.worlds.lines import pushes_due
from vteam.channels.worlds.models import Kiosk, WorldAct
from vteam.people.models import Fan

pytestmark = pytest.mark.django_db
ANEW = {"act": "edit", "place": "The lighthouse", "room": "Its cellar", "language": "fr"}
IN_FRENCH = "touche-moi : la vTeam de Lune Noire"
Page = Callable[[Kiosk], str]


def organisers(kiosk: Kiosk) -> str:
    return f"{WORLDS}/{kiosk.pk}"


def hosts(kiosk: Kiosk) -> str:
    return f"{HOSTED}/{kiosk.pk}"


@pytest.mark.parametrize("page", [organisers, hosts])
def test_place_room_and_language_are_said_anew_and_residents_read_it(
    demo: Campaign, ana: Client, bos: Client, bo: Fan, page: Page
) -> None:
    kiosk, there = enrolled(demo, fan=bo)
    there.send("heartbeat", {"url": "https://simhost.example:12046/cap/3f1c"})
    by = ana if page is organisers else bos
    before = by.get(page(kiosk)).content.decode()
    for name, value in (("place", "The Ska Club"), ("room", "The cellar of the Ska Club")):
        assert f'name="{name}" value="{value}"' in before
    assert "World and grid stay as they are" in before
    assert 'name="grid"' not in before
    assert (
        by.post(page(kiosk), ANEW | {"grid": "Other", "world": "luanti"})["Location"] == f"{page(kiosk)}?kept"
    )
    after = text_of(by.get(f"{page(kiosk)}?kept"))
    for words in ("The lighthouse", "Its cellar", IN_FRENCH, "Kept."):
        assert words in after.replace("\xa0", " ")
    kiosk.refresh_from_db()
    assert (kiosk.world, kiosk.grid) == ("opensimulator", "OSgrid")
    assert "Its cellar" in there.choose("room")["text"]
    assert there.choose("room")["line"].replace("\xa0", " ") == IN_FRENCH


def test_an_object_is_told_its_line_in_the_other_language(demo: Campaign, ana: Client) -> None:
    kiosk, there = enrolled(demo)
    there.send("heartbeat", {"url": "https://simhost.example:12046/cap/3f1c"})
    ana.post(organisers(kiosk), ANEW | {"language": "en"})
    assert pushes_due(at=clock.now()) == []
    ana.post(organisers(kiosk), ANEW)
    (push,) = pushes_due(at=clock.now())
    assert push.line.replace("\xa0", " ") == IN_FRENCH
    ana.post(organisers(kiosk), {name: ANEW[name] for name in ("act", "place")})
    kiosk.refresh_from_db()
    assert (kiosk.language, kiosk.room) == ("fr", "")


@pytest.mark.parametrize("page", [organisers, hosts])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"place": " "}, "Where does it stand?"),
        ({"place": "x" * 61}, "too long"),
        ({"room": "x" * 121}, "too long"),
        ({"language": "tlh"}, "Choose English or French."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    demo: Campaign, ana: Client, bos: Client, bo: Fan, page: Page, wrong: dict[str, str], words: str
) -> None:
    kiosk, _ = enrolled(demo, fan=bo)
    typed = ANEW | wrong
    answer = (ana if page is organisers else bos).post(page(kiosk), typed)
    assert answer.status_code == 422
    (name,) = wrong
    shown = html.unescape(answer.content.decode())
    assert words in shown.partition(f'id="id_{name}-wrong">')[2].partition("</p>")[0]
    for field in ("place", "room"):
        assert f'name="{field}" value="{typed[field]}"' in shown
    assert " open><summary>Change the place" in shown
    kiosk.refresh_from_db()
    assert (kiosk.place, kiosk.language) == ("The Ska Club", "en")


def test_nobody_else_says_anything_of_a_kiosk(demo: Campaign, bos: Client, bo: Fan) -> None:
    organised, hosted = put(demo)[0], put(demo, fan=bo)[0]
    cy = signed_in("cy@example.org", fan_of=demo)
    for by, kiosk in ((bos, organised), (cy, organised), (cy, hosted)):
        for act in ("edit", "delete"):
            assert by.post(hosts(kiosk), ANEW | {"act": act}).status_code == 404
            assert by.post(organisers(kiosk), ANEW | {"act": act}).status_code == 404
    assert Client().post(hosts(hosted), ANEW).status_code == 302
    assert set(Kiosk.objects.values_list("place", flat=True)) == {"The Ska Club"}
    assert Kiosk.objects.count() == 2


def test_an_organiser_says_nothing_of_another_campaigns_kiosk(demo: Campaign, ana: Client) -> None:
    kiosk, _ = put(demo)
    Kiosk.objects.filter(pk=kiosk.pk).update(campaign_id=demo.pk + 1)
    assert ana.post(organisers(kiosk), ANEW).status_code == 404


def test_a_closed_kiosk_is_opened_before_anything_is_said_of_it(
    demo: Campaign, ana: Client, bos: Client, bo: Fan
) -> None:
    kiosk, _ = enrolled(demo, fan=bo)
    bos.post(hosts(kiosk), {"act": "revoke"})
    for by, page in ((ana, organisers), (bos, hosts)):
        assert 'name="place"' not in by.get(page(kiosk)).content.decode()
        answer = by.post(page(kiosk), ANEW)
        assert answer.status_code == 409
        assert "This kiosk is closed: nothing its object says is believed." in text_of(answer)
    kiosk.refresh_from_db()
    assert kiosk.place == "The Ska Club"


def test_what_was_kept_before_is_not_said_of_what_is_wrong_now(demo: Campaign, ana: Client) -> None:
    kiosk, _ = enrolled(demo)
    kept = ana.post(organisers(kiosk), ANEW)["Location"]
    assert "Kept." in text_of(ana.get(kept))
    wrong = ana.post(kept, ANEW | {"place": ""})
    assert wrong.status_code == 422
    assert "Kept." not in text_of(wrong)


# Deleting -----------------------------------------------------------------------------------------------------------
def test_a_kiosk_that_never_spoke_is_deleted_by_an_organiser_and_its_code_with_it(
    demo: Campaign, ana: Client
) -> None:
    kiosk, _ = put(demo)
    code = code_in(ana.post(organisers(kiosk), {"act": "code"}, follow=True))
    page = text_of(ana.get(organisers(kiosk)))
    assert "Delete this kiosk" in page
    assert "Yes, delete it" in page
    assert ana.post(organisers(kiosk), {"act": "delete"})["Location"] == WORLDS
    assert not Kiosk.objects.exists()
    assert (enrol(code), enrol("k4wm 7tq2")) == (403, 403)
    assert ana.get(organisers(kiosk)).status_code == 404


def test_a_fan_deletes_their_own_that_never_spoke(demo: Campaign, bos: Client, bo: Fan) -> None:
    kiosk, code = put(demo, fan=bo)
    assert "Yes, delete it" in text_of(bos.get(hosts(kiosk)))
    bos.post(hosts(kiosk), {"act": "revoke"})
    assert "Yes, delete it" in text_of(bos.get(hosts(kiosk)))
    assert bos.post(hosts(kiosk), {"act": "delete"})["Location"] == HOSTED
    assert not Kiosk.objects.exists()
    assert enrol(code) == 403


def test_a_kiosk_that_ever_spoke_can_only_be_closed(
    demo: Campaign, ana: Client, bos: Client, bo: Fan
) -> None:
    for by, page, fan in ((ana, organisers, None), (bos, hosts, bo)):
        kiosk, there = enrolled(demo, fan=fan)
        for act in ("code", "revoke"):
            by.post(page(kiosk), {"act": act})
            assert "elete" not in text_of(by.get(page(kiosk)))
            refused = by.post(page(kiosk), {"act": "delete"})
            assert refused.status_code == 409
            assert "can no longer be deleted" in text_of(refused)
        assert Kiosk.objects.filter(pk=kiosk.pk).exists()
        assert there.send("touch", {"avatar": NADIA}).json()["why"] == "revoked"


def test_a_kiosk_where_something_was_done_stays(demo: Campaign, ana: Client) -> None:
    kiosk, there = enrolled(demo)
    there.choose("answer:kitchen-quiz:1")
    Kiosk.objects.filter(pk=kiosk.pk).update(key=None)
    assert "elete" not in text_of(ana.get(organisers(kiosk)))
    assert ana.post(organisers(kiosk), {"act": "delete"}).status_code == 409
    assert WorldAct.objects.get().kiosk_id == kiosk.pk


def test_only_whoever_made_a_kiosk_deletes_it(demo: Campaign, ana: Client, bos: Client, bo: Fan) -> None:
    kiosk, _ = put(demo, fan=bo)
    assert "elete" not in text_of(ana.get(organisers(kiosk)))
    assert ana.post(organisers(kiosk), {"act": "delete"}).status_code == 409
    ana.post(organisers(kiosk), {"act": "revoke"})  # it counts on for its host
    assert "elete" not in text_of(bos.get(hosts(kiosk)))
    assert bos.post(hosts(kiosk), {"act": "delete"}).status_code == 409
    assert Kiosk.objects.filter(pk=kiosk.pk).exists()


def test_a_kiosk_that_spoke_while_somebody_read_its_page_stays(demo: Campaign) -> None:
    kiosk, code = put(demo)
    assert enrol(code) == 200
    assert not delete(kiosk=kiosk, by=None)
    assert Kiosk.objects.filter(pk=kiosk.pk).exists()
