"""What can be told of a title without ears: levels, tone, width, silences, and whether the melody fits its chords.

The report is printed after each rendering. Refuses nothing; it measures.
"""

from __future__ import annotations

import numpy as np

from .loudness import loudness_lufs
from .perform import Note, play, scale_of, section_starts
from .score import STEPS, Title, read_chords
from .waves import RATE, Signal, lowpass, sample_count

MELODIES = ("lead", "hook", "bells", "choir", "counter")


def _db(value: float) -> float:
    """An amplitude in decibels below full scale."""
    return float(20 * np.log10(value + 1e-12))


def centroid_hz(x: Signal) -> float:
    """The centre of gravity of the spectrum, weighted by amplitude."""
    mono = x.mean(axis=0)
    size = 4096
    frames = mono[: len(mono) // size * size].reshape(-1, size) * np.hanning(size)
    spectrum = np.abs(np.fft.rfft(frames, axis=1)).mean(axis=0)
    return float((spectrum * np.fft.rfftfreq(size, 1 / RATE)).sum() / (spectrum.sum() + 1e-12))


def correlation(x: Signal) -> float:
    """How alike left and right are: 1 is mono, 0 unrelated, below 0 vanishing in mono."""
    return float(np.asarray(np.corrcoef(x))[0, 1])


def bands_db(x: Signal) -> dict[str, float]:
    """The power in six bands relative to the whole."""
    power = np.abs(np.fft.rfft(x.mean(axis=0))) ** 2
    hz = np.fft.rfftfreq(x.shape[-1], 1 / RATE)
    edges = {
        "sub": (20, 60),
        "bass": (60, 200),
        "low mid": (200, 600),
        "mid": (600, 2000),
        "presence": (2000, 6000),
        "air": (6000, 16_000),
    }
    return {
        name: float(10 * np.log10(power[(hz >= low) & (hz < high)].sum() / power.sum() + 1e-12))
        for name, (low, high) in edges.items()
    }


def longest_silence_s(x: Signal, floor_db: float = -55.0) -> float:
    """The longest stretch whose short-time level stays below `floor_db`, the last second left out."""
    size = sample_count(0.02)
    body = x[:, : x.shape[-1] - RATE]
    level = np.sqrt((body[:, : body.shape[-1] // size * size].reshape(2, -1, size) ** 2).mean(axis=(0, 2)))
    longest = run = 0
    for quiet in level < 10 ** (floor_db / 20):
        run = run + 1 if quiet else 0
        longest = max(longest, run)
    return longest * 0.02


def fit_of(title: Title, part: str) -> tuple[float, list[str]]:
    """The share of a melody's sounding time on chord tones, and its notes outside both key and chord."""
    starts, inside, total, strangers = section_starts(title), 0.0, 0.0, []
    for note in play(title, part):
        section = title.sections[note.section]
        chords = read_chords(section)
        half = int((note.start_s - starts[note.section] + 0.03) / title.step_s / (STEPS // 2))
        chord = chords[min(max(half, 0), len(chords) - 1)]
        total += note.length_s
        inside += note.length_s * (int(note.midi) % 12 in chord.classes())
        if int(note.midi) % 12 not in scale_of(title) | chord.classes():
            strangers.append(f"{section.name} {note.start_s:.1f} s: {note.midi:g} on {chord.symbol}")
    return inside / max(total, 1e-9), strangers


def heard_pitch_cents(sound: Signal, note: Note) -> float:
    """How far a single note, played alone, lies from its written pitch, by the phase of its fundamental."""
    mono = lowpass(sound if sound.ndim == 1 else sound.mean(axis=0), 4000)
    size = min(len(mono), sample_count(0.35))
    start = min(sample_count(0.05), len(mono) - size)
    piece = np.pad(mono[start : start + size] * np.hanning(size), (0, 15 * size))
    spectrum = np.abs(np.fft.rfft(piece))
    hz = np.fft.rfftfreq(len(piece), 1 / RATE)
    wanted = 440 * 2 ** ((note.midi - 69) / 12)
    near = (hz > wanted * 0.95) & (hz < wanted * 1.06)
    return float(1200 * np.log2(hz[near][np.argmax(spectrum[near])] / wanted))


def report(title: Title, x: Signal) -> str:
    """The measurements of a finished title, one line each."""
    starts = section_starts(title)
    lines = [
        f"{title.name}: {x.shape[-1] / RATE:.1f} s, {title.bars} bars, {loudness_lufs(x):.1f} LUFS, "
        f"peak {_db(np.abs(x).max()):.1f} dBFS, centroid {centroid_hz(x):.0f} Hz, "
        f"correlation {correlation(x):.2f}, offset {np.abs(x.mean(axis=-1)).max():.6f}, "
        f"longest silence {longest_silence_s(x):.2f} s",
        "  " + ", ".join(f"{name} {level:.1f} dB" for name, level in bands_db(x).items()),
    ]
    for number, section in enumerate(title.sections):
        end = starts[number + 1] if number + 1 < len(title.sections) else x.shape[-1] / RATE
        piece = x[:, sample_count(starts[number]) : sample_count(end)]
        rms, peak = _db(float(np.sqrt((piece**2).mean()))), _db(np.abs(piece).max())
        lines.append(
            f"  {starts[number]:5.1f} s {section.name:13} {loudness_lufs(piece):6.1f} LUFS  "
            f"crest {peak - rms:4.1f} dB centroid {centroid_hz(piece):5.0f} Hz"
            f"  correlation {correlation(piece):.2f}"
        )
    for part in MELODIES:
        if part in title.tracks:
            share, strangers = fit_of(title, part)
            lines.append(
                f"  {part}: {share:.0%} on chord tones; outside key and chord: {strangers or 'none'}"
            )
    return "\n".join(lines)
