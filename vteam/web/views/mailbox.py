"""The demo's mailbox: every mail of this installation, readable by whoever runs it. Refused anywhere else."""

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from vteam.channels.mail.servers import in_mailbox
from vteam.web.answers import private_render
from vteam.web.here import only_here

SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail as the page shows it."""

    to: str
    subject: str
    date: object
    text: str


@require_safe
def mailbox_page(request: HttpRequest) -> HttpResponseBase:
    """The newest mails, newest first."""
    only_here(request)
    letters = [_letter(message) for message in in_mailbox(at_most=SHOWN)]
    return private_render(request, "mailbox.html", {"letters": letters})


def _letter(message: EmailMessage) -> Letter:
    plain = message.get_body(("plain",))
    return Letter(
        to=str(message["To"]),
        subject=str(message["Subject"]),
        date=parsedate_to_datetime(str(message["Date"])),
        text=str(plain.get_content()) if plain else "",
    )
