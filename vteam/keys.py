"""Secrets kept in the data folder: made at first use, readable by their owner alone.

Several processes may start at once on an empty folder; the first to finish wins and all read the same key. A key
that is there but short or unreadable is refused: sealing under a key anybody can compute would be worse.
"""

import os
import secrets
from pathlib import Path

from vteam.errors import SettingsError

CHARACTERS_MIN = 48


def kept_key(data: Path, name: str) -> str:
    """The secret `data/keys/<name>` (at least 48 random bytes, URL-safe text), made if absent.

    Where the folder cannot be written the key lives as long as the process: `vteam run` refuses such a folder
    with a message of its own, and commands that touch no data (`--help`) still work.
    """
    path = data / "keys" / name
    if not path.exists():
        try:
            _make(path)
        except OSError:
            return secrets.token_urlsafe(48)
    try:
        key = path.read_text()
    except OSError as error:
        raise SettingsError(
            f"The key {path} cannot be read: {error.strerror}. It belongs to who runs vTeam."
        ) from error
    if len(key) < CHARACTERS_MIN:
        raise SettingsError(
            f"The key {path} is damaged. Put it back from your backup; without it nothing can be read."
        )
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    with fresh.open("w") as out:
        out.write(secrets.token_urlsafe(48))
        out.flush()
        os.fsync(out.fileno())
    try:
        path.hardlink_to(fresh)  # fails where another process was first
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
