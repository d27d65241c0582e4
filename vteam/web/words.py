"""Plain text people wrote, as the HTML of a page: paragraphs, line breaks, and web addresses one can follow.

Nothing else in it is markup: every other character is shown as it was typed. A link shows the very address it leads
to. An address with a user's name, without a real host name, or of another kind than http and https is no link.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from vteam.campaigns.models import News
from vteam.campaigns.values import HOST

_GAP = re.compile(r"\n\s*\n")
_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"]+", re.IGNORECASE)
# What ends the sentence an address stands in, not the address.
_SENTENCE_END = frozenset(".,;:!?…'’”»)]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """News in one language (`language`: its code), as a reader gets it."""

    news: News
    language: str
    subject: str
    text: str


def told_in(news: News, language: str) -> Told:
    """News for readers of a language, in theirs or in the one there is."""
    return Told(
        news=news,
        language=news.told_in(language),
        subject=news.subject(language),
        text=news.text(language),
    )


def as_html(text: str) -> SafeString:
    """The paragraphs of a plain text: an empty line between two, a line break within one stays one."""
    return mark_safe("\n".join(f"<p>{_lines(paragraph)}</p>" for paragraph in _paragraphs(text)))


def first_paragraph(text: str) -> str:
    """What a plain text begins with; "" of an empty one."""
    return next(iter(_paragraphs(text)), "")


def _paragraphs(text: str) -> list[str]:
    return [part for part in map(str.strip, _GAP.split(text)) if part]


def _lines(paragraph: str) -> str:
    return "<br>\n".join(map(_linked, paragraph.split("\n")))


def _linked(line: str) -> str:
    shown, at = [], 0
    for found in _ADDRESS.finditer(line):
        address = _without_sentence_end(found[0])
        if _is_address(address):
            shown += [
                escape(line[at : found.start()]),
                format_html('<a href="{0}" rel="nofollow">{0}</a>', address),
            ]
            at = found.start() + len(address)
    return "".join([*shown, escape(line[at:])])


def _without_sentence_end(address: str) -> str:
    """The address without the marks that follow it; a bracket it opened itself stays."""
    open_brackets, end = address.count("(") - address.count(")"), len(address)
    while end and address[end - 1] in _SENTENCE_END:
        if address[end - 1] == ")":
            if open_brackets >= 0:
                break
            open_brackets += 1
        end -= 1
    return address[:end]


def _is_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return "@" not in parts.netloc and HOST.fullmatch(host) is not None
