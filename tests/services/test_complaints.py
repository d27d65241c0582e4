"""Complaints as providers send them."""

import pytest

from tests.services.reports import TOKEN, heard
from vteam.channels.mail.bounces import (
    Kind,
)


def complaint(
    feedback: str = "abuse",
    *,
    to: str = "complaints@vteam.test",
    noted: str = "User-Agent: SomeGenerator/1.0",
    letter: str = f"Return-Path: <bounces+{TOKEN}@vteam.test>",
    part: str = "message/rfc822",
) -> bytes:
    """A complaint as a provider sends it (RFC 5965, B.2)."""
    return f"""Delivered-To: {to}\r
From: <abuse@example.com>\r
To: <{to}>\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=feedback-report;\r
     boundary="part1_13d.2e68ed54_boundary"\r
\r
--part1_13d.2e68ed54_boundary\r
Content-Type: text/plain; charset="US-ASCII"\r
\r
Somebody does not want this.\r
\r
--part1_13d.2e68ed54_boundary\r
Content-Type: message/feedback-report\r
\r
Feedback-Type: {feedback}\r
Version: 1\r
Original-Rcpt-To: bounces+forged@vteam.test\r
{noted}\r
\r
--part1_13d.2e68ed54_boundary\r
Content-Type: {part}\r
\r
{letter}\r
From: team@vteam.test\r
To: bounces+forged@vteam.test\r
Subject: news\r
\r
bounces+forged@vteam.test\r
--part1_13d.2e68ed54_boundary--\r
""".encode()


@pytest.mark.parametrize(
    "raw",
    [
        complaint(),
        complaint("Abuse"),
        complaint("fraud"),
        complaint("opt-out"),
        complaint(part="text/rfc822-headers"),
        complaint(letter="X: y", to=f"bounces+{TOKEN}@vteam.test"),
        complaint(letter="X: y", noted=f"Original-Mail-From: <bounces+{TOKEN}@vteam.test>"),
        complaint(letter=f"List-Unsubscribe: <https://x.test/u>,\r\n <mailto:bounces+{TOKEN}@vteam.test>"),
    ],
)
def test_a_complaint_is_about_the_letter_it_returns(raw: bytes) -> None:
    found = heard(raw)
    assert found is not None
    assert (found.kind, found.token, found.status, found.is_final) == (Kind.COMPLAINT, TOKEN, "", True)
    assert found.words in ("abuse", "fraud", "opt-out")


@pytest.mark.parametrize(
    "raw",
    [
        complaint(letter="X: y"),
        complaint("not-spam"),
        complaint("auth-failure"),
        complaint("virus"),
        complaint(""),
        complaint(part="text/plain"),
    ],
)
def test_what_is_no_complaint_or_about_nobody_says_nothing(raw: bytes) -> None:
    assert heard(raw) is None
