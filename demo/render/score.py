"""The written music: titles, sections, chords, melodies and rhythm grids, and their reading.

Notation, all plain text, bars separated by `|`:

* chords: one or two symbols a bar, `D | F#m | G Gm | A/C#`;
* melodies: `pitch:length`, lengths in eighths, `F#5:3 -:1 D5:4`; `!` after the length is an accent, `~` a soft note;
* bass: the same with steps of the chord (`1 3 5 6 8`), `^` for the half-tone below the next root, `/5` an octave down;
* arpeggios: chord tones counted from the lowest, `0 1 2 4`, one each sixteenth, `.` for silence;
* grids: sixteen steps a bar, `X` accent, `x` normal, `o` ghost, `-` the stroke goes on, `.` silence.

Refuses, with `ScoreError` naming the place: a bar that is not full, an unknown chord, pitch or sign, a part whose
bars do not divide its section's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

STEPS = 16
"""Sixteenths in a bar; every title is in four."""

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ACCIDENTALS = {"": 0, "#": 1, "b": -1}
QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m9": (0, 3, 7, 10, 14),
    "maj9": (0, 4, 7, 11, 14),
    "add9": (0, 4, 7, 14),
    "6": (0, 4, 7, 9),
    "sus4": (0, 5, 7),
    "7b9": (0, 4, 7, 10, 13),
    "m6": (0, 3, 7, 9),
    "5": (0, 7),
}
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
TOUCH = {"X": 1.0, "x": 0.78, "o": 0.4}
MELODY_TOUCH = {"": 0.78, "!": 0.95, "~": 0.58}


class ScoreError(ValueError):
    """The written music does not add up; the message names the part and the bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chord:
    """A chord as pitch classes: `root` and `bass` 0 to 11, `tones` in half-tones above the root."""

    symbol: str
    root: int
    tones: tuple[int, ...]
    bass: int

    def classes(self) -> frozenset[int]:
        """The pitch classes that belong to the chord."""
        return frozenset((self.root + tone) % 12 for tone in self.tones) | {self.bass}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One written sign: `at` and `steps` in sixteenths from the section's start; `sign` is what stood there."""

    at: float
    steps: float
    sign: str
    touch: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One player: what kind of part it reads, on which instrument, and how it stands in the room.

    `level_lufs` is how loud the part is when heard alone; `pan` goes from -1 (left) to 1; `room` and `echo` are sends
    from 0 to 1; `centre` is the MIDI pitch chords are voiced around, or from which basses and arpeggios are counted;
    `gate` stretches written lengths; `late_ms` lets a player lean back; `loose_ms` is how far timing strays;
    `duck` is how much the bass drum pushes the part down; `shape` names its treatments, in order.
    """

    reads: str
    instrument: str
    level_lufs: float
    pan: float = 0.0
    room: float = 0.1
    echo: float = 0.0
    centre: int = 62
    voices: int = 4
    gate: float = 0.95
    late_ms: float = 0.0
    loose_ms: float = 5.0
    strum_ms: float = 0.0
    duck: float = 0.0
    shape: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A stretch of the form: its chords, the parts played, and its level and tone (low-pass in hertz, from and to)."""

    name: str
    chords: str
    parts: Mapping[str, str]
    level_db: float = 0.0
    levels_db: Mapping[str, float] = field(default_factory=dict)
    tone: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def bars(self) -> int:
        """How many bars the section lasts: as many as it has chord bars."""
        return len(self.chords.split("|"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """A whole title. `swing` is how late every second sixteenth falls, as a share of a sixteenth."""

    slug: str
    name: str
    track_number: int
    bpm: float
    key: str
    mode: str
    seed: int
    tracks: Mapping[str, Track]
    sections: tuple[Section, ...]
    swing: float = 0.0
    ring_s: float = 2.5
    room_s: float = 1.6
    echo_steps: int = 3
    echo_feedback: float = 0.4
    loudness_lufs: float = -14.0

    @property
    def step_s(self) -> float:
        """A sixteenth in seconds."""
        return 15.0 / self.bpm

    @property
    def bars(self) -> int:
        """Bars in the whole title."""
        return sum(section.bars for section in self.sections)


def pitch_class(name: str) -> int:
    """`F#` -> 6."""
    match = re.fullmatch(r"([A-G])([#b]?)", name)
    if match is None:
        raise ScoreError(
            f"{name!r} is not the name of a note: write a letter from A to G, then # or b if needed"
        )
    return (LETTERS[match[1]] + ACCIDENTALS[match[2]]) % 12


def midi_of(name: str) -> int:
    """`A4` -> 69."""
    match = re.fullmatch(r"([A-G])([#b]?)(\d)", name)
    if match is None:
        raise ScoreError(f"{name!r} is not a pitch: write a note and its octave, like F#5")
    return 12 * (int(match[3]) + 1) + LETTERS[match[1]] + ACCIDENTALS[match[2]]


def read_chord(symbol: str) -> Chord:
    """`F#m7/E` -> its root, tones and bass."""
    match = re.fullmatch(r"([A-G][#b]?)([^/]*)(?:/([A-G][#b]?))?", symbol)
    if match is None or match[2] not in QUALITIES:
        raise ScoreError(
            f"{symbol!r} is not a chord we know: after the root write one of {sorted(QUALITIES)}"
        )
    root = pitch_class(match[1])
    bass = pitch_class(match[3]) if match[3] else root
    return Chord(symbol=symbol, root=root, tones=QUALITIES[match[2]], bass=bass)


def read_chords(section: Section) -> list[Chord]:
    """One chord for each half bar of the section."""
    halves: list[Chord] = []
    for number, bar in enumerate(section.chords.split("|"), 1):
        symbols = bar.split()
        if len(symbols) not in (1, 2):
            raise ScoreError(f"{section.name}, bar {number}: {len(symbols)} chords; write one or two")
        halves += [read_chord(symbols[0]), read_chord(symbols[-1])]
    return halves


def _repeat(section: Section, part: str, text: str) -> list[str]:
    """The bars of a part, repeated until the section is full."""
    bars = [bar.strip() for bar in text.split("|")]
    if section.bars % len(bars):
        raise ScoreError(
            f"{section.name}, {part}: {len(bars)} bars do not divide the section's {section.bars}"
        )
    return bars * (section.bars // len(bars))


def read_notes(section: Section, part: str) -> list[Written]:
    """The notes of a melody or bass part, rests left out."""
    notes: list[Written] = []
    for number, bar in enumerate(_repeat(section, part, section.parts[part])):
        at = 0.0
        for token in bar.split():
            match = re.fullmatch(r"(.+?):(\d+(?:\.5)?)([!~]?)", token)
            if match is None:
                raise ScoreError(f"{section.name}, {part}, bar {number + 1}: cannot read {token!r}")
            steps = 2 * float(match[2])
            if match[1] != "-":
                notes.append(
                    Written(at=number * STEPS + at, steps=steps, sign=match[1], touch=MELODY_TOUCH[match[3]])
                )
            at += steps
        if at != STEPS:
            raise ScoreError(f"{section.name}, {part}, bar {number + 1}: {at / 2:g} eighths; a bar has 8")
    return notes


def read_grid(section: Section, part: str) -> list[Written]:
    """The strokes of a grid, each lasting until the next one or the first `.`."""
    strokes: list[Written] = []
    for number, bar in enumerate(_repeat(section, part, section.parts[part])):
        if len(bar) != STEPS or set(bar) - set("Xxo-."):
            raise ScoreError(f"{section.name}, {part}, bar {number + 1}: {bar!r} is not sixteen of X x o - .")
        for step, sign in enumerate(bar):
            if sign in TOUCH:
                held = len(re.match("-*", bar[step + 1 :])[0]) + 1  # type: ignore[index]
                strokes.append(Written(at=number * STEPS + step, steps=held, sign=sign, touch=TOUCH[sign]))
    return strokes


def read_arpeggio(section: Section, part: str) -> list[Written]:
    """The steps of an arpeggio, one a sixteenth."""
    steps: list[Written] = []
    for number, bar in enumerate(_repeat(section, part, section.parts[part])):
        signs = bar.split()
        if len(signs) != STEPS:
            raise ScoreError(
                f"{section.name}, {part}, bar {number + 1}: {len(signs)} steps; a bar has {STEPS}"
            )
        for step, sign in enumerate(signs):
            if sign != ".":
                touch = 0.9 if step % 4 == 0 else 0.68
                steps.append(Written(at=number * STEPS + step, steps=1, sign=sign, touch=touch))
    return steps
