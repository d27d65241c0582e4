"""Handing messages over, in `jobs` alone: the only code that opens SMTP, and it asks for a permit each time.

Temporary trouble is tried again with growing pauses until the message would be useless; what is given up keeps
its reason. Addresses and contents are erased as soon as a message has left or was given up.
"""

import datetime as dt
import json
import logging
import mailbox
import re
import smtplib
import ssl
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from vteam.channels.mail.letters import letter, sender
from vteam.channels.mail.models import OutboxMessage
from vteam.errors import DeliveryError, NotPermitted, SettingsError
from vteam.people import vault
from vteam.permissions.services import Purpose, permit

logger = logging.getLogger(__name__)
# The longest silence of a mail server we wait for, and the longest after it has taken the message.
SMTP_SECONDS, FAREWELL_SECONDS = 5.0, 1.0
# A turn begins no further message after so long: others wait for the database and the process.
TURN_SECONDS_MAX = 2.0
NULLS_AT_ONCE = 1_000
_ADDRESS = re.compile(r"[^\s<>:;,]+@[^\s<>:;,]+")
FIRST_PAUSE, DOUBLINGS_MAX = dt.timedelta(seconds=10), 6
LONGEST_PAUSE = FIRST_PAUSE * 2**DOUBLINGS_MAX
KEPT_AFTERWARDS = dt.timedelta(days=7)
letters_ended: Counter[str] = Counter()
"""How many letters ended in each state, since this process began."""
Hand = Callable[[EmailMessage, str], None]


def deliver_due(*, at: dt.datetime, at_most: int = 50) -> int:
    """Hand over what is due, for about `TURN_SECONDS_MAX`; returns how many rows were dealt with.

    Null messages have their turn after the real ones, and leave nothing. What is due later than any pause lasts is
    from before the clock was set back, and due.
    """
    is_due = Q(due_at__lte=at) | Q(due_at__gt=at + LONGEST_PAUSE)
    due = OutboxMessage.objects.filter(is_due, state=OutboxMessage.WAITING).order_by("due_at", "pk")
    messages = list(due.filter(is_null=False)[:at_most])
    hand = _hand() if messages else None
    begun, done = time.monotonic(), 0
    for message in messages:
        assert hand is not None, "there is a way out when there are messages"
        _deliver(message, hand, at)
        done += 1
        if time.monotonic() - begun > TURN_SECONDS_MAX:
            break
    nulls = list(due.filter(is_null=True).values_list("pk", flat=True)[:NULLS_AT_ONCE])
    return done + (OutboxMessage.objects.filter(pk__in=nulls).delete()[0] if nulls else 0)


def _deliver(message: OutboxMessage, hand: Hand, at: dt.datetime) -> None:
    if at >= message.useless_at:
        _end(message, OutboxMessage.GIVEN_UP, message.reason or "its code had expired", at)
        return
    try:
        content = json.loads(vault.unseal(bytes(message.sealed_key), bytes(message.sealed)))
        leave = permit(purpose=Purpose(message.purpose), lookups=vault.lookups_of(content["to"]))
        assert bytes(message.lookup) in leave.lookups, "the message is for the address it was made for"
        hand(letter(leave.purpose, content, at=at), content["to"])
    except NotPermitted as refusal:
        _end(message, OutboxMessage.GIVEN_UP, str(refusal), at)
    except DeliveryError as trouble:
        _after_trouble(message, trouble, at)
    except Exception as fault:
        # One message nobody can make or open must not keep those behind it from leaving.
        logger.exception("message %s cannot be handed over: our own fault", message.pk)
        _after_trouble(message, DeliveryError(type(fault).__name__, permanent=False), at)
    else:
        _end(message, OutboxMessage.SENT, "", at)


def _after_trouble(message: OutboxMessage, trouble: DeliveryError, at: dt.datetime) -> None:
    logger.warning("message %s not handed over: %s", message.pk, trouble)
    if trouble.permanent:
        _end(message, OutboxMessage.GIVEN_UP, str(trouble)[:200], at)
        return
    message.tries += 1
    message.reason = str(trouble)[:200]
    message.due_at = at + FIRST_PAUSE * 2 ** min(message.tries - 1, DOUBLINGS_MAX)
    message.save(update_fields=["tries", "reason", "due_at"])


@transaction.atomic
def _end(message: OutboxMessage, state: str, reason: str, at: dt.datetime) -> None:
    message.state, message.reason, message.ended_at, message.sealed = state, reason, at, b""
    message.save(update_fields=["state", "reason", "ended_at", "sealed"])
    letters_ended[state] += 1


def forget_letters(*, lookups: Sequence[bytes]) -> int:
    """Delete every letter to an address, waiting or sent: its owner erased their account."""
    return OutboxMessage.objects.filter(lookup__in=lookups).delete()[0]


def forget_ended(*, at: dt.datetime) -> int:
    """Delete the rows of messages that left or were given up a week ago; returns how many."""
    return OutboxMessage.objects.filter(ended_at__lt=at - KEPT_AFTERWARDS).delete()[0]


def mailbox_path() -> Path:
    """The demo's mailbox (a Maildir): where mail goes when no mail server is set."""
    return Path(settings.DATA) / "mailbox"


def _hand() -> Hand:
    if settings.EMAIL_URL:
        return _by_smtp
    if settings.DEMO:
        return _into_mailbox
    raise SettingsError(
        "no mail server is set: set VTEAM_EMAIL_URL, for instance smtp://user:password@host:587"
    )


def _into_mailbox(message: EmailMessage, to: str) -> None:
    with closing(mailbox.Maildir(mailbox_path(), create=True)) as box:
        box.add(message)


def _by_smtp(message: EmailMessage, to: str) -> None:
    """Hand a message over for one address; DeliveryError unless the server took it."""
    try:
        server = _greeted()
        try:
            _sign_in(server)
            server.send_message(message, from_addr=sender(), to_addrs=[to])
        finally:
            _leave(server)
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise DeliveryError(_said(code, words), permanent=code >= 500) from error
    except smtplib.SMTPDataError as error:
        if 200 <= error.smtp_code < 300:
            return  # Taken, in other words than 250 (RFC 5321, 4.2.1).
        raise DeliveryError(
            _said(error.smtp_code, error.smtp_error), permanent=error.smtp_code >= 500
        ) from error
    except smtplib.SMTPResponseException as error:
        # Our greeting, sign-in or sender was refused: the set-up is wrong, not the message.
        raise DeliveryError(_said(error.smtp_code, error.smtp_error), permanent=False) from error
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(f"the mail server cannot be used: {error}", permanent=False) from error


def _greeted() -> smtplib.SMTP:
    parts = urlsplit(settings.EMAIL_URL)
    host, port = parts.hostname or "localhost", parts.port or (465 if parts.scheme == "smtps" else 587)
    if parts.scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, port, timeout=SMTP_SECONDS, context=context)
    return smtplib.SMTP(host, port, timeout=SMTP_SECONDS)


def _sign_in(server: smtplib.SMTP) -> None:
    parts = urlsplit(settings.EMAIL_URL)
    server.ehlo()
    if parts.scheme == "smtp+tls" or server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))


def _leave(server: smtplib.SMTP) -> None:
    """Say goodbye. Whatever is answered, what the server took stays taken and is never sent again."""
    try:
        if server.sock is not None:
            server.sock.settimeout(FAREWELL_SECONDS)
            server.quit()
    except (OSError, smtplib.SMTPException) as trouble:
        logger.debug("the mail server did not say goodbye: %s", trouble)
    finally:
        server.close()


def _said(code: int, words: bytes | str) -> str:
    """What a mail server answered, without the addresses it likes to repeat: reasons are kept and logged."""
    text = words if isinstance(words, str) else words.decode(errors="replace")
    return f"{code} {_ADDRESS.sub('…', text)}"
