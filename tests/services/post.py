"""The far end of the wire: a small mail server on loopback which keeps what it is given and answers as it is told."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial

SILENCE = "(silence)"


@dataclass
class PostOffice:
    """What a server was asked, and what it answers: per command (`RCPT`, `DATA`, `END` of a message, ...) its
    answers in turn, the last one for ever; what is not told is accepted. "" hangs up, SILENCE never answers.
    """

    answers: Mapping[str, list[str]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    letters: list[EmailMessage] = field(default_factory=list)
    port: int = 0
    silence_ends: asyncio.Event = field(default_factory=asyncio.Event)
    end_silence: Callable[[], object] = field(default=lambda: None)
    """From now on whoever waits for an answer, and whoever would, is hung up on."""

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def answer(self, command: str) -> str:
        told = self.answers.get(command, [])
        usual = {"EHLO": "250 loopback", "DATA": "354 go on", "QUIT": "221 bye", "CONNECT": "220 loopback"}
        if not told:
            return usual.get(command, "250 fine")
        return told.pop(0) if len(told) > 1 else told[0]

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._say(writer, "CONNECT")
            while line := await reader.readline():
                command = line.decode().strip()
                self.commands.append(command)
                verb = command.partition(" ")[0].upper()
                words = await self._say(writer, verb)
                if verb == "DATA" and words.startswith("3"):
                    await self._take(reader, writer)
                if verb == "QUIT" or not words:
                    break
        except ConnectionError:
            self.commands.append("(the other side hung up)")
        finally:
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        text = (await reader.readuntil(b"\r\n.\r\n"))[:-5]
        if (await self._say(writer, "END")).startswith("2"):
            letter = message_from_bytes(text.replace(b"\r\n..", b"\r\n."), policy=policy.default)
            assert isinstance(letter, EmailMessage)
            self.letters.append(letter)

    async def _say(self, writer: asyncio.StreamWriter, command: str) -> str:
        words = self.answer(command)
        if words == SILENCE:
            await self.silence_ends.wait()
            return ""
        if words:
            writer.write(words.encode() + b"\r\n")
        await writer.drain()
        return words


@contextmanager
def post_office(answers: Mapping[str, list[str]] | None = None) -> Iterator[PostOffice]:
    """A post office open on a port of its own while the block runs."""
    office = PostOffice(answers or {})
    loop, stop, opened = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    office.end_silence = partial(loop.call_soon_threadsafe, office.silence_ends.set)

    async def serve() -> None:
        server = await asyncio.start_server(office.converse, "127.0.0.1", 0)
        office.port = server.sockets[0].getsockname()[1]
        opened.set()
        async with server:
            await stop.wait()
            office.silence_ends.set()
            await asyncio.sleep(0.05)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert opened.wait(timeout=10), "the post office did not open"
        yield office
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)
        loop.close()
