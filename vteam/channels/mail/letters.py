"""What a message says: in the reader's language, plain text and HTML of one template. No pixel, no rewritten link.

A letter many receive is rendered once per language (`written`); what differs from one reader to the next, whom it is
for and the link that stops it, is put into its bytes afterwards (`Letter.to`), at some thousands a second.
"""

import datetime as dt
import html
import quopri
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from functools import lru_cache
from typing import Any

import css_inline
import html2text
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format

from vteam.channels.mail.bounces import with_token
from vteam.rules.grants import Purpose

CODE_TEMPLATE = "mail/code.txt"
# What stands in a rendered letter where a reader's own words go: letters and digits alone, so that no escaping and no
# encoding changes them, short enough to be looked for across a soft line break, and known to nobody who writes news.
STOP, SINCE = (f"Vt{secrets.token_hex(8)}Vt" for _ in range(2))
_TITLE = re.compile(r"<title>(.*?)</title>", re.S)
_PLAIN_ADDRESS = re.compile(r"[!-~]+@[!-~]+")


def code_letter(content: Mapping[str, Any], *, at: dt.datetime) -> bytes:
    """The letter with a code, plain text alone; `content` is what its row sealed. Its first line is the subject."""
    with translation.override(content["language"]):
        rendered = render_to_string(CODE_TEMPLATE, dict(content))
    subject, _, text = rendered.strip().partition("\n")
    message = EmailMessage(policy=SMTP)
    message["Subject"] = " ".join(subject.split())
    message["From"] = settings.EMAIL_FROM
    message["To"] = Address(addr_spec=content["to"])
    message["Date"] = format_datetime(at)
    message["Message-ID"] = make_msgid(domain=_domain())
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.strip() + "\n")
    (to,) = message["To"].addresses
    assert to.addr_spec == content["to"], "whom the header names is whom the permit is for"
    return message.as_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Whom a letter is for: their address, the page that stops what it is about, and the day they said yes."""

    to: str
    stop_url: str
    since: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A rendered letter without its reader: its fixed headers, and its body cut where the reader's own words go."""

    language: str
    headers: bytes
    body: tuple[bytes, ...]
    blanks: tuple[str, ...]

    def to(self, reader: Reader, *, at: dt.datetime) -> bytes:
        """The whole letter for one reader, who can stop it by one click (RFC 8058)."""
        if not _PLAIN_ADDRESS.fullmatch(reader.to):
            raise ValueError("a letter goes to one plain address")
        own = (
            f"To: {reader.to}\r\n"
            f"Date: {format_datetime(at)}\r\n"
            f"Message-ID: <{secrets.token_hex(16)}@{_domain()}>\r\n"
            f"List-Unsubscribe: <{reader.stop_url}>\r\n"
        ).encode("ascii")
        words = {STOP: _quoted(reader.stop_url), SINCE: _quoted(_day(reader.since, self.language))}
        parts = [own, self.headers, self.body[0]]
        for blank, after in zip(self.blanks, self.body[1:], strict=True):
            parts += (words[blank], after)
        return b"".join(parts)


@lru_cache(maxsize=4_096)
def _day(since: dt.datetime, language: str) -> str:
    with translation.override(language):
        return date_format(since, "DATE_FORMAT")


def _quoted(text: str) -> bytes:
    """Words as quoted-printable (RFC 2045, 6.7) on lines of their own, wherever they are put."""
    return b"=\r\n" + quopri.encodestring(text.encode()).replace(b"\n", b"\r\n") + b"=\r\n"


def written(
    purpose: Purpose, content: Mapping[str, Any], *, language: str, list_id: str, feedback_id: str
) -> Letter:
    """Render a letter for everybody who reads one language. `content`: what its template asks for.

    `list_id` (RFC 2919) names what it is one of; `feedback_id` is what mail providers tell complaints apart by.
    """
    context = {**content, "stop": STOP, "since": SINCE, "language": language}
    with translation.override(language):
        page = _inliner().inline(render_to_string(f"mail/{purpose}.html", context))
    subject = " ".join(html.unescape(_TITLE.search(page)[1]).split())  # type: ignore[index]
    boundary = f"=_{secrets.token_hex(12)}"
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    message["From"] = settings.EMAIL_FROM
    message["List-ID"] = f"<{list_id}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Feedback-ID"] = feedback_id
    message["Auto-Submitted"] = "auto-generated"
    message["MIME-Version"] = "1.0"
    headers = message.as_bytes().removesuffix(b"\r\n")
    headers += f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'.encode()
    body = (
        _part(boundary, "text/plain", text_of(page))
        + _part(boundary, "text/html", page)
        + f"--{boundary}--\r\n".encode()
    )
    pieces, blanks = _cut(body)
    return Letter(language=language, headers=headers, body=pieces, blanks=blanks)


def page_of(purpose: Purpose, content: Mapping[str, Any], *, language: str, since: dt.datetime) -> str:
    """A letter's page as a mail program shows it, to be looked at: its link stops nothing."""
    context = {**content, "stop": "#", "since": _day(since, language), "language": language}
    with translation.override(language):
        return _inliner().inline(render_to_string(f"mail/{purpose}.html", context))


def _part(boundary: str, kind: str, text: str) -> bytes:
    head = f"--{boundary}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    encoded = quopri.encodestring(text.strip().encode() + b"\n").replace(b"\r\n", b"\n")
    return head.encode() + encoded.replace(b"\n", b"\r\n")


def _cut(body: bytes) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """A body cut at its blanks, which soft line breaks may run through."""
    ways = ("(?:=\r\n)?".join(blank) for blank in (STOP, SINCE))
    found = re.split(f"({'|'.join(ways)})".encode(), body)
    blanks = (blank.replace(b"=\r\n", b"").decode() for blank in found[1::2])
    return tuple(found[::2]), tuple(blanks)


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    """Styles where every mail program looks for them; what depends on the reader's device stays in its sheet."""
    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def text_of(page: str) -> str:
    """A letter's plain text: its paragraphs, and each link as its words and its address."""
    reader = html2text.HTML2Text(bodywidth=0)
    reader.ignore_links = reader.ignore_images = reader.ignore_emphasis = reader.unicode_snob = True
    shown = re.sub(r'(?s)<a\b[^>]*?href="([^"]*)"[^>]*>(.*?)</a>', _link, page)
    text = reader.handle(re.sub(r"(?s)<(head|style)\b.*?</\1>", "", shown))
    return re.sub(r"(?m)^#+ | +$", "", text).strip()


def _link(found: re.Match[str]) -> str:
    address, words = found[1], found[2].strip()
    return words if words == address else f"{words}<br>{address}"


def sender(token: str | None = None) -> str:
    """The bare address our letters come from; with a message's token the one they come back to (VERP)."""
    if token and settings.BOUNCES_ADDRESS:
        return with_token(settings.BOUNCES_ADDRESS, token)
    return parseaddr(settings.EMAIL_FROM)[1]


def _domain() -> str:
    return sender().rpartition("@")[2] or "localhost"


def home_url() -> str:
    """Where our pages stand, for letters nobody's request began; without a slash at the end."""
    return settings.PUBLIC_URL or f"http://localhost:{settings.SITE_PORT}"
