"""What a message says: plain text and nothing else, in the reader's language. No pixel, no rewritten link."""

import datetime as dt
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from vteam.permissions.services import Purpose

TEMPLATES = {Purpose.CODE: "mail/code.txt"}


def letter(purpose: Purpose, content: dict[str, Any], *, at: dt.datetime) -> EmailMessage:
    """The message for a purpose; `content` is what the outbox row sealed. Its first line is the subject."""
    with translation.override(content["language"]):
        rendered = render_to_string(TEMPLATES[purpose], content)
    subject, _, text = rendered.strip().partition("\n")
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message["From"] = settings.EMAIL_FROM
    message["To"] = Address(addr_spec=content["to"])
    message["Date"] = format_datetime(at)
    message["Message-ID"] = make_msgid(domain=sender().rpartition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.strip() + "\n")
    (to,) = message["To"].addresses
    assert to.addr_spec == content["to"], "whom the header names is whom the permit is for"
    return message


def sender() -> str:
    """The bare address our letters come from."""
    return parseaddr(settings.EMAIL_FROM)[1]
