"""A campaign edited without its folder: a version like any other, whole or not at all, and the way back to a file."""

import datetime as dt
import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.services.concurrency import at_once
from tests.services.test_command import vteam
from tests.services.winners import won
from vteam.campaigns.changes import Change
from vteam.campaigns.check import check_campaign
from vteam.campaigns.editing import edit_campaign, read_tables, undone
from vteam.campaigns.file import CampaignFile
from vteam.campaigns.files import path_of
from vteam.campaigns.models import Campaign, CampaignVersion, Title
from vteam.campaigns.services import Applied, apply_campaign
from vteam.campaigns.writing import tables_of, toml_of
from vteam.errors import CampaignFileError, Promised
from vteam.jobs.moving import InboxTable, Mover
from vteam.journal.models import Fact
from vteam.prizes.keeping import refuse_changes

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[2]
AT = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The demo's campaign, to be applied again."""
    shutil.copytree(ROOT / "demo", tmp_path / "campaign", ignore=shutil.ignore_patterns("render"))
    return tmp_path / "campaign"


def applied(folder: Path, **of: Any) -> Campaign:
    checked = check_campaign(folder)
    assert checked.file is not None, checked.problems
    return apply_campaign(file=checked.file, folder=folder, at=AT, **of).campaign


def edited(campaign: Campaign, key: str, **of: Any) -> CampaignFile:
    """The file in force, with something else about one prize; `None` leaves a line out."""
    tables = tables_of(campaign.file)
    prize = next(each for each in tables["prizes"] if each["key"] == key)
    prize.update(of)
    file, found = read_tables(tables)
    assert file is not None, found
    return file


def edit(campaign: Campaign, file: CampaignFile, *, seen: int | None = None) -> Applied | None:
    seen = campaign.version if seen is None else seen
    return edit_campaign(campaign=campaign, file=file, seen=seen, refuse=refuse_changes, at=AT)


def texts(found: list[Change]) -> str:
    return "\n".join(change.text for change in found)


def test_an_edit_is_a_version_with_its_fact_and_recordings_and_pictures_stay(folder: Path) -> None:
    campaign = applied(folder)
    titles = list(Title.objects.order_by("pk").values())
    shutil.rmtree(folder)
    answer = edit(campaign, edited(campaign, "poster", how_many=80))
    assert answer is not None
    assert answer.changed
    assert answer.invitations == ()
    campaign.refresh_from_db()
    assert campaign.version == 2
    assert [each.made_in for each in CampaignVersion.objects.order_by("version")] == ["file", "browser"]
    assert list(Title.objects.order_by("pk").values()) == titles
    Mover(InboxTable()).move()
    assert Fact.objects.filter(kind="CampaignVersioned").count() == 2


def test_what_winners_download_is_stored_and_stays_when_the_prize_is_edited(folder: Path) -> None:
    (folder / "take.wav").write_bytes(b"one take")
    text = (folder / "campaign.toml").read_text()
    poster = 'kind = "milestone"              # for those who reach it, as long as there are some'
    with_file = text.replace(poster, f'file = "take.wav"\n{poster}').replace(
        'how_many = 60\nneeds = "address"\n', "how_many = 60\n"
    )
    (folder / "campaign.toml").write_text(with_file)
    campaign = applied(folder)
    stored = [hashlib.sha256(b"one take").hexdigest(), 8]
    assert campaign.gifts == {"poster": stored}
    assert path_of(stored[0]).read_bytes() == b"one take"
    edit_campaign(
        campaign=campaign, file=edited(campaign, "poster", how_many=61), seen=1, refuse=refuse_changes, at=AT
    )
    campaign.refresh_from_db()
    assert campaign.gifts == {"poster": stored}
    (folder / "take.wav").write_bytes(b"another take")
    assert applied(folder).gifts["poster"][1] == 12
    for content, said in ((b"", "it is empty"), (None, "there is no such file")):
        (folder / "take.wav").unlink(missing_ok=True)
        if content is not None:
            (folder / "take.wav").write_bytes(content)
        (problem,) = check_campaign(folder).problems
        assert said in problem.wrong
    (folder / "campaign.toml").write_text(
        with_file.replace('file = "take.wav"', 'file = "take.wav"\nneeds = "name"')
    )
    (folder / "take.wav").write_bytes(b"one take")
    (problem,) = check_campaign(folder).problems
    assert problem.wrong == "whoever downloads a file is asked for nothing"


def test_the_same_again_is_no_version(folder: Path) -> None:
    campaign = applied(folder)
    answer = edit(campaign, campaign.file)
    assert answer is not None
    assert not answer.changed
    assert CampaignVersion.objects.count() == 1


def test_an_edit_of_a_version_that_is_no_longer_in_force_is_refused(folder: Path) -> None:
    campaign = applied(folder)
    first, second = edited(campaign, "poster", how_many=80), edited(campaign, "poster", how_many=90)
    assert edit(campaign, first) is not None
    assert edit(campaign, second, seen=1) is None
    campaign = Campaign.objects.get()
    assert campaign.file == first
    assert campaign.version == 2


def test_of_edits_at_the_same_moment_one_is_kept(folder: Path) -> None:
    campaign = applied(folder)
    files = [edited(campaign, "poster", how_many=many) for many in (70, 80, 90)]
    results = at_once(*(lambda file=file: edit(campaign, file, seen=1) for file in files))  # type: ignore[misc]
    assert [result for result in results if isinstance(result, Exception)] == []
    (kept,) = [file for file, result in zip(files, results, strict=True) if result is not None]
    assert Campaign.objects.get().file == kept
    assert CampaignVersion.objects.count() == 2


def test_what_the_file_may_not_say_no_edit_may_say(folder: Path) -> None:
    campaign = applied(folder)
    for of, where in (
        ({"claim_days": 91}, "claim_days"),
        ({"first": 5}, "first"),
        ({"milestone": 4_999}, "milestone"),
        ({"name": {"en": "Only this"}}, "name"),
        ({"name": "x" * 81}, "name"),
    ):
        tables = tables_of(campaign.file)
        tables["prizes"][2] |= of
        file, found = read_tables(tables)
        assert file is None
        assert {finding.path for finding in found} == {("prizes", 2, where)}


def test_a_promise_is_kept_and_nothing_is_changed_in_part() -> None:
    campaign, _ = won("Bo", "Cy")
    before = campaign.document
    with pytest.raises(Promised) as refused:
        edit(campaign, edited(campaign, "record", first=1))
    assert (refused.value.prize, refused.value.field) == ("record", "first")
    with pytest.raises(Promised, match="stays in the file") as refused:
        edit(campaign, campaign.file.model_copy(update={"prizes": ()}))
    assert refused.value.field is None
    assert Campaign.objects.get().document == before
    assert edit(campaign, edited(campaign, "record", explanation="On black vinyl.")) is not None


def test_a_season_that_is_final_stays_whoever_edits() -> None:
    campaign, _ = won("Bo")
    longer = campaign.file.season.model_copy(update={"ends": dt.date(2027, 1, 20)})
    with pytest.raises(CampaignFileError, match="is final"):
        edit(campaign, campaign.file.model_copy(update={"season": longer}))
    assert CampaignVersion.objects.count() == 0


# The way back to a file ------------------------------------------------------------------------------------------
def test_what_is_written_out_reads_as_the_same_file(folder: Path) -> None:
    campaign = applied(folder)
    awkward = edited(
        campaign,
        "poster",
        name={"en": 'A "sheet" of \\ paper', "fr": "Une « feuille » # pas une note"},
        explanation="One line.\nAnother.\n\nAnd a last one with \"\"\" in it.",
        value={"en": "about 60 €", "fr": "environ 60 €"},
        countries=["FR", "BE"],
    )  # fmt: skip
    tables = tables_of(awkward)
    tables["missions"][0]["hold"] = "0"
    texts = {"en": 'Read "this".\n\n[rules]\nx = 1', "fr": "Lis « ceci »."}
    tables["rules"]["conditions"] += [{"country": "BE", "text": texts}]
    awkward = CampaignFile.model_validate(tables)
    for file in (campaign.file, awkward):
        (folder / "campaign.toml").write_text(toml_of(file, version=1), encoding="utf-8")
        checked = check_campaign(folder)
        assert checked.problems == []
        assert checked.file is not None
        assert checked.file.canonical() == file.canonical()


def test_a_file_from_a_folder_says_what_it_would_undo(folder: Path) -> None:
    campaign = applied(folder)
    old = campaign.file
    assert undone(campaign, old) == []
    tables = tables_of(edited(campaign, "poster", how_many=80, claim_days=30))
    del tables["prizes"][3]
    tables["prizes"].append({**tables["prizes"][0], "key": "another", "name": "Another"})
    tables["rules"]["answers"] = "Somebody else, Port-Lierre"
    file, found = read_tables(tables)
    assert file is not None, found
    edit(campaign, file)
    campaign = Campaign.objects.get()
    assert undone(campaign, campaign.file) == []
    said = texts(undone(campaign, old))
    assert "how many changes from 80 to 60" in said
    assert "claim days changes from 30 to 14" in said
    assert "“Another” is taken out" in said
    assert "The rules: answers changes" in said
    assert "“An afternoon at the soundcheck” is added" in said
    assert "signed" not in said
    renamed = campaign.file.model_copy(update={"team": "Les Marées"})
    assert undone(campaign, renamed) == [], "what was not edited is a change like any other"
    apply_campaign(file=old, folder=folder, at=AT)
    assert undone(Campaign.objects.get(), old) == []


def test_a_file_shown_against_another_version_is_not_applied(folder: Path) -> None:
    campaign = applied(folder)
    edit(campaign, edited(campaign, "poster", how_many=80))
    with pytest.raises(CampaignFileError, match="meanwhile"):
        applied(folder, seen=1)
    assert Campaign.objects.get().version == 2


def test_the_command_shows_what_is_in_force_and_asks_before_undoing_it(folder: Path, tmp_path: Path) -> None:
    data, path = tmp_path / "data", str(folder)
    assert vteam("campaign", "apply", path, data=data).returncode == 0
    shown = vteam("campaign", "show", "maree-haute", data=data)
    assert shown.returncode == 0, shown.stderr
    mine = (folder / "campaign.toml").read_text()
    (folder / "campaign.toml").write_text(shown.stdout)
    again = vteam("campaign", "apply", path, data=data)
    assert "Nothing to change: this file is in force." in again.stdout
    _edit_at(data)
    (folder / "campaign.toml").write_text(mine)
    asked = vteam("campaign", "apply", path, data=data)
    assert asked.returncode == 1
    assert "Edited in the browser since the last file was applied, and undone by this one:" in asked.stdout
    assert "claim days changes from 30 to 14" in asked.stdout
    assert "claim_days = 30" in vteam("campaign", "show", "maree-haute", data=data).stdout
    assert vteam("campaign", "apply", path, "--yes", data=data).returncode == 0
    assert "claim_days" not in vteam("campaign", "show", "maree-haute", data=data).stdout
    assert vteam("campaign", "show", "nothing-here", data=data).returncode == 1


def _edit_at(data: Path) -> None:
    """What the browser does, in the data folder of a command; claim days are no loss, so that only undoing asks."""
    script = (
        "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'vteam.settings'; django.setup()\n"
        "from vteam import clock\n"
        "from vteam.campaigns.editing import edit_campaign\n"
        "from vteam.campaigns.models import Campaign\n"
        "from vteam.prizes.keeping import refuse_changes\n"
        "it = Campaign.objects.get()\n"
        "prizes = (it.file.prizes[0].model_copy(update={'claim_days': 30}), *it.file.prizes[1:])\n"
        "file = it.file.model_copy(update={'prizes': prizes})\n"
        "edit_campaign(campaign=it, file=file, seen=1, refuse=refuse_changes, at=clock.now())\n"
    )
    answer = run_python(script, data)
    assert answer.returncode == 0, answer.stderr


def run_python(script: str, data: Path) -> Any:
    import os
    import subprocess
    import sys

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VTEAM_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-c", script], env=kept | {"VTEAM_DATA": str(data)}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
