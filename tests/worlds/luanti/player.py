"""A player of Minetest 5.6.1, played by a test: joins, places, digs, touches, reads forms and answers them.

It sees what a client is sent and nothing else.
"""

import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from typing import NamedTuple

from srp import _pysrp as srp

from tests.worlds.luanti.connection import Connection
from tests.worlds.luanti.formspec import Form

PROTOCOL = 41
# The format of blocks before the one that needs zstd.
BLOCK_FORMAT = 28
FORMSPEC_VERSION = 6
# Lengths on the wire are tenths of a node.
NODE = 10
START_DIGGING, STOP_DIGGING, DIGGING_COMPLETED, PLACE, USE, ACTIVATE = range(6)
EMPTY_HAND = 7
NAMES = count(1)


class To:
    """What a server sends."""

    HELLO, AUTH_ACCEPT, ACCESS_DENIED, BLOCKDATA, INVENTORY = 0x02, 0x03, 0x0A, 0x20, 0x27
    CHAT, MOVE_PLAYER, MEDIA_ANNOUNCED, PLAY_SOUND, OBJECTS = 0x2F, 0x34, 0x3C, 0x3F, 0x31
    SHOW_FORMSPEC, PARTICLE, PARTICLES, HUD_ADD, NODEMETA, SRP_CHALLENGE = 0x44, 0x46, 0x47, 0x49, 0x59, 0x60


class From:
    """What a client sends."""

    INIT, INIT2, POSITION, GOT_BLOCKS, INVENTORY_ACTION, CHAT, ITEM = 0x02, 0x11, 0x23, 0x24, 0x31, 0x32, 0x37
    INTERACT, FIELDS, READY, FIRST_SRP, SRP_A, SRP_M = 0x39, 0x3C, 0x43, 0x50, 0x51, 0x52


class Pos(NamedTuple):
    """A node's place."""

    x: int
    y: int
    z: int


class Reader:
    """Reads numbers and texts from bytes, from the front."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, form: str) -> tuple[int | float, ...]:
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values

    def number(self, form: str) -> int:
        return int(self.take(form)[0])

    def bytes(self, form: str = "H") -> bytes:
        length = self.number(form)
        self.at += length
        return self.data[self.at - length : self.at]

    def wide(self) -> str:
        length = 2 * self.number("H")
        self.at += length
        return self.data[self.at - length : self.at].decode("utf-16-be", "replace")


def short(text: str | bytes, form: str = "H") -> bytes:
    """A text with its length before it."""
    data = text.encode() if isinstance(text, str) else text
    return struct.pack(">" + form, len(data)) + data


def node(under: Pos, above: Pos) -> bytes:
    """A node that is pointed at, from where it is seen."""
    return struct.pack(">BB hhh hhh", 0, 1, *under, *above)


def metadata(reader: Reader, *, block: Pos | None) -> dict[Pos, dict[str, str]]:
    """Nodes' metadata: of a block, or (None) of single nodes by their whole positions."""
    found: dict[Pos, dict[str, str]] = {}
    if not reader.number("B"):
        return found
    for _ in range(reader.number("H")):
        if block is None:
            pos = Pos(*(int(each) for each in reader.take("hhh")))
        else:
            at = reader.number("H")
            pos = Pos(block.x * 16 + at % 16, block.y * 16 + at // 16 % 16, block.z * 16 + at // 256)
        told = {}
        for _ in range(reader.number("I")):
            name, value = reader.bytes().decode(), reader.bytes("I").decode(errors="replace")
            reader.number("B")
            told[name] = value
        found[pos] = told
        reader.at = reader.data.index(b"EndInventory\n", reader.at) + len(b"EndInventory\n")
    return found


def srp_proof(name: str, salt: bytes, opening: bytes, challenge: bytes, key: bytes) -> bytes:
    """SRP's M as Minetest wants it: padded to the group's length everywhere, as RFC 5054 says, but for g in here."""
    prime, generator = srp.get_ng(srp.NG_2048, None, None)
    hashes = [
        sha256(each.to_bytes((each.bit_length() + 7) // 8, "big")).digest() for each in (prime, generator)
    ]
    mixed = bytes(one ^ other for one, other in zip(*hashes, strict=True))
    return sha256(mixed + sha256(name.encode()).digest() + salt + opening + challenge + key).digest()


class Player:
    """One player in the world of the server at `port`. A name once used needs the password it was first used with."""

    def __init__(
        self,
        port: int,
        name: str | None = None,
        *,
        language: str = "",
        formspec_version: int = FORMSPEC_VERSION,
    ) -> None:
        self.name = name or f"player{next(NAMES)}"
        self.language, self.formspec_version = language, formspec_version
        self.forms: list[Form] = []
        self.chats: list[str] = []
        self.seen: Counter[int] = Counter()
        self.inventory: list[str] = []
        self.nodes: dict[Pos, dict[str, str]] = {}
        self.blocks: set[Pos] = set()
        self.items: set[int] = set()
        self.position = (0.0, 0.0, 0.0)
        self.denied: bytes | None = None
        self._authorised = self._described = self._moved = False
        self._read = 0
        self._item = EMPTY_HAND
        self._opening = b""
        self._changed = threading.Condition()
        self._user = srp.User(self.name.lower(), self._password, hash_alg=srp.SHA256, ng_type=srp.NG_2048)
        self._greeted = False
        self._connection = Connection(port, self._receive)
        self._connection.wait_until_sent()
        self._join()

    @property
    def _password(self) -> str:
        return f"the secret of {self.name}"

    # Joining and leaving

    def _join(self) -> None:
        hello = struct.pack(">BHHH", BLOCK_FORMAT, 0, 37, PROTOCOL) + short(self.name)
        # Servers are deaf until they know the peer, and this packet may be lost.
        for _ in range(200):
            self._send(From.INIT, hello, channel=1, reliable=False)
            if self.wait(lambda: self._greeted, 0.1, must=False):
                break
        self.wait(lambda: self._authorised)
        self._send(From.INIT2, short(self.language), channel=1)
        self.wait(lambda: self._described)
        ready = struct.pack(">BBBB", 5, 6, 1, 0) + short("5.6.1") + struct.pack(">H", self.formspec_version)
        self._send(From.READY, ready, channel=1)
        self.wait(lambda: self._moved and bool(self.inventory))

    def leave(self) -> None:
        """Leaves as a client does."""
        if self._connection.is_open:
            self._connection.close()

    def _first_password(self) -> None:
        salt, verifier = srp.create_salted_verification_key(
            self.name.lower(), self._password, hash_alg=srp.SHA256, ng_type=srp.NG_2048
        )
        self._send(From.FIRST_SRP, short(salt) + short(verifier) + b"\0", channel=1)

    # What the server sends

    def _receive(self, message: bytes) -> None:
        command, reader = struct.unpack_from(">H", message)[0], Reader(message[2:])
        with self._changed:
            self.seen[command] += 1
            handler = HANDLERS.get(command)
            if handler:
                handler(self, reader)
            self._changed.notify_all()

    def _on_hello(self, reader: Reader) -> None:
        if self._greeted:
            return
        self._greeted = True
        _, _, _, ways = reader.take("BHHI")
        if int(ways) & 4:
            self._first_password()
        else:
            _, self._opening = self._user.start_authentication()
            self._send(From.SRP_A, short(self._opening) + b"\1", channel=1)

    def _on_challenge(self, reader: Reader) -> None:
        salt, challenge = reader.bytes(), reader.bytes()
        self._user.process_challenge(salt, challenge)
        proof = srp_proof(self.name.lower(), salt, self._opening, challenge, self._user.K)
        self._send(From.SRP_M, short(proof), channel=1)

    def _on_accept(self, _: Reader) -> None:
        self._authorised = True

    def _on_denied(self, reader: Reader) -> None:
        self.denied = reader.data

    def _on_media(self, _: Reader) -> None:
        self._described = True

    def _on_moved(self, reader: Reader) -> None:
        x, y, z = reader.take("fff")
        self.position = (x / NODE, y / NODE, z / NODE)
        self._moved = True

    def _on_chat(self, reader: Reader) -> None:
        reader.take("BB")
        reader.wide()
        self.chats.append(reader.wide())

    def _on_form(self, reader: Reader) -> None:
        spec = reader.bytes("I").decode()
        self.forms.append(Form(reader.bytes().decode(), spec))

    def _on_inventory(self, reader: Reader) -> None:
        lists = reader.data.decode(errors="replace").split("List ")
        main = next((each for each in lists if each.startswith("main ")), "")
        if main and "KeepList" not in main:
            self.inventory = [
                line.partition(" ")[2] for line in main.splitlines() if line[:4] in ("Item", "Empt")
            ]

    def _on_objects(self, reader: Reader) -> None:
        self.items -= {reader.number("H") for _ in range(reader.number("H"))}
        for _ in range(reader.number("H")):
            number = reader.number("H")
            reader.number("B")
            if b"vteam:" in reader.bytes("I"):
                self.items.add(number)

    def _on_block(self, reader: Reader) -> None:
        block = Pos(*(int(each) for each in reader.take("hhh")))
        reader.take("BHBB")
        nodes = zlib.decompressobj()
        nodes.decompress(reader.data[reader.at :])
        self.nodes |= metadata(Reader(zlib.decompressobj().decompress(nodes.unused_data)), block=block)
        self.blocks.add(block)
        self._send(From.GOT_BLOCKS, struct.pack(">Bhhh", 1, *block), channel=2)

    def _on_metadata(self, reader: Reader) -> None:
        self.nodes |= metadata(Reader(zlib.decompress(reader.bytes("I"))), block=None)

    # What the player does

    def _send(self, command: int, message: bytes = b"", *, channel: int = 0, reliable: bool = True) -> None:
        self._connection.send(struct.pack(">H", command) + message, channel=channel, reliable=reliable)

    def wait(self, what: Callable[[], bool], seconds: float = 15, *, must: bool = True) -> bool:
        """Until it is so."""
        with self._changed:
            done = self._changed.wait_for(lambda: what() or self.denied is not None, seconds)
        assert not must or (done and self.denied is None), f"{self.name}: {self.denied!r}, {self.chats[-3:]}"
        return done

    def _stance(self) -> bytes:
        hundredths = [round(each * NODE * 100) for each in self.position]
        return struct.pack(">iii iii ii I BB", *hundredths, 0, 0, 0, 0, 0, 0, 80, 4)

    def look(self) -> None:
        """Tells where it stands; the server then sends what lies before it."""
        self._send(From.POSITION, self._stance(), reliable=False)

    def stand(self, x: float, y: float, z: float) -> None:
        """Goes there."""
        self.position = (x, y, z)
        self.look()

    def _interact(self, action: int, item: int, pointed: bytes = b"\0\0") -> None:
        self._send(From.INTERACT, struct.pack(">BH", action, item) + short(pointed, "I") + self._stance())

    def hold(self, index: int) -> None:
        """Takes the item at this place of the inventory, from 0, in the hand."""
        self._send(From.ITEM, struct.pack(">H", index))
        self._item = index

    def touch(self, pos: Pos) -> None:
        """Right-clicks a node."""
        self._interact(PLACE, self._item, node(pos, Pos(pos.x, pos.y, pos.z - 1)))

    def place(self, index: int, pos: Pos) -> None:
        """Places the item on the ground below `pos`."""
        self.hold(index)
        self._interact(PLACE, index, node(Pos(pos.x, pos.y - 1, pos.z), pos))
        self.hold(EMPTY_HAND)

    def dig(self, pos: Pos) -> None:
        """Digs it, taking as long as it takes."""
        self._interact(START_DIGGING, self._item, node(pos, pos))
        time.sleep(0.4)
        self._interact(DIGGING_COMPLETED, self._item, node(pos, pos))

    def use(self, index: int) -> None:
        """Left-clicks into the air with an item."""
        self.hold(index)
        self._interact(USE, index)
        self.hold(EMPTY_HAND)

    def drop(self, index: int) -> None:
        """Drops an item before its feet."""
        self._send(From.INVENTORY_ACTION, f"Drop 1 current_player main {index}".encode())

    def pick_up(self) -> None:
        """Takes what lies there."""
        self.wait(lambda: bool(self.items))
        pointed = struct.pack(">BBH", 0, 2, max(self.items))
        self._interact(START_DIGGING, EMPTY_HAND, pointed)

    def fields(self, form: str, **values: str) -> None:
        """Sends fields of a form, shown or not."""
        told = b"".join(short(name) + short(value, "I") for name, value in values.items())
        self._send(From.FIELDS, short(form) + struct.pack(">H", len(values)) + told)

    def say(self, text: str) -> None:
        """Types into the chat."""
        self._send(
            From.CHAT, struct.pack(">H", len(text.encode("utf-16-be")) // 2) + text.encode("utf-16-be")
        )

    # Forms

    def form(self, wanted: str, seconds: float = 15) -> Form:
        """The newest form not read yet, once it shows this text."""

        def there() -> bool:
            return any(wanted in each.text for each in self.forms[self._read :])

        assert self.wait(there, seconds, must=False), (
            f"{self.name} sees no {wanted!r} but {[each.text for each in self.forms[self._read :]]}, chat {self.chats}"
        )
        at = next(at for at in range(self._read, len(self.forms)) if wanted in self.forms[at].text)
        self._read = at + 1
        return self.forms[at]

    def forget_forms(self) -> None:
        """As if it had seen none."""
        self.forms.clear()
        self._read = 0

    def newest(self, seconds: float = 15) -> Form:
        """The next form not read yet."""
        return self.form("", seconds)

    def page(self) -> Form:
        """The next form not read yet that is no notice to wait."""
        found = self.newest()
        return self.newest() if "One moment" in found.text or "Un instant" in found.text else found

    def press(self, form: Form, label: str, **typed: str) -> None:
        """Presses a button of a form; a client sends all of its fields with it."""
        self.fields(form.name, **form.fields | typed | {form.buttons[label]: label})

    def close(self, form: Form) -> None:
        """Closes it with the Esc key."""
        self.fields(form.name, quit="true")


HANDLERS: dict[int, Callable[[Player, Reader], None]] = {
    To.HELLO: Player._on_hello,
    To.SRP_CHALLENGE: Player._on_challenge,
    To.AUTH_ACCEPT: Player._on_accept,
    To.ACCESS_DENIED: Player._on_denied,
    To.MEDIA_ANNOUNCED: Player._on_media,
    To.MOVE_PLAYER: Player._on_moved,
    To.CHAT: Player._on_chat,
    To.SHOW_FORMSPEC: Player._on_form,
    To.INVENTORY: Player._on_inventory,
    To.OBJECTS: Player._on_objects,
    To.BLOCKDATA: Player._on_block,
    To.NODEMETA: Player._on_metadata,
}
srp.rfc5054_enable()
