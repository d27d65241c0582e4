"""Breath: melodica, brass, a hummed choir and a far foghorn.

What makes breath believable is that loudness and brightness move together; each voice here is built on that.
Refuses nothing.
"""

from __future__ import annotations

import numpy as np

from .waves import (
    Signal,
    bandpass,
    bell,
    envelope,
    frequency_of,
    highpass,
    lowpass,
    pulse,
    sample_count,
    saw,
    sine,
    times,
    vibrato,
    white,
)


def melodica(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A free reed blown by mouth: two reeds a hair apart, a nasal body, a late and gentle vibrato."""
    n = sample_count(length_s + 0.09)
    freq = vibrato(frequency_of(midi), n, rate_hz=4.9 + 0.4 * rng.random(), cents=9, delay_s=0.28)
    freq = freq * (1.0 - 0.006 * np.exp(-times(n) / 0.03))
    reeds = (
        pulse(freq, n, 0.3, rng.random()) + 0.55 * saw(freq * 1.0022, n, rng.random()) + 0.35 * sine(freq, n)
    )
    hold = envelope(n, attack_s=0.028, decay_s=0.8, sustain=0.85, release_s=0.08)
    sway = 1.0 + 0.07 * np.sin(2 * np.pi * 5.0 * times(n)) * np.clip((times(n) - 0.3) / 0.4, 0, 1)
    bright = lowpass(reeds, 2100 + 1900 * velocity)
    body = bell(bell(bright, 900, 3.0, 1.2), 1900, 2.0, 1.4)
    breath = bandpass(white(n, rng), 1500, 4500) * 0.012
    return np.asarray(0.4 * velocity * (highpass(body, 170) + breath) * hold * sway)


def _player(freq: float, n: int, velocity: float, rng: np.random.Generator, top_hz: float) -> Signal:
    """One brass player: lips that start a little flat, and a tone which opens as the air grows."""
    moving = vibrato(freq, n, rate_hz=5.0 + rng.random(), cents=8, delay_s=0.3, start=rng.random())
    moving = moving * (1.0 - 0.018 * np.exp(-times(n) / 0.02))
    x = saw(moving, n, rng.random())
    open_ = np.clip(envelope(n, attack_s=0.05, decay_s=0.22, sustain=0.6, release_s=0.08), 0, 1)
    dark, bright = lowpass(x, 850), lowpass(x, top_hz * (0.55 + 0.45 * velocity))
    return np.asarray(dark * (1 - 0.6 * open_) + 0.8 * bright * open_**1.5)


def brass(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A small section, two players left and right of each other, never quite together."""
    n = sample_count(length_s + 0.12)
    out = np.zeros((2, n))
    for side, cents in enumerate((-5.0, 4.0)):
        late = int(rng.uniform(0, 0.012) * 44_100)
        voice = _player(frequency_of(midi + cents / 100), n, velocity, rng, 4300)
        out[side, late:] += voice[: n - late]
        out[1 - side, late:] += 0.45 * voice[: n - late]
    hold = envelope(n, attack_s=0.03, decay_s=0.3, sustain=0.72, release_s=0.09)
    return np.asarray(0.28 * velocity * bell(highpass(out, 130), 1250, 2.5, 1.0) * hold)


def choir(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """Four people humming "ou" from left to right: saws through the two lowest formants of that vowel."""
    n = sample_count(length_s + 0.7)
    out = np.zeros((2, n))
    for k in range(4):
        freq = vibrato(
            frequency_of(midi + rng.normal(0, 0.05)),
            n,
            rate_hz=4.6 + 0.7 * rng.random(),
            cents=13,
            delay_s=0.3,
            start=rng.random(),
        )
        voice = lowpass(saw(freq, n, rng.random()), 2600)
        vowel = bandpass(voice, 240, 480) * 1.5 + bandpass(voice, 680, 980) * 0.7 + 0.06 * voice
        side = (k + 0.5) / 4 * np.pi / 2
        out += vowel * np.array([[np.cos(side)], [np.sin(side)]])
    hold = envelope(n, attack_s=min(0.4, length_s * 0.4), decay_s=3.0, sustain=0.9, release_s=0.65)
    return np.asarray(0.4 * velocity * out * hold)


def foghorn(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """A horn out at sea: two low saws, very dark, that sag in pitch as the air runs out."""
    n = sample_count(length_s + 1.2)
    sag = 1.0 - 0.02 * np.clip(times(n) - length_s, 0, 1.2)
    freq = frequency_of(midi) * sag
    x = lowpass(saw(freq, n) + saw(freq * 1.004, n, 0.3) + 0.6 * saw(freq * 1.5, n, 0.6), 380)
    return np.asarray(0.5 * velocity * x * envelope(n, attack_s=0.5, decay_s=6, sustain=0.9, release_s=1.3))


def surf(midi: float, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """One wave that swells, breaks and draws back: noise whose brightness follows its height."""
    n = sample_count(length_s)
    place = np.linspace(0, 1, n)
    height = np.exp(-(((place - 0.45) / 0.2) ** 2)) + 0.25 * np.exp(-(((place - 0.75) / 0.18) ** 2))
    height *= np.sin(np.pi * place) ** 0.5
    out = np.empty((2, n))
    for side in range(2):
        noise = white(n, rng)
        out[side] = lowpass(noise, 420) * height + 0.6 * bandpass(noise, 500, 2600) * height**2
    return np.asarray(0.5 * velocity * out)
