"""Keyboards: electric piano, organ, bells, soft pad and two synthesiser voices.

Each returns one channel, or two (shape `(2, n)`) where width is part of the sound. Refuses nothing.
"""

from __future__ import annotations

import numpy as np

from .waves import (
    Signal,
    decay,
    envelope,
    frequency_of,
    highpass,
    lowpass,
    pulse,
    running_phase,
    sample_count,
    saw,
    sine,
    soft_edges,
    times,
    vibrato,
    white,
)


def electric_piano(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """Two FM pairs, a body and a short bright tine, as FM keyboards of the eighties made it."""
    n = sample_count(length_s + 0.35)
    freq, turn = frequency_of(midi), 2 * np.pi
    phase = turn * running_phase(freq, n)
    low = np.clip(1.2 - (midi - 48) / 60, 0.4, 1.3)
    body = np.sin(phase + low * (0.35 + 1.1 * velocity) * decay(n, 1.9) * np.sin(phase + 0.1))
    tine = (
        np.sin(phase + 0.35 * velocity * decay(n, 0.28) * np.sin(14 * phase))
        if freq < 1200
        else np.sin(phase)
    )
    hold = envelope(n, attack_s=0.003, decay_s=1.7, sustain=0.22, release_s=0.3)
    return np.asarray((0.72 * body + 0.38 * tine) * hold * velocity)


def organ(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A drawbar organ through a slow rotor: sines at the sub-octave, unison, twelfth and above."""
    n = sample_count(length_s + 0.05)
    freq = vibrato(frequency_of(midi), n, rate_hz=5.6, cents=6, delay_s=0.0, start=rng.random())
    bars = ((0.5, 0.55), (1.0, 1.0), (1.5, 0.3), (2.0, 0.5), (3.0, 0.18), (4.0, 0.12))
    x = sum((gain * sine(freq * ratio, n, rng.random()) for ratio, gain in bars), np.zeros(n))
    click = highpass(white(n, rng), 2500) * decay(n, 0.012) * 0.04
    hold = envelope(n, attack_s=0.004, decay_s=1.0, sustain=0.92, release_s=0.045)
    return np.asarray((0.4 * x + click) * hold * velocity)


def bells(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A glockenspiel bar: the partials of a free bar (1, 2.76, 5.4), the upper ones brief."""
    n = sample_count(1.7)
    freq = frequency_of(midi)
    x = sine(freq, n) * decay(n, 1.9) + 0.22 * sine(2.756 * freq, n) * decay(n, 0.5 + 0.2 * velocity)
    if 5.404 * freq < 12_000:
        x = x + 0.07 * velocity * sine(5.404 * freq, n) * decay(n, 0.16)
    return soft_edges(x * velocity, 0.0015, 0.2)


def buoy_bell(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A far bell on the water: hum, prime, tierce, quint and nominal, beating slowly."""
    n = sample_count(5.0)
    freq = frequency_of(midi)
    parts = (
        (0.5, 0.5, 4.5),
        (1.0, 1.0, 3.6),
        (1.19, 0.4, 2.6),
        (1.5, 0.25, 2.2),
        (2.0, 0.55, 1.8),
        (2.99, 0.16, 0.9),
    )
    x = np.zeros(n)
    for ratio, gain, t60 in parts:
        x += gain * (sine(freq * ratio, n) + 0.6 * sine(freq * ratio + 0.7, n, 0.3)) * decay(n, t60)
    return soft_edges(0.35 * velocity * x, 0.004, 0.4)


def pad(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """Six slow, slightly mistuned saws spread from left to right and kept dark."""
    n = sample_count(length_s + 0.9)
    out = np.zeros((2, n))
    for k, cents in enumerate((-9.0, -5.0, -2.0, 2.5, 5.5, 9.5)):
        freq = vibrato(
            frequency_of(midi + cents / 100), n, rate_hz=0.21 + 0.05 * k, cents=3, delay_s=0.0, start=k / 6
        )
        side = (k + 0.5) / 6
        out += saw(freq, n, rng.random()) * np.array([[np.cos(side * np.pi / 2)], [np.sin(side * np.pi / 2)]])
    hold = envelope(n, attack_s=min(0.5, length_s * 0.4), decay_s=4.0, sustain=0.85, release_s=0.85)
    return np.asarray(0.16 * velocity * lowpass(out, 700 + 900 * velocity) * hold)


def tide(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """The arpeggio voice: a narrow, plucked pulse with a sine beneath it, brief and clear."""
    n = sample_count(length_s * 1.2 + 0.22)
    freq = frequency_of(midi)
    bright = decay(n, 0.3 + 0.25 * velocity)
    rich = lowpass(pulse(freq, n, 0.34, rng.random()) + 0.5 * saw(freq * 1.003, n, rng.random()), 3600)
    x = rich * bright + 0.7 * sine(freq, n) * decay(n, 0.8)
    return soft_edges(0.5 * velocity * x, 0.003, 0.1)


def silk_lead(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A soft lead: square and saw, filtered, with a breath of vibrato once the note is held."""
    n = sample_count(length_s + 0.14)
    freq = vibrato(frequency_of(midi), n, rate_hz=5.3, cents=11, delay_s=0.22, start=rng.random())
    scoop = 1.0 - 0.012 * np.exp(-times(n) / 0.022)
    x = (
        pulse(freq * scoop * 0.9985, n, 0.42)
        + 0.45 * saw(freq * scoop * 1.002, n, 0.4)
        + 0.5 * sine(freq * scoop, n)
    )
    bright = np.clip(decay(n, 0.9) * (0.35 + 0.65 * velocity), 0.0, 1.0)
    x = lowpass(x, 1300) * (1 - 0.5 * bright) + lowpass(x, 3600) * 0.75 * bright
    hold = envelope(n, attack_s=0.014, decay_s=0.5, sustain=0.72, release_s=0.12)
    return np.asarray(0.42 * velocity * x * hold)
