"""Applying a campaign file: idempotent, versioned, whole or not at all; what was earned before stays."""

import datetime as dt
import re
import shutil
from pathlib import Path

import pytest
from django.db import connection

from vteam.campaigns import files
from vteam.campaigns.agreements import speak
from vteam.campaigns.check import check_campaign
from vteam.campaigns.models import Campaign, CampaignVersion, MissionVersion, Title
from vteam.campaigns.queries import titles_of
from vteam.campaigns.services import Applied, apply_campaign, close_past
from vteam.clock import to_us
from vteam.errors import CampaignFileError
from vteam.jobs.moving import InboxTable, Mover
from vteam.journal.services import record_fact
from vteam.ledger.queries import points_of
from vteam.ledger.replay import replay
from vteam.ledger.verify import verify
from vteam.rights.models import Holder, TitleHolder
from vteam.rules import facts
from vteam.rules.rights import Act, Way

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[2]
AT = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The demo's campaign, to be changed."""
    shutil.copytree(ROOT / "demo", tmp_path / "campaign", ignore=shutil.ignore_patterns("render"))
    return tmp_path / "campaign"


def apply(folder: Path, *, at: dt.datetime = AT) -> Applied:
    checked = check_campaign(folder)
    assert checked.file is not None, checked.problems
    return apply_campaign(file=checked.file, folder=folder, at=at)


def change(folder: Path, before: str, after: str) -> None:
    path = folder / "campaign.toml"
    changed, count = re.subn(before, after, path.read_text(), count=1)
    assert count == 1, before
    path.write_text(changed)


def test_applying_twice_changes_nothing(folder: Path) -> None:
    first, second = apply(folder), apply(folder, at=AT + DAY)
    assert first.changed
    assert not second.changed
    assert second.invitations == ()
    assert CampaignVersion.objects.count() == 1
    assert Mover(InboxTable()).move() == 1 + MissionVersion.objects.count()


def test_each_holder_is_invited_once_by_a_link(folder: Path) -> None:
    applied = apply(folder)
    assert {invitation.holder.pk for invitation in applied.invitations} == set(
        Holder.objects.values_list("pk", flat=True)
    )
    assert len({invitation.secret for invitation in applied.invitations}) == len(applied.invitations)


def test_every_title_has_the_holders_the_file_names(folder: Path) -> None:
    applied = apply(folder)
    for title in Title.objects.all():
        wanted = {holder.key for holder in applied.campaign.file.holders_of(title.key)}
        found = TitleHolder.objects.filter(title_id=title.pk).values_list("holder__key", flat=True)
        assert set(found) == wanted != set()


def test_the_stored_audio_is_the_file_without_its_tags(folder: Path) -> None:
    apply(folder)
    title = Title.objects.order_by("position")[0]
    body = files.path_of(title.body_sha256).read_bytes()
    assert len(body) == title.body_bytes
    assert body[0] == 0xFF
    assert body in (folder / "titles" / "les-digues.mp3").read_bytes()


def test_changed_points_are_a_new_version_and_what_was_earned_before_stays(folder: Path) -> None:
    campaign = apply(folder).campaign
    key = next(mission.key for mission in campaign.file.missions if mission.kind == "download")
    for fan in (1, 2):
        record_fact(
            campaign_id=campaign.pk,
            fact=facts.fan_confirmed(
                fan=fan, recruiter=None, share=None, network="n", same_session=False, at_us=to_us(AT)
            ),
        )
    record_fact(
        campaign_id=campaign.pk, fact=facts.title_downloaded(fan=1, title=1, at_us=to_us(AT + DAY / 2))
    )
    change(folder, rf'(key = "{key}"\n(?:.*\n)*?points = )\d+', r"\g<1>75")
    changed = apply(folder, at=AT + DAY)
    assert changed.changed
    assert changed.campaign.version == 2
    record_fact(
        campaign_id=campaign.pk, fact=facts.title_downloaded(fan=2, title=1, at_us=to_us(AT + DAY * 2))
    )
    # Seen before the change, journaled after it: still judged by the rule that was in force.
    record_fact(
        campaign_id=campaign.pk, fact=facts.title_downloaded(fan=2, title=2, at_us=to_us(AT + DAY / 2))
    )
    Mover(InboxTable()).move()
    assert points_of(campaign.pk, 1) == (50, 0)
    assert points_of(campaign.pk, 2) == (125, 0)
    assert MissionVersion.objects.filter(key=key).count() == 2
    assert verify(connection, campaign.pk) is None
    assert replay(connection, campaign.pk) is None


def test_a_mission_taken_out_pays_nothing_more(folder: Path) -> None:
    campaign = apply(folder).campaign
    key = next(mission.key for mission in campaign.file.missions if mission.kind == "download")
    change(folder, rf'\[\[missions\]\]\nkey = "{key}"\n(?:(?!\[\[).*\n)*', "")
    apply(folder, at=AT + DAY)
    record_fact(
        campaign_id=campaign.pk, fact=facts.title_downloaded(fan=1, title=1, at_us=to_us(AT + DAY * 2))
    )
    Mover(InboxTable()).move()
    assert points_of(campaign.pk, 1) == (0, 0)


def test_a_title_taken_out_is_no_longer_offered_and_comes_back_with_its_history(folder: Path) -> None:
    campaign = apply(folder).campaign
    before = Title.objects.get(campaign=campaign, key="sel").pk
    text = (folder / "campaign.toml").read_text()
    change(folder, r'\[\[titles\]\]\nkey = "sel"\n(?:(?!\[\[).*\n)*', "")
    change(folder, r'titles = .*"sel".*', 'titles = ["les-digues"]')
    apply(folder, at=AT + DAY)
    assert [row.title.key for row in titles_of(campaign, at_us=to_us(AT + DAY))] == [
        "les-digues",
        "phare-eteint",
    ]
    (folder / "campaign.toml").write_text(text)
    apply(folder, at=AT + DAY * 2)
    assert Title.objects.get(campaign=campaign, key="sel", retired_at=None).pk == before


def test_another_recording_under_a_title_its_holders_spoke_about_is_refused_whole(folder: Path) -> None:
    campaign = apply(folder).campaign
    title = Title.objects.get(campaign=campaign, key="les-digues")
    holder = Holder.objects.filter(titles__title_id=title.pk)[0]
    speak(
        holder=holder,
        person=None,
        title=title,
        way=Way.LISTEN,
        act=Act.AGREED,
        language="en",
        at_us=to_us(AT),
    )
    shutil.copy(folder / "titles" / "sel.mp3", folder / "titles" / "les-digues.mp3")
    change(folder, r"points = 500", "points = 400")
    with pytest.raises(CampaignFileError, match="another recording"):
        apply(folder, at=AT + DAY)
    assert Campaign.objects.get().version == 1
    assert Title.objects.get(pk=title.pk).body_sha256 == title.body_sha256


def test_a_holder_who_spoke_can_be_neither_dropped_nor_renamed(folder: Path) -> None:
    campaign = apply(folder).campaign
    title = Title.objects.get(campaign=campaign, key="sel")
    holder = Holder.objects.get(campaign_id=campaign.pk, key="malo-kerrien")
    speak(
        holder=holder,
        person=None,
        title=title,
        way=Way.LISTEN,
        act=Act.WITHDRAWN,
        language="en",
        at_us=to_us(AT),
    )
    text = (folder / "campaign.toml").read_text()
    change(folder, r'\[\[holders\]\]\nkey = "malo-kerrien"\n(?:(?!\[\[|# -).*\n)*', "")
    with pytest.raises(CampaignFileError, match="stays a holder"):
        apply(folder, at=AT + DAY)
    (folder / "campaign.toml").write_text(text.replace('"Malo Kerrien"', '"Somebody Else"'))
    with pytest.raises(CampaignFileError, match="a key of their own"):
        apply(folder, at=AT + DAY)


def test_after_the_appeals_the_network_key_is_destroyed_once(folder: Path) -> None:
    campaign = apply(folder).campaign
    before, ends = bytes(campaign.network_key), campaign.file.season.ends_at
    assert close_past(at=ends + DAY * 29) == 0
    assert close_past(at=ends + DAY * 30) == 1
    campaign.refresh_from_db()
    assert bytes(campaign.network_key) != before
    assert close_past(at=ends + DAY * 31) == 0
