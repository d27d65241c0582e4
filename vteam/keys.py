"""Secrets kept in the data folder: made at first use, readable by their owner alone.

A file holds one key a line, the oldest first, and the last is the one in use; one that is never replaced stays a
line. Several processes may start at once on an empty folder; the first to finish wins and all read the same key. A
key that is there but short or unreadable is refused: sealing under a key anybody can compute would be worse.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from vteam.errors import SettingsError

CHARACTERS_MIN = 48


def kept_key(data: Path, name: str) -> str:
    """The key in use of the secret `data/keys/<name>`, made if absent: see `kept_keys`."""
    return kept_keys(data, name)[-1]


def kept_keys(data: Path, name: str) -> tuple[str, ...]:
    """The keys of `data/keys/<name>` (each of at least 48 characters), oldest first; one is made if absent.

    Where the folder cannot be written the key lives as long as the process: `vteam run` refuses such a folder
    with a message of its own, and commands that touch no data (`--help`) still work.
    """
    path = path_of(data, name)
    if not path.exists():
        try:
            _make(path)
        except OSError:
            return (_fresh(),)
    return _read(path)


def given_keys(variable: str, text: str) -> tuple[str, ...]:
    """The keys somebody gave in the environment's `variable`, with commas between them, oldest first."""
    keys = tuple(key.strip() for key in text.split(","))
    if not _are_sound(keys):
        raise SettingsError(
            f"{variable}: each key has at least {CHARACTERS_MIN} characters, and a comma stands only between two."
        )
    return keys


def add_key(data: Path, name: str) -> tuple[str, ...]:
    """Put a fresh key behind those of `data/keys/<name>`; on disk when this returns. Returns all, oldest first.

    Whoever loses power meanwhile has the file as it was. SettingsError where it cannot be written.
    """
    path = path_of(data, name).resolve()
    keys = (*_read(path), _fresh())
    try:
        _written(path, "".join(f"{key}\n" for key in keys)).replace(path)
        _sync(path.parent)
    except OSError as error:
        raise SettingsError(f"No key was added: {path} cannot be written: {error.strerror}.") from error
    return keys


def path_of(data: Path, name: str) -> Path:
    """The file of a secret."""
    return data / "keys" / name


def _read(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise SettingsError(
            f"The key {path} cannot be read: {error.strerror}. It belongs to who runs vTeam."
        ) from error
    keys = tuple(key for line in lines if (key := line.strip()))
    if not _are_sound(keys):
        raise SettingsError(
            f"The key {path} is damaged. Put it back from your backup; without it nothing can be read."
        )
    return keys


def _are_sound(keys: Sequence[str]) -> bool:
    return bool(keys) and all(len(key) >= CHARACTERS_MIN for key in keys)


def _fresh() -> str:
    return secrets.token_urlsafe(48)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = _written(path, _fresh())
    try:
        path.hardlink_to(written)  # fails where another process was first
    except FileExistsError:
        pass
    finally:
        written.unlink()
    _sync(path.parent)


def _written(path: Path, text: str) -> Path:
    """A file beside `path` with this text, on disk, its owner's alone."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    beside.touch(mode=0o600)
    with beside.open("w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    return beside


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
