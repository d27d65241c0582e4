"""The file a backup is: an uncompressed tar that begins with a manifest of all that follows, with sizes and hashes.

The manifest is signed with the installation's newest master key, so only who has that key can make a file that is
believed; so is one signed with an older key that is still here. Nothing of a file decides where something is
written: names are known beforehand, every byte is counted and hashed, and what is not exactly as the manifest says
is refused (`BackupError`).
"""

import hashlib
import hmac
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Annotated, Literal

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vteam.errors import BackupError
from vteam.people import erasure, vault
from vteam.permissions import noes

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.signature"
MANIFEST_BYTES_MAX = 64 * 1024 * 1024
SIGNATURE_BYTES = 64
CHUNK = 1024 * 1024
BLOCK = tarfile.BLOCKSIZE
DATABASES = {"sqlite": "vteam.sqlite3", "postgresql": "vteam.dump"}
"""The name of the part that is the database, by kind."""
LOGS = (erasure.LOG, noes.LOG)
"""What is noted beside the database, so that no backup goes back behind it."""
STORED = "files/"

Tell = Callable[[str, int, int], None]
"""Told how far a piece of work is: what, how much of it is done, how much there is (0: nobody knows)."""
Text = Annotated[str, Field(max_length=200)]
Number = Annotated[int, Field(ge=0, lt=2**63)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Part(_Strict):
    """A file in the backup: its name there, its bytes and their SHA-256."""

    name: Annotated[
        str, Field(pattern=r"^(vteam\.sqlite3|vteam\.dump|erased\.log|noes\.log|files/[0-9a-f]{64})$")
    ]
    size: Number
    sha256: Hash


class Keys(_Strict):
    """Tells whether keys are those the backup was made with; tells nothing about them."""

    master: Hash
    secret: Hash


class Manifest(_Strict):
    """What a backup says of itself. `migrations`: "app.name" of every one the database has had."""

    format: Literal[1] = 1  # FORMAT
    version: Text
    made_at_us: Number
    database: Literal["sqlite", "postgresql"]
    demo: bool
    keys: Keys
    migrations: list[Text]
    parts: list[Part]


def own_keys() -> Keys:
    """The check values of this installation's keys. The master key's is known to nobody who has not got that key."""
    return ring()[0]


def ring() -> list[Keys]:
    """`own_keys` of today, and as they were with each older master key that is still here; newest first."""
    masters = vault.keyed_hashes("backup key check", "master")
    secrets = vault.keyed_hashes("backup secret check", settings.SECRET_KEY)
    return [
        Keys(master=master.hex(), secret=secret.hex())
        for master, secret in zip(masters, secrets, strict=True)
    ]


def stored_name(part: Part) -> str | None:
    """The name of the stored file (titles, pictures) a part is, None for the others."""
    return part.name.removeprefix(STORED) if part.name.startswith(STORED) else None


# Writing ----------------------------------------------------------------------------------------------------------
def part_of(name: str, path: Path) -> Part:
    """The part a file will be."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Part(name=name, size=file.tell(), sha256=digest)


def write(target: Path, *, manifest: Manifest, sources: Sequence[Path], tell: Tell) -> None:
    """Write the file; on disk when this returns. `sources`: where each part's bytes are, in the manifest's order."""
    text = manifest.model_dump_json().encode()
    if len(text) > MANIFEST_BYTES_MAX:
        raise BackupError("There are too many files in the data folder for one backup.")
    total, done = sum(part.size for part in manifest.parts), 0
    with _private(target) as out:
        _member(out, MANIFEST, len(text), manifest.made_at_us, iter([text]))
        _member(out, SIGNATURE, SIGNATURE_BYTES, manifest.made_at_us, iter([_signature(text)]))
        for part, source in zip(manifest.parts, sources, strict=True):
            for size in _copied(out, part, source, manifest.made_at_us):
                done += size
                tell("writing", done, total)
        out.write(bytes(2 * BLOCK))
        out.flush()
        os.fsync(out.fileno())


def _copied(out: IO[bytes], part: Part, source: Path, made_at_us: int) -> Iterator[int]:
    """Copy a file into the archive, yielding how much each time; refuses one whose bytes are not the part's."""
    digest = hashlib.sha256()
    out.write(_header(part.name, part.size, made_at_us))
    with source.open("rb") as file:
        for chunk in _chunks(file, part.size):
            digest.update(chunk)
            out.write(chunk)
            yield len(chunk)
    out.write(_padding(part.size))
    if digest.hexdigest() != part.sha256:
        raise BackupError(
            f"The stored file {source} is damaged. Put it back from an older backup, or delete it and apply the "
            "campaign again, which stores it anew."
        )


def _member(out: IO[bytes], name: str, size: int, made_at_us: int, content: Iterator[bytes]) -> None:
    out.write(_header(name, size, made_at_us))
    out.writelines(content)
    out.write(_padding(size))


def _header(name: str, size: int, made_at_us: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, made_at_us // 1_000_000
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def _signature(text: bytes) -> bytes:
    return _signatures(text)[0]


def _signatures(text: bytes) -> list[bytes]:
    """A manifest's signature with each master key, newest first."""
    hashes = vault.keyed_hashes("backup manifest", hashlib.sha256(text).hexdigest())
    return [signature.hex().encode() for signature in hashes]


def _private(path: Path) -> IO[bytes]:
    """A new file, for its owner alone."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


# Reading ----------------------------------------------------------------------------------------------------------
class Archive:
    """A backup that is open for reading: its manifest is there and believed, its parts still have to be `unpack`ed."""

    def __init__(self, file: IO[bytes]) -> None:
        """Raises BackupError for anything that is not a backup made with this installation's keys."""
        self._file = file
        text = self._small(MANIFEST, MANIFEST_BYTES_MAX)
        signature = self._small(SIGNATURE, SIGNATURE_BYTES)
        self.manifest = _believed(text, signature)

    def unpack(self, place: Callable[[Part], Path], *, tell: Tell) -> None:
        """Write every part where `place` says, each synced to disk; raises BackupError at the first that is wrong."""
        total, done = sum(part.size for part in self.manifest.parts), 0
        for part in self.manifest.parts:
            self._expect(part.name, part.size)
            for size in self._written(part, place(part)):
                done += size
                tell("reading", done, total)

    def _written(self, part: Part, path: Path) -> Iterator[int]:
        digest = hashlib.sha256()
        with _private(path) as out:
            for chunk in _chunks(self._file, part.size):
                digest.update(chunk)
                out.write(chunk)
                yield len(chunk)
            out.flush()
            os.fsync(out.fileno())
        self._skip_padding(part.size)
        if digest.hexdigest() != part.sha256:
            raise BackupError(
                f"This backup is damaged: {part.name} in it is not what was put in. Use another one."
            )

    def _small(self, name: str, most: int) -> bytes:
        size = self._expect(name)
        if size > most:
            raise BackupError(NO_BACKUP)
        text = b"".join(_chunks(self._file, size))
        self._skip_padding(size)
        return text

    def _expect(self, name: str, size: int | None = None) -> int:
        """The next header is of a plain file of this name (and size); returns its size."""
        try:
            info = tarfile.TarInfo.frombuf(self._file.read(BLOCK), "utf-8", "strict")
        except (tarfile.HeaderError, UnicodeError) as error:
            raise BackupError(NO_BACKUP) from error
        plain = info.type == tarfile.REGTYPE and info.size >= 0
        if not plain or info.name != name or (size is not None and info.size != size):
            raise BackupError(NO_BACKUP)
        return info.size

    def _skip_padding(self, size: int) -> None:
        if self._file.read(-size % BLOCK).strip(b"\0"):
            raise BackupError(NO_BACKUP)


NO_BACKUP = "This file is no backup made by `vteam backup`, or it is damaged or cut short."
_FORMAT = re.compile(rb'\A\{"format":(\d{1,9}),"version":"([\w.+-]{1,100})"')


def _believed(text: bytes, signature: bytes) -> Manifest:
    """The manifest, if it is one of ours: of a known format, of this installation's keys, signed with them."""
    begins = _FORMAT.match(text)
    if begins and int(begins[1]) > FORMAT:
        raise BackupError(
            f"This backup was made by vTeam {begins[2].decode()}. Install that one or a newer one."
        )
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise BackupError(NO_BACKUP) from error
    signed = dict(zip((keys.master for keys in ring()), _signatures(text), strict=True))
    if manifest.keys.master not in signed:
        raise BackupError(_other_key())
    if not hmac.compare_digest(signed[manifest.keys.master], signature):
        raise BackupError(
            "This backup was changed after it was made: its signature is wrong. It is not used."
        )
    names = [part.name for part in manifest.parts]
    if len(set(names)) != len(names) or DATABASES[manifest.database] not in names:
        raise BackupError(NO_BACKUP)
    return manifest


def _other_key() -> str:
    return (
        "This backup was made with another master key, without which no address in it can be read. Put "
        f"keys/master of that installation back first: copy it over {Path(settings.DATA) / 'keys' / 'master'} (or set "
        "VTEAM_MASTER_KEY to it). If what is here needs its own as well, put the other one's lines before them. Keys "
        "are in no backup; they were to be kept apart."
    )


def _chunks(file: IO[bytes], size: int) -> Iterator[bytes]:
    """The next `size` bytes in pieces; fewer where the file ends before, which their hash shows."""
    while size and (chunk := file.read(min(size, CHUNK))):
        size -= len(chunk)
        yield chunk
