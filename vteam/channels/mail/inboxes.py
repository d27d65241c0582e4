"""The mailbox our return path leads to, VTEAM_BOUNCES_URL: a Maildir of this machine, or one reached by IMAP.

It is read, never written to: what was understood is taken out, since reports repeat addresses, and what was not is
marked as seen and stays for people. Away while it cannot be reached, SettingsError when its address is none.
IMAP without encryption stays on this machine.
"""

import imaplib
import logging
import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from vteam.channels.mail.bounces import BYTES_MAX
from vteam.errors import Away, SettingsError

logger = logging.getLogger(__name__)
SECONDS_MAX = 10.0
IMAP_PORT, IMAPS_PORT = 143, 993
# Asked for so many messages at a time which ones are new, a server's answer stays short (`imaplib` reads a megabyte).
SEARCHED_AT_ONCE = 5_000
HOW_TO_WRITE = (
    "VTEAM_BOUNCES_URL: write maildir:/path/of/a/Maildir or imaps://user:password@host/INBOX, with letters and digits "
    "as they are and the rest as %40 and the like."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A new message. `handle`: its name in this mailbox. Of one above `BYTES_MAX` bytes only the beginning is here."""

    handle: str
    raw: bytes
    is_truncated: bool


class Inbox(Protocol):
    """A mailbox as it is read here."""

    def new(self, *, at_most: int) -> Iterator[Arrived]:
        """New messages, so many at most, the oldest first; the same ones again until `done` or `seen` is called."""

    def done(self, handle: str) -> None:
        """Take a message out: it was understood. One that is gone already is fine."""

    def seen(self, handle: str) -> None:
        """Leave a message for people: it is new no longer. One that is gone already is fine."""


@contextmanager
def opened(url: str) -> Iterator[Inbox]:
    """The mailbox at an address, while the block runs."""
    parts = checked(url)
    if parts.scheme == "maildir":
        yield _Maildir(Path(unquote(parts.path)))
        return
    with _reached():
        client = _greeted(parts)
    try:
        with _reached():
            client.login(_quoted(unquote(parts.username or "")), unquote(parts.password or ""))
            messages = _selected(client, unquote(parts.path[1:]) or "INBOX")
            box = _Imap(client, messages=messages, takes_out_one=_takes_out_one(client))
        yield box
    finally:
        _leave(client)


def checked(url: str) -> SplitResult:
    """The pieces of a mailbox's address; SettingsError, with how to write it, when it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError(HOW_TO_WRITE) from error
    words = [unquote(word or "") for word in (parts.username, parts.password, parts.path)]
    is_maildir = parts.scheme == "maildir" and parts.path.startswith("/") and not parts.netloc
    is_imap = parts.scheme in ("imap", "imaps") and all((parts.hostname, *words[:2])) and port != 0
    if not (is_maildir or is_imap) or not all(word.isprintable() for word in words):
        raise SettingsError(HOW_TO_WRITE)
    if is_imap and not "".join(words).isascii():
        raise SettingsError(
            "VTEAM_BOUNCES_URL: user, password and folder are plain letters, digits and signs."
        )
    if parts.scheme == "imap" and not _is_here(parts.hostname or ""):
        raise SettingsError("VTEAM_BOUNCES_URL: write imaps://; imap:// is for this machine alone.")
    return parts


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# A Maildir ------------------------------------------------------------------------------------------------------
class _Maildir:
    """https://cr.yp.to/proto/maildir.html: what is whole stands in `new`, what was seen in `cur` with its flags."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def new(self, *, at_most: int) -> Iterator[Arrived]:
        with _reached():
            names = sorted(entry.name for entry in os.scandir(self._folder / "new") if entry.is_file())
        for name in names[:at_most]:
            with _reached():
                raw = self._read(name)
            if raw is not None:
                yield _arrived(name, raw)

    def _read(self, name: str) -> bytes | None:
        try:
            with (self._folder / "new" / name).open("rb") as file:
                return file.read(BYTES_MAX + 1)
        except FileNotFoundError:
            return None  # Another reader was faster.

    def done(self, handle: str) -> None:
        with _reached():
            (self._folder / "new" / handle).unlink(missing_ok=True)

    def seen(self, handle: str) -> None:
        with _reached(), suppress(FileNotFoundError):
            (self._folder / "new" / handle).rename(self._folder / "cur" / f"{handle}:2,S")


# IMAP -----------------------------------------------------------------------------------------------------------
class _Imap:
    """RFC 3501; a handle is a UID. Without UIDPLUS what is done is only marked as deleted, for its owner to expunge."""

    def __init__(self, client: imaplib.IMAP4, *, messages: int, takes_out_one: bool) -> None:
        self._client, self._messages, self._takes_out_one = client, messages, takes_out_one

    def new(self, *, at_most: int) -> Iterator[Arrived]:
        with _reached():
            uids = self._new_uids(at_most)
        for uid in uids:
            with _reached():
                raw = self._fetched(uid)
            if raw is not None:
                yield _arrived(uid, raw)

    def _new_uids(self, at_most: int) -> list[str]:
        uids: list[str] = []
        for first in range(1, self._messages + 1, SEARCHED_AT_ONCE):
            last = min(first + SEARCHED_AT_ONCE - 1, self._messages)
            (found, *_) = self._ask("SEARCH", f"{first}:{last}", "UNSEEN", "UNDELETED")
            uids += (
                [uid for uid in found.decode().split() if uid.isdigit()] if isinstance(found, bytes) else []
            )
            if len(uids) >= at_most:
                break
        return uids[:at_most]

    def _fetched(self, uid: str) -> bytes | None:
        """PEEK: a message that is read and not yet dealt with stays new."""
        answers = self._ask("FETCH", uid, f"(BODY.PEEK[]<0.{BYTES_MAX + 1}>)")
        return next((answer[1] for answer in answers if isinstance(answer, tuple)), None)

    def done(self, handle: str) -> None:
        with _reached():
            self._ask("STORE", handle, "+FLAGS.SILENT", r"(\Seen \Deleted)")
            if self._takes_out_one:
                self._ask("EXPUNGE", handle)

    def seen(self, handle: str) -> None:
        with _reached():
            self._ask("STORE", handle, "+FLAGS.SILENT", r"(\Seen)")

    def _ask(self, command: str, *words: str) -> list[bytes | tuple[bytes, bytes] | None]:
        told, answers = self._client.uid(command, *words)
        if told != "OK":
            raise imaplib.IMAP4.error(f"{command}: {answers!r}")
        return answers


def _greeted(parts: SplitResult) -> imaplib.IMAP4:
    host = parts.hostname or ""
    if parts.scheme == "imap":
        return imaplib.IMAP4(host, parts.port or IMAP_PORT, timeout=SECONDS_MAX)
    context = ssl.create_default_context()
    return imaplib.IMAP4_SSL(host, parts.port or IMAPS_PORT, ssl_context=context, timeout=SECONDS_MAX)


def _selected(client: imaplib.IMAP4, folder: str) -> int:
    """Open a folder; how many messages it holds."""
    told, answers = client.select(_quoted(folder))
    if told != "OK":
        raise imaplib.IMAP4.error(f"SELECT: {answers!r}")
    return int(answers[0] or 0)


def _takes_out_one(client: imaplib.IMAP4) -> bool:
    """RFC 4315 (UIDPLUS). Many servers tell what they can only to those who signed in."""
    _, answers = client.capability()
    return any(b"UIDPLUS" in answer.upper() for answer in answers if isinstance(answer, bytes))


def _leave(client: imaplib.IMAP4) -> None:
    try:
        client.logout()
    except (OSError, imaplib.IMAP4.error) as trouble:
        logger.debug("the bounce mailbox did not say goodbye: %s", trouble)


def _quoted(word: str) -> str:
    """A string as RFC 3501, 4.3 writes it; `imaplib` does so for passwords alone."""
    return '"' + re.sub(r'(["\\])', r"\\\1", word) + '"'


@contextmanager
def _reached() -> Iterator[None]:
    """What goes wrong between us and a mailbox, as Away. ValueError: what a server said was no IMAP."""
    try:
        yield
    except (OSError, imaplib.IMAP4.error, ValueError) as trouble:
        raise Away(f"the bounce mailbox cannot be read: {trouble}") from trouble


def _arrived(handle: str, raw: bytes) -> Arrived:
    return Arrived(handle=handle, raw=raw[:BYTES_MAX], is_truncated=len(raw) > BYTES_MAX)
