"""The connection under Minetest's protocol, as a client of it: packets over UDP that arrive once and in order."""

import socket
import struct
import threading
import time
from collections.abc import Callable

PROTOCOL_ID = 0x4F457403
FIRST_NUMBER = 65_500
CHUNK_BYTES = 480
RESEND_SECONDS = 0.3
CONTROL, ORIGINAL, SPLIT, RELIABLE = range(4)
ACK, SET_PEER_ID, PING, DISCO = range(4)


class Connection:
    """To one server. `receive` gets each message whole, in the order of its channel, on the connection's thread."""

    def __init__(self, port: int, receive: Callable[[bytes], None]) -> None:
        self.receive = receive
        self.peer = 0
        self.is_open = True
        self._server = ("127.0.0.1", port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self._lock = threading.Lock()
        self._next_out = [FIRST_NUMBER] * 3
        self._next_in = [FIRST_NUMBER] * 3
        self._unacked: dict[tuple[int, int], tuple[float, bytes]] = {}
        self._early: dict[tuple[int, int], bytes] = {}
        self._pieces: dict[tuple[int, int], dict[int, bytes]] = {}
        self._splits_out = FIRST_NUMBER
        self._thread = threading.Thread(target=self._run, name=f"player on {port}", daemon=True)
        self._thread.start()
        self.send(b"", channel=0)

    def send(self, message: bytes, *, channel: int, reliable: bool = True) -> None:
        """One message; a long one in pieces."""
        if len(message) <= CHUNK_BYTES:
            parts = [bytes([ORIGINAL]) + message]
        else:
            pieces = [message[at : at + CHUNK_BYTES] for at in range(0, len(message), CHUNK_BYTES)]
            head = struct.pack(">BHH", SPLIT, self._splits_out, len(pieces))
            parts = [head + struct.pack(">H", index) + piece for index, piece in enumerate(pieces)]
            self._splits_out = (self._splits_out + 1) % 65_536
        for each in parts:
            part = each
            if reliable:
                with self._lock:
                    number = self._next_out[channel]
                    self._next_out[channel] = (number + 1) % 65_536
                    part = struct.pack(">BH", RELIABLE, number) + part
                    self._unacked[channel, number] = (time.monotonic(), part)
            self._put(channel, part)

    def wait_until_sent(self, seconds: float = 5) -> None:
        """Until the server has acknowledged all of it."""
        end = time.monotonic() + seconds
        while self._unacked and time.monotonic() < end:
            time.sleep(0.01)

    def close(self) -> None:
        """Says goodbye, as the client does, and ends."""
        self.wait_until_sent(1)
        self._put(0, bytes([CONTROL, DISCO]))
        self.is_open = False
        self._thread.join(5)
        self._socket.close()

    def _put(self, channel: int, part: bytes) -> None:
        self._socket.sendto(struct.pack(">IHB", PROTOCOL_ID, self.peer, channel) + part, self._server)

    def _run(self) -> None:
        while self.is_open:
            now = time.monotonic()
            with self._lock:
                late = [key for key, (sent, _) in self._unacked.items() if now - sent > RESEND_SECONDS]
                for key in late:
                    self._unacked[key] = (now, self._unacked[key][1])
            for key in late:
                self._put(key[0], self._unacked[key][1])
            try:
                packet = self._socket.recv(65_536)
            except (TimeoutError, ConnectionRefusedError):
                continue
            if len(packet) > 7 and packet[:4] == struct.pack(">I", PROTOCOL_ID):
                self._packet(packet[6], packet[7:])

    def _packet(self, channel: int, part: bytes) -> None:
        if part[0] != RELIABLE:
            self._part(channel, part)
            return
        (number,) = struct.unpack_from(">H", part, 1)
        self._put(channel, struct.pack(">BBH", CONTROL, ACK, number))
        if (number - self._next_in[channel]) % 65_536 < 32_768:
            self._early[channel, number] = part[3:]
        while (ready := self._early.pop((channel, self._next_in[channel]), None)) is not None:
            self._next_in[channel] = (self._next_in[channel] + 1) % 65_536
            self._part(channel, ready)

    def _part(self, channel: int, part: bytes) -> None:
        kind = part[0]
        if kind == CONTROL and part[1] == ACK:
            with self._lock:
                self._unacked.pop((channel, struct.unpack_from(">H", part, 2)[0]), None)
        elif kind == CONTROL and part[1] == SET_PEER_ID:
            (self.peer,) = struct.unpack_from(">H", part, 2)
        elif kind == CONTROL and part[1] == DISCO:
            self.is_open = False
        elif kind == ORIGINAL:
            self.receive(part[1:])
        elif kind == SPLIT:
            number, count, index = struct.unpack_from(">HHH", part, 1)
            pieces = self._pieces.setdefault((channel, number), {})
            pieces[index] = part[7:]
            if len(pieces) == count:
                del self._pieces[channel, number]
                self.receive(b"".join(pieces[each] for each in range(count)))
