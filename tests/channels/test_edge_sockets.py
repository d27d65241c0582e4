"""Passing on through a real edge process: real WebSockets, the gate asked, the title in the inbox at the end."""

import contextlib
import os
import resource
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.channels.edges import Edge, Start, eventually, postgres_url, with_shares
from tests.channels.pages import COPY, HOUR_US, LENGTH, PIECES, TITLE, blocks, ticket
from vteam import clock
from vteam.channels.swarm.passing import FRAME
from vteam.channels.swarm.tickets import Role, Ticket, sealed
from vteam.journal.sql import for_sqlite

KEY = "the key of this installation's tests"
ORIGIN = "http://localhost:8000"
TABLES = (
    "CREATE TABLE campaigns_title (id BIGINT PRIMARY KEY, retired_at TEXT)",
    "CREATE TABLE rights_titleholder (title_id BIGINT, holder_id BIGINT)",
    "CREATE TABLE rights_rightevent (id BIGINT PRIMARY KEY, title_id BIGINT, holder_id BIGINT, way TEXT, act TEXT, "
    "at_us BIGINT, from_us BIGINT, until_us BIGINT)",
)
SAY = "INSERT INTO rights_rightevent VALUES (%s, %s, 1, 'pass-on', %s, %s, %s, NULL)"


class Rights:
    """The title's one holder, in the main database."""

    def __init__(self, write: Callable[[str, tuple[Any, ...]], None]) -> None:
        self.write, self.said = write, 0
        for table in TABLES:
            write(table, ())
        write("INSERT INTO campaigns_title VALUES (%s, NULL)", (TITLE,))
        write("INSERT INTO rights_titleholder VALUES (%s, 1)", (TITLE,))
        self.say("agreed")

    def say(self, act: str) -> None:
        self.said += 1
        now_us = clock.now_us()
        self.write(SAY, (self.said, TITLE, act, now_us, now_us))


@pytest.fixture(params=["sqlite", "postgresql"])
def edge_with_rights(request: pytest.FixtureRequest, tmp_path: Path, start: Start) -> tuple[Edge, Rights]:
    data, environment = with_shares(tmp_path / "data"), {"SECRET_KEY": KEY, "PAGES_PER_NETWORK": "4"}

    def in_file(statement: str, values: tuple[Any, ...]) -> None:
        with contextlib.closing(sqlite3.connect(data / "vteam.sqlite3")) as file, file:
            file.execute(for_sqlite(statement), values)

    write = in_file
    if request.param == "postgresql":
        name = f"sockets_{time.time_ns()}"
        url = environment["DATABASE_URL"] = postgres_url(request.getfixturevalue("postgres"), name)

        def in_server(statement: str, values: tuple[Any, ...]) -> None:
            with psycopg.connect(url) as connection:
                connection.execute(statement.encode(), values or None)

        write = in_server
    rights = Rights(write)
    return start(data, **environment).opened(), rights


Enter = Callable[..., "APage"]


class APage:
    """A page as its browser's WebSocket has it."""

    def __init__(self, socket: ClientConnection, ticket: Ticket) -> None:
        self.socket, self.ticket = socket, ticket

    def hello(self, **more: Any) -> None:
        text = sealed(self.ticket, key=KEY.encode())
        self.say(do="hello", ticket=text, **more)

    def say(self, **message: Any) -> None:
        self.socket.send(orjson.dumps(message).decode())

    def say_at_once(self, *said: str | bytes) -> None:
        """Several messages in one packet."""
        protocol = self.socket.protocol
        for each in said:
            if isinstance(each, str):
                protocol.send_text(each.encode())
            else:
                protocol.send_binary(each)
        self.socket.socket.sendall(b"".join(protocol.data_to_send()))

    def hear(self, now: str) -> dict[str, Any]:
        """The next message of a kind."""
        while True:
            message = self.socket.recv(timeout=10)
            if isinstance(message, str) and (told := orjson.loads(message))["now"] == now:
                return dict(told)

    def closed_with(self) -> str:
        """Why the connection was ended."""
        try:
            while True:
                self.socket.recv(timeout=10)
        except ConnectionClosed as closed:
            assert closed.rcvd is not None, "it ended without a word"
            return closed.rcvd.reason


@pytest.fixture
def enter(edge_with_rights: tuple[Edge, Rights]) -> Iterator[Enter]:
    edge, _ = edge_with_rights
    with contextlib.ExitStack() as stack:

        def a_page(role: Role = Role.SEEDER, *, origin: str = ORIGIN, **changed: Any) -> APage:
            socket = stack.enter_context(
                connect(f"ws://127.0.0.1:{edge.port}/ws", origin=origin, compression=None, proxy=None)  # type: ignore[arg-type]
            )
            fresh = {"expires_us": clock.now_us() + HOUR_US, "ends_us": clock.now_us() + HOUR_US}
            return APage(socket, replace(ticket(role), **(fresh | changed)))

        yield a_page


def test_a_title_passes_and_is_in_the_inbox(edge_with_rights: tuple[Edge, Rights], enter: Enter) -> None:
    bo, cy = enter(), enter(Role.LISTENER)
    cy.hello()
    assert cy.hear("away")
    bo.hello()
    number, got = cy.hear("met")["number"], b""
    cy.say(do="relay", number=number)
    assert cy.hear("relay")["from"] == 0
    for piece in range(PIECES.count):
        cy.say(do="want", number=number, piece=piece)
        assert bo.hear("want")["piece"] == piece
        for block in blocks(number, piece):
            bo.socket.send(block)
        while len(got) < min((piece + 1) * LENGTH, len(COPY)):
            frame = cy.socket.recv(timeout=10)
            assert isinstance(frame, bytes)
            got += frame[FRAME.size :]
        cy.say(do="got", number=number, piece=piece)
    assert cy.hear("whole")["counted"]
    assert bo.hear("whole")["counted"]
    assert got == COPY
    assert [row[1] for row in edge_with_rights[0].rows()] == ["Evidence", "CopyServed"]


def test_a_withdrawal_reaches_both_pages_within_seconds(
    edge_with_rights: tuple[Edge, Rights], enter: Enter
) -> None:
    _, rights = edge_with_rights

    def seconds() -> float:
        bo, cy = enter(), enter(Role.LISTENER)
        bo.hello()
        cy.hello()
        cy.hear("met")
        rights.say("withdrawn")
        begun = time.monotonic()
        assert cy.hear("closed")["why"] == "withdrawn"
        assert bo.hear("closed")["why"] == "withdrawn"
        took = time.monotonic() - begun
        assert cy.closed_with() == ""
        rights.say("agreed")
        return took

    # The machine may pause; not three times.
    assert any(seconds() < 5 for _ in range(3))


def test_a_title_that_may_not_be_passed_on_has_no_room(
    edge_with_rights: tuple[Edge, Rights], enter: Enter
) -> None:
    edge_with_rights[1].say("refused")
    bo = enter()
    bo.hello()
    assert bo.hear("closed")["why"] == "withdrawn"
    other = enter(title=TITLE + 1)
    other.hello()
    assert other.hear("closed")["why"] == "withdrawn"


def test_a_season_that_is_over_has_no_room(enter: Enter) -> None:
    bo = enter(ends_us=clock.now_us())
    bo.hello()
    assert bo.hear("closed")["why"] == "season"


@pytest.mark.parametrize(
    "first",
    [
        {"do": "hello", "ticket": "forged.0"},
        {"do": "hello"},
        {"do": "hello", "ticket": "é.è"},
        {"do": "want", "number": 1},
        ["hello"],
        "{",
    ],
)
def test_without_a_ticket_of_ours_nobody_is_let_in(enter: Enter, first: Any) -> None:
    page = enter()
    page.socket.send(first if isinstance(first, str) else orjson.dumps(first).decode())
    assert page.closed_with() in ("ticket", "unknown")


def test_a_ticket_of_yesterday_is_none(enter: Enter) -> None:
    page = enter(expires_us=clock.now_us())
    page.hello()
    assert page.closed_with() == "ticket"


def test_long_messages_end_the_connection(enter: Enter) -> None:
    page = enter()
    page.hello()
    page.hear("open")
    page.say(do="signal", number=1, data="x" * 20_000)
    assert page.closed_with() == "too_big"


def test_other_sites_pages_are_refused(enter: Enter) -> None:
    for origin in ("http://evil.example", "http://localhost:9000", "https://localhost:8000", "null"):
        with pytest.raises(InvalidStatus, match="403"):
            enter(origin=origin)


def test_one_network_has_only_so_many(edge_with_rights: tuple[Edge, Rights], enter: Enter) -> None:
    pages = [enter() for _ in range(4)]
    with pytest.raises(InvalidStatus, match="429"):
        enter()
    pages[0].socket.close()
    eventually(lambda: _can(enter))


def _can(enter: Enter) -> bool:
    try:
        enter()
    except InvalidStatus:
        return False
    return True


def test_the_address_says_what_it_is_for(edge_with_rights: tuple[Edge, Rights]) -> None:
    answer = edge_with_rights[0].ask("/ws", Origin=ORIGIN)
    assert answer.status == 426
    assert "our pages" in answer.text  # type: ignore[attr-defined]


def test_the_edge_stops_with_pages_open(edge_with_rights: tuple[Edge, Rights], enter: Enter) -> None:
    bo = enter()
    bo.hello()
    bo.hear("open")
    edge_with_rights[0].stop()
    assert edge_with_rights[0].process.returncode == 0
    assert bo.closed_with() == ""


def test_fragments_without_end_end_the_connection(
    edge_with_rights: tuple[Edge, Rights], enter: Enter
) -> None:
    page, (edge, _) = enter(), edge_with_rights
    raw, before = page.socket.socket, _computed_seconds(edge)
    mask = b"\x80" + b"\0" * 4
    raw.sendall(b"\x01" + mask + (b"\x00" + mask) * 20_000)
    assert edge.ask("/healthz").status == 200
    assert page.closed_with() == "too_big"
    assert _computed_seconds(edge) - before < 3


def test_a_page_that_takes_nothing_is_not_heard_for_ever(
    edge_with_rights: tuple[Edge, Rights], enter: Enter
) -> None:
    """Whatever it is owed waits in its own socket, not in our memory."""
    edge, _ = edge_with_rights
    before, sent = _rss(edge), 0
    with contextlib.closing(_unread(edge)) as page:
        ping = b"\x89\xfd" + b"\0" * 4 + b"p" * 125
        page.settimeout(1)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while sent < 64 * 2**20:
                page.sendall(ping * 500)
                sent += len(ping) * 500
        assert _rss(edge) - before < 24 * 2**20
    assert edge.ask("/healthz").status == 200


def _unread(edge: Edge) -> socket.socket:
    page = socket.create_connection(("127.0.0.1", edge.port), timeout=5)
    page.sendall(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: %b\r\n\r\n"
        % ORIGIN.encode()
    )
    return page


def _computed_seconds(edge: Edge) -> float:
    """How long the edge's process has had a core."""
    told = Path(f"/proc/{edge.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def _rss(edge: Edge) -> int:
    pages = Path(f"/proc/{edge.process.pid}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def test_one_who_was_let_go_takes_no_seat_any_more(enter: Enter) -> None:
    """Several first words in one packet, some of them wrong: no ghost keeps a seat."""
    text = sealed(replace(ticket(Role.LISTENER), expires_us=clock.now_us() + HOUR_US), key=KEY.encode())
    hello = orjson.dumps({"do": "hello", "ticket": text}).decode()
    first_words: list[str | bytes] = [hello, b"no block", hello]
    for _ in range(2):
        ghost = enter(Role.LISTENER)
        ghost.say_at_once(*first_words * 5)
        assert ghost.closed_with() == "unknown"
    bo, cy = enter(), enter(Role.LISTENER)
    bo.hello()
    cy.hello()
    assert cy.hear("met")


def test_what_the_inbox_could_not_take_is_recorded_later(
    edge_with_rights: tuple[Edge, Rights], enter: Enter
) -> None:
    edge, _ = edge_with_rights
    if edge.url:
        pytest.skip("the edge's own file is SQLite's")
    bo, cy = enter(), enter(Role.LISTENER)
    bo.hello()
    cy.hello()
    number = cy.hear("met")["number"]
    cy.say(do="relay", number=number)
    with contextlib.closing(sqlite3.connect(edge.data / "edge.sqlite3", isolation_level=None)) as file:
        file.execute("BEGIN EXCLUSIVE")
        for piece in range(PIECES.count):
            cy.say(do="want", number=number, piece=piece)
            bo.hear("want")
            for block in blocks(number, piece):
                bo.socket.send(block)
            for _ in blocks(number, piece):
                while not isinstance(cy.socket.recv(timeout=10), bytes):
                    pass
            cy.say(do="got", number=number, piece=piece)
        time.sleep(7)  # longer than the edge waits for its file
        file.execute("ROLLBACK")
    assert cy.hear("whole")["counted"]
    assert [row[1] for row in edge.rows()][-2:] == ["Evidence", "CopyServed"]
