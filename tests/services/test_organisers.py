"""Organisers come by a link that works once, write news, and are nobody any more when they are removed or leave."""

import datetime as dt
from pathlib import Path

import pytest

from tests.cast import AT, come_in_as, entry, open_campaign
from tests.services.test_command import vteam
from vteam.campaigns import news as told
from vteam.campaigns.models import Campaign, News, Organiser
from vteam.campaigns.news import Draft
from vteam.campaigns.organisers import (
    invite,
    invited,
    is_operator,
    organiser_of,
    organisers,
    remove,
    roles_of,
    take_invitation,
)
from vteam.people.erasure import erase_account
from vteam.people.models import Person

pytestmark = pytest.mark.django_db
LATER = AT + dt.timedelta(hours=1)
BOTH = Draft(subjects={"en": "Tide", "fr": "Marée"}, texts={"en": "It comes.", "fr": "Elle vient."})


@pytest.fixture
def campaign() -> Campaign:
    return open_campaign()


@pytest.fixture
def ana() -> Person:
    return come_in_as(entry(None, ""), "ana@example.org").person


@pytest.fixture
def cy() -> Person:
    return come_in_as(entry(None, ""), "cy@example.org").person


def link(campaign: Campaign | None, name: str = "Ana") -> str:
    secret = invite(campaign=campaign, name=name, at=AT)
    assert secret is not None, f"{name} came already"
    return secret


# Who may act ----------------------------------------------------------------------------------------------------
def test_an_invitation_works_once_and_a_new_one_replaces_it(
    campaign: Campaign, ana: Person, cy: Person
) -> None:
    old, new = link(campaign), link(campaign)
    assert old != new
    assert invited(old) is None
    assert Organiser.objects.count() == 1
    assert take_invitation(secret=old, person=cy) is None
    taken = take_invitation(secret=new, person=ana)
    assert taken is not None
    assert organiser_of(ana, campaign) == taken
    assert invited(new) is None
    assert take_invitation(secret=new, person=cy) is None
    assert organiser_of(cy, campaign) is None
    assert invited("") is None


def test_a_link_is_kept_as_a_hash_alone(campaign: Campaign) -> None:
    secret = link(campaign)
    stored = Organiser.objects.get()
    assert bytes(stored.invitation_hash or b"") != secret.encode()
    assert len(bytes(stored.invitation_hash or b"")) == 32


def test_a_name_means_one_person_and_who_came_is_not_replaced(campaign: Campaign, ana: Person) -> None:
    take_invitation(secret=link(campaign), person=ana)
    assert invite(campaign=campaign, name="Ana", at=LATER) is None
    assert organiser_of(ana, campaign) is not None
    link(campaign, "Dov")
    assert [(one.name, one.person_id) for one in organisers(campaign)] == [("Ana", ana.pk), ("Dov", None)]


def test_who_is_an_organiser_already_stays_it_under_the_name_they_had(
    campaign: Campaign, ana: Person
) -> None:
    first = take_invitation(secret=link(campaign), person=ana)
    again = link(campaign, "Anna")
    assert take_invitation(secret=again, person=ana) == first
    assert invited(again) is None
    assert [one.name for one in organisers(campaign)] == ["Ana"]


def test_an_organiser_acts_in_their_own_campaign_only_and_an_operator_in_none(
    campaign: Campaign, ana: Person, cy: Person
) -> None:
    other = open_campaign(slug="maree-basse")
    take_invitation(secret=link(campaign), person=ana)
    take_invitation(secret=link(None, "Cy"), person=cy)
    assert organiser_of(ana, other) is None
    assert organiser_of(None, campaign) is None
    assert (is_operator(cy), is_operator(ana), is_operator(None)) == (True, False, False)
    assert organiser_of(cy, campaign) is None
    assert [one.name for one in organisers(None)] == ["Cy"]
    take_invitation(secret=link(None, "Cyril"), person=cy)
    assert [one.name for one in organisers(None)] == ["Cy"]


def test_somebody_removed_is_nobody_at_once_and_what_they_wrote_stays(
    campaign: Campaign, ana: Person
) -> None:
    take_invitation(secret=link(campaign), person=ana)
    told.write_news(campaign=campaign, draft=BOTH, at=AT)
    unused = link(campaign, "Dov")
    assert remove(campaign=campaign, name="Ana", at=AT)
    assert remove(campaign=campaign, name="Dov", at=AT)
    assert not remove(campaign=campaign, name="Ana", at=AT)
    assert not remove(campaign=None, name="Ana", at=AT)
    assert organiser_of(ana, campaign) is None
    assert invited(unused) is None
    assert News.objects.count() == 1


def test_an_erased_account_organises_nothing_any_more(campaign: Campaign, ana: Person) -> None:
    take_invitation(secret=link(campaign), person=ana)
    take_invitation(secret=link(None), person=ana)
    assert [role.campaign for role in roles_of(ana)] == [campaign, None]
    erase_account(person=ana)
    assert not Organiser.objects.exists()


# News -----------------------------------------------------------------------------------------------------------
def test_news_is_seen_from_its_publishing_on_and_only_in_every_language(campaign: Campaign) -> None:
    news = told.write_news(campaign=campaign, draft=Draft(subjects={"en": "Tide"}, texts={"en": "x"}), at=AT)
    assert told.lacks(news) == ["fr"]
    assert not told.publish(news=news, at=AT)
    assert list(told.published(campaign)) == told.latest(campaign, at_most=2) == []
    told.write_news(campaign=campaign, draft=BOTH, at=AT, news=news)
    assert told.publish(news=news, at=LATER)
    assert not told.publish(news=news, at=LATER), "once is enough"
    assert list(told.published(campaign)) == told.latest(campaign, at_most=2) == [news]


def test_what_is_asked_about_publishing_is_what_is_stored_not_what_was_read_before(
    campaign: Campaign,
) -> None:
    read = told.write_news(campaign=campaign, draft=BOTH, at=AT)
    emptied = Draft(subjects={"fr": ""}, texts={})
    assert told.rewrite(news=read, draft=emptied, seen=told.state(read), at=AT)
    assert not told.publish(news=read, at=AT)


def test_a_correction_says_when_and_saving_the_same_again_is_none(campaign: Campaign) -> None:
    news = told.write_news(campaign=campaign, draft=BOTH, at=AT)
    told.publish(news=news, at=AT)
    news.refresh_from_db()
    assert told.rewrite(news=news, draft=BOTH, seen=told.state(news), at=LATER)
    news.refresh_from_db()
    assert news.edited_at is None
    correction = Draft(subjects={"en": "The tide"}, texts={})
    assert told.rewrite(news=news, draft=correction, seen=told.state(news), at=LATER)
    news.refresh_from_db()
    assert (news.subject_en, news.subject_fr, news.text_en) == ("The tide", "Marée", "It comes.")
    assert news.edited_at == LATER


def test_nobody_writes_over_what_somebody_else_changed_meanwhile(campaign: Campaign) -> None:
    news = told.write_news(campaign=campaign, draft=BOTH, at=AT)
    seen = told.state(news)
    told.publish(news=news, at=AT)
    assert not told.rewrite(news=news, draft=Draft(subjects={"en": "Mine"}, texts={}), seen=seen, at=LATER)
    assert News.objects.get().subject_en == "Tide"
    News.objects.all().delete()
    assert not told.rewrite(news=news, draft=BOTH, seen=seen, at=LATER)


def test_taken_back_it_leaves_every_page_and_comes_back_to_its_place(campaign: Campaign) -> None:
    first, second = (told.write_news(campaign=campaign, draft=BOTH, at=AT) for _ in range(2))
    told.publish(news=first, at=AT)
    told.publish(news=second, at=LATER)
    assert told.take_back(news=first, at=LATER)
    assert not told.take_back(news=first, at=LATER)
    assert list(told.published(campaign)) == [second]
    assert told.put_back(news=first)
    assert not told.put_back(news=first)
    assert list(told.published(campaign)) == told.latest(campaign, at_most=9) == [second, first]


def test_a_draft_is_thrown_away_and_what_was_published_is_not(campaign: Campaign) -> None:
    draft, out = (told.write_news(campaign=campaign, draft=BOTH, at=AT) for _ in range(2))
    told.publish(news=out, at=AT)
    assert not told.take_back(news=draft, at=AT)
    assert told.throw_away(news=draft)
    assert not told.throw_away(news=out)
    assert list(News.objects.all()) == [out]


def test_drafts_stand_before_what_was_published_each_newest_first(campaign: Campaign) -> None:
    first, second, third, fourth = (told.write_news(campaign=campaign, draft=BOTH, at=AT) for _ in range(4))
    told.publish(news=first, at=AT)
    told.publish(news=second, at=LATER)
    assert list(told.written(campaign)) == [fourth, third, second, first]


def test_a_reader_gets_their_language_or_the_one_there_is() -> None:
    both = News(subject_en="Tide", text_en="It comes.", subject_fr="Marée", text_fr="Elle vient.")
    french = News(subject_fr="Marée", text_fr="Elle vient.")
    assert [(both.told_in(code), both.text(code)) for code in ("en", "fr", "de")] == [
        ("en", "It comes."),
        ("fr", "Elle vient."),
        ("en", "It comes."),
    ]
    assert (french.told_in("en"), french.subject("en"), french.text("en")) == ("fr", "Marée", "Elle vient.")
    assert (News().told_in("fr"), News().subject("fr"), News().text("de")) == ("fr", "", "")


# The command ----------------------------------------------------------------------------------------------------
def test_the_command_invites_lists_and_removes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    vteam("demo", "--no-run", data=data)
    made = vteam("organiser", "invite", "maree-haute", "--name", " Ana  Marin ", data=data)
    assert made.returncode == 0, made.stderr
    assert "Hand this link to Ana Marin" in made.stdout
    assert "/organise/invitation/" in made.stdout
    listed = vteam("organiser", "list", data=data).stdout
    assert "maree-haute:" in listed
    assert "Ana Marin, invited on" in listed
    assert "has not come yet" in listed
    assert "None." in vteam("operator", "list", data=data).stdout
    assert vteam("operator", "invite", "--name", "Cy", data=data).returncode == 0
    assert "Cy, invited on" in vteam("operator", "list", data=data).stdout
    assert vteam("organiser", "remove", "maree-haute", "--name", "Ana Marin", data=data).returncode == 0
    again = vteam("organiser", "remove", "maree-haute", "--name", "Ana Marin", data=data)
    assert again.returncode == 1
    assert "Nobody here is called 'Ana Marin'" in again.stderr
    for name in ("", "x" * 81, "a\x1b[2Jb"):
        refused = vteam("operator", "invite", "--name", name, data=data)
        assert refused.returncode == 1, name
        assert "A name is one line" in refused.stderr
