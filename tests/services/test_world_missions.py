"""What residents do at a kiosk: once for each mission and avatar, and for a fan only once they are linked."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from tests.services.worlds import NADIA, REMI, Object, enrolled, link, outcomes
from vteam import clock
from vteam.campaigns.agreements import speak
from vteam.campaigns.models import Campaign
from vteam.campaigns.queries import title_names
from vteam.channels.worlds.acting import proof_of
from vteam.channels.worlds.lines import announce, end_announcement
from vteam.channels.worlds.linking import unlink_avatar
from vteam.channels.worlds.models import Avatar, WorldAct
from vteam.channels.worlds.queries import brought
from vteam.channels.worlds.reviewing import review
from vteam.journal.models import Fact
from vteam.ledger.queries import points_of
from vteam.people.models import Fan
from vteam.rights.models import Holder
from vteam.rules.decisions import Outcome
from vteam.rules.rights import Act as Said
from vteam.rules.rights import Way

pytestmark = pytest.mark.django_db
QUIZ, VOTE, THERE, MADE = "kitchen-quiz", "opening-song", "there", "made-there"
NAMES = {QUIZ: "A question at the kiosk", VOTE: "What do we open with?", MADE: "Bring what you built"}


def labels(page: dict[str, Any]) -> list[str]:
    return [label for _, label in page["choices"]]


# Looking ------------------------------------------------------------------------------------------------------------
def test_missions_can_be_seen_a_few_at_a_time(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    first = kiosk.choose("missions")
    assert first["text"].splitlines()[0] == "A question at the kiosk · 100 points"
    assert labels(first)[:2] == ["A question at the kiosk", "What do we open with?"]
    assert labels(first)[-2:] == ["More", "Back"]
    assert all(len(label.encode()) <= 24 for label in labels(first))
    second = kiosk.choose(first["choices"][-2][0])
    assert second["text"].splitlines()[0] == "Bring someone in · 500 points"
    assert "on the campaign's page" in second["text"]
    assert labels(second) == ["Back"]
    assert kiosk.choose("missions:99")["text"] == "No mission is open at the moment."
    assert kiosk.choose("missions:" + "9" * 50)["text"] == first["text"]


def _listed(kiosk: Object, avatar: str = NADIA) -> dict[str, str]:
    """What the kiosk's list says of each mission in a world."""
    lines = kiosk.choose("missions", avatar)["text"].splitlines()
    said = dict(line.rsplit(" · ", 1) for line in lines)
    return {key: said[name] for key, name in NAMES.items()}


def test_the_list_tells_what_counted_from_what_waits_and_what_was_wrong(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    assert _listed(kiosk) == {QUIZ: "100 points", VOTE: "50 points", MADE: "300 points"}
    assert "Link me" not in labels(kiosk.choose("missions"))
    kiosk.choose(f"answer:{QUIZ}:1")
    assert _listed(kiosk)[QUIZ] == "answered"
    assert "Link me" not in labels(kiosk.choose("missions"))
    kiosk.choose(f"answer:{VOTE}:1")
    kiosk.choose(f"bring:{MADE}", text="A boat")
    waits = "waits: press “Link me”"
    assert _listed(kiosk) == {QUIZ: "answered", VOTE: waits, MADE: waits}
    assert "Link me" in labels(kiosk.choose("missions"))
    link(kiosk, bo)
    assert _listed(kiosk) == {QUIZ: "answered", VOTE: "done", MADE: "brought"}
    assert "Link me" not in labels(kiosk.choose("missions"))


@pytest.mark.parametrize(("accepted", "said"), [(True, "done"), (False, "brought")])
def test_what_was_brought_is_called_done_when_it_counts(
    demo: Campaign, bo: Fan, accepted: bool, said: str
) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo)
    kiosk.choose(f"bring:{MADE}", text="A boat")
    outcomes(bo)
    assert review(done=brought(demo).get(), accepted=accepted, reason="", at_us=clock.now_us())
    assert _listed(kiosk)[MADE] == said


def test_what_another_avatar_of_a_fan_did_is_listed_too(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    kiosk.choose(f"answer:{VOTE}:1", REMI)
    link(kiosk, bo, NADIA)
    kiosk.choose(f"answer:{QUIZ}:1", NADIA)
    link(kiosk, bo, REMI)
    assert _listed(kiosk, REMI) == {QUIZ: "answered", VOTE: "done", MADE: "300 points"}


def test_the_ranking_shows_the_first_and_ones_own_place(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo)
    assert "Bo: 0 points, number 1 of" in kiosk.choose("ranking")["text"]


def test_the_listening_room_says_where_and_what_may_be_played(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    text = kiosk.choose("room")["text"]
    assert text.startswith(
        "The listening room: The cellar of the Ska Club\n\nPlayed here, with the artists' agreement:\n· "
    )
    # “Sel” is a keepsake: its artist agreed that it is heard and kept, and to no virtual world.
    assert "· Les digues" in text
    assert "· Sel" not in text
    assert kiosk.page("touch", at="room")["text"] == text


def test_a_title_is_named_no_more_as_soon_as_one_of_its_holders_says_so(demo: Campaign) -> None:
    _, kiosk = enrolled(demo)
    for title in demo.titles.all():
        named = f"· {title_names([title.pk])[title.pk]}"
        if named in kiosk.choose("room")["text"]:
            holder = Holder.objects.filter(titles__title_id=title.pk).latest("pk")
            speak(
                holder=holder, person=holder.person, title=title, way=Way.WORLDS, act=Said.WITHDRAWN, language="en",
                at_us=clock.now_us(),
            )  # fmt: skip
        assert named not in kiosk.choose("room")["text"]
    assert "No title may be played in virtual worlds at the moment" in kiosk.choose("room")["text"]


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
        assert kiosk.choose(choice)["text"].startswith("A question at the kiosk")
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
    assert "That is the answer" not in kiosk.choose(f"mission:{QUIZ}")["text"]
    assert outcomes(bo) == [Outcome.WRONG_ANSWER]
    assert points_of(demo.pk, bo.pk) == (0, 0)


def test_whose_answer_was_lost_on_the_way_is_told_again_what_became_of_it(demo: Campaign, bo: Fan) -> None:
    _, kiosk = enrolled(demo)
    link(kiosk, bo)
    for mission, said in ((QUIZ, "That is the answer: 100 points."), (VOTE, "Your vote is in: 50 points.")):
        assert kiosk.choose(f"answer:{mission}:2")["text"] == said
        assert kiosk.choose(f"answer:{mission}:2")["text"] == f"You have done this one already. {said}"
    unlink_avatar(avatar=Avatar.objects.get())
    assert "points" not in kiosk.choose(f"answer:{QUIZ}:2")["text"]


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


def test_the_days_of_that_trust_are_the_campaigns(demo: Campaign) -> None:
    _, kiosk = enrolled(demo, acts=1)
    zone = ZoneInfo(demo.file.season.time_zone)
    midnight = dt.datetime.combine(
        clock.now().astimezone(zone).date() + dt.timedelta(days=1), dt.time(), zone
    )
    assert midnight.astimezone(dt.UTC).hour != 0
    for n, (minutes, full) in enumerate([(-90, False), (-1, True), (1, False), (90, True)]):
        with time_machine.travel(midnight + dt.timedelta(minutes=minutes)):
            said = kiosk.choose(f"answer:{QUIZ}:2", f"avatar-{n}")["text"]
        assert ("Come back tomorrow" in said) == full, minutes


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
    assert "Somebody will look at it" in told["text"]
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
