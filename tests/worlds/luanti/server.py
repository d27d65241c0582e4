"""A real Minetest server with the mod, in a folder of its own, on the loopback."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.worlds.luanti.player import Player, Pos

SERVER = "/usr/games/minetestserver"
MOD = Path(__file__).parents[3] / "vteam/channels/worlds/luanti/vteam"
GAME = Path(__file__).parent / "game"
# Where the tests place a kiosk and its room: in front of where everybody starts.
KIOSK, ROOM = Pos(0, 1, 0), Pos(2, 1, 0)
SETTINGS = {
    "bind_address": "127.0.0.1",
    "server_announce": "false",
    "mg_name": "singlenode",
    "default_privs": "interact,shout",
    "max_users": "20",
    "enable_damage": "false",
    "creative_mode": "true",
    "dedicated_server_step": "0.02",
    "curl_timeout": "8000",
    "time_speed": "0",
}


def free_udp_port() -> int:
    """A port nobody listens at now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """A world in `folder`, with the mod, that can be started and stopped. `settings`: lines for minetest.conf."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.port = folder, free_udp_port()
        self.settings = SETTINGS | {"secure.http_mods": "vteam"} | settings
        self.players: list[Player] = []
        self._process: subprocess.Popen[bytes] | None = None
        games = folder / "home/.minetest/games"
        games.mkdir(parents=True)
        shutil.copytree(GAME, games / "plain")
        shutil.copytree(MOD, folder / "world/worldmods/vteam")
        (folder / "world/world.mt").write_text(
            "gameid = plain\nbackend = sqlite3\nauth_backend = sqlite3\n"
            "player_backend = sqlite3\nmod_storage_backend = sqlite3\n"
        )

    @property
    def log(self) -> str:
        """What it has logged so far."""
        path = self.folder / "debug.txt"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> "Server":
        """Starts it and waits until it listens."""
        told = {name: value for name, value in self.settings.items() if value}
        (self.folder / "minetest.conf").write_text(
            "".join(f"{name} = {value}\n" for name, value in told.items())
        )
        seen = self.log.count("listening on")
        files = ("--config", self.folder / "minetest.conf", "--logfile", self.folder / "debug.txt")
        files += ("--world", self.folder / "world")
        with (self.folder / "out.txt").open("ab") as out:
            self._process = subprocess.Popen(
                [SERVER, *files, "--gameid", "plain", "--port", str(self.port)],
                env=os.environ | {"HOME": str(self.folder / "home")},
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        end = time.monotonic() + 30
        while self.log.count("listening on") == seen:
            assert self._process.poll() is None and time.monotonic() < end, self.log[-4000:]
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """Stops it as its owner would, players first; it saves its world."""
        for player in self.players:
            player.leave()
        self.players.clear()
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def join(self, name: str | None = None, **how: object) -> Player:
        """A player joins and looks around."""
        player = Player(self.port, name, **how)  # type: ignore[arg-type]
        self.players.append(player)
        player.look()
        player.wait(lambda: Pos(0, 0, 0) in player.blocks)
        return player

    def logged(self, text: str, seconds: float = 10) -> str:
        """The line of the log that says it, waited for."""
        end = time.monotonic() + seconds
        while True:
            for line in self.log.splitlines():
                if text in line:
                    return line
            assert time.monotonic() < end, f"no {text!r} in:\n{self.log[-3000:]}"
            time.sleep(0.05)


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Server]:
    """A started server, that stops with the test."""
    server = Server(folder, **settings)
    try:
        yield server.start()
    finally:
        server.stop()
