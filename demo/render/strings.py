"""Plucked strings: guitar, muted guitar and three basses.

Guitars are Karplus-Strong strings whose loop delay is tuned to a fraction of a sample; basses are sums of
decaying partials, which keeps their low end clean. Refuses nothing; notes are checked when the score is read.
"""

from __future__ import annotations

import numpy as np
from scipy import signal

from .waves import (
    RATE,
    Signal,
    bandpass,
    bell,
    decay,
    envelope,
    frequency_of,
    highpass,
    lowpass,
    sample_count,
    saw,
    sine,
    soft_edges,
    times,
    white,
)


def _loop(freq: float, damping: float, t60_s: float) -> Signal:
    """The feedback polynomial of a string: whole delay, damping filter and a fractional delay (Lagrange, order 3)."""
    total = RATE / freq - 2.0
    whole = int(np.floor(total))
    d = 1.0 + total - whole
    taps = np.array(
        [
            -(d - 1) * (d - 2) * (d - 3) / 6,
            d * (d - 2) * (d - 3) / 2,
            -d * (d - 1) * (d - 3) / 2,
            d * (d - 1) * (d - 2) / 6,
        ]
    )
    loss = 10.0 ** (-3.0 / (freq * t60_s))
    loop = np.convolve(taps, np.array([damping, 1.0 - 2.0 * damping, damping])) * loss
    polynomial = np.zeros(whole + len(loop))
    polynomial[0] = 1.0
    polynomial[whole:] -= loop
    return polynomial


def _excitation(freq: float, brightness_hz: float, pick: float, rng: np.random.Generator) -> Signal:
    """One period of noise, darkened, with the comb that the place of the pick leaves in it."""
    period = max(8, int(RATE / freq))
    burst = lowpass(white(period * 2, rng), brightness_hz, 1)[period:]
    burst -= burst.mean()
    shifted = np.roll(burst, max(1, int(period * pick)))
    return np.asarray((burst - 0.9 * shifted) / (np.abs(burst).max() + 1e-9))


def _string(
    midi: float,
    n: int,
    velocity: float,
    rng: np.random.Generator,
    *,
    damping: float,
    t60_s: float,
    pick: float,
    bright: float,
) -> Signal:
    """A plucked string of `n` samples, harder touch sounding brighter."""
    freq = frequency_of(midi)
    x = np.zeros(n)
    burst = _excitation(freq, bright * (0.45 + velocity), pick, rng)[:n]
    x[: len(burst)] = burst
    return np.asarray(signal.lfilter([1.0], _loop(freq, damping, t60_s), x)) * velocity


def clean_guitar(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A clean electric guitar string, left to ring for its length and then stopped by the hand."""
    n = sample_count(length_s + 0.12)
    x = _string(midi, n, velocity, rng, damping=0.16, t60_s=2.6, pick=0.21, bright=4200)
    x = bell(bell(x, 240, 1.5), 2300, 3.0)
    hand = envelope(n, attack_s=0.001, decay_s=9.0, sustain=1.0, release_s=0.11)
    return np.asarray(np.tanh(0.9 * highpass(x, 95)) * hand)


def skank_guitar(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """The short off-beat chop: a string damped almost at once, with the wood of the muting hand in it."""
    n = sample_count(min(length_s, 0.2) + 0.09)
    x = _string(midi, n, velocity, rng, damping=0.2, t60_s=0.9, pick=0.16, bright=5200)
    hand = np.minimum(1.0, decay(n, 0.42) * 1.25)
    scratch = bandpass(white(n, rng), 900, 3200) * decay(n, 0.05) * 0.03 * velocity
    return soft_edges(np.tanh(1.1 * (bell(highpass(x, 190), 1500, 2.0) * hand + scratch)), 0.0008, 0.06)


def _partials(freq: float, n: int, t60_s: float, slope: float, count: int) -> Signal:
    """A sum of partials whose upper members are weaker and die sooner, as on a thick string."""
    out = np.zeros(n)
    for k in range(1, count + 1):
        if k * freq < 6000:
            shape = np.sin(np.pi * k * 0.29) / k**slope
            out += (
                shape
                * sine(k * freq * np.sqrt(1 + 0.00008 * k * k), n)
                * decay(n, t60_s / (1 + 0.45 * (k - 1)))
            )
    return out


def finger_bass(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A round electric bass played with the fingers."""
    n = sample_count(length_s + 0.06)
    freq = frequency_of(midi)
    body = _partials(freq, n, 3.2, 1.5 - 0.35 * velocity, 14)
    finger = bandpass(white(n, rng), 500, 1700) * decay(n, 0.045) * 0.05
    hold = envelope(n, attack_s=0.006, decay_s=1.2, sustain=0.75, release_s=0.05)
    return np.asarray(np.tanh(1.3 * velocity * (body + finger) * hold))


def dub_bass(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A deep bass, nearly a sine, warmed until small loudspeakers can tell its notes."""
    n = sample_count(length_s + 0.1)
    freq = frequency_of(midi)
    body = sine(freq, n) + 0.22 * sine(2 * freq, n) * decay(n, 1.6) + 0.1 * sine(3 * freq, n) * decay(n, 0.7)
    hold = envelope(n, attack_s=0.012, decay_s=1.6, sustain=0.7, release_s=0.09)
    return np.asarray(lowpass(np.tanh(1.7 * velocity * body * hold), 1100))


def synth_bass(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A saw and a sine an octave apart; the brightness closes as the note goes on."""
    n = sample_count(length_s + 0.05)
    freq = frequency_of(midi)
    rich, dull = saw(freq, n, 0.25), sine(freq, n)
    bright = np.clip(decay(n, 0.34) * (0.3 + 0.7 * velocity), 0.0, 1.0)
    x = dull + bright * 0.6 * lowpass(rich, 1500) + 0.22 * lowpass(rich, 420)
    hold = envelope(n, attack_s=0.004, decay_s=0.5, sustain=0.75, release_s=0.045)
    return np.asarray(np.tanh(1.1 * velocity * x * hold))


def kora(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A bright, harp-like string that is left to ring: the water in the arpeggios."""
    n = sample_count(min(1.4, length_s * 2.2 + 0.5))
    x = _string(midi, n, velocity, rng, damping=0.1, t60_s=1.5, pick=0.3, bright=3800)
    glow = 0.3 * velocity * np.sin(2 * np.pi * frequency_of(midi) * times(n)) * decay(n, 1.1)
    return soft_edges(highpass(x * 0.8 + glow, 140), 0.0015, 0.12)
