"""The mixing desk: plays every part on its instrument, places it in the room and adds it up.

Refuses (`KeyError`) an instrument or treatment that does not exist.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from . import drums, keys, strings, winds
from .effects import SHAPES, ducking, echo, room
from .loudness import loudness_lufs
from .perform import Note, play, section_starts
from .score import Title
from .waves import RATE, Signal, moving_lowpass, sample_count

Instrument = Callable[[float, float, float, np.random.Generator], Signal]
_MODULES = (drums, keys, strings, winds)


def instrument_named(name: str) -> Instrument:
    """The instrument of that name, whichever family it belongs to."""
    for module in _MODULES:
        if hasattr(module, name):
            found: Instrument = getattr(module, name)
            return found
    raise KeyError(f"no instrument is called {name!r}")


def title_samples(title: Title) -> int:
    """How long the title is, with the time it rings after the last bar."""
    return sample_count(section_starts(title)[-1] + title.ring_s)


def _placed(sound: Signal, pan: float) -> Signal:
    """Stereo from one channel at constant power, or a balance where there are two."""
    angle = (pan + 1) * np.pi / 4
    sides = np.array([[np.cos(angle)], [np.sin(angle)]])
    return np.asarray(sound * sides if sound.ndim == 1 else sound * sides * np.sqrt(2))


def _recorded(title: Title, part: str, notes: list[Note]) -> Signal:
    """Every note of a part in its place, dry, at the level of its section."""
    out = np.zeros((2, title_samples(title)))
    track, instrument = title.tracks[part], instrument_named(title.tracks[part].instrument)
    for number, note in enumerate(notes):
        rng = np.random.default_rng([title.seed, zlib.crc32(part.encode()), number])
        sound = _placed(instrument(note.midi, note.length_s, note.velocity, rng), track.pan)
        section = title.sections[note.section]
        gain = 10 ** ((section.level_db + section.levels_db.get(part, 0.0)) / 20)
        at = sample_count(note.start_s)
        piece = sound[:, : max(0, out.shape[-1] - at)]
        out[:, at : at + piece.shape[-1]] += gain * piece
    return out


def _toned(title: Title, part: str, x: Signal) -> Signal:
    """The part through the low-pass movements its sections ask for; elsewhere open."""
    if not any(part in section.tone for section in title.sections):
        return x
    starts, points, values = section_starts(title), [0.0], [17_000.0]
    for number, section in enumerate(title.sections):
        low, high = section.tone.get(part, (17_000.0, 17_000.0))
        points += [starts[number] + 0.001, starts[number + 1]]
        values += [low, high]
    t = np.arange(x.shape[-1]) / RATE
    return moving_lowpass(x, np.asarray(2 ** np.interp(t, points, np.log2(values))))


def _treated(title: Title, part: str, x: Signal, kicks_s: list[float]) -> Signal:
    """A part after its treatments, its tone movements and its ducking."""
    track = title.tracks[part]
    for name in track.shape:
        x = SHAPES[name](x)
    x = _toned(title, part, x)
    if track.duck:
        x = x * ducking(x.shape[-1], kicks_s, track.duck)
    return x


def _levelled(x: Signal, level_lufs: float) -> Signal:
    """The part at the loudness its track asks for."""
    return np.asarray(x * 10 ** ((level_lufs - loudness_lufs(x)) / 20))


def mix(title: Title, only: frozenset[str] = frozenset()) -> Signal:
    """The whole title in stereo `(2, n)`, not yet mastered; `only` keeps some parts, to listen to them alone."""
    n = title_samples(title)
    dry, to_room, to_echo = np.zeros((2, n)), np.zeros((2, n)), np.zeros((2, n))
    kicks_s = [note.start_s for note in play(title, "kick")] if "kick" in title.tracks else []
    for part, track in title.tracks.items():
        if only and part not in only:
            continue
        x = _levelled(
            _treated(title, part, _recorded(title, part, play(title, part)), kicks_s), track.level_lufs
        )
        dry += x
        to_room += track.room * x
        to_echo += track.echo * x
    repeats = echo(to_echo, title.echo_steps * title.step_s, title.echo_feedback)
    rng = np.random.default_rng([title.seed, 7])
    return dry + repeats + room(to_room + 0.25 * repeats, title.room_s, rng)
