"""The rack: saturation, chorus, tremolo, echo, a generated room, and the ducking of one part by another.

Effects take and give stereo, shape `(2, n)`. The room is a convolution with a response made here from noise that
dies faster the higher it is. Refuses nothing.
"""

from __future__ import annotations

import numpy as np
from scipy import signal

from .waves import RATE, Signal, bandpass, bell, highpass, lowpass, sample_count, shelf, times, white


def saturate(x: Signal, drive: float) -> Signal:
    """Tape-like rounding of the peaks, with a trace of even harmonics; quiet sound passes unchanged."""
    bent = np.tanh(drive * x + 0.06) - np.tanh(0.06)
    return np.asarray(highpass(bent / drive, 18, 1))


def chorus(x: Signal, *, depth_ms: float = 2.2, rate_hz: float = 0.6, mix: float = 0.45) -> Signal:
    """Two slowly moving delays, one each side, added to the dry sound."""
    n = x.shape[-1]
    t, places = times(n), np.arange(n, dtype=np.float64)
    out = np.empty_like(x)
    for side in range(2):
        wait = 0.009 + 0.001 * depth_ms * np.sin(2 * np.pi * rate_hz * t + side * np.pi * 0.6)
        out[side] = (1 - 0.4 * mix) * x[side] + mix * np.interp(
            places - wait * RATE, places, x[side], left=0.0
        )
    return out


def tremolo(x: Signal, *, rate_hz: float = 4.6, depth: float = 0.35) -> Signal:
    """The sound wanders from left to right and back, as the amplifier of an electric piano makes it."""
    sway = 0.5 * depth * np.sin(2 * np.pi * rate_hz * times(x.shape[-1]))
    return x * np.stack([1 + sway, 1 - sway])


def echo(x: Signal, wait_s: float, feedback: float) -> Signal:
    """A tape echo that goes from side to side, duller with every repeat, until it is 40 dB down: the repeats alone."""
    wait, repeats = sample_count(wait_s), int(np.ceil(np.log(0.01) / np.log(feedback)))
    out = np.zeros_like(x)
    turn = np.stack([x.mean(axis=0), np.zeros(x.shape[-1])])
    for k in range(1, repeats + 1):
        if k * wait >= x.shape[-1]:
            break
        turn = np.tanh(highpass(lowpass(turn, 2900, 1), 190, 1))[::-1]
        out[:, k * wait :] += feedback ** (k - 1) * turn[:, : -k * wait]
    return out


def room_response(length_s: float, rng: np.random.Generator) -> Signal:
    """The sound of one clap in a room whose low tones last `length_s` (60 dB) and whose high ones a third of it."""
    n = sample_count(length_s * 1.15)
    t, out = times(n), np.zeros((2, n))
    bands = ((140, 420, 1.0, 0.75), (420, 1300, 0.9, 0.9), (1300, 3600, 0.62, 0.75), (3600, 7500, 0.36, 0.4))
    for side in range(2):
        for low, high, share, gain in bands:
            out[side] += gain * bandpass(white(n, rng), low, high) * 10 ** (-3 * t / (length_s * share))
        out[side] *= 1 - np.exp(-t / 0.012)
        for _ in range(9):
            at = sample_count(rng.uniform(0.006, 0.055))
            out[side, at] += rng.choice((-1, 1)) * rng.uniform(1.5, 4.0) * np.exp(-at / RATE / 0.03)
    wait = np.zeros((2, sample_count(0.016)))
    return np.concatenate([wait, out / np.sqrt((out**2).sum(axis=-1, keepdims=True))], axis=-1)


def room(x: Signal, length_s: float, rng: np.random.Generator) -> Signal:
    """The room's answer to `x`, cut to its length."""
    answer = room_response(length_s, rng)
    wet = np.stack([signal.fftconvolve(x[side], answer[side])[: x.shape[-1]] for side in range(2)])
    return highpass(wet, 170)


def ducking(n: int, strokes_s: list[float], depth: float, back_s: float = 0.16) -> Signal:
    """A gain that dips by `depth` at each stroke and is back after about `back_s`: room for the bass drum."""
    gain = np.zeros(n)
    dip = np.exp(-times(sample_count(back_s * 3)) / (back_s * 0.55))
    dip[: sample_count(0.004)] *= np.linspace(0, 1, sample_count(0.004))
    for at_s in strokes_s:
        at = sample_count(at_s)
        piece = dip[: max(0, n - at)]
        gain[at : at + len(piece)] = np.maximum(gain[at : at + len(piece)], piece)
    return np.asarray(1 - depth * gain)


SHAPES = {
    "warm": lambda x: shelf(shelf(x, 240, 1.5, high=False), 5200, -3.0, high=True),
    "thin": lambda x: highpass(x, 220),
    "air": lambda x: shelf(x, 7000, 2.5, high=True),
    "soft": lambda x: shelf(x, 4200, -4.5, high=True),
    "clear": lambda x: bell(bell(x, 320, -2.5), 2600, 2.0),
    "low-cut": lambda x: highpass(x, 120),
    "amp": lambda x: lowpass(saturate(x, 2.4), 5200),
    "tape": lambda x: saturate(x, 1.8),
    "chorus": chorus,
    "wide": lambda x: chorus(x, depth_ms=3.5, rate_hz=0.33, mix=0.6),
    "tremolo": tremolo,
}
"""The named treatments a track may ask for, in the order it names them."""
