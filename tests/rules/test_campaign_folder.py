"""The file itself and the files it names: bytes that are none, links out of the folder, covers that are too small."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.rules.demofile import SOURCE
from vteam.campaigns.check import check_campaign, inside
from vteam.errors import CampaignFileError


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "`slug` is missing"),
        ("name = 'Marée'".encode("latin-1"), "line 1 holds letters in another encoding"),
        (b"#" * (257 << 10), "it is larger than 256 KiB"),
        (b"a = " + b"[" * 100_000, "cannot be read"),
        (b"a = " + b"1" * 5_000, "cannot be read"),
        (b"\x00", "says nothing that can be read"),
    ],
)
def test_a_file_that_is_no_campaign_at_all_is_refused_in_words(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "campaign.toml"
    path.write_bytes(content)
    result = check_campaign(path)
    assert result.file is None
    assert said in " ".join(map(str, result.problems))


def test_no_file_and_a_folder_without_one(tmp_path: Path) -> None:
    [problem] = check_campaign(tmp_path).problems
    assert str(problem).startswith(f"{tmp_path}/campaign.toml: there is no such file → ")


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake(folder: Path) -> None:
    path = folder / "campaign.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SOURCE.replace("\n", "\r\n").encode())
    assert check_campaign(folder).problems == []


def test_links_to_other_places_are_refused(folder: Path) -> None:
    outside = folder.parent / "outside.mp3"
    shutil.move(folder / "titles" / "sel.mp3", outside)
    (folder / "titles" / "sel.mp3").symlink_to(outside)
    shutil.move(folder / "titles", folder.parent / "elsewhere")
    (folder / "titles").symlink_to(folder.parent / "elsewhere")
    for name in ("titles/sel.mp3", "titles/les-digues.mp3"):
        with pytest.raises(CampaignFileError, match="it is a link to somewhere else"):
            inside(folder, name)
    with pytest.raises(CampaignFileError, match="outside the campaign's folder"):
        inside(folder, "../outside.mp3")


def test_a_cover_too_small_and_one_not_square_are_refused(folder: Path) -> None:
    (folder / "campaign.toml").write_text(SOURCE)
    for size, said in (((599, 599), "too small (599 × 599"), ((900, 700), "not square (900 × 700")):
        Image.new("RGB", size).save(folder / "cover.jpg")
        [problem] = check_campaign(folder).problems
        assert said in problem.wrong
