"""What the clients at one place say they sent and got: their own word, counted from where each of them began.

Several clients may be at one place, and one client may announce over two families, what it said first coming last.
So each is counted for itself, and only what it said over one family is held against what it said before over the same.
"""

import hashlib
from dataclasses import dataclass, field, fields
from typing import Any, Self

from vteam.channels.swarm.torrents.announce import COUNTER_MAX, Announce, Event

CLIENTS_MAX = 8


@dataclass(slots=True)
class Said:
    """What one client said last, in bytes; `got`: since it began."""

    uploaded: int
    downloaded: int
    left: int
    over_six: bool
    got: int = 0


@dataclass(slots=True, kw_only=True)
class Ends:
    """All of a place. `sent`, `got`: bytes since each client began; `fell_us`: when a counter last went backwards (µs).

    `told_us`: when anybody last announced. `clients`: what each said, by a hash of its peer id; the newest few.
    """

    sent: int = 0
    got: int = 0
    told_us: int = 0
    fell_us: int = 0
    clients: dict[str, Said] = field(default_factory=dict)

    def told(self, announce: Announce, at_us: int, *, over_six: bool) -> int:
        """Takes in an announce over IPv6 or IPv4; returns the bytes sent since the one before."""
        name = hashlib.sha256(announce.peer_id).hexdigest()[:16]
        before = self.clients.get(name)
        self.told_us = at_us
        if before is None or announce.event is Event.STARTED:
            self._begin(name, announce, over_six=over_six)
            return 0
        more_sent = max(announce.uploaded - before.uploaded, 0)
        more_got = max(announce.downloaded - before.downloaded, 0)
        if over_six == before.over_six:
            if announce.uploaded < before.uploaded or announce.downloaded < before.downloaded:
                self.fell_us = at_us
            before.uploaded, before.downloaded = announce.uploaded, announce.downloaded
        else:
            before.uploaded += more_sent
            before.downloaded += more_got
        before.left, before.over_six = announce.left, over_six
        before.got = min(before.got + more_got, COUNTER_MAX)
        self.sent, self.got = min(self.sent + more_sent, COUNTER_MAX), min(self.got + more_got, COUNTER_MAX)
        if announce.event is Event.STOPPED and len(self.clients) > 1:
            del self.clients[name]
        return more_sent

    def _begin(self, name: str, announce: Announce, *, over_six: bool) -> None:
        if announce.event is Event.STOPPED and self.clients:
            return
        self.clients.pop(name, None)
        self.clients[name] = Said(announce.uploaded, announce.downloaded, announce.left, over_six)
        while len(self.clients) > CLIENTS_MAX:
            del self.clients[next(iter(self.clients))]

    def kept(self) -> dict[str, Any]:
        """All of it as it is kept; to be written out at once, since nothing in it is copied."""
        clients = {name: [getattr(said, each) for each in _SAID] for name, said in self.clients.items()}
        return {name: getattr(self, name) for name in _FIELDS} | {"clients": clients}

    @classmethod
    def again(cls, kept: dict[str, Any]) -> Self:
        """What was kept; TypeError, KeyError or AttributeError for others."""
        clients = {str(name): Said(*said) for name, said in kept["clients"].items()}
        return cls(**{**kept, "clients": clients})

    @property
    def left(self) -> int:
        """What whoever has most still lacks, in bytes."""
        return min((said.left for said in self.clients.values()), default=0)

    @property
    def most_got(self) -> int:
        """What the client that got most got."""
        return max((said.got for said in self.clients.values()), default=0)


_SAID = tuple(each.name for each in fields(Said))
_FIELDS = tuple(each.name for each in fields(Ends))
