"""Secrets kept in the data folder: made at first use, readable by their owner alone.

Several processes may start at once on an empty folder; the first to finish wins and all read the same key.
"""

import secrets
from pathlib import Path


def kept_key(data: Path, name: str) -> str:
    """The secret `data/keys/<name>` (at least 48 random bytes, URL-safe text), made if absent.

    Where the folder cannot be written the key lives as long as the process: `vteam run` refuses such a folder
    with a message of its own, and commands that touch no data (`--help`) still work.
    """
    path = data / "keys" / name
    try:
        if not path.exists():
            _make(path)
        return path.read_text()
    except OSError:
        return secrets.token_urlsafe(48)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_urlsafe(48))
    try:
        path.hardlink_to(fresh)  # fails where another process was first
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
