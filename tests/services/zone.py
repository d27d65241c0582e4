"""A name server on loopback that answers from a small zone, or does not: real questions over UDP, no machine left."""

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

Zone = Mapping[tuple[str, str], Sequence[str]]
"""By name and kind, as a zone's file writes the values; TXT without the quotes."""


@dataclass
class Server:
    """A running one: `asked` are its questions; a name in `broken` is answered with SERVFAIL, one in `silent` never."""

    zone: Zone
    broken: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """As VTEAM_RESOLVER wants it."""
        return f"127.0.0.1:{self.port}"

    def answer(self, question: bytes) -> bytes | None:
        """The answer to a question's bytes."""
        query = dns.message.from_wire(question)
        (wanted,) = query.question
        name, kind = wanted.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(wanted.rdtype)
        self.asked.append((name, kind))
        if name in self.silent or "*" in self.silent:
            return None
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA | dns.flags.RA
        values = self.zone.get((name, kind), ())
        if name in self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif values:
            written = [_quoted(value) if kind == "TXT" else value for value in values]
            answer.answer.append(dns.rrset.from_text_list(wanted.name, 60, "IN", kind, written))
        elif not any(known == name or known.endswith(f".{name}") for known, _ in self.zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire(max_size=65_000)


def _quoted(text: str) -> str:
    """Texts longer than 255 bytes are several strings in one record (RFC 1035, 3.3.14)."""
    escaped = [part.replace("\\", "\\\\").replace('"', '\\"') for part in _cut(text)]
    return " ".join(f'"{part}"' for part in escaped)


def _cut(text: str) -> list[str]:
    return [text[at : at + 200] for at in range(0, len(text), 200)] or [""]


@contextmanager
def serving(zone: Zone, *, broken: Sequence[str] = (), silent: Sequence[str] = ()) -> Iterator[Server]:
    """The zone answered for while the block runs."""
    server = Server(zone=zone, broken=frozenset(broken), silent=frozenset(silent))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        server.port = door.getsockname()[1]
        thread = threading.Thread(target=_serve, args=(door, server))
        thread.start()
        try:
            yield server
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", ("127.0.0.1", server.port))
            thread.join()


def _serve(door: socket.socket, server: Server) -> None:
    while True:
        question, asker = door.recvfrom(4096)
        if not question:
            return
        answer = server.answer(question)
        if answer is not None:
            with suppress(OSError):  # who asked may have gone
                door.sendto(answer, asker)
