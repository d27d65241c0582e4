"""What a returned mail says: that an address is dead, that we shall wait, that the fault is ours, or a complaint.

Reads delivery reports (RFC 3464) and complaints (ARF, RFC 5965) of any mail server; everything else that reaches a
return path, such as an automatic answer, says nothing. Anybody can write to a return path, so no address in a report
is believed: whom it is about is told by the token in the address it was sent to (`bounces+TOKEN@example.org`), or in
what our own letter carried. Whether a token is one of ours is for the caller to prove.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from vteam.channels.mail.parts import Fields, Part, fields_of, groups_of, part_of

BYTES_MAX = 1024 * 1024
DEPTH_MAX = 4
GROUPS_MAX = 50
WORDS_MAX = 200
_READ_OF_WORDS = 2_000
_ADDRESS = re.compile(r"[^\s<>:;,]+@[^\s<>:;,]+")
_STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
# What a server answered: "550 5.1.1 …", "550-5.1.1 …", "550 #5.1.1 …", "452 …".
_ANSWERED = re.compile(r"(?<![\w.])([45]\d\d)(?![\w.])(?:[ -]#?([45]\.\d{1,3}\.\d{1,3})(?!\.?\d))?")
# RFC 5321, 4.2.2: what these answers say of a mailbox, for servers without the finer codes of RFC 3463.
_STATUS_OF_ANSWER = {"550": "5.1.1", "551": "5.1.6", "552": "5.2.2", "553": "5.1.3"}
# 550 is also how such servers refuse what they do not like to carry. In doubt nothing is held against the address.
_DISLIKE = re.compile(
    r"spam|block|black|polic|reputation|denied|relay|message|sender|content|dnsbl|rbl|spf|dkim|dmarc",
    re.IGNORECASE,
)
# RFC 3463, 3.2: of all addresses that can be wrong these are the sender's, or none is.
_NOT_THE_RECIPIENTS = {"5", "7", "8", "9"}
_ENVELOPE = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to")
_DELIVERY_REPORTS = {"message/delivery-status", "message/global-delivery-status"}
_FINE = {"delivered", "relayed", "expanded"}
# Reports in the same clothes that tell of no reader: RFC 6430, RFC 6591, RFC 5965 (a virus).
_NO_COMPLAINT = {"not-spam", "auth-failure", "dmarc", "virus"}


class Kind(StrEnum):
    """What a returned mail means for the address it was sent to."""

    WAIT = "wait"
    """The mailbox is full, or the way to it is broken: it may work later, even where this letter is lost."""
    OURS = "ours"
    """Refused for what we are or what we sent, or for no reason given: nothing is known of the address."""
    GONE = "gone"
    """There is no such mailbox."""
    COMPLAINT = "complaint"
    """Its reader told their provider that they do not want this."""


_MILDEST_FIRST = (Kind.WAIT, Kind.OURS, Kind.GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What came back. `status`: as in RFC 3463 ("5.1.1"), "" where none was told. `words`: without addresses.

    `is_final`: the server will not try again; a warning that a letter is late is not.
    """

    token: str
    kind: Kind
    status: str
    words: str
    is_final: bool


def read(raw: bytes, *, return_path: str) -> Returned | None:
    """What a mail says that was sent to a return path; None when it says nothing, or not about whom.

    `return_path`: ours without a token, such as "bounces@example.org". Above `BYTES_MAX` bytes nothing is read.
    """
    if len(raw) > BYTES_MAX:
        return None
    mail = part_of(raw)
    pieces = _pieces_of_report(mail)
    token = _token(mail.fields, _ENVELOPE, return_path)
    for piece in pieces:
        if piece.kind == "message/feedback-report":
            return _complaint(fields_of(piece.content()), pieces, token, return_path)
        if piece.kind in _DELIVERY_REPORTS and token:
            return _delivery_report(piece.content(), token)
    return None


def with_token(return_path: str, token: str) -> str:
    """The return path of one letter. `token`: letters, digits, "-" and "_"; 64 characters with what stands before it.

    Some servers change the case of what stands before the @: a token means the same in either.
    """
    local, _, domain = return_path.rpartition("@")
    address = f"{local}+{token}@{domain}"
    assert token and _token((("to", address),), ("to",), return_path) == token, "what we write we can read"
    assert len(local) + 1 + len(token) <= 64, "RFC 5321, 4.5.3.1.1"
    return address


def without_addresses(text: str) -> str:
    """A mail server's words on one line, without the addresses it likes to repeat, `WORDS_MAX` characters at most."""
    if len(text) > _READ_OF_WORDS:
        text = text[:_READ_OF_WORDS].rpartition(" ")[0]  # Half an address would not be found.
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return _ADDRESS.sub("…", words)[:WORDS_MAX]


# Where a report stands ------------------------------------------------------------------------------------------
def _pieces_of_report(part: Part, depth: int = DEPTH_MAX) -> list[Part]:
    """The parts of the report a mail is, or carries beside other things; a mail passed on inside is no report."""
    if part.kind == "multipart/report":
        return part.parts()
    if depth == 0:
        return []
    within = (_pieces_of_report(piece, depth - 1) for piece in part.parts())
    return next((pieces for pieces in within if pieces), [])


def _token(fields: Fields, names: Iterable[str], return_path: str) -> str:
    """The first token in these fields, asked in this order; "" where there is none."""
    pattern = _pattern(return_path)
    values = (value for wanted in names for name, value in fields if name == wanted)
    found = (pattern.search(value) for value in values)
    return next((match[1] for match in found if match), "")


@lru_cache(maxsize=8)
def _pattern(return_path: str) -> re.Pattern[str]:
    local, _, domain = return_path.rpartition("@")
    written = rf"(?<![\w.+=-]){re.escape(local)}\+([A-Za-z0-9_-]{{1,64}})@{re.escape(domain)}(?!\.?[\w-])"
    return re.compile(written, re.IGNORECASE | re.ASCII)


# Delivery reports -----------------------------------------------------------------------------------------------
def _delivery_report(content: bytes, token: str) -> Returned | None:
    """Each letter of ours has one recipient: where a report names several, it was passed on, and the mildest counts."""
    groups = groups_of(content, at_most=GROUPS_MAX)
    about_recipients = [dict(reversed(group)) for group in groups]
    told = [_told(group, token) for group in about_recipients if {"action", "status"} & group.keys()]
    found = [returned for returned in told if returned is not None]
    return min(found, key=lambda returned: _MILDEST_FIRST.index(returned.kind), default=None)


def _told(group: dict[str, str], token: str) -> Returned | None:
    """What a group of fields says of its recipient; None when all went well."""
    action = group.get("action", "").strip().lower()
    said = group.get("diagnostic-code", "")
    status = _status(group.get("status", ""), said)
    if action in _FINE or (not action and group.get("status", "").strip().startswith("2")):
        return None
    is_final = action != "delayed"
    kind = _kind(status) if is_final else Kind.WAIT
    words = without_addresses(said.partition(";")[2] or said)
    return Returned(token=token, kind=kind, status=status, words=words, is_final=is_final)


def _status(stated: str, said: str) -> str:
    """The finest code there is. Many servers state 5.0.0 and put what they know in what they were answered."""
    found = _STATUS.match(stated)
    status = ".".join(found.groups()) if found and found[1] != "2" else ""
    if status and not status.endswith(".0.0"):
        return status
    answers = list(_ANSWERED.finditer(said[:_READ_OF_WORDS]))
    finer = next((answer[2] for answer in answers if answer[2]), "")
    if finer or not answers:
        return finer or status
    answer = answers[0][1]
    of_mailbox = "" if _DISLIKE.search(said) else _STATUS_OF_ANSWER.get(answer, "")
    return of_mailbox or status or f"{answer[0]}.0.0"


def _kind(status: str) -> Kind:
    """RFC 3463, 3. 5.2.1 is a mailbox that takes nothing any more; subject 4 is the way there, not its end."""
    if not status:
        return Kind.OURS
    permanence, subject, detail = status.split(".")
    if permanence == "4" or subject == "4" or (subject, detail) == ("2", "2"):
        return Kind.WAIT
    if (subject, detail) == ("2", "1") or (subject == "1" and detail not in _NOT_THE_RECIPIENTS):
        return Kind.GONE
    return Kind.OURS


# Complaints -----------------------------------------------------------------------------------------------------
def _complaint(feedback: Fields, pieces: list[Part], token: str, return_path: str) -> Returned | None:
    """A complaint goes to a provider's contact more often than to a return path: then the letter itself tells."""
    kind = dict(reversed(feedback)).get("feedback-type", "").strip().lower()
    token = token or _token_of_letter(feedback, pieces, return_path)
    if not token or not kind or kind in _NO_COMPLAINT:
        return None
    words = without_addresses(kind)
    return Returned(token=token, kind=Kind.COMPLAINT, status="", words=words, is_final=True)


def _token_of_letter(feedback: Fields, pieces: list[Part], return_path: str) -> str:
    """The token our letter carried: in the sender the provider noted, or in the letter's own fields.

    These are as easily written as any other: they are no better than the proof in the token. The recipient a
    provider notes is not read at all.
    """
    found = _token(feedback, ("original-mail-from",), return_path)
    for piece in pieces:
        if not found and piece.kind in ("message/rfc822", "text/rfc822-headers", "message/global"):
            letter = part_of(piece.content())
            found = _token(letter.fields, ("return-path", "list-unsubscribe"), return_path)
    return found
