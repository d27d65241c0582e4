"""Artists speak and take back: recorded for good, answered by the gate at once, and told to the books by a fact."""

import pytest
from django.db import connection

from tests import cast
from tests.cast import AT, AT_US, DAY_US, come_in_as, entry, holder_of, open_campaign
from vteam.campaigns.agreements import speak
from vteam.campaigns.models import Campaign, Title
from vteam.journal.models import Fact
from vteam.journal.queries import every_fact
from vteam.ledger import queries as ledger
from vteam.rights import queries
from vteam.rights.models import AgreementText, Holder, RightEvent
from vteam.rights.services import invite, invited, set_holders, take_invitation
from vteam.rights.wording import wording
from vteam.rules import facts
from vteam.rules.rights import Act, Course, Standing, Way

pytestmark = pytest.mark.django_db
KEEP = "Keep it, please don't pass it on."


@pytest.fixture
def campaign() -> Campaign:
    return open_campaign()


@pytest.fixture
def title(campaign: Campaign) -> Title:
    return Title.objects.get(campaign=campaign, key="title-1")


@pytest.fixture
def mira(title: Title) -> Holder:
    return holder_of(title)


def says(
    holder: Holder, title: Title, act: Act, *, way: Way = Way.DOWNLOAD, at_us: int = AT_US, **others: object
) -> None:
    speak(
        holder=holder,
        person=None,
        title=title,
        way=way,
        act=act,
        language="en",
        at_us=at_us,
        **others,  # type: ignore[arg-type]
    )


def stands(title: Title, *, way: Way = Way.DOWNLOAD, at_us: int = AT_US) -> Standing:
    return queries.circulation_of(title.pk, way, at_us=at_us).standing


def test_nothing_circulates_before_the_artist_agreed_and_then_only_the_way_they_agreed_to(
    title: Title, mira: Holder
) -> None:
    assert stands(title) is Standing.NOT_AGREED
    says(mira, title, Act.AGREED)
    assert stands(title) is Standing.OPEN
    assert [stands(title, way=way) for way in (Way.LISTEN, Way.PASS_ON, Way.WORLDS)] == [
        Standing.NOT_AGREED
    ] * 3


def test_a_withdrawal_answers_from_the_same_moment_on_and_can_be_taken_back(
    title: Title, mira: Holder
) -> None:
    says(mira, title, Act.AGREED)
    says(mira, title, Act.WITHDRAWN, at_us=AT_US + 1, why="another label asked")
    went = queries.course_of(title.pk, Way.DOWNLOAD, at_us=AT_US)
    assert went == Course(ever_open=True, closed_since_us=None)
    went = queries.course_of(title.pk, Way.DOWNLOAD, at_us=AT_US + 9)
    assert went == Course(ever_open=True, closed_since_us=AT_US + 1)
    assert stands(title, at_us=AT_US + 1) is Standing.WITHDRAWN
    says(mira, title, Act.AGREED, at_us=AT_US + 2)
    assert stands(title, at_us=AT_US + 2) is Standing.OPEN


def test_an_agreement_for_a_time_ends_by_itself(title: Title, mira: Holder) -> None:
    says(mira, title, Act.AGREED, until_us=AT_US + DAY_US)
    assert stands(title, at_us=AT_US + DAY_US - 1) is Standing.OPEN
    assert stands(title, at_us=AT_US + DAY_US) is Standing.EXPIRED


def test_every_named_holder_must_agree(title: Title, mira: Holder) -> None:
    label = holder_of(title, "label", "A label")
    says(mira, title, Act.AGREED)
    assert queries.circulation_of(title.pk, Way.DOWNLOAD, at_us=AT_US).waiting_for == (label.pk,)
    says(label, title, Act.AGREED)
    assert stands(title) is Standing.OPEN
    says(label, title, Act.REFUSED, at_us=AT_US + 1)
    assert stands(title, at_us=AT_US + 1) is Standing.REFUSED
    assert queries.holders_of(title.pk) == [mira, label]


def test_a_holder_named_later_closes_what_was_open_until_they_agree_too(title: Title, mira: Holder) -> None:
    says(mira, title, Act.AGREED)
    holder_of(title, "heirs", "The heirs")
    assert stands(title) is Standing.NOT_AGREED
    set_holders(title_id=title.pk, holders=[mira])
    assert stands(title) is Standing.OPEN


def test_titles_are_asked_about_together_and_answer_each_for_itself(campaign: Campaign, mira: Holder) -> None:
    first, second, third = Title.objects.filter(campaign=campaign).order_by("position")
    holder_of(second)
    says(mira, first, Act.AGREED)
    says(mira, second, Act.AGREED, way=Way.LISTEN, words=KEEP)
    found = queries.circulations([first.pk, second.pk, third.pk], at_us=AT_US)
    opened = {
        (pk, way) for pk, ways in found.items() for way, circulation in ways.items() if circulation.is_open
    }
    assert opened == {(first.pk, Way.DOWNLOAD), (second.pk, Way.LISTEN)}
    assert found[second.pk][Way.LISTEN].words == (KEEP,)


def test_what_was_agreed_to_is_kept_word_for_word_with_who_and_when(title: Title, mira: Holder) -> None:
    says(mira, title, Act.AGREED)
    event = RightEvent.objects.get()
    text = AgreementText.objects.get(sha256=event.text_sha256)
    assert text.text == wording(Way.DOWNLOAD, title=title.name, artist=title.artist, language="en").text
    assert title.name in text.text
    assert (event.holder_id, event.way, event.act, event.at_us) == (mira.pk, "download", "agreed", AT_US)


def test_the_history_of_a_title_is_told_newest_first(title: Title, mira: Holder) -> None:
    says(mira, title, Act.AGREED)
    says(mira, title, Act.WITHDRAWN, at_us=AT_US + 1, why="changed my mind")
    assert [(event.act, event.why) for event in queries.history(title.pk)] == [
        ("withdrawn", "changed my mind"),
        ("agreed", ""),
    ]


@pytest.mark.parametrize("way", Way)
def test_every_way_is_worded_in_both_languages(way: Way) -> None:
    english, french = (wording(way, title="Sel", artist="Lune Noire", language=code) for code in ("en", "fr"))
    assert english.text != french.text
    assert (english.language, french.language) == ("en", "fr")
    assert all("Sel" in text.text and "Lune Noire" in text.text for text in (english, french))
    assert wording(way, title="Sel", artist="Lune Noire", language="de") == english


# Who may speak --------------------------------------------------------------------------------------------------
def test_a_holder_of_another_title_is_not_heard(campaign: Campaign, title: Title, mira: Holder) -> None:
    other = Title.objects.get(campaign=campaign, key="title-2")
    with pytest.raises(ValueError, match="no holder"):
        says(mira, other, Act.AGREED)
    assert not RightEvent.objects.exists()
    assert cast.move() == 0


def test_a_holder_of_another_campaign_with_the_same_name_is_not_heard(title: Title) -> None:
    elsewhere = open_campaign(slug="another-campaign")
    other = holder_of(Title.objects.filter(campaign=elsewhere)[0])
    with pytest.raises(ValueError, match="no holder"):
        says(other, title, Act.AGREED)


def test_somebody_elses_account_does_not_speak_for_a_holder(title: Title, mira: Holder) -> None:
    artist = come_in_as(entry(None, ""), "mira@example.org").person
    cy = come_in_as(entry(None, ""), "cy@example.org").person
    assert take_invitation(secret=invite(holder=mira, at=AT), person=artist) is not None
    common = {"title": title, "way": Way.DOWNLOAD, "act": Act.AGREED, "language": "en", "at_us": AT_US}
    with pytest.raises(ValueError, match="does not speak for"):
        speak(holder=mira, person=cy, **common)  # type: ignore[arg-type]
    assert stands(title) is Standing.NOT_AGREED
    speak(holder=mira, person=artist, **common)  # type: ignore[arg-type]
    assert RightEvent.objects.get().person_id == artist.pk
    assert stands(title) is Standing.OPEN


def test_an_invitation_works_once_and_a_new_one_replaces_it(mira: Holder) -> None:
    ana = come_in_as(entry(None, ""), "ana@example.org").person
    cy = come_in_as(entry(None, ""), "cy@example.org").person
    old = invite(holder=mira, at=AT)
    new = invite(holder=mira, at=AT)
    assert invited(old) is None
    assert invited(new) == mira
    assert take_invitation(secret=old, person=cy) is None
    assert take_invitation(secret=new, person=ana) == mira
    assert take_invitation(secret=new, person=cy) is None
    assert Holder.objects.get(pk=mira.pk).person == ana
    assert invited("") is None


# What the books are told ----------------------------------------------------------------------------------------
def test_a_word_is_a_fact_that_says_whether_the_way_is_open_now(title: Title, mira: Holder) -> None:
    label = holder_of(title, "label", "A label")
    says(mira, title, Act.AGREED)
    says(label, title, Act.AGREED)
    says(mira, title, Act.WITHDRAWN)
    cast.move()
    told = [
        f for f in every_fact(connection, title.campaign_id) if f.kind in ("RightAgreed", "RightWithdrawn")
    ]
    assert [(fact.kind, fact.body["holder"], fact.body["open"]) for fact in told] == [
        ("RightAgreed", mira.pk, False),
        ("RightAgreed", label.pk, True),
        ("RightWithdrawn", mira.pk, False),
    ]
    assert not any("words" in fact.body or "why" in fact.body for fact in told), "erasable words are no facts"


def test_points_earned_before_a_withdrawal_stay_and_afterwards_the_title_earns_nothing(
    title: Title, mira: Holder
) -> None:
    campaign, bo, cy = title.campaign_id, 101, 102
    says(mira, title, Act.AGREED)
    cast.offer(campaign, facts.title_downloaded(fan=bo, title=title.pk, at_us=AT_US + 1))
    says(mira, title, Act.WITHDRAWN, at_us=AT_US + 5)
    cast.offer(campaign, facts.title_downloaded(fan=cy, title=title.pk, at_us=AT_US + 5))
    cast.offer(campaign, facts.title_downloaded(fan=103, title=title.pk, at_us=AT_US + 4))
    cast.move()
    assert ledger.points_of(campaign, bo) == (50, 0)
    assert ledger.points_of(campaign, cy) == (0, 0)
    assert str(ledger.decisions_of(campaign, cy, at_most=1)[0].decision.outcome) == "rights_withdrawn"
    assert ledger.points_of(campaign, 103) == (50, 0), "asked for while it was open"
    says(mira, title, Act.AGREED, at_us=AT_US + 6)
    cast.offer(campaign, facts.title_downloaded(fan=104, title=title.pk, at_us=AT_US + 7))
    cast.move()
    assert ledger.points_of(campaign, 104) == (50, 0)


def test_a_title_is_closed_since_the_first_holder_withdrew_whoever_follows(
    title: Title, mira: Holder
) -> None:
    label, campaign, bo = holder_of(title, "label", "A label"), title.campaign_id, 101
    for holder in (mira, label):
        says(holder, title, Act.AGREED)
    says(mira, title, Act.WITHDRAWN, at_us=AT_US + 5)
    says(label, title, Act.WITHDRAWN, at_us=AT_US + 9)
    cast.offer(campaign, facts.title_downloaded(fan=bo, title=title.pk, at_us=AT_US + 7))
    cast.move()
    assert ledger.points_of(campaign, bo) == (0, 0)


def test_a_word_that_could_not_be_recorded_leaves_no_fact_behind(title: Title, mira: Holder) -> None:
    with pytest.raises(ValueError, match="no holder"):
        says(mira, Title.objects.get(campaign=title.campaign, key="title-3"), Act.WITHDRAWN)
    cast.move()
    assert not Fact.objects.filter(kind="RightWithdrawn").exists()
