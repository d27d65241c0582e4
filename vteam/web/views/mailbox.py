"""The demo's mailbox: every mail of this installation, readable by whoever runs it. Refused anywhere else."""

import mailbox
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from ipaddress import ip_address

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.http.request import split_domain_port
from django.views.decorators.http import require_safe

from vteam.channels.mail.delivery import mailbox_path
from vteam.channels.networks import address_of
from vteam.web.answers import private_render

SHOWN = 50
FORWARDING_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")


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
    _only_on_loopback(request)
    return private_render(request, "mailbox.html", {"letters": _letters()})


def _only_on_loopback(request: HttpRequest) -> None:
    """404 unless this machine asks, by a name of its own: nothing forwarded for others, no foreign host name."""
    forwarded = any(name in request.headers for name in FORWARDING_HEADERS)
    host, _ = split_domain_port(request.get_host())
    if not settings.DEMO or forwarded or not _is_here(host):
        raise Http404
    if not ip_address(address_of(request.META.get("REMOTE_ADDR", ""), "")).is_loopback:
        raise Http404


def _is_here(host: str) -> bool:
    return host in {"localhost", "127.0.0.1", "[::1]"} or host.endswith(".localhost")


def _letters() -> list[Letter]:
    if not mailbox_path().exists():
        return []
    box = mailbox.Maildir(mailbox_path(), create=False)
    letters = [_letter(key, message) for key, message in box.items()]
    return sorted(letters, key=lambda letter: str(letter.date), reverse=True)[:SHOWN]


def _letter(key: str, message: Message) -> Letter:
    payload = message.get_payload(decode=True)
    text = payload.decode(message.get_content_charset() or "utf-8") if isinstance(payload, bytes) else ""
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
