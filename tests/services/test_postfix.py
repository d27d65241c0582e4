"""The mail server of tests and benches does with each domain what it says, keeps to loopback, and leaves nothing."""

import os
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes
from pathlib import Path

import pytest

from bench.postfix import GREY_SECONDS, RETURN_PATH, MailServer, mail_server
from bench.tools import Misleading
from tests.channels.edges import eventually
from vteam.errors import CannotStart

ROOT = Path(__file__).parents[2]
# Every letter is written to a disk that others use too.
QUIET_SECONDS = 60
# A letter is said to be late after a second: it is tried so long that a queue which stands still meanwhile says it too.
LATE_LIFETIME_SECONDS = 10


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def post(server: MailServer, to: str, *, token: str = "") -> None:
    """One letter for one address, with a return path of ours."""
    with smtplib.SMTP("127.0.0.1", server.port, local_hostname="team.test") as client:
        letter = f"From: team@vteam.test\r\nTo: {to}\r\nSubject: {token}\r\n\r\nHello.\r\n"
        client.sendmail(RETURN_PATH.replace("@", f"+{token}@"), [to], letter.encode())


def refusal(server: MailServer, to: str, *, token: str = "") -> tuple[int, bytes]:
    """What RCPT was answered."""
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        post(server, to, token=token)
    return refused.value.recipients[to]


def is_taken(server: MailServer, to: str, *, token: str) -> bool:
    try:
        post(server, to, token=token)
    except smtplib.SMTPRecipientsRefused:
        return False
    return True


def returned_to(server: MailServer, token: str) -> list[bytes]:
    """What came back with a token in its envelope recipient, once nothing is on its way."""
    server.wait_until_quiet(QUIET_SECONDS)
    to = RETURN_PATH.replace("@", f"+{token}@")
    return [raw for raw in server.returned() if message_from_bytes(raw)["Delivered-To"] == to]


@pytest.mark.parametrize("to", ["bo@example.org", "bo+list@some.test", "bo@vteam.test", "bo@a.b.test"])
def test_a_letter_is_delivered_for_the_recipient_its_envelope_names(server: MailServer, to: str) -> None:
    post(server, to, token="delivered")
    server.wait_until_quiet(QUIET_SECONDS)
    (found,) = [letter for letter in server.delivered() if letter.recipient == to]
    assert found.message["To"] == to
    assert found.message.get_content().strip() == "Hello."
    assert server.delivered_count() == len(server.delivered())
    assert returned_to(server, "delivered") == []


@pytest.mark.parametrize(
    ("domain", "status"), [("bounce.test", "5.1.1"), ("spam.test", "5.7.1"), ("full.test", "4.2.2")]
)
def test_what_was_taken_and_cannot_be_delivered_comes_back_to_its_return_path(
    server: MailServer, domain: str, status: str
) -> None:
    token = f"Came-{domain[:4]}"
    post(server, f"bo@{domain}", token=token)
    (raw,) = returned_to(server, token)
    for line in (f"Status: {status}", "Action: failed", f"Final-Recipient: rfc822; bo@{domain}"):
        assert line in raw.decode().splitlines()
    assert server.bounces.is_dir()


def test_a_full_mailbox_is_tried_again_and_again_within_the_letters_lifetime() -> None:
    with mail_server(lifetime_seconds=600) as server:
        post(server, "bo@full.test", token="tried")
        assert not server.queue_empty()
        eventually(lambda: server.log().count("the mailbox is full") >= 3)
        with pytest.raises(
            Misleading,
            match=r"the mailbox is full(.*\n)*.*still on its way after 0.1 seconds: "
            r"1 in (incoming|active|deferred)$",
        ):
            server.wait_until_quiet(0.1)
        assert server.returned() == []


def test_where_that_is_wanted_the_sender_is_told_first_that_a_letter_is_late() -> None:
    with mail_server(lifetime_seconds=LATE_LIFETIME_SECONDS, delay_warnings=True) as server:
        post(server, "bo@full.test", token="late")
        actions = [
            line
            for raw in returned_to(server, "late")
            for line in raw.decode().splitlines()
            if line.startswith("Action:")
        ]
    assert actions == ["Action: delayed", "Action: failed"]


def test_what_is_refused_at_once_is_refused_at_rcpt_and_never_comes_back(server: MailServer) -> None:
    code, words = refusal(server, "bo@reject.test", token="refused")
    assert (code, words[:5]) == (550, b"5.1.1")
    for _ in range(2):
        code, words = refusal(server, "bo@tmp.test", token="refused")
        assert (code, words[:5]) == (450, b"4.3.0")
    assert returned_to(server, "refused") == []


def test_a_greylisted_letter_is_taken_when_it_comes_again_a_moment_later(server: MailServer) -> None:
    begun = time.monotonic()
    code, words = refusal(server, "bo@grey.test", token="grey")
    assert (code, words[:5]) == (450, b"4.7.1")
    while not is_taken(server, "bo@grey.test", token="grey"):
        assert time.monotonic() - begun < QUIET_SECONDS
        time.sleep(0.1)
    assert time.monotonic() - begun >= GREY_SECONDS
    assert refusal(server, "cy@grey.test", token="grey")[0] == 450, "another recipient has not been met"
    assert refusal(server, "bo@grey.test", token="other")[0] == 450, "nor has another sender"
    server.wait_until_quiet(QUIET_SECONDS)
    assert [found.recipient for found in server.delivered()].count("bo@grey.test") == 1


@pytest.mark.parametrize("to", ["bo@example.com", "bo@example.org.evil.com", "bo@localhost"])
def test_a_recipient_of_the_outside_world_is_refused(server: MailServer, to: str) -> None:
    assert refusal(server, to)[0] >= 500


def test_many_letters_in_a_session_are_all_there(server: MailServer) -> None:
    before = server.delivered_count()
    with smtplib.SMTP("127.0.0.1", server.port, local_hostname="team.test") as client:
        for number in range(200):
            client.sendmail(RETURN_PATH, [f"fan{number}@example.org"], b"Subject: news\r\n\r\nHello.\r\n")
    server.wait_until_quiet(QUIET_SECONDS)
    assert server.delivered_count() == before + 200


def test_it_listens_on_one_port_of_loopback_alone(server: MailServer) -> None:
    post(server, "ana@example.org")
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    doors = [line.split()[3] for line in listening.splitlines() if '"master"' in line or '"smtpd"' in line]
    assert f"127.0.0.1:{server.port}" in doors
    assert all(door.startswith("127.0.0.1:") for door in doors)


def test_it_ends_with_all_it_started_and_leaves_no_file() -> None:
    with mail_server() as server, closing(smtplib.SMTP("127.0.0.1", server.port)):
        assert processes_of(server.folder) > 1
        post(server, "bo@full.test")
    assert processes_of(server.folder) == 0
    assert not server.folder.exists()


def processes_of(folder: Path) -> int:
    """How many processes stand in a server's queue."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found += (process / "cwd").readlink().is_relative_to(folder)
        except OSError:
            continue  # It ended meanwhile, or is a thread of the kernel.
    return found


def test_two_of_them_know_nothing_of_each_other(server: MailServer) -> None:
    with mail_server() as other:
        assert other.port != server.port
        post(other, "bo@other.test")
        other.wait_until_quiet(QUIET_SECONDS)
        assert [letter.recipient for letter in other.delivered()] == ["bo@other.test"]
    assert "bo@other.test" not in [letter.recipient for letter in server.delivered()]


def test_it_works_where_there_is_no_network_but_loopback() -> None:
    told = in_a_namespace("--net")
    assert told.stdout == "1\n", told.stderr


def test_where_it_cannot_work_it_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = in_a_namespace("--net", "--user", "--map-root-user")
    assert "CannotStart: Postfix works under several accounts, and here there is but one" in told.stderr
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(hidden))
    with pytest.raises(CannotStart, match=r"may not enter .*TMPDIR="), mail_server():
        pass
    assert list(hidden.iterdir()) == []
    with monkeypatch.context() as without:
        without.setenv("PATH", str(tmp_path))
        without.setattr("bench.tools.PATH", str(tmp_path))
        with pytest.raises(CannotStart, match=r"apt-get install .* postfix$"), mail_server():
            pass
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotStart, match="by root alone"), mail_server():
        pass


ONE_LETTER = """
import smtplib
from bench.postfix import mail_server
with mail_server() as server:
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        client.sendmail("bounces+x@vteam.test", ["bo@bounce.test"], b"Subject: x\\r\\n\\r\\nx\\r\\n")
    server.wait_until_quiet(60)
    print(len(server.returned()))
"""


def in_a_namespace(*which: str) -> "subprocess.CompletedProcess[str]":
    """A letter to bounce.test, sent where the namespaces named are new."""
    inside = 'ip link set lo up && exec "$@"'
    command = ["unshare", *which, "sh", "-c", inside, "inside", sys.executable, "-c", ONE_LETTER]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
