"""What a process killed while it hands letters over leaves behind: which it had begun with, and how each ended.

Lines are written without waiting for the disk, some microseconds each: a killed process loses none. Where the whole
machine went down they may be lost, so those of an earlier start of the machine are not believed.
"""

import os
from enum import StrEnum
from pathlib import Path

from django.conf import settings

FILE = "handover.log"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Mark(StrEnum):
    """How far a letter had come."""

    TAKEN = "taken"
    """It was to be handed over, and had not been begun with."""
    BEGUN = "begun"
    """It was being handed over: whether the server took it nobody can say."""
    SENT = "sent"
    REFUSED = "refused"
    """The server had not taken it."""


_MARKS = frozenset(map(str, Mark))


class Handover:
    """The marks of the letters that are being handed over now."""

    def __init__(self) -> None:
        self._letters: list[int] = []
        self._file = self._fresh()

    def begin(self, letters: list[int]) -> None:
        """These are about to be written down as being handed over; of those before, that is not certain yet."""
        self._letters = letters
        self._write(_taken(letters))

    def committed(self) -> None:
        """They are written down, and so is how those before them ended: their marks can go."""
        before, self._file = self._file, self._fresh()
        os.close(before)

    def _fresh(self) -> int:
        """A new file with the marks of the letters of now, in the place of the old one."""
        new = path().with_suffix(".new")
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        os.write(file, f"{_boot()}\n{_taken(self._letters)}".encode())
        new.replace(path())
        return file

    def mark(self, letters: list[int], mark: Mark) -> None:
        """What leaves in one letter has come so far."""
        self._write("".join(f"{mark} {letter}\n" for letter in letters))

    def close(self) -> None:
        """Nothing more is handed over by this process."""
        os.close(self._file)

    def _write(self, lines: str) -> None:
        data = lines.encode()
        while data:
            data = data[os.write(self._file, data) :]


def _taken(letters: list[int]) -> str:
    return "".join(f"{Mark.TAKEN} {letter}\n" for letter in letters)


def left_behind() -> dict[int, Mark]:
    """How far each letter of the last batch had come; nothing where that cannot be known."""
    if not path().exists():
        return {}
    boot, *lines = path().read_text(errors="replace").splitlines() or [""]
    marks: dict[int, Mark] = {}
    if boot == _boot():
        for line in lines:
            mark, _, letter = line.partition(" ")
            if mark in _MARKS and letter.isdecimal():
                marks[int(letter)] = Mark(mark)
    return marks


def path() -> Path:
    """Where the marks stand: one process delivers for a data folder at a time."""
    return Path(settings.DATA) / FILE


def _boot() -> str:
    """What tells this start of the machine from others; nothing is believed where it does not say."""
    return _BOOT.read_text().strip() if _BOOT.exists() else os.urandom(8).hex()
