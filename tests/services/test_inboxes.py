"""Where returned mail arrives, a Maildir or a real IMAP server: what is new, in its order, and out when it is done."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bench.folder import free_ports
from tests.services.imap import ImapServer, imap_server
from vteam.channels.mail import inboxes
from vteam.channels.mail.bounces import BYTES_MAX
from vteam.channels.mail.inboxes import checked, opened
from vteam.errors import Away, SettingsError

ONE, TWO, THREE = (b"Subject: %d\r\n\r\nmail %d\r\n" % (number, number) for number in (1, 2, 3))


# A Maildir ------------------------------------------------------------------------------------------------------
@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for part in ("new", "cur", "tmp"):
        (tmp_path / part).mkdir()
    (tmp_path / "tmp" / "9.half").write_bytes(b"being written")
    for name, mail in (("1.b", ONE), ("2.a", TWO), ("3.c", THREE)):
        (tmp_path / "new" / name).write_bytes(mail)
    return tmp_path


def test_what_is_new_in_a_maildir_comes_oldest_first_and_stays_until_it_is_done(maildir: Path) -> None:
    with opened(f"maildir:{maildir}") as box:
        assert [arrived.raw for arrived in box.new(at_most=2)] == [ONE, TWO]
        first, second, third = box.new(at_most=10)
        box.done(first.handle)
        box.done(first.handle)
        box.seen(third.handle)
        box.seen(third.handle)
        assert list(box.new(at_most=10)) == [second]
    assert [path.name for path in (maildir / "cur").iterdir()] == ["3.c:2,S"]
    assert (maildir / "cur" / "3.c:2,S").read_bytes() == THREE


def test_a_mail_another_reader_took_meanwhile_is_passed_over(maildir: Path) -> None:
    with opened(f"maildir:{maildir}") as box:
        new = box.new(at_most=10)
        assert next(new).raw == ONE
        (maildir / "new" / "2.a").unlink()
        assert [arrived.raw for arrived in new] == [THREE]


@pytest.mark.parametrize(("over", "is_truncated"), [(0, False), (1, True), (BYTES_MAX, True)])
def test_of_a_huge_mail_only_the_beginning_is_read(maildir: Path, over: int, is_truncated: bool) -> None:
    (maildir / "new" / "0.huge").write_bytes(b"x" * (BYTES_MAX + over))
    with opened(f"maildir:{maildir}") as box:
        arrived = next(box.new(at_most=1))
    assert (len(arrived.raw), arrived.is_truncated) == (BYTES_MAX, is_truncated)


def test_a_maildir_that_is_not_there_is_away(tmp_path: Path) -> None:
    with opened(f"maildir:{tmp_path}/gone%20by") as box, pytest.raises(Away, match="gone by"):
        list(box.new(at_most=1))


# IMAP -----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def dovecot() -> Iterator[ImapServer]:
    with imap_server() as server:
        yield server


@pytest.fixture
def server(dovecot: ImapServer) -> ImapServer:
    for path in (dovecot.folder / "mail").rglob("*.test*"):
        path.unlink()
    return dovecot


def test_what_is_new_by_imap_comes_oldest_first_and_is_taken_out_when_it_is_done(server: ImapServer) -> None:
    server.receive(ONE, TWO, THREE)
    with opened(server.url) as box:
        assert [arrived.raw for arrived in box.new(at_most=2)] == [ONE, TWO]
        first, second, third = box.new(at_most=10)
        box.done(first.handle)
        box.done(first.handle)
        box.seen(third.handle)
        assert list(box.new(at_most=10)) == [second]
    assert server.flags() == ["", "S"]
    with opened(server.url) as box:
        assert [arrived.raw for arrived in box.new(at_most=10)] == [TWO]


def test_what_others_deleted_in_the_mailbox_is_neither_read_nor_taken_out(server: ImapServer) -> None:
    server.receive(ONE, TWO)
    with opened(server.url) as box:
        theirs, ours = box.new(at_most=10)
        box._client.uid("STORE", theirs.handle, "+FLAGS", r"(\Deleted)")  # type: ignore[attr-defined]
        assert [arrived.handle for arrived in box.new(at_most=10)] == [ours.handle]
        box.done(ours.handle)
    assert server.flags() == ["T"]


def test_of_a_huge_mail_only_the_beginning_comes_by_imap(server: ImapServer) -> None:
    server.receive(b"Subject: x\r\n\r\n" + b"x" * BYTES_MAX, ONE)
    with opened(server.url) as box:
        huge, small = box.new(at_most=10)
    assert (len(huge.raw), huge.is_truncated) == (BYTES_MAX, True)
    assert (small.raw, small.is_truncated) == (ONE, False)


def test_a_mailbox_full_of_what_people_have_not_read_is_asked_bit_by_bit(
    server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inboxes, "SEARCHED_AT_ONCE", 2)
    server.receive(ONE, TWO, THREE, ONE, TWO)
    with opened(server.url) as box:
        for arrived in box.new(at_most=4):
            box.seen(arrived.handle)
    with opened(server.url) as box:
        assert [arrived.raw for arrived in box.new(at_most=4)] == [TWO]


def test_another_folder_than_the_inbox_is_read(server: ImapServer) -> None:
    server.receive(ONE)
    server.receive(TWO, folder='.Came "back"')
    with opened(server.url.replace("/INBOX", "/Came%20%22back%22")) as box:
        (arrived,) = box.new(at_most=10)
        box.done(arrived.handle)
    assert arrived.raw == TWO
    assert server.flags() == [""]


def test_an_encrypted_mailbox_is_read_when_its_certificate_is_good(
    server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.receive(ONE)
    with pytest.raises(Away, match="CERTIFICATE_VERIFY_FAILED"), opened(server.tls_url):
        pass
    monkeypatch.setenv("SSL_CERT_FILE", str(server.folder / "fullchain.pem"))
    with opened(server.tls_url) as box:
        assert [arrived.raw for arrived in box.new(at_most=10)] == [ONE]
    with pytest.raises(Away, match="mismatch"), opened(server.tls_url.replace("localhost", "127.0.0.1")):
        pass


def test_a_wrong_password_or_folder_is_told_without_the_password(server: ImapServer) -> None:
    with pytest.raises(Away, match="AUTHENTICATIONFAILED") as refused, opened(server.url.replace(":p", ":q")):
        pass
    assert "w/rd" not in str(refused.value)
    with pytest.raises(Away, match="Nowhere"), opened(server.url.replace("/INBOX", "/Nowhere")):
        pass


def test_a_server_that_is_gone_is_away() -> None:
    (port,) = free_ports(1)
    with pytest.raises(Away, match="refused"), opened(f"imap://ana:secret@127.0.0.1:{port}/INBOX"):
        pass


@contextmanager
def answering(*lines: bytes) -> Iterator[int]:
    """A port where the first one to come is told these lines, one for each of theirs, and then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def talk() -> None:
            visitor, _ = door.accept()
            with visitor, visitor.makefile("rb") as heard, suppress(ConnectionError):
                for line in lines:
                    visitor.sendall(line)
                    tag = heard.readline().split(b" ")[0]
                    visitor.sendall(tag + b" OK fine\r\n" if tag else b"")
                while heard.readline():
                    pass

        thread = threading.Thread(target=talk)
        thread.start()
        yield int(door.getsockname()[1])
        thread.join(timeout=10)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    "lines",
    [
        [b""],
        [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
        [b"* OK\r\n", b"* CAPABILITY IMAP4rev1\r\n", b"", b"* many EXISTS\r\n"],
        [b"* OK\r\n", b"* CAPABILITY \xff\r\n"],
        [b"* OK\r\n", b"x" * 2_000_000],
    ],
)
def test_a_server_that_is_silent_or_talks_nonsense_is_away(
    monkeypatch: pytest.MonkeyPatch, lines: list[bytes]
) -> None:
    monkeypatch.setattr(inboxes, "SECONDS_MAX", 0.5)
    begun = time.monotonic()
    with (
        answering(*lines) as port,
        pytest.raises(Away, match="the bounce mailbox cannot be read"),
        opened(f"imap://ana:secret@127.0.0.1:{port}/INBOX"),
    ):
        pass
    assert time.monotonic() - begun < 10


def test_the_longest_silence_is_ten_seconds() -> None:
    assert inboxes.SECONDS_MAX <= 10


# Its address ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "url",
    [
        "maildir:/var/mail/bounces",
        "maildir:///var/mail/bounces",
        "imaps://ana:secret@mail.example.org",
        "imaps://ana%40example.org:s%2Fcret@mail.example.org:1993/INBOX/Returned",
        "imap://ana:secret@localhost/INBOX",
        "imap://ana:secret@127.0.0.9:143/INBOX",
        "imap://ana:secret@[::1]/INBOX",
    ],
)
def test_a_mailboxes_address_is_taken(url: str) -> None:
    assert checked(url).geturl().startswith(url.partition(":")[0])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "maildir:",
        "maildir:relative",
        "maildir://host/path",
        "/var/mail/bounces",
        "pop3://ana:secret@mail.example.org",
        "imaps://mail.example.org/INBOX",
        "imaps://ana@mail.example.org/INBOX",
        "imaps://ana:secret@",
        "imaps://ana:secret@mail.example.org:99999/INBOX",
        "imaps://ana:secret@[::1/INBOX",
        "imaps://ana:sec%0D%0Aret@mail.example.org/INBOX",
        "imaps://ana:secret@mail.example.org/IN%00BOX",
        "imaps://ana:s%C3%A9cret@mail.example.org/INBOX",
        "imap://ana:secret@mail.example.org/INBOX",
        "imap://ana:secret@localhost.example.org/INBOX",
        "imap://ana:secret@10.0.0.1/INBOX",
    ],
)
def test_what_is_no_mailboxes_address_says_how_to_write_one(url: str) -> None:
    with pytest.raises(SettingsError, match="VTEAM_BOUNCES_URL: ") as refused:
        checked(url)
    assert "secret" not in str(refused.value)
