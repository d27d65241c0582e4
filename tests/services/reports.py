"""Delivery reports as mail servers write them, and what is read of one."""

from collections.abc import Mapping

from bench.postfix import RETURN_PATH
from vteam.channels.mail.bounces import (
    Returned,
    read,
)

TOKEN = "Qx7-w_2"


def heard(raw: bytes) -> Returned | None:
    return read(raw, return_path=RETURN_PATH)


def report(
    *groups: Mapping[str, str],
    kind: str = "multipart/report; report-type=delivery-status",
    part: str = "message/delivery-status",
    envelope: str = f"Delivered-To: bounces+{TOKEN}@vteam.test",
    end: str = "\r\n",
) -> bytes:
    """A delivery report; each group of fields is about one recipient."""
    written = [f"{name}: {value}" for group in groups for name, value in [*group.items(), ("", "")]]
    lines = [
        envelope,
        "From: MAILER-DAEMON@mx.example.org",
        "Subject: Undelivered",
        f'Content-Type: {kind}; boundary="=_b (1)"',
        "",
        "Not for you: Status: 5.1.1",
        "--=_b (1)",
        "",
        "Sorry.",
        "--=_b (1)",
        f"Content-Type: {part}",
        "",
        "Reporting-MTA: dns; mx.example.org",
        "",
        *("" if line == ": " else line for line in written),
        "--=_b (1)",
        "Content-Type: message/rfc822",
        "",
        "Return-Path: <bounces+forged@vteam.test>",
        "",
        "Hello.",
        "--=_b (1)--",
        "",
    ]
    return end.join(lines).encode()
