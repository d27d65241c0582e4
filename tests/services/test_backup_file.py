"""The backup's file is not believed: whatever is wrong with it, it is refused, and nothing was written outside."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vteam.backup import archive
from vteam.backup.archive import Archive, Manifest, Part, own_keys, part_of, write
from vteam.errors import BackupError

AUDIO = b"\x00\xff" * 40_000
NAME = "4" * 64


def untold(what: str, done: int, total: int) -> None:
    """Nobody watches."""


def manifest(*parts: Part, **others: Any) -> Manifest:
    said = {
        "version": "0.1.0",
        "made_at_us": 1_795_000_000_000_000,
        "database": "sqlite",
        "demo": False,
        "keys": own_keys(),
        "migrations": ["people.0001_initial"],
        "parts": list(parts),
    }
    return Manifest(**said | others)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A backup of two parts, of which the second needs padding."""
    database, log = tmp_path / "database", tmp_path / "log"
    database.write_bytes(AUDIO * 30)
    log.write_bytes(b"\n1 2 3\n")
    parts = [part_of("vteam.sqlite3", database), part_of("erased.log", log)]
    write(tmp_path / "made.tar", manifest=manifest(*parts), sources=[database, log], tell=untold)
    return tmp_path / "made.tar"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def unpacked(content: bytes, out: Path) -> Manifest:
    """Read a backup as the commands do."""
    opened = Archive(io.BytesIO(content))
    opened.unpack(lambda part: out / part.name.replace("/", "-"), tell=untold)
    return opened.manifest


def test_what_was_put_in_comes_out_and_every_tar_reads_it(made: Path, out: Path) -> None:
    said = unpacked(made.read_bytes(), out)
    assert (out / "vteam.sqlite3").read_bytes() == AUDIO * 30
    assert (out / "erased.log").read_bytes() == b"\n1 2 3\n"
    with tarfile.open(made) as tar:
        assert tar.getnames() == ["manifest.json", "manifest.signature", *(part.name for part in said.parts)]
        log = tar.extractfile("erased.log")
        assert log is not None
        assert log.read() == b"\n1 2 3\n"


def test_progress_goes_to_the_end(made: Path, out: Path) -> None:
    steps: list[tuple[int, int]] = []
    Archive(io.BytesIO(made.read_bytes())).unpack(
        lambda part: out / part.name, tell=lambda what, done, total: steps.append((done, total))
    )
    total = len(AUDIO) * 30 + 7
    assert steps[-1] == (total, total)
    assert len(steps) > 2


# Damage -------------------------------------------------------------------------------------------------------------
def cuts(content: bytes) -> Iterator[bytes]:
    end = len(content) - 2 * archive.BLOCK
    for at in (0, 1, 511, 512, 600, 2_000, end // 2, end - 512, end - 511, end - 1_000):
        yield content[:at]


def test_a_file_cut_short_anywhere_is_refused(made: Path, out: Path) -> None:
    for cut in cuts(made.read_bytes()):
        for left in out.iterdir():
            left.unlink()
        with pytest.raises(BackupError, match=r"no backup made by|is damaged"):
            unpacked(cut, out)


def test_a_changed_byte_anywhere_is_refused(made: Path, out: Path) -> None:
    content = made.read_bytes()
    for at in range(0, len(content) - 2 * archive.BLOCK, 9_973):
        for left in out.iterdir():
            left.unlink()
        with pytest.raises(BackupError):
            unpacked(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :], out)


# Malice -------------------------------------------------------------------------------------------------------------
def tar_of(*members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE, size: int | None = None) -> bytes:
    """A tar as anybody can make it; `kind` and `size`: of its last member."""
    file = io.BytesIO()
    for place, (name, content) in enumerate(members, start=1):
        info = tarfile.TarInfo(name)
        info.size = len(content)
        if place == len(members):
            info.type, info.size = kind, len(content) if size is None else size
        file.write(info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % archive.BLOCK))
    return file.getvalue() + bytes(2 * archive.BLOCK)


def signed(said: dict[str, Any]) -> list[tuple[str, bytes]]:
    """The two members a backup begins with, rightly signed whatever they say."""
    text = json.dumps(said, separators=(",", ":")).encode()
    return [("manifest.json", text), ("manifest.signature", archive._signature(text))]


def honest() -> dict[str, Any]:
    part = Part(name="vteam.sqlite3", size=3, sha256="a" * 64)
    said: dict[str, Any] = json.loads(manifest(part).model_dump_json())
    return said


def with_part(**others: Any) -> dict[str, Any]:
    said = honest()
    said["parts"][0] |= others
    return said


@pytest.mark.parametrize(
    "said",
    [
        with_part(name="../vteam.sqlite3"),
        with_part(name="/etc/passwd"),
        with_part(name="files/../../keys/master"),
        with_part(name="files/" + "A" * 64),
        with_part(name="files/" + "a" * 63 + "\n"),
        with_part(name="keys/master"),
        with_part(size=-1),
        with_part(size="3"),
        with_part(size=2**63),
        with_part(sha256="b"),
        with_part(more=1),
        honest() | {"parts": honest()["parts"] * 2},
        honest() | {"parts": []},
        honest() | {"database": "mysql"},
        honest() | {"migrations": [1]},
        honest() | {"format": 0},
        {},
    ],
    ids=lambda said: json.dumps(said)[-90:],
)
def test_a_manifest_that_says_anything_strange_is_refused_however_well_it_is_signed(
    said: dict[str, Any], out: Path
) -> None:
    with pytest.raises(BackupError, match="no backup made by"):
        unpacked(tar_of(*signed(said), ("vteam.sqlite3", b"abc")), out)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("member", "kind", "size"),
    [
        (("../vteam.sqlite3", b"abc"), tarfile.REGTYPE, None),
        (("vteam.sqlite3", b""), tarfile.SYMTYPE, None),
        (("vteam.sqlite3", b""), tarfile.LNKTYPE, None),
        (("vteam.sqlite3", b"abc"), tarfile.GNUTYPE_SPARSE, None),
        (("vteam.sqlite3", b"abc"), tarfile.XHDTYPE, None),
        (("vteam.sqlite3", b"abc"), tarfile.GNUTYPE_LONGNAME, None),
        (("vteam.sqlite3", b""), tarfile.DIRTYPE, None),
        (("vteam.sqlite3", b"abc"), tarfile.REGTYPE, 4),
        (("vteam.sqlite3", b"abc"), tarfile.REGTYPE, -1),
        (("vteam.sqlite3", b"abc"), tarfile.REGTYPE, 2**60),
    ],
)
def test_a_member_that_is_not_the_plain_file_the_manifest_names_is_refused(
    member: tuple[str, bytes], kind: bytes, size: int | None, out: Path
) -> None:
    with pytest.raises(BackupError, match="no backup made by"):
        unpacked(tar_of(*signed(honest()), member, kind=kind, size=size), out)
    assert list(out.iterdir()) == []


def test_a_manifest_too_big_to_be_one_is_refused_before_it_is_read() -> None:
    claimed = tar_of(("manifest.json", b"{}"), size=archive.MANIFEST_BYTES_MAX + 1)
    with pytest.raises(BackupError, match="no backup made by"):
        Archive(io.BytesIO(claimed))


def test_one_not_signed_with_our_key_is_refused_though_its_hashes_are_right(out: Path) -> None:
    members = signed(honest())
    forged = [members[0], ("manifest.signature", b"0" * archive.SIGNATURE_BYTES)]
    with pytest.raises(BackupError, match="its signature is wrong"):
        unpacked(tar_of(*forged, ("vteam.sqlite3", b"abc")), out)


def test_one_of_another_key_names_the_key_and_one_of_a_newer_vteam_that_one() -> None:
    other = honest()
    other["keys"]["master"] = "0" * 64
    with pytest.raises(BackupError, match="keys/master of that installation back first"):
        Archive(io.BytesIO(tar_of(*signed(other))))
    with pytest.raises(BackupError, match=r"made by vTeam 9\.1\. Install"):
        Archive(io.BytesIO(tar_of(*signed(honest() | {"format": 2, "version": "9.1", "more": {}}))))


def test_the_check_values_say_nothing_about_the_keys_and_differ_with_them(settings: Any) -> None:
    before = own_keys()
    assert settings.MASTER_KEY not in before.model_dump_json()
    settings.SECRET_KEY = "another-secret-" * 4
    assert own_keys().master == before.master
    assert own_keys().secret != before.secret
    settings.MASTER_KEY = "another-master-" * 4
    assert own_keys().master != before.master


def test_files_beyond_eight_gigabytes_have_a_header() -> None:
    header = archive._header("vteam.dump", 9 * 2**30, 0)
    assert tarfile.TarInfo.frombuf(header, "utf-8", "strict").size == 9 * 2**30


def test_a_stored_file_that_is_not_what_its_name_says_stops_the_backup(tmp_path: Path) -> None:
    stored = tmp_path / NAME
    stored.write_bytes(b"other")
    part = Part(name=f"files/{NAME}", size=5, sha256=NAME)
    with pytest.raises(BackupError, match="is damaged"):
        write(tmp_path / "made.tar", manifest=manifest(part), sources=[stored], tell=untold)
