"""What residents do at a kiosk: once for each mission and avatar, and for a fan only once they are linked."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

from tests.services.worlds import NADIA, REMI, Object, enrolled
from vteam import clock
from vteam.campaigns.joining import account
from vteam.campaigns.models import Campaign
from vteam.channels.erasing import erase
from vteam.channels.links.models import Share
from vteam.channels.worlds.acting import proof_of
from vteam.channels.worlds.avatars import forget_waiting, name_of
from vteam.channels.worlds.enrolling import revoke
from vteam.channels.worlds.lines import announce, end_announcement, pushes_due
from vteam.channels.worlds.linking import link_avatar, unlink_avatar
from vteam.channels.worlds.models import Avatar, AvatarLink, Kiosk, WorldAct
from vteam.channels.worlds.queries import brought
from vteam.channels.worlds.reviewing import review
from vteam.jobs.moving import InboxTable, Mover
from vteam.journal.models import Fact
from vteam.ledger.models import Decision
from vteam.ledger.queries import points_of
from vteam.ledger.replay import replay
from vteam.people.models import Fan
from vteam.people.services import become_fan
from vteam.rules.decisions import Outcome

pytestmark = pytest.mark.django_db
QUIZ, VOTE, THERE, MADE = "kitchen-quiz", "opening-song", "there", "made-there"


def link(kiosk: Object, fan: Fan, avatar: str = NADIA) -> None:
    """The avatar asks for the address, and the fan opens it."""
    address = kiosk.choose("link", avatar)["open"]["address"]
    assert link_avatar(secret=address.rpartition("/")[2], fan=fan, at=clock.now())


def outcomes(fan: Fan) -> list[str]:
    """What became of a fan's facts, oldest first."""
    Mover(InboxTable()).move()
    found = Decision.objects.filter(campaign_id=fan.campaign_id, fan_id=fan.pk).order_by("seq")
    return list(found.values_list("outcome", flat=True))


def labels(page: dict[str, Any]) -> list[str]:
    return [label for _, label in page["choices"]]


# Looking ------------------------------------------------------------------------------------------------------------
def test_missions_can_be_seen_a_few_at_a_time(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    first = kiosk.choose("missions")
    assert first["text"].splitlines()[0] == "The question at the kiosk: 100 points"
    assert labels(first)[:2] == ["The question at the k…", "What do we open with?"]
    assert labels(first)[-2:] == ["More", "Back"]
    assert all(len(label.encode()) <= 24 for label in labels(first))
    second = kiosk.choose(first["choices"][-2][0])
    assert second["text"].splitlines()[0] == "Bring someone in: 500 points"
    assert "on the campaign's page" in second["text"]
    assert labels(second) == ["Back"]
    assert kiosk.choose("missions:99")["text"] == "No mission is open at the moment."
    assert kiosk.choose("missions:" + "9" * 50)["text"] == first["text"]


def test_the_ranking_shows_the_first_and_ones_own_place(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo)
    assert "Bo: 0 points, number 1 of" in kiosk.choose("ranking")["text"]


def test_the_listening_room_says_where_and_what_may_be_played(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    text = kiosk.choose("room")["text"]
    assert "The cellar of the Ska Club" in text
    assert kiosk.page("touch", at="room")["text"] == text


def test_a_choice_there_is_none_of_shows_the_first_page(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    first = kiosk.page("touch")["text"]
    for choice in ("nothing", "mission:gone", "answer:gone:1", "bring:gone"):
        assert kiosk.choose(choice)["text"]
    assert kiosk.choose("home")["text"] == first
    for choice in (
        "answer:kitchen-quiz:0",
        "answer:kitchen-quiz:4",
        "answer:kitchen-quiz:-1",
        "answer:recruit:1",
    ):
        assert kiosk.choose(choice)["text"].startswith("The question at the kiosk")
    assert not WorldAct.objects.exists()


# Answering and voting -----------------------------------------------------------------------------------------------
def test_a_linked_residents_right_answer_pays(demo: Campaign, bo: Fan) -> None:
    kiosk, there = enrolled(demo)
    link(there, bo)
    asked = there.choose(f"mission:{QUIZ}")
    assert asked["text"].startswith("Which of the three songs")
    assert labels(asked) == ["Les digues", "Phare éteint", "Sel", "Back"]
    assert there.choose(f"answer:{QUIZ}:2")["text"] == "That is the answer: 100 points."
    assert outcomes(bo) == [Outcome.AWARDED]
    assert points_of(demo.pk, bo.pk) == (100, 0)
    body = Fact.objects.get(kind="WorldActed").body
    avatar = Avatar.objects.get()
    assert f'"avatar":{avatar.pk}' in body
    assert f'"kiosk":{kiosk.pk}' in body
    assert NADIA not in body
    assert "Nadia" not in body


def test_a_wrong_answer_is_told_and_stays(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo)
    assert "not the answer" in kiosk.choose(f"answer:{QUIZ}:1")["text"]
    assert "answers once" in kiosk.choose(f"answer:{QUIZ}:2")["text"]
    assert "answers once" in kiosk.choose(f"mission:{QUIZ}")["text"]
    assert outcomes(bo) == [Outcome.WRONG_ANSWER]
    assert points_of(demo.pk, bo.pk) == (0, 0)


def test_a_vote_counts_once(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo)
    assert "Your vote is in" in kiosk.choose(f"answer:{VOTE}:3")["text"]
    assert "already" in kiosk.choose(f"answer:{VOTE}:1")["text"]
    assert [row.choice for row in WorldAct.objects.all()] == [3]
    assert outcomes(bo) == [Outcome.AWARDED]


def test_a_fan_with_two_avatars_is_paid_once(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo, NADIA)
    link(kiosk, bo, REMI)
    kiosk.choose(f"answer:{QUIZ}:2", NADIA)
    assert "Another avatar of yours" in kiosk.choose(f"answer:{QUIZ}:2", REMI)["text"]
    assert "Another avatar of yours" in kiosk.choose(f"mission:{QUIZ}", REMI)["text"]
    assert outcomes(bo) == [Outcome.AWARDED]


def test_what_was_done_in_one_batch_is_judged_under_its_own_mission(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo)
    for choice in (f"answer:{QUIZ}:2", f"answer:{VOTE}:1"):
        kiosk.choose(choice)
    kiosk.choose(f"bring:{MADE}", text="A boat")
    assert outcomes(bo) == [Outcome.AWARDED, Outcome.AWARDED, Outcome.REVIEW_OF_MADE]
    assert points_of(demo.pk, bo.pk) == (150, 300)


def test_only_missions_in_a_world_are_done_there(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo)
    kiosk.choose("answer:recruit:1")
    kiosk.choose("bring:recruit", text="a hundred friends")
    assert not WorldAct.objects.exists()


def test_a_kiosk_causes_no_more_than_it_is_trusted_with(demo: Campaign) -> None:
    _, kiosk = enrolled(demo, acts=2)
    for n in range(4):
        said = kiosk.choose(f"answer:{QUIZ}:2", f"avatar-{n}")["text"]
        assert ("Come back tomorrow" in said) == (n >= 2)
    assert WorldAct.objects.count() == 2
    with time_machine.travel(clock.now() + dt.timedelta(days=1)):
        assert "That is the answer" in kiosk.choose(f"answer:{QUIZ}:2", "avatar-9")["text"]


# Being there --------------------------------------------------------------------------------------------------------
def test_being_at_a_concert_counts_where_and_while_it_is_announced(demo: Campaign, bo: Fan) -> None:
    here, there = enrolled(demo)
    _, elsewhere = enrolled(demo)
    link(there, bo)
    assert "No concert is announced" in there.page("presence")["text"]
    now = clock.now()
    announce(kiosk=here, mission=THERE, until=now + dt.timedelta(minutes=30), at=now)
    touched = there.page("touch")
    assert touched["choices"][0] == ["here", "I'm here"]
    assert touched["line"] == "touch me: Lune Noire play here now"
    assert "No concert is announced" in elsewhere.page("presence")["text"]
    assert "You were there: 200 points." in there.page("presence")["text"]
    assert "already" in there.page("presence")["text"]
    assert outcomes(bo) == [Outcome.AWARDED]
    here.refresh_from_db()
    end_announcement(kiosk=here, at=clock.now())
    assert "No concert is announced" in there.page("presence", REMI)["text"]
    assert there.page("touch")["line"] == "touch me: Lune Noire's vTeam"


def test_nobody_is_at_a_concert_by_choosing_another_mission(demo: Campaign, bo: Fan) -> None:
    here, there = enrolled(demo)
    announce(kiosk=here, mission=THERE, until=clock.now() + dt.timedelta(minutes=30), at=clock.now())
    for choice in (f"answer:{THERE}:1", f"bring:{THERE}"):
        there.choose(choice, text="here")
    assert not WorldAct.objects.exists()


# Bringing -----------------------------------------------------------------------------------------------------------
def test_what_was_brought_waits_for_a_person(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo)
    asked = kiosk.choose(f"mission:{MADE}")
    assert asked["ask"] == {"choice": f"bring:{MADE}", "label": "What is it, and where does it stand?"}
    assert kiosk.choose(f"bring:{MADE}")["ask"]  # nothing was typed: asked again
    told = kiosk.choose(f"bring:{MADE}", text="  A lighthouse,\nat (12, 8)  \u202e")
    assert "When a person has looked at it" in told["text"]
    done = brought(demo).get()
    assert done.text == "A lighthouse, at (12, 8)"
    assert outcomes(bo) == [Outcome.REVIEW_OF_MADE]
    assert points_of(demo.pk, bo.pk) == (0, 300)
    assert f'"proof":"{proof_of(done)}"' in Fact.objects.get(kind="WorldActed").body
    assert "lighthouse" not in Fact.objects.get(kind="WorldActed").body
    assert review(done=done, accepted=True, reason="What a light!", at_us=clock.now_us())
    assert not review(done=done, accepted=False, reason="", at_us=clock.now_us())
    assert outcomes(bo) == [Outcome.REVIEW_OF_MADE, Outcome.AWARDED]
    assert points_of(demo.pk, bo.pk) == (300, 0)
    assert not brought(demo).exists()


def test_what_is_not_in_the_books_yet_cannot_be_looked_at(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo)
    kiosk.choose(f"bring:{MADE}", text="A boat")
    done = brought(demo).get()
    assert not review(done=done, accepted=True, reason="", at_us=clock.now_us())
    done.refresh_from_db()
    assert done.accepted is None


def test_two_avatars_of_a_fan_bring_one_thing_at_a_time(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo, NADIA)
    link(kiosk, bo, REMI)
    kiosk.choose(f"bring:{MADE}", NADIA, text="A boat")
    assert "Another avatar of yours" in kiosk.choose(f"bring:{MADE}", REMI, text="The same boat")["text"]
    assert outcomes(bo) == [Outcome.REVIEW_OF_MADE]
    assert [done.text for done in brought(demo)] == ["A boat"]


def test_what_two_avatars_did_before_they_were_linked_counts_once(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    for avatar in (NADIA, REMI):
        kiosk.choose(f"answer:{QUIZ}:2", avatar)
    link(kiosk, bo, NADIA)
    link(kiosk, bo, REMI)
    assert outcomes(bo) == [Outcome.AWARDED]
    assert WorldAct.objects.count() == 1


# Linking ------------------------------------------------------------------------------------------------------------
def test_what_an_avatar_did_waits_until_they_are_linked(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    said = kiosk.choose(f"answer:{QUIZ}:2")
    assert "once this avatar is linked to a fan, within 30 days" in said["text"]
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
        assert "open" not in kiosk.choose("link", REMI)
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
    assert "in an hour" in shown[12]["text"]


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
    person = account(address="dee@example.org", language="en", at=clock.now())
    dee, _ = become_fan(person=person, campaign_id=demo.pk, name="Dee", share_id=None, at=clock.now())
    link(kiosk, bo)
    kiosk.choose(f"bring:{MADE}", text="A boat")
    outcomes(bo)
    unlink_avatar(avatar=Avatar.objects.get())
    link(kiosk, dee)
    assert brought(demo).get().fan == bo
    erase(person=person, at=clock.now())
    assert review(done=brought(demo).get(), accepted=True, reason="", at_us=clock.now_us())
    assert outcomes(bo) == [Outcome.REVIEW_OF_MADE, Outcome.AWARDED]
    erase(person=bo.person, at=clock.now())
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


def test_the_openapi_description_is_there() -> None:
    described = Client().get("/world/v1/openapi.json").json()
    assert sorted(described["paths"]) == [
        f"/world/v1/{name}" for name in ("action", "enrol", "heartbeat", "presence", "touch")
    ]
