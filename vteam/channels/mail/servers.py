"""Where letters are handed over: a mail server, over one connection as long as there is something to hand; or the
demo's mailbox. The only code that opens SMTP. What it is given has a permit (`delivery`).
"""

import logging
import mailbox
import re
import smtplib
import ssl
import time
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from heapq import nlargest
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from django.conf import settings

from vteam.channels.mail.bounces import without_addresses
from vteam.errors import AnswerMissing, DeliveryError, SettingsError

logger = logging.getLogger(__name__)
# The longest silence of a mail server we wait for, and the longest after it has taken the message.
SMTP_SECONDS, FAREWELL_SECONDS = 5.0, 1.0
# A server that was given a whole letter may look through it before it answers; whoever hangs up sends it twice
# (RFC 5321, 4.5.3.2.6, asks for ten minutes; facts and pages do not wait for this thread).
ANSWER_SECONDS = 120.0
# A connection is given back after so long without a letter, and after so many letters.
IDLE_SECONDS, LETTERS_A_CONNECTION = 5.0, 200


class Server(Protocol):
    """Takes letters, each as bytes with the address it comes back to and the one it goes to."""

    def hand(self, letter: bytes, *, sender: str, to: str) -> None:
        """Hand a letter over; DeliveryError unless it was taken."""

    def leave(self) -> None:
        """Nothing more to hand over for now."""


def server() -> Server:
    """Where letters go by the settings; SettingsError where nowhere is set."""
    if settings.EMAIL_URL:
        return MailServer(settings.EMAIL_URL)
    if settings.DEMO:
        return Mailbox()
    raise SettingsError(
        "no mail server is set: set VTEAM_EMAIL_URL, for instance smtp://user:password@host:587"
    )


def mailbox_path() -> Path:
    """The demo's mailbox (a Maildir): where mail goes when no mail server is set."""
    return Path(settings.DATA) / "mailbox"


# The parts of a Maildir where whole letters are.
_KEPT = ("new", "cur")


class Mailbox:
    """The demo's mailbox."""

    def hand(self, letter: bytes, *, sender: str, to: str) -> None:
        """Put a letter into the mailbox, whomever it is for."""
        folder = mailbox_path()
        # Folder by folder: whoever made it before may have been killed between two.
        for part in (folder, *(folder / name for name in ("tmp", *_KEPT))):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(mailbox.Maildir(folder, create=False)) as box:
            box.add(letter)

    def leave(self) -> None:
        """Nothing is held open."""


def in_mailbox(*, at_most: int) -> list[EmailMessage]:
    """The newest letters in the demo's mailbox, the newest first; none where nothing was handed over yet."""
    files = [path for name in _KEPT for path in (mailbox_path() / name).glob("*")]
    newest = nlargest(at_most, files, key=lambda path: path.stat().st_mtime_ns)
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in newest]


class _NoAnswer(Exception):
    """The whole letter was sent, and the answer did not come."""


class _Patient(smtplib.SMTP):
    """Waits long for the one answer that decides whether a letter was taken, and tells when it did not come."""

    def data(self, msg: bytes | str) -> tuple[int, bytes]:  # type: ignore[override]
        """RFC 5321, 4.1.1.4. `msg`: bytes with CRLF at each line's end."""
        assert isinstance(msg, bytes), "letters are bytes"
        self.putcmd("data")
        code, words = self.getreply()
        if code != 354:
            raise smtplib.SMTPDataError(code, words)
        body = msg if msg.endswith(b"\r\n") else msg + b"\r\n"
        self.send(_LINE_OF_DOT.sub(b"..", body) + b".\r\n")
        assert self.sock is not None, "a letter was just sent over it"
        self.sock.settimeout(ANSWER_SECONDS)
        try:
            answer = self.getreply()
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            raise _NoAnswer from error
        self.sock.settimeout(SMTP_SECONDS)
        return answer


class _PatientOverTls(_Patient, smtplib.SMTP_SSL):
    """The same from the first byte on under TLS."""


_LINE_OF_DOT = re.compile(rb"(?m)^\.")


class MailServer:
    """A mail server at an address such as smtp://user:password@host:587, smtps:// or smtp+tls://."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._open: smtplib.SMTP | None = None
        self._used_at, self._handed = 0.0, 0

    def hand(self, letter: bytes, *, sender: str, to: str) -> None:
        """Hand a letter over for one address; DeliveryError unless the server took it."""
        try:
            self._connection().sendmail(sender, [to], letter)
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            raise DeliveryError(said(code, words), permanent=code >= 500) from error
        except smtplib.SMTPDataError as error:
            if 200 <= error.smtp_code < 300:
                return  # Taken, in other words than 250 (RFC 5321, 4.2.1).
            raise DeliveryError(
                said(error.smtp_code, error.smtp_error), permanent=error.smtp_code >= 500
            ) from error
        except _NoAnswer as error:
            self._drop()
            raise AnswerMissing("the mail server did not say whether it took it") from error
        except smtplib.SMTPResponseException as error:
            # Our greeting, sign-in or sender was refused: the set-up is wrong, not the message.
            self._drop()
            raise DeliveryError(said(error.smtp_code, error.smtp_error), permanent=False) from error
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise DeliveryError(f"the mail server cannot be used: {error}", permanent=False) from error

    def leave(self) -> None:
        """Say goodbye. Whatever is answered, what the server took stays taken and is never sent again."""
        open_now, self._open = self._open, None
        if open_now is None:
            return
        try:
            if open_now.sock is not None:
                open_now.sock.settimeout(FAREWELL_SECONDS)
                open_now.quit()
        except (OSError, smtplib.SMTPException) as trouble:
            logger.debug("the mail server did not say goodbye: %s", trouble)
        finally:
            open_now.close()

    def _drop(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connection(self) -> smtplib.SMTP:
        """The open connection, or a new one: a server ends those it is asked nothing on for long."""
        if self._open is not None and (
            self._open.sock is None
            or time.monotonic() - self._used_at > IDLE_SECONDS
            or self._handed >= LETTERS_A_CONNECTION
        ):
            self.leave()
        if self._open is None:
            self._open, self._handed = self._greeted(), 0
            self._sign_in(self._open)
        self._used_at, self._handed = time.monotonic(), self._handed + 1
        return self._open

    def _greeted(self) -> smtplib.SMTP:
        parts = self._parts
        host, port = parts.hostname or "localhost", parts.port or (465 if parts.scheme == "smtps" else 587)
        if parts.scheme == "smtps":
            context = ssl.create_default_context()
            return _PatientOverTls(host, port, timeout=SMTP_SECONDS, context=context)
        return _Patient(host, port, timeout=SMTP_SECONDS)

    def _sign_in(self, to: smtplib.SMTP) -> None:
        to.ehlo()
        if self._parts.scheme == "smtp+tls" or to.has_extn("starttls"):
            to.starttls(context=ssl.create_default_context())
        if self._parts.username:
            to.login(unquote(self._parts.username), unquote(self._parts.password or ""))


def said(code: int, words: bytes | str) -> str:
    """What a mail server answered, without the addresses it likes to repeat: reasons are kept and logged."""
    text = words if isinstance(words, str) else words.decode(errors="replace")
    return f"{code} {without_addresses(text)}"
