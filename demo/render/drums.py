"""The drum kit. Every stroke is made anew, so that no two are the same; a soft stroke is darker, not just quieter.

Strokes take the same arguments as notes; pitch counts for the toms only. Refuses nothing.
"""

from __future__ import annotations

import numpy as np

from .waves import (
    Signal,
    bandpass,
    decay,
    frequency_of,
    highpass,
    lowpass,
    pulse,
    sample_count,
    sine,
    soft_edges,
    times,
    white,
)


def _drop(n: int, top_hz: float, floor_hz: float, fall_s: float) -> Signal:
    """A frequency that falls from `top_hz` to `floor_hz`, as a struck skin's does."""
    return np.asarray(floor_hz + (top_hz - floor_hz) * np.exp(-times(n) / fall_s))


def kick(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A tight bass drum with a felt beater."""
    n = sample_count(0.34)
    body = sine(_drop(n, 165, 52, 0.024), n) * decay(n, 0.42)
    beater = bandpass(white(n, rng), 1200, 3800) * decay(n, 0.022) * 0.16 * velocity
    return soft_edges(np.tanh(1.5 * velocity * (body + beater)), 0.0008, 0.04)


def deep_kick(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A large, soft bass drum, felt more than heard."""
    n = sample_count(0.5)
    body = sine(_drop(n, 110, 45, 0.035), n) * decay(n, 0.62)
    beater = lowpass(white(n, rng), 1400) * decay(n, 0.02) * 0.12 * velocity
    return soft_edges(np.tanh(1.3 * velocity * (body + beater)), 0.0015, 0.06)


def snare(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A snare drum: two modes of the skin and the rattle of the wires, tuned a little apart each time."""
    n = sample_count(0.3)
    tune = 1.0 + 0.01 * rng.standard_normal()
    skin = sine(_drop(n, 265, 192, 0.02) * tune, n) * decay(n, 0.2) + 0.45 * sine(335 * tune, n) * decay(
        n, 0.12
    )
    wires = bandpass(white(n, rng), 1300, 3500 + 5000 * velocity) * decay(n, 0.16 + 0.11 * velocity)
    return soft_edges(np.tanh(1.2 * velocity * (0.75 * skin + 0.62 * wires)), 0.0006, 0.04)


def rim(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A cross-stick: wood on the rim, short and dry."""
    n = sample_count(0.12)
    wood = sine(815, n) * decay(n, 0.06) + 0.7 * sine(1720, n, 0.2) * decay(n, 0.035)
    knock = 0.4 * sine(390, n) * decay(n, 0.05) + bandpass(white(n, rng), 1500, 4200) * decay(n, 0.014) * 0.4
    return soft_edges(0.7 * velocity * (wood + knock), 0.0005, 0.02)


def _bronze(n: int, rng: np.random.Generator, base_hz: float) -> Signal:
    """The clang of a cymbal: six pulses at ratios that fit no scale, and noise to blur them."""
    ratios = (1.0, 1.342, 1.2312, 1.6532, 1.9523, 2.1523)
    clang = sum((pulse(base_hz * r, n, 0.5, rng.random()) for r in ratios), np.zeros(n)) / 6
    return np.asarray(0.5 * clang + 0.4 * white(n, rng))


def hat(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A closed hi-hat."""
    n = sample_count(0.11)
    metal = lowpass(highpass(_bronze(n, rng, 540), 6200), 8500 + 3500 * velocity)
    return soft_edges(0.55 * velocity * metal * decay(n, 0.06 + 0.05 * velocity), 0.0012, 0.02)


def open_hat(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A half-open hi-hat that is closed again with the next step."""
    n = sample_count(min(0.4, length_s + 0.08))
    metal = lowpass(highpass(_bronze(n, rng, 520), 5600), 10_500)
    return soft_edges(0.42 * velocity * metal * decay(n, 0.5), 0.002, 0.05)


def shaker(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A shaker: grains that gather for an instant before they land."""
    n = sample_count(0.1)
    t = times(n)
    swell = np.where(t < 0.022, (t / 0.022) ** 2, np.exp(-(t - 0.022) / 0.018))
    return soft_edges(0.35 * velocity * bandpass(white(n, rng), 4200, 9000) * swell, 0.002, 0.02)


def tambourine(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A tambourine: little jingles, each with a pitch of its own."""
    n = sample_count(0.22)
    jingles = sum((sine(rng.uniform(5200, 9800), n, rng.random()) for _ in range(7)), np.zeros(n)) / 7
    dust = bandpass(white(n, rng), 5000, 10_000) * 0.4
    return soft_edges(0.4 * velocity * (jingles + dust) * decay(n, 0.22), 0.003, 0.04)


def clap(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A few hands, not together."""
    n = sample_count(0.32)
    t = times(n)
    bursts = sum(
        (np.where(t >= at, np.exp(-(t - at) / 0.006), 0.0) for at in (0.0, 0.011, 0.021)), np.zeros(n)
    )
    tail = np.where(t >= 0.027, np.exp(-(t - 0.027) / 0.06), 0.0)
    return soft_edges(
        0.8 * velocity * bandpass(white(n, rng), 850, 2600) * (0.7 * bursts + tail), 0.0008, 0.04
    )


def crash(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A thin crash cymbal, left to ring, a little different in each ear."""
    n = sample_count(2.3)
    swell = 1 - np.exp(-times(n) / 0.006)
    out = np.empty((2, n))
    for side in range(2):
        metal = lowpass(highpass(_bronze(n, rng, 420), 2800), 9500)
        out[side] = soft_edges(metal * swell * (0.6 * decay(n, 0.6) + 0.4 * decay(n, 2.2)), 0.002, 0.3)
    return np.asarray(0.4 * velocity * out)


def tom(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A tom, tuned by its note."""
    n = sample_count(0.45)
    freq = frequency_of(midi)
    skin = sine(_drop(n, 1.55 * freq, freq, 0.035), n) * decay(n, 0.5) + 0.2 * sine(1.6 * freq, n) * decay(
        n, 0.2
    )
    stick = bandpass(white(n, rng), 900, 3000) * decay(n, 0.03) * 0.15
    return soft_edges(np.tanh(1.2 * velocity * (skin + stick)), 0.001, 0.06)


def riser(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """Noise that grows and opens towards a new section, then stops."""
    n = sample_count(length_s)
    grow = np.linspace(0, 1, n) ** 2.2
    out = np.empty((2, n))
    for side in range(2):
        noise = white(n, rng)
        out[side] = soft_edges(
            (bandpass(noise, 500, 1800) * (1 - grow) + bandpass(noise, 1600, 6500) * grow) * grow, 0.01, 0.03
        )
    return np.asarray(0.3 * velocity * out)
