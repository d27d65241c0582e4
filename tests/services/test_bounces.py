"""What comes back to a return path: real reports of a real Postfix, and those of other servers."""

import base64
import smtplib
import time
from collections.abc import Iterator

import pytest

from bench.postfix import RETURN_PATH, MailServer, mail_server
from tests.services.reports import TOKEN, heard, report
from tests.services.test_postfix import LATE_LIFETIME_SECONDS, QUIET_SECONDS
from vteam.channels.mail.bounces import (
    GROUPS_MAX,
    WORDS_MAX,
    Kind,
    with_token,
    without_addresses,
)
from vteam.channels.mail.inboxes import opened

SECONDS_MAX = 2.0
Verdict = tuple[Kind, str]


# Of a real server -----------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server(lifetime_seconds=LATE_LIFETIME_SECONDS, delay_warnings=True) as server:
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
    begun = time.process_time()
    without_addresses("x" * 1_000_000)
    without_addresses("x@" * 500_000)
    assert time.process_time() - begun < SECONDS_MAX
