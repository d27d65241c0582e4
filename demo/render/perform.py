"""From the written music to what the players do: pitches, seconds, touch; swing and a human looseness.

Chord parts are voiced close to a centre, so that the hand moves little from chord to chord. All chance comes from
a generator seeded by the title. Refuses nothing that `score.py` has let through.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from .score import (
    SCALES,
    STEPS,
    Chord,
    ScoreError,
    Section,
    Title,
    Track,
    Written,
    midi_of,
    pitch_class,
    read_arpeggio,
    read_chords,
    read_grid,
    read_notes,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing played: when, how long (seconds), which MIDI pitch, how hard (0 to 1), in which section."""

    start_s: float
    length_s: float
    midi: float
    velocity: float
    section: int


def voicing(chord: Chord, centre: int, voices: int) -> list[int]:
    """Up to `voices` chord tones, each in the octave nearest to `centre`; large chords leave the root to the bass."""
    tones = list(chord.tones)
    if len(tones) > voices:
        tones = tones[len(tones) - voices :]
    pitches = {centre - 6 + (chord.root + tone - (centre - 6)) % 12 for tone in tones}
    return sorted(pitches)


def arpeggio_pitch(chord: Chord, centre: int, degree: int) -> int:
    """The chord tone number `degree`, counted upwards from the lowest at or above `centre`."""
    ladder = sorted(centre + (chord.root + tone - centre) % 12 for tone in chord.tones)
    return ladder[degree % len(ladder)] + 12 * (degree // len(ladder))


def _low(pitch: int, floor: int) -> int:
    """The pitch class of `pitch` in the octave that begins at `floor`."""
    return floor + (pitch - floor) % 12


def bass_pitch(sign: str, chord: Chord, following: Chord, floor: int, scale: frozenset[int]) -> int:
    """The pitch of a step of the bass line: chord tones where the chord has them, else the key's own."""
    if sign == "^":
        return _low(following.bass, floor) - 1
    down = 12 if sign.startswith("/") else 0
    number = int(sign.lstrip("/"))
    root = _low(chord.bass, floor)
    if number in (1, 8):
        return root + (12 if number == 8 else 0) - down
    near = {3: (3, 4), 5: (7, 6), 6: (9, 8), 7: (10, 11), 2: (2, 1), 4: (5, 6)}[number]
    chosen = [half for half in near if (root + half) % 12 in chord.classes()]
    chosen += [half for half in near if (root + half) % 12 in scale]
    return root + (chosen or list(near))[0] - down


def _seconds(title: Title, step: float) -> float:
    """The time of a sixteenth from the section's start, every second one delayed by the swing."""
    late = title.swing if int(step) % 2 == 1 else 0.0
    return (step + late) * title.step_s


def _pitches(track: Track, sign: Written, chord: Chord, following: Chord, scale: frozenset[int]) -> list[int]:
    """What a sign means to this player."""
    match track.reads:
        case "melody":
            return [midi_of(sign.sign)]
        case "bass":
            return [bass_pitch(sign.sign, chord, following, track.centre, scale)]
        case "chords":
            return voicing(chord, track.centre, track.voices)
        case "arpeggio":
            return [arpeggio_pitch(chord, track.centre, int(sign.sign))]
        case "hits":
            return [track.centre]
    raise ScoreError(f"a track reads melody, bass, chords, arpeggio or hits, not {track.reads!r}")


def _signs(track: Track, section: Section, part: str) -> list[Written]:
    """The signs of a part in the notation its player reads."""
    if track.reads in ("melody", "bass"):
        return read_notes(section, part)
    return read_arpeggio(section, part) if track.reads == "arpeggio" else read_grid(section, part)


def scale_of(title: Title) -> frozenset[int]:
    """The pitch classes of the title's key."""
    tonic = pitch_class(title.key)
    return frozenset((tonic + half) % 12 for half in SCALES[title.mode])


def _strokes(
    title: Title,
    track: Track,
    sign: Written,
    pitches: list[int],
    start_s: float,
    number: int,
    rng: np.random.Generator,
) -> list[Note]:
    """The notes of one sign, loosened by a few milliseconds, a chord strummed down or up."""
    on_beat = 1.0 if sign.at % 4 == 0 else 0.94
    loose = rng.normal(0.0, track.loose_ms / 1000)
    down = sign.at % 8 < 4
    notes = []
    for k, midi in enumerate(pitches if down else pitches[::-1]):
        at = start_s + _seconds(title, sign.at) + (track.late_ms + k * track.strum_ms) / 1000 + loose
        touch = sign.touch * on_beat * (1 + rng.normal(0, 0.05))
        length = sign.steps * title.step_s * track.gate
        notes.append(
            Note(
                start_s=max(0.0, at),
                length_s=length,
                midi=midi,
                velocity=float(np.clip(touch, 0.12, 1.0)),
                section=number,
            )
        )
    return notes


def play(title: Title, part: str) -> list[Note]:
    """Everything the player of `part` plays in the title, in order."""
    track, notes, start_s = title.tracks[part], list[Note](), 0.0
    rng = np.random.default_rng([title.seed, zlib.crc32(part.encode())])
    chords = [read_chords(section) for section in title.sections]
    for number, section in enumerate(title.sections):
        if part in section.parts:
            line = chords[number] + (
                chords[number + 1][:1] if number + 1 < len(chords) else chords[number][:1]
            )
            for sign in _signs(track, section, part):
                half = int(sign.at // (STEPS // 2))
                changes = [c for c in line[half + 1 :] if c.symbol != line[half].symbol]
                following = changes[0] if changes else line[half]
                pitches = _pitches(track, sign, line[half], following, scale_of(title))
                notes += _strokes(title, track, sign, pitches, start_s, number, rng)
        start_s += section.bars * STEPS * title.step_s
    return notes


def section_starts(title: Title) -> list[float]:
    """The second at which each section begins, and at the end the second the last one is over."""
    starts = [0.0]
    for section in title.sections:
        starts.append(starts[-1] + section.bars * STEPS * title.step_s)
    return starts
