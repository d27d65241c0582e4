"""The real client of Minetest, on a screen of its own (Xvfb), with a mouse and keys pressed by xdotool."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageChops

CLIENT = "/usr/games/minetest"
CONF = """\
screen_w = {width}
screen_h = {height}
fullscreen = false
enable_sound = false
viewing_range = 40
fps_max = 30
fps_max_unfocused = 30
enable_clouds = false
smooth_lighting = false
enable_shaders = false
language = {language}
enable_remote_media_server = false
update_last_checked = disabled
hud_scaling = 1
"""


class Client:
    """A client in the world of the server at `port`, seen on its screen."""

    def __init__(self, folder: Path, display: str) -> None:
        self.folder, self.display = folder, display
        self.shots = 0

    def _x(self, *arguments: str) -> None:
        subprocess.run(
            ["xdotool", *arguments], env=os.environ | {"DISPLAY": self.display}, check=True, timeout=20
        )

    def focus(self) -> None:
        """Gives the window the keyboard, which a window manager would have done."""
        self._x("search", "--sync", "--name", "Minetest", "windowfocus", "--sync")

    def hold_right_button(self, *, until: Callable[[], bool]) -> None:
        """At least as long as a hand does, and until it was seen, half a minute at most: that is between two frames."""
        self._x("mousedown", "3")
        end = time.monotonic() + 30
        time.sleep(0.3)
        while not until() and time.monotonic() < end:
            time.sleep(0.05)
        self._x("mouseup", "3")

    def click(self, x: int, y: int) -> None:
        """Presses the left button at a place of the screen."""
        self._x("mousemove", str(x), str(y))
        time.sleep(0.2)
        self._x("mousedown", "1")
        time.sleep(0.15)
        self._x("mouseup", "1")

    def keys(self, *names: str) -> None:
        """Presses keys, one after the other."""
        for name in names:
            self._x("key", "--delay", "80", name)

    def type(self, text: str) -> None:
        """Types."""
        self._x("type", "--delay", "40", text)

    def screen(self) -> Image.Image:
        """What is seen now."""
        self.shots += 1
        path = self.folder / f"screen-{self.shots}.png"
        subprocess.run(
            ["ffmpeg", "-loglevel", "error", "-f", "x11grab", "-i", self.display, "-frames:v", "1", path],
            check=True,
            timeout=20,
        )
        return Image.open(path).convert("RGB")

    def wait_for(self, colour: tuple[int, int, int], parts: float, seconds: float = 20) -> Image.Image:
        """The screen, once at least so large a part of it (from 0 to 1) has about this colour."""
        end = time.monotonic() + seconds
        while True:
            image = self.screen()
            share = share_of(image, colour)
            if share >= parts:
                return image
            assert time.monotonic() < end, (
                f"{share:.3f} of {image} has {colour}: see {self.folder}, {self.log[-3000:]}"
            )
            time.sleep(0.2)

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "client.txt").read_text(errors="replace")


def coloured(image: Image.Image, colour: tuple[int, int, int], tolerance: int = 6) -> Image.Image:
    """White where the image has about this colour, else black."""
    parts = ImageChops.difference(image, Image.new("RGB", image.size, colour)).split()
    near = [part.point(lambda value: 255 if value <= tolerance else 0) for part in parts]
    return ImageChops.multiply(ImageChops.multiply(near[0], near[1]), near[2])


def share_of(image: Image.Image, colour: tuple[int, int, int]) -> float:
    """How large a part of the image has about this colour, from 0 to 1."""
    return coloured(image, colour).histogram()[255] / (image.width * image.height)


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def playing(
    folder: Path, port: int, name: str, *, language: str = "en", size: tuple[int, int] = (1280, 720)
) -> Iterator[Client]:
    """A client that has joined, and ends with its screen."""
    folder.mkdir()
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    conf = folder / "client.conf"
    conf.write_text(CONF.format(width=size[0], height=size[1], language=language))
    told, tell = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(tell), "-screen", "0", f"{size[0]}x{size[1]}x24", "-nolisten", "tcp"],
        pass_fds=[tell],
        stderr=subprocess.DEVNULL,
    )
    try:
        os.close(tell)
        with os.fdopen(told) as reader:
            display = ":" + reader.readline().strip()
        assert re.fullmatch(r":\d+", display), "Xvfb did not start"
        client = Client(folder, display)
        environment = os.environ | {"DISPLAY": display, "HOME": str(home), "LIBGL_ALWAYS_SOFTWARE": "1"}
        environment |= {"LANGUAGE": language, "LP_NUM_THREADS": "2"}
        there = ("--address", "127.0.0.1", "--port", str(port), "--name", name, "--password", "a secret")
        with (folder / "client.txt").open("wb") as out:
            process = subprocess.Popen(
                [CLIENT, "--config", conf, "--logfile", folder / "debug.txt", *there, "--go"],
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            yield client
        finally:
            _ended(process)
    finally:
        _ended(screen)
