"""What comes back and is no report, is too long, or was made to harm: nothing makes reading it fail."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.services.reports import TOKEN, heard, report
from vteam.channels.mail.bounces import (
    BYTES_MAX,
    WORDS_MAX,
    Kind,
)
from vteam.channels.mail.parts import PARTS_MAX

SECONDS_MAX = 2.0


ENVELOPE = f"Delivered-To: bounces+{TOKEN}@vteam.test\r\n"
GOOD = report({"Action": "failed", "Status": "5.1.1", "Diagnostic-Code": "smtp; 550 5.1.1 no such user"})


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "\r\n",
        ENVELOPE,
        f"{ENVELOPE}Auto-Submitted: auto-replied\r\nSubject: I am away\r\n\r\nUntil Monday. 550 5.1.1\r\n",
        f"{ENVELOPE}Content-Type: multipart/report\r\n\r\nStatus: 5.1.1\r\n",
        f"{ENVELOPE}Content-Type: multipart/report; boundary=\r\n\r\n--\r\nStatus: 5.1.1\r\n",
        f"{ENVELOPE}Content-Type: message/delivery-status\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        report({"Action": "displayed"}, part="message/disposition-notification").decode(),
        report({"Action": "delivered", "Status": "2.0.0"}).decode(),
        report({"Action": "relayed", "Status": "5.1.1"}).decode(),
        report({"Status": "2.0.0"}).decode(),
        report({"Final-Recipient": "rfc822; bo@example.org"}).decode(),
        report().decode(),
        report(
            {"Action": "failed", "Status": "5.1.1"}, part="x\r\nContent-Transfer-Encoding: base64"
        ).decode(),
    ],
)
def test_what_is_no_report_says_nothing(raw: str) -> None:
    assert heard(raw.encode()) is None


def test_a_report_above_the_limit_is_not_read() -> None:
    assert heard(GOOD + b"x" * (BYTES_MAX - len(GOOD))) is not None
    assert heard(GOOD + b"x" * (BYTES_MAX - len(GOOD) + 1)) is None


def test_a_report_cut_off_behind_its_fields_is_read() -> None:
    end = GOOD.index(b"Content-Type: message/rfc822")
    found = heard(GOOD[:end])
    assert found is not None
    assert found.kind is Kind.GONE


def nested(depth: int, *, distinct: bool) -> bytes:
    names = [f"b{number if distinct else 0}" for number in range(depth)]
    opened = "".join(f"Content-Type: multipart/mixed; boundary={name}\r\n\r\n--{name}\r\n" for name in names)
    return (ENVELOPE + opened).encode() + GOOD


PACKED = b"Content-Type: multipart/report; boundary=b\r\n\r\n"
BOMBS = [
    nested(15_000, distinct=True),
    nested(18_000, distinct=False),
    ENVELOPE.encode() + PACKED + b"--b\r\n\r\n" * 130_000,
    ENVELOPE.encode() + PACKED + b"\n--b " * 200_000,
    ENVELOPE.encode() + PACKED + b"\n--b" + b" " * 1_000_000 + b"x",
    ENVELOPE.encode() * 20_000,
    ENVELOPE.encode() + b"X: y\r\n" * 160_000 + GOOD,
    b"X: " + b"y" * 1_000_000,
    b"X:\r\n" + b" y\r\n" * 250_000,
    b"\n" * BYTES_MAX,
    b" " * BYTES_MAX,
    b"\r\n \r\n\t" * 150_000,
    b":" * BYTES_MAX,
    b"Content-Type: multipart/report" + b'; boundary="' * 80_000 + b"\r\n\r\n",
    b"Content-Type: multipart/report" + b" ; " * 300_000 + b"\r\n\r\n",
    b"Delivered-To: " + b"bounces+" * 120_000,
    report({"Action": "failed", "Diagnostic-Code": "smtp; " + "550 5." * 150_000}),
    report(*[{"Action": "failed", "Status": "5.1.1"}] * 20_000),
    report({f"X-{number}": "y" for number in range(60_000)} | {"Status": "5.1.1"}),
]


@pytest.mark.parametrize("raw", BOMBS, ids=range(len(BOMBS)))
def test_a_bomb_costs_a_moment_and_harms_nothing(raw: bytes) -> None:
    begun = time.process_time()
    heard(raw[:BYTES_MAX])
    assert time.process_time() - begun < SECONDS_MAX


def test_of_many_parts_the_first_are_read() -> None:
    filler = b"--=_b (1)\r\n\r\nSorry.\r\n"
    assert heard(GOOD.replace(filler, filler * (PARTS_MAX - 1))) is not None
    assert heard(GOOD.replace(filler, filler * PARTS_MAX)) is None


@given(st.binary(max_size=400))
@example(b"\xff\xfe\x00Delivered-To: \xe9")
def test_no_bytes_make_it_fail(raw: bytes) -> None:
    assert heard(raw) is None


@given(at=st.integers(0, len(GOOD)), cut=st.integers(0, 60), instead=st.binary(max_size=30))
def test_no_damage_to_a_report_makes_it_fail_or_name_another(at: int, cut: int, instead: bytes) -> None:
    found = heard(GOOD[:at] + instead + GOOD[at + cut :])
    assert found is None or len(found.token) <= 64
    assert found is None or (len(found.words) <= WORDS_MAX and found.words.isprintable())


@given(
    said=st.text(max_size=200),
    status=st.text(max_size=20),
    action=st.sampled_from(["failed", "delayed", "", "delivered", "\u00e9"]),
)
def test_no_words_of_a_server_make_it_fail(said: str, status: str, action: str) -> None:
    fields = {"Action": action, "Status": status, "Diagnostic-Code": said}
    raw = report({name: value.encode(errors="replace").decode() for name, value in fields.items()})
    found = heard(raw)
    assert found is None or not any("@" in word.strip("@<>:;,") for word in found.words.split())
