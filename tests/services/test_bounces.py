"""What comes back to a return path: real reports of a real Postfix, those of other servers, complaints, and garbage."""

import base64
import smtplib
import time
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.postfix import RETURN_PATH, MailServer, mail_server
from tests.services.test_postfix import QUIET_SECONDS
from vteam.channels.mail.bounces import (
    BYTES_MAX,
    GROUPS_MAX,
    WORDS_MAX,
    Kind,
    Returned,
    read,
    with_token,
    without_addresses,
)
from vteam.channels.mail.inboxes import opened
from vteam.channels.mail.parts import PARTS_MAX

TOKEN = "Qx7-w_2"
SECONDS_MAX = 2.0
Verdict = tuple[Kind, str]


def heard(raw: bytes) -> Returned | None:
    return read(raw, return_path=RETURN_PATH)


# Of a real server -----------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server(delay_warnings=True) as server:
        yield server


@pytest.mark.parametrize("body", ["Hello.", "hello " * 20_000, "Liberté " * 100])
@pytest.mark.parametrize(
    ("domain", "told"),
    [
        ("bounce.test", [(Kind.GONE, "5.1.1", "nobody of that name lives here", True)]),
        ("spam.test", [(Kind.OURS, "5.7.1", "this looks like something nobody asked for", True)]),
    ],
)
def test_what_postfix_returns_is_understood(
    server: MailServer, domain: str, told: list[tuple[Kind, str, str, bool]], body: str
) -> None:
    token = f"T-{domain[:4]}_{len(body)}"
    assert of_postfix(server, f"bo@{domain}", token=token, body=body) == told


def test_a_late_letter_and_then_a_full_mailbox_both_say_wait(server: MailServer) -> None:
    late, lost = of_postfix(server, "bo@full.test", token="late", body="Hello.")
    assert late == (Kind.WAIT, "4.2.2", "the mailbox is full", False)
    assert lost == (Kind.WAIT, "4.2.2", "the mailbox is full", True)


def test_a_delivered_letter_says_nothing(server: MailServer) -> None:
    assert of_postfix(server, "bo@example.org", token="fine", body="Hello.", NOTIFY="SUCCESS") == []
    assert b"Action: delivered" in server.returned()[-1]


def of_postfix(
    server: MailServer, to: str, *, token: str, body: str, **options: str
) -> list[tuple[Kind, str, str, bool]]:
    """What is read of all that comes back for a letter, out of the mailbox it comes back to."""
    letter = f"From: team@vteam.test\r\nTo: {to}\r\nSubject: x\r\n\r\n{body}\r\n".encode()
    letter = b"\r\n".join(
        line[at : at + 900] for line in letter.split(b"\r\n") for at in range(0, len(line) + 1, 900)
    )
    with smtplib.SMTP("127.0.0.1", server.port, local_hostname="team.test") as client:
        wanted = [f"{name}={value}" for name, value in options.items()]
        client.sendmail(with_token(RETURN_PATH, token), [to], letter, rcpt_options=wanted)
    server.wait_until_quiet(QUIET_SECONDS)
    with opened(f"maildir:{server.bounces}") as box:
        mails = [heard(arrived.raw) for arrived in box.new(at_most=1_000)]
    found = [mail for mail in mails if mail is not None and mail.token == token]
    return [(mail.kind, mail.status, mail.words, mail.is_final) for mail in found]


# Of any server --------------------------------------------------------------------------------------------------
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


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        # The address.
        ("5.1.1", "smtp; 550 5.1.1 no such user", (Kind.GONE, "5.1.1")),
        ("5.1.2", "", (Kind.GONE, "5.1.2")),
        ("5.1.10", "smtp; 556 5.1.10 null MX", (Kind.GONE, "5.1.10")),
        ("5.2.1", "smtp; 550 5.2.1 this account is disabled", (Kind.GONE, "5.2.1")),
        ("5.1.1 (bad destination mailbox address)", "", (Kind.GONE, "5.1.1")),
        # Later.
        ("5.2.2", "smtp; 552 5.2.2 over quota", (Kind.WAIT, "5.2.2")),
        ("4.2.2", "", (Kind.WAIT, "4.2.2")),
        ("4.1.1", "", (Kind.WAIT, "4.1.1")),
        ("4.4.7", "smtp; 451 4.4.7 expired", (Kind.WAIT, "4.4.7")),
        ("5.4.4", "X-Postfix; Host or domain name not found", (Kind.WAIT, "5.4.4")),
        ("5.4.6", "loops back to myself", (Kind.WAIT, "5.4.6")),
        # We.
        ("5.7.1", "smtp; 550 5.7.1 looks like spam", (Kind.OURS, "5.7.1")),
        ("5.7.26", "smtp; 550-5.7.26 unauthenticated", (Kind.OURS, "5.7.26")),
        ("5.1.8", "smtp; 550 5.1.8 bad sender", (Kind.OURS, "5.1.8")),
        ("5.1.7", "", (Kind.OURS, "5.1.7")),
        ("5.3.4", "smtp; 552 5.3.4 message too big", (Kind.OURS, "5.3.4")),
        ("5.5.2", "", (Kind.OURS, "5.5.2")),
        ("5.6.0", "", (Kind.OURS, "5.6.0")),
        ("5.0.0", "", (Kind.OURS, "5.0.0")),
        # Where the status says nothing, what was answered may.
        ("5.0.0", "smtp; 550 5.1.1 no such user", (Kind.GONE, "5.1.1")),
        ("5.0.0", "smtp; 550-5.1.1 no such\r\n 550 5.1.1 user", (Kind.GONE, "5.1.1")),
        ("5.0.0", "smtp; 550 #5.1.0 Address rejected.", (Kind.GONE, "5.1.0")),
        ("5.0.0", "smtp; 550 No such user here", (Kind.GONE, "5.1.1")),
        ("", "smtp; 551 User not local", (Kind.GONE, "5.1.6")),
        ("", "smtp; 552 over quota", (Kind.WAIT, "5.2.2")),
        ("", "smtp; 553 what a name", (Kind.GONE, "5.1.3")),
        ("", "smtp; 452 try later", (Kind.WAIT, "4.0.0")),
        ("", "smtp; 554 transaction failed", (Kind.OURS, "5.0.0")),
        ("", "smtp; 550 Blocked by our policy, see 192.0.2.4", (Kind.OURS, "5.0.0")),
        ("", "smtp; 550 5.7.1 Blocked: no such user", (Kind.OURS, "5.7.1")),
        ("", "", (Kind.OURS, "")),
        ("five", "it did not work", (Kind.OURS, "")),
        ("5.1", "", (Kind.OURS, "")),
        ("5.1.1.7", "", (Kind.OURS, "")),
        ("9.1.1", "", (Kind.OURS, "")),
        ("2.1.5", "", (Kind.OURS, "")),
        ("", "dns; host 10.550.1.5 at port 1550 said 5.1.1.2", (Kind.OURS, "")),
    ],
)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_code_is_the_addresses_end_a_reason_to_wait_or_our_own_fault(
    status: str, said: str, told: Verdict, end: str
) -> None:
    fields = {"Final-Recipient": "rfc822; forged@x.test", "Action": "failed", "Status": status}
    found = heard(report(fields | {"Diagnostic-Code": said}, end=end))
    assert found is not None
    assert (found.token, found.kind, found.status) == (TOKEN, *told)
    assert found.is_final


@pytest.mark.parametrize("part", ["message/delivery-status", 'Message/Global-Delivery-Status; name="x"'])
@pytest.mark.parametrize("coding", ["base64", "quoted-printable"])
def test_a_report_is_read_through_its_transfer_encoding(part: str, coding: str) -> None:
    content = b"Reporting-MTA: dns; x\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    coded = base64.encodebytes(content) if coding == "base64" else content.replace(b".", b"=2E")
    plain = report(
        {"Action": "failed", "Status": "5.2.2"}, part=f"{part}\r\nContent-Transfer-Encoding: {coding}"
    )
    start, end = plain.index(b"Reporting-MTA"), plain.index(b"--=_b (1)\r\nContent-Type: message/rfc822")
    found = heard(plain[:start] + coded + b"\r\n" + plain[end:])
    assert found is not None
    assert found.status == "5.1.1"


def test_a_warning_is_never_the_end_of_an_address() -> None:
    found = heard(report({"Action": "delayed", "Status": "5.1.1"}))
    assert found is not None
    assert (found.kind, found.is_final) == (Kind.WAIT, False)


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ([("failed", "5.1.1"), ("failed", "5.2.2")], (Kind.WAIT, "5.2.2")),
        ([("failed", "5.7.1"), ("failed", "5.1.1")], (Kind.OURS, "5.7.1")),
        ([("delivered", "2.0.0"), ("failed", "5.1.1")], (Kind.GONE, "5.1.1")),
        ([("failed", "5.1.1")] * 3, (Kind.GONE, "5.1.1")),
        ([("failed", "5.1.1")] * GROUPS_MAX * 3, (Kind.GONE, "5.1.1")),
    ],
)
def test_of_several_recipients_the_mildest_counts(groups: list[tuple[str, str]], told: Verdict) -> None:
    found = heard(report(*({"Action": action, "Status": status} for action, status in groups)))
    assert found is not None
    assert (found.kind, found.status) == told


def test_a_report_inside_a_list_servers_wrapping_is_found_and_one_passed_on_by_a_person_is_not() -> None:
    inner = report({"Action": "failed", "Status": "5.1.1"}, envelope="X: y").decode()
    head = (
        f"Delivered-To: bounces+{TOKEN}@vteam.test\r\nContent-Type: multipart/mixed; boundary=outer\r\n\r\n"
    )
    found = heard(f"{head}--outer\r\n{inner}\r\n--outer--\r\n".encode())
    assert found is not None
    assert found.kind is Kind.GONE
    passed_on = f"{head}--outer\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--outer--\r\n"
    assert heard(passed_on.encode()) is None


@pytest.mark.parametrize(
    "kind",
    ["multipart/report", "Multipart/Report; Report-Type=Delivery-Status", "multipart/report;\r\n\tx=y"],
)
def test_a_report_is_told_by_what_it_carries(kind: str) -> None:
    assert heard(report({"Action": "failed", "Status": "5.1.1"}, kind=kind)) is not None


# About whom -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("envelope", "token"),
    [
        (f"Delivered-To: bounces+{TOKEN}@vteam.test", TOKEN),
        (f"X-Original-To: Bounces+{TOKEN}@VTEAM.TEST", TOKEN),
        (f"Envelope-To:\r\n <bounces+{TOKEN}@vteam.test>", TOKEN),
        (f"To: vTeam <bounces+{TOKEN}@vteam.test>", TOKEN),
        (f"To: bounces+other@vteam.test\r\nDelivered-To: bounces+{TOKEN}@vteam.test", TOKEN),
        (f"Delivered-To: bounces+{TOKEN}@vteam.test\r\nDelivered-To: bounces+other@vteam.test", TOKEN),
        (f"Delivered-To: box@vteam.test\r\nTo: bounces+{TOKEN}@vteam.test", TOKEN),
    ],
)
def test_whom_a_report_is_about_stands_in_the_address_it_was_sent_to(envelope: str, token: str) -> None:
    found = heard(report({"Action": "failed", "Status": "5.1.1"}, envelope=envelope))
    assert found is not None
    assert found.token == token


@pytest.mark.parametrize(
    "envelope",
    [
        "Delivered-To: bounces@vteam.test",
        "Delivered-To: bounces+@vteam.test",
        "Delivered-To: bounces+a b@vteam.test",
        f"Delivered-To: bounces+{'x' * 65}@vteam.test",
        "Delivered-To: bounces+a@vteam.test.example.org",
        "Delivered-To: bounces+a@vteam.tests",
        "Delivered-To: bounces+a@vteam-test",
        "Delivered-To: not-bounces+a@vteam.test",
        "Delivered-To: xbounces+a@vteam.test",
        "Subject: bounces+a@vteam.test",
        "Delivered-To: bounces+\u00e9t\u00e9@vteam.test",
    ],
)
def test_a_report_sent_elsewhere_says_nothing_whatever_its_letter_carries(envelope: str) -> None:
    assert heard(report({"Action": "failed", "Status": "5.1.1"}, envelope=envelope)) is None


def test_a_return_path_carries_its_token() -> None:
    assert with_token("bounces@vteam.test", TOKEN) == f"bounces+{TOKEN}@vteam.test"
    for token in ("", "a b", "a+b", "a@b", "x" * 57, "\u00e9"):
        with pytest.raises(AssertionError):
            with_token("bounces@vteam.test", token)


# In which words -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("smtp; 550 5.1.1 <bo@example.org>: unknown", "550 5.1.1 <…>: unknown"),
        ("smtp; 550 https://x.test/?to=bo@example.org;cy@example.org", "550 https:…;…"),
        ("no type, bo@example.org", "no type, …"),
        ("smtp;\r\n 550 two\r\n\tlines", "550 two lines"),
        ("smtp; 550 \x1b[2J\x00 caf\u00e9", "550 [2J café"),
        ("smtp; " + "x" * 3_000 + " bo@example.org", ""),
        ("smtp; " + "word " * 1_000, ("word " * 40)[:WORDS_MAX]),
        ("smtp; " + "x" * 1_985 + " bo-the-fan@example.org", "x" * WORDS_MAX),
        ("smtp; " + "bo@example.org " * 300, ("… " * 140).strip()[:WORDS_MAX]),
    ],
)
def test_the_servers_words_are_kept_short_and_without_addresses(said: str, words: str) -> None:
    found = heard(report({"Action": "failed", "Status": "5.1.1", "Diagnostic-Code": said}))
    assert found is not None
    assert found.words == words
    assert "@" not in found.words


def test_a_servers_long_word_takes_no_time() -> None:
    begun = time.monotonic()
    without_addresses("x" * 1_000_000)
    without_addresses("x@" * 500_000)
    assert time.monotonic() - begun < SECONDS_MAX


# Complaints -----------------------------------------------------------------------------------------------------
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


# Everything else ------------------------------------------------------------------------------------------------
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
    begun = time.monotonic()
    heard(raw[:BYTES_MAX])
    assert time.monotonic() - begun < SECONDS_MAX


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
