"""Oscillators, noise, envelopes and filters: the raw material every instrument is made of.

Signals are float64 arrays at 44,100 samples a second, one channel of shape `(n,)`. Oscillators are
band-limited (PolyBLEP), since a naive saw folds its upper partials back as harsh, untuned tones.
Refuses nothing: arguments come from our own scores, which `score.py` has already checked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal

RATE = 44_100
Signal = NDArray[np.float64]


def frequency_of(midi: float) -> float:
    """The equal-tempered frequency in hertz of a MIDI note number, A4 = 69 = 440 Hz."""
    return float(440.0 * 2.0 ** ((midi - 69.0) / 12.0))


def sample_count(duration_s: float) -> int:
    """How many samples a duration takes, at least one."""
    return max(1, round(duration_s * RATE))


def times(n: int) -> Signal:
    """The time in seconds of each of `n` samples, from zero."""
    return np.arange(n, dtype=np.float64) / RATE


def running_phase(freq: float | Signal, n: int, start: float = 0.0) -> Signal:
    """Phase in turns (0 to 1) of an oscillator whose frequency may move from sample to sample."""
    step = np.broadcast_to(np.asarray(freq, dtype=np.float64) / RATE, (n,))
    return np.asarray(np.mod(start + np.cumsum(step) - step[0], 1.0))


def _corner(phase: Signal, step: Signal) -> Signal:
    """The PolyBLEP correction around the saw's jump (Välimäki and Huovilainen, 2007)."""
    out = np.zeros_like(phase)
    after = phase < step
    x = phase[after] / step[after]
    out[after] = x + x - x * x - 1.0
    before = phase > 1.0 - step
    x = (phase[before] - 1.0) / step[before]
    out[before] = x * x + x + x + 1.0
    return out


def saw(freq: float | Signal, n: int, start: float = 0.0) -> Signal:
    """A band-limited rising saw between -1 and 1."""
    step = np.array(np.broadcast_to(np.asarray(freq, dtype=np.float64) / RATE, (n,)))
    phase = running_phase(freq, n, start)
    return 2.0 * phase - 1.0 - _corner(phase, step)


def pulse(freq: float | Signal, n: int, width: float = 0.5, start: float = 0.0) -> Signal:
    """A band-limited pulse without offset: two saws, one shifted by `width` of a turn."""
    return 0.5 * (saw(freq, n, start) - saw(freq, n, start + width))


def sine(freq: float | Signal, n: int, start: float = 0.0) -> Signal:
    """A sine between -1 and 1."""
    return np.sin(2.0 * np.pi * running_phase(freq, n, start))


def vibrato(
    freq: float, n: int, *, rate_hz: float, cents: float, delay_s: float, start: float = 0.0
) -> Signal:
    """A frequency that begins steady and, after `delay_s`, sways by `cents` either way."""
    t = times(n)
    depth = np.clip((t - delay_s) / 0.35, 0.0, 1.0) * cents
    return np.asarray(freq * 2.0 ** (depth * np.sin(2 * np.pi * (rate_hz * t + start)) / 1200.0))


def envelope(n: int, *, attack_s: float, decay_s: float, sustain: float, release_s: float) -> Signal:
    """Attack, decay, sustain and release over `n` samples; the release is the last part of them."""
    t = times(n)
    rise = 1.0 - np.exp(-4.0 * t / max(attack_s, 1e-4))
    fall = sustain + (1.0 - sustain) * np.exp(-np.maximum(t - attack_s, 0.0) / max(decay_s, 1e-4))
    left = (n - 1) / RATE - t
    close = np.clip(left / max(release_s, 1e-3), 0.0, 1.0)
    return np.asarray(rise * fall * np.sin(0.5 * np.pi * close) ** 2)


def decay(n: int, t60_s: float) -> Signal:
    """An exponential that has fallen by 60 dB after `t60_s`."""
    return np.asarray(10.0 ** (-3.0 * times(n) / t60_s))


def soft_edges(x: Signal, attack_s: float = 0.001, release_s: float = 0.01) -> Signal:
    """The same sound with both ends rounded, so that it neither clicks in nor out."""
    out = x.copy()
    a, r = min(sample_count(attack_s), len(x)), min(sample_count(release_s), len(x))
    out[:a] *= np.sin(np.linspace(0, np.pi / 2, a)) ** 2
    out[-r:] *= np.cos(np.linspace(0, np.pi / 2, r)) ** 2
    return out


def white(n: int, rng: np.random.Generator) -> Signal:
    """White noise of standard deviation one."""
    return rng.standard_normal(n)


def lowpass(x: Signal, hz: float, order: int = 2) -> Signal:
    """Butterworth low-pass along the last axis."""
    sos = signal.butter(order, min(hz, RATE * 0.45), "lowpass", fs=RATE, output="sos")
    return np.asarray(signal.sosfilt(sos, x, axis=-1))


def highpass(x: Signal, hz: float, order: int = 2) -> Signal:
    """Butterworth high-pass along the last axis."""
    sos = signal.butter(order, hz, "highpass", fs=RATE, output="sos")
    return np.asarray(signal.sosfilt(sos, x, axis=-1))


def bandpass(x: Signal, low_hz: float, high_hz: float, order: int = 1) -> Signal:
    """Butterworth band-pass along the last axis."""
    sos = signal.butter(order, [low_hz, min(high_hz, RATE * 0.45)], "bandpass", fs=RATE, output="sos")
    return np.asarray(signal.sosfilt(sos, x, axis=-1))


def bell(x: Signal, hz: float, gain_db: float, q: float = 0.8) -> Signal:
    """Peaking equaliser (R. Bristow-Johnson, Audio EQ Cookbook) along the last axis."""
    amp, w = 10.0 ** (gain_db / 40.0), 2.0 * np.pi * hz / RATE
    alpha = np.sin(w) / (2.0 * q)
    b = [1 + alpha * amp, -2 * np.cos(w), 1 - alpha * amp]
    a = [1 + alpha / amp, -2 * np.cos(w), 1 - alpha / amp]
    return np.asarray(signal.lfilter(np.array(b) / a[0], np.array(a) / a[0], x, axis=-1))


def shelf(x: Signal, hz: float, gain_db: float, *, high: bool) -> Signal:
    """Low or high shelf (same source) of slope one, along the last axis."""
    amp, w = 10.0 ** (gain_db / 40.0), 2.0 * np.pi * hz / RATE
    cos = np.cos(w) * (1.0 if not high else -1.0)
    side = np.sqrt(2.0 * amp) * np.sin(w)
    turn = 1.0 if not high else -1.0
    b = [
        amp * ((amp + 1) - (amp - 1) * cos + side),
        turn * 2 * amp * ((amp - 1) - (amp + 1) * cos),
        amp * ((amp + 1) - (amp - 1) * cos - side),
    ]
    a = [
        (amp + 1) + (amp - 1) * cos + side,
        turn * -2 * ((amp - 1) + (amp + 1) * cos),
        (amp + 1) + (amp - 1) * cos - side,
    ]
    return np.asarray(signal.lfilter(np.array(b) / a[0], np.array(a) / a[0], x, axis=-1))


def moving_lowpass(x: Signal, cutoff_hz: Signal, q: float = 0.8, block: int = 128) -> Signal:
    """A resonant low-pass whose cutoff moves: one value of `cutoff_hz` (n,) is used per `block` samples."""
    out = np.empty_like(x)
    state = np.zeros((*x.shape[:-1], 2))
    for at in range(0, x.shape[-1], block):
        w = 2.0 * np.pi * min(float(cutoff_hz[at]), RATE * 0.42) / RATE
        alpha, cos = np.sin(w) / (2.0 * q), np.cos(w)
        b = np.array([(1 - cos) / 2, 1 - cos, (1 - cos) / 2]) / (1 + alpha)
        a = np.array([1.0, -2 * cos / (1 + alpha), (1 - alpha) / (1 + alpha)])
        out[..., at : at + block], state = signal.lfilter(b, a, x[..., at : at + block], axis=-1, zi=state)
    return out
