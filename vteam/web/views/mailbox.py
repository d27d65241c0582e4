"""The demo's mailbox: every mail of this installation, readable by whoever runs it. Refused anywhere else."""

import mailbox
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from vteam.channels.mail.servers import mailbox_path
from vteam.web.answers import private_render
from vteam.web.here import only_here

SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail as the page shows it."""

    key: str
    to: str
    subject: str
    date: object
    text: str


@require_safe
def mailbox_page(request: HttpRequest) -> HttpResponseBase:
    """The newest mails, newest first."""
    only_here(request)
    return private_render(request, "mailbox.html", {"letters": _letters()})


def _letters() -> list[Letter]:
    if not mailbox_path().exists():
        return []
    box = mailbox.Maildir(mailbox_path(), create=False)
    letters = [_letter(key, message) for key, message in box.items()]
    return sorted(letters, key=lambda letter: str(letter.date), reverse=True)[:SHOWN]


def _letter(key: str, message: Message) -> Letter:
    plain = next((part for part in message.walk() if part.get_content_type() == "text/plain"), message)
    payload = plain.get_payload(decode=True)
    text = payload.decode(plain.get_content_charset() or "utf-8") if isinstance(payload, bytes) else ""
    return Letter(
        key=key,
        to=str(message["To"]),
        subject=_decoded(str(message["Subject"])),
        date=parsedate_to_datetime(str(message["Date"])),
        text=text,
    )


def _decoded(header: str) -> str:
    from email.header import decode_header, make_header

    return str(make_header(decode_header(header)))
