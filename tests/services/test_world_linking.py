"""Whose an avatar is: linked by the fan's own act, let go, one identity in a grid, and erased with them."""

import datetime as dt

import pytest
import time_machine
from django.db import connection

from tests.services.worlds import NADIA, REMI, enrolled, link, outcomes
from vteam import clock
from vteam.campaigns.joining import account
from vteam.campaigns.models import Campaign
from vteam.channels.erasing import erase
from vteam.channels.links.models import Share
from vteam.channels.links.services import end_share, reopen_share
from vteam.channels.worlds.avatars import forget_waiting, name_of
from vteam.channels.worlds.enrolling import revoke, trust
from vteam.channels.worlds.lines import announce, pushes_due
from vteam.channels.worlds.linking import link_avatar, unlink_avatar
from vteam.channels.worlds.models import Avatar, AvatarLink, Kiosk, WorldAct
from vteam.channels.worlds.queries import brought
from vteam.channels.worlds.reviewing import review
from vteam.jobs.moving import InboxTable, Mover
from vteam.journal.models import Fact
from vteam.ledger.queries import points_of
from vteam.ledger.replay import replay
from vteam.people.models import Fan
from vteam.people.services import become_fan
from vteam.rules.decisions import Outcome

pytestmark = pytest.mark.django_db
QUIZ, VOTE, THERE, MADE = "kitchen-quiz", "opening-song", "there", "made-there"


def another_fan(campaign: Campaign, name: str) -> Fan:
    person = account(address=f"{name.lower()}@example.org", language="en", at=clock.now())
    return become_fan(person=person, campaign_id=campaign.pk, name=name, share_id=None, at=clock.now())[0]


# Linking ------------------------------------------------------------------------------------------------------------
def test_what_an_avatar_did_waits_until_they_are_linked(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    said = kiosk.choose(f"answer:{QUIZ}:2")
    assert "press “Link me” within 30 days" in said["text"]
    assert said["choices"][0][0] == "link"
    Mover(InboxTable()).move()
    assert not Fact.objects.filter(kind="WorldActed").exists()
    with time_machine.travel(clock.now() + dt.timedelta(days=29)):
        link(kiosk, bo)
        assert outcomes(bo) == [Outcome.AWARDED]
        assert points_of(demo.pk, bo.pk) == (100, 0)


def test_what_waited_too_long_vanishes(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    kiosk.choose(f"answer:{QUIZ}:2")
    with time_machine.travel(clock.now() + dt.timedelta(days=30, seconds=1)):
        assert forget_waiting(at=clock.now()) == 2
        assert not WorldAct.objects.exists()
        assert not Avatar.objects.exists()
        link(kiosk, bo)
        assert outcomes(bo) == []


def test_nothing_waits_beyond_the_seasons_last_day(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    ends = demo.file.season.ends_at
    with time_machine.travel(ends - dt.timedelta(days=2), tick=False):
        assert "within 2 days" in kiosk.choose(f"answer:{QUIZ}:2")["text"]
        assert WorldAct.objects.get().waits_until == ends
    with time_machine.travel(ends, tick=False):
        assert "not open" in kiosk.choose(f"answer:{QUIZ}:2", REMI)["text"]
        assert "link" not in dict(kiosk.page("touch", REMI)["choices"])
        refused = kiosk.choose("link", REMI)
        assert (refused["text"], "open" in refused) == ("The season is over. Thank you.", False)
        forget_waiting(at=clock.now())
        assert not WorldAct.objects.exists()


def test_an_address_links_once_and_for_ten_minutes(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    first = kiosk.choose("link")["open"]["address"].rpartition("/")[2]
    second = kiosk.choose("link")["open"]["address"].rpartition("/")[2]
    assert not link_avatar(secret=first, fan=bo, at=clock.now())  # a newer one was shown
    later = clock.now() + dt.timedelta(minutes=10, seconds=1)
    assert not link_avatar(secret=second, fan=bo, at=later)
    assert link_avatar(secret=second, fan=bo, at=clock.now())
    assert not link_avatar(secret=second, fan=bo, at=clock.now())
    avatar = Avatar.objects.select_related("fan__person").get()
    assert (avatar.fan, name_of(avatar)) == (bo, "Nadia Resident")
    assert b"Nadia" not in bytes(avatar.name or b"")
    assert not AvatarLink.objects.exists()


def test_the_address_is_shown_to_one_avatar_so_often(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    shown = [kiosk.choose("link") for _ in range(13)]
    assert all("open" in page for page in shown[:12])
    assert "open" not in shown[12]
    assert shown[12]["text"] == "That was often. Come back in an hour."


def test_an_avatar_is_one_fans_until_they_let_them_go(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    person = account(address="dee@example.org", language="en", at=clock.now())
    dee, _ = become_fan(person=person, campaign_id=demo.pk, name="Dee", share_id=None, at=clock.now())
    secret = kiosk.choose("link")["open"]["address"].rpartition("/")[2]
    link(kiosk, bo)
    assert not link_avatar(secret=secret, fan=dee, at=clock.now())
    assert "link" not in dict(kiosk.page("touch")["choices"])
    kiosk.choose(f"answer:{QUIZ}:2")
    unlink_avatar(avatar=Avatar.objects.get())
    link(kiosk, dee)
    assert "already" in kiosk.choose(f"answer:{QUIZ}:2")["text"]
    assert (outcomes(bo), outcomes(dee)) == ([Outcome.AWARDED], [])


def test_a_fan_of_another_campaign_is_not_linked(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    secret = kiosk.choose("link")["open"]["address"].rpartition("/")[2]
    bo.campaign_id += 1
    assert not link_avatar(secret=secret, fan=bo, at=clock.now())


# Who is who ---------------------------------------------------------------------------------------------------------
def test_an_avatar_is_the_same_at_every_trusted_kiosk_of_a_grid(demo: Campaign, bo: Fan) -> None:
    _, first = enrolled(demo)
    _, second = enrolled(demo)
    link(first, bo)
    assert "Bo:" in second.page("touch", NADIA.upper())["text"]


def test_a_hosts_kiosk_cannot_pretend_to_be_somebody_of_another(demo: Campaign, bo: Fan) -> None:
    _, ours = enrolled(demo)
    kiosk, hosted = enrolled(demo, fan=bo)
    link(ours, bo)
    assert "Bo:" not in hosted.page("touch")["text"]
    hosted.choose(f"answer:{QUIZ}:1")
    assert "That is the answer" in ours.choose(f"answer:{QUIZ}:2")["text"]
    Kiosk.objects.filter(pk=kiosk.pk).update(vouched=True)
    assert "Bo:" in hosted.page("touch")["text"]


def test_who_used_a_hosts_kiosk_is_still_known_once_its_host_is(demo: Campaign, bo: Fan) -> None:
    kiosk, hosted = enrolled(demo, fan=bo)
    hosted.choose(f"answer:{QUIZ}:2")
    Kiosk.objects.filter(pk=kiosk.pk).update(vouched=True)
    assert "already" in hosted.choose(f"answer:{QUIZ}:1")["text"]
    link(hosted, bo)
    assert outcomes(bo) == [Outcome.AWARDED]


def test_a_host_causes_no_more_in_a_day_however_many_kiosks_they_put_up(demo: Campaign, bo: Fan) -> None:
    done = 0
    for _ in range(2):
        kiosk, hosted = enrolled(demo, fan=bo, acts=3)
        for n in range(3):
            done += "That is the answer" in hosted.choose(f"answer:{QUIZ}:2", f"{kiosk.pk} {n}")["text"]
        revoke(kiosk=kiosk, at=clock.now(), by_organiser=False)
    assert done == WorldAct.objects.count() == 3


def test_new_residents_are_bounded_where_nobody_knows_the_host(demo: Campaign, bo: Fan) -> None:
    _, hosted = enrolled(demo, fan=bo, acts=3)
    shown = [hosted.choose("link", f"invented {n}") for n in range(52)]
    assert [n for n, page in enumerate(shown) if "open" not in page] == [50, 51]
    assert shown[50]["text"] == "This kiosk takes no more newcomers today. Come back tomorrow."
    assert Avatar.objects.count() == 50


def test_who_is_linked_to_somebody_they_are_not_lets_go_there(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo)
    asked = kiosk.choose("let-go")
    assert "linked to Bo" in asked["text"]
    assert asked["choices"][0] == ["let-go:yes", "Let go"]
    kiosk.choose("let-go:yes")
    assert "link" in dict(kiosk.page("touch")["choices"])


# Flyers -------------------------------------------------------------------------------------------------------------
def test_a_flyer_is_a_public_address_and_ones_own_link_once_linked(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    flyer = kiosk.choose("flyer")
    assert flyer["open"] == {"address": "http://testserver/maree-haute/", "label": "The flyer", "flyer": True}
    assert not Avatar.objects.exists()
    link(kiosk, bo)
    own = kiosk.choose("flyer")
    share = Share.objects.get(fan=bo)
    assert (share.kind, share.place) == ("world", "In virtual worlds")
    assert own["open"]["address"].endswith(share.code)
    assert own["open"]["note"] == "Ad: I'm on Lune Noire's vTeam and earn points towards prizes."
    assert own["open"]["note"] in own["text"]
    assert kiosk.choose("flyer")["open"] == own["open"]


def test_a_flyer_of_a_hosts_kiosk_carries_the_hosts_link(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo, fan=bo)
    flyer = kiosk.choose("flyer")
    assert flyer["open"]["address"].endswith(Share.objects.get(fan=bo).code)
    assert flyer["open"]["note"] == "Ad: this link earns points for a fan on Lune Noire's vTeam."
    assert flyer["text"].startswith("Hand this address on. It is the link of Bo, who hosts this kiosk.")
    assert flyer["open"]["note"] in flyer["text"]


def test_at_a_kiosk_whose_host_nobody_knows_no_visitors_own_link_is_given(demo: Campaign, bo: Fan) -> None:
    dee = another_fan(demo, "Dee")
    hosts, kiosk = enrolled(demo, fan=bo)
    link(kiosk, dee)
    assert "Dee: " in kiosk.page("touch")["text"]
    assert kiosk.choose("flyer")["open"]["address"].endswith(Share.objects.get(fan=bo).code)
    trust(kiosk=hosts, acts_per_day=20, vouched=True)
    assert kiosk.choose("flyer")["open"]["address"].endswith(Share.objects.get(fan=dee).code)


def test_a_link_its_fan_has_ended_is_on_no_flyer_until_they_open_it_again(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo)
    own = kiosk.choose("flyer")
    share = Share.objects.get(fan=bo)
    end_share(share=share, at=clock.now())
    flyer = kiosk.choose("flyer")
    assert flyer["open"] == {"address": "http://testserver/maree-haute/", "label": "The flyer", "flyer": True}
    assert flyer["text"] == (
        "Hand this address on: it leads to the campaign. "
        "You have ended your own link: under “My links” you can open it again."
    )
    reopen_share(share=share)
    assert kiosk.choose("flyer") == own


def test_a_link_its_host_has_ended_is_not_on_the_flyers_of_their_kiosk(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo, fan=bo)
    kiosk.choose("flyer")
    end_share(share=Share.objects.get(fan=bo), at=clock.now())
    flyer = kiosk.choose("flyer")
    assert flyer["open"] == {"address": "http://testserver/maree-haute/", "label": "The flyer", "flyer": True}
    assert flyer["text"] == "Hand this address on: it leads to the campaign."


# Forgetting ---------------------------------------------------------------------------------------------------------
def test_erasing_a_fan_erases_their_avatars_and_what_they_told(
    demo: Campaign, bo: Fan, own_folder: object
) -> None:
    _, kiosk = enrolled(demo)
    _, hosted = enrolled(demo, fan=bo)
    link(kiosk, bo)
    kiosk.choose(f"bring:{MADE}", text="A boat with my name on it")
    outcomes(bo)
    erase(person=bo.person, at=clock.now())
    assert (Avatar.objects.count(), WorldAct.objects.count(), Kiosk.objects.count()) == (0, 0, 1)
    assert hosted.send("touch", {"avatar": NADIA}).status_code == 403
    assert replay(connection, demo.pk) is None


def test_an_avatar_that_was_let_go_before_is_erased_with_what_they_told(
    demo: Campaign, bo: Fan, own_folder: object
) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo)
    kiosk.choose(f"bring:{MADE}", text="Bo Martin's house, 12 rue du Port")
    outcomes(bo)
    unlink_avatar(avatar=Avatar.objects.get())
    erase(person=bo.person, at=clock.now())
    assert (Avatar.objects.count(), WorldAct.objects.count()) == (0, 0)


def test_what_one_fan_did_stays_theirs_when_the_avatar_is_anothers(
    demo: Campaign, bo: Fan, own_folder: object
) -> None:
    _, kiosk = enrolled(demo)
    dee = another_fan(demo, "Dee")
    link(kiosk, bo)
    kiosk.choose(f"bring:{MADE}", text="A boat")
    outcomes(bo)
    unlink_avatar(avatar=Avatar.objects.get())
    link(kiosk, dee)
    assert brought(demo).get().fan == bo
    erase(person=dee.person, at=clock.now())
    assert review(done=brought(demo).get(), accepted=True, reason="", at_us=clock.now_us())
    assert outcomes(bo) == [Outcome.REVIEW_OF_MADE, Outcome.AWARDED]
    erase(person=bo.person, at=clock.now())
    assert (Avatar.objects.count(), WorldAct.objects.count()) == (0, 0)


def test_what_was_done_with_an_avatar_of_two_fans_is_never_done_again(
    demo: Campaign, bo: Fan, own_folder: object, caplog: pytest.LogCaptureFixture
) -> None:
    _, kiosk = enrolled(demo)
    dee = another_fan(demo, "Dee")
    link(kiosk, dee)
    kiosk.choose(f"answer:{VOTE}:1")
    unlink_avatar(avatar=Avatar.objects.get())
    link(kiosk, bo)
    kiosk.choose(f"answer:{QUIZ}:2")
    kiosk.choose(f"bring:{MADE}", text="Bo Martin's house, 12 rue du Port")
    outcomes(bo)
    erase(person=bo.person, at=clock.now())
    assert not brought(demo).exists()
    assert not WorldAct.objects.exclude(text="").exists()
    link(kiosk, dee)
    for choice in (f"answer:{QUIZ}:2", f"bring:{MADE}"):
        assert "already" in kiosk.choose(choice, text="a boat")["text"]
    assert outcomes(dee) == [Outcome.AWARDED]
    assert "not journaled" not in caplog.text
    erase(person=dee.person, at=clock.now())
    assert (Avatar.objects.count(), WorldAct.objects.count()) == (0, 0)


def test_who_only_asked_for_an_address_is_forgotten(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    kiosk.choose("link")
    with time_machine.travel(clock.now() + dt.timedelta(minutes=11)):
        forget_waiting(at=clock.now())
    assert not Avatar.objects.exists()


def test_no_line_is_pushed_to_an_object_without_an_address(demo: Campaign) -> None:
    here, _ = enrolled(demo)
    announce(kiosk=here, mission=THERE, until=clock.now() + dt.timedelta(minutes=30), at=clock.now())
    assert pushes_due(at=clock.now()) == []
    here.refresh_from_db()
    assert here.push_at is None
