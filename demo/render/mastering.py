"""The last step: tone, glue, loudness and ceiling.

The limiter looks ahead and works on four-fold oversampled peaks, so that neither the file nor a decoder's
reconstruction clips. Refuses silence (`ValueError`): it has no loudness.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage, signal

from .effects import saturate
from .loudness import loudness_lufs
from .waves import RATE, Signal, highpass, sample_count, shelf

CEILING_DB = -1.6
"""Highest true peak in dBFS before encoding; MP3 adds a little of its own."""


def _followed(level: Signal, attack_s: float, release_s: float, rate: float) -> Signal:
    """A level that rises quickly and falls slowly, one value for each of `level`'s."""
    up, down = np.exp(-1 / (attack_s * rate)), np.exp(-1 / (release_s * rate))
    out, now = np.empty_like(level), float(level[0])
    for k, value in enumerate(level):
        slow = up if value > now else down
        now = slow * now + (1 - slow) * value
        out[k] = now
    return out


def glue(x: Signal, *, threshold_db: float, ratio: float = 2.0) -> Signal:
    """A slow bus compressor with a soft knee of 6 dB; both sides move together, the low end hardly drives it."""
    hop = 64
    heard = highpass(x.mean(axis=0), 90)
    blocks = heard[: len(heard) // hop * hop].reshape(-1, hop)
    level = 10 * np.log10((blocks**2).mean(axis=1) + 1e-10)
    over = _followed(level, 0.018, 0.16, RATE / hop) - threshold_db
    knee = np.where(over < -3, 0.0, np.where(over > 3, over, (over + 3) ** 2 / 12))
    cut_db = -knee * (1 - 1 / ratio)
    gain = np.interp(np.arange(x.shape[-1]), np.arange(len(cut_db)) * hop + hop / 2, 10 ** (cut_db / 20))
    return x * gain


def limit(x: Signal, ceiling_db: float = CEILING_DB) -> Signal:
    """Lowers the gain 3 ms before a true peak passes the ceiling and gives it back gently."""
    fine = np.abs(signal.resample_poly(x, 4, 1, axis=-1)).max(axis=0)
    peaks = np.maximum(fine[: 4 * x.shape[-1]].reshape(-1, 4).max(axis=1), 1e-9)
    wanted = np.minimum(1.0, 10 ** (ceiling_db / 20) / peaks)
    reach = sample_count(0.003)
    held = ndimage.minimum_filter1d(wanted, 2 * reach + 1)
    smooth = ndimage.uniform_filter1d(ndimage.uniform_filter1d(held, reach), reach)
    back = (
        signal.lfilter([1 - np.exp(-1 / (0.06 * RATE))], [1, -np.exp(-1 / (0.06 * RATE))], smooth - 1.0) + 1.0
    )
    return x * np.minimum(smooth, back)


def fades(x: Signal, in_s: float, out_s: float) -> Signal:
    """The first and last moments drawn to silence."""
    gain = np.ones(x.shape[-1])
    a, b = sample_count(in_s), sample_count(out_s)
    gain[:a] = np.sin(np.linspace(0, np.pi / 2, a)) ** 2
    gain[-b:] = np.cos(np.linspace(0, np.pi / 2, b)) ** 2
    return x * gain


def master(x: Signal, loudness: float, *, fade_in_s: float, fade_out_s: float) -> Signal:
    """The finished title: sub-bass removed, glued, warmed, at the wanted loudness (LUFS), below the ceiling."""
    x = highpass(x - x.mean(axis=-1, keepdims=True), 28)
    x = x * 10 ** ((-16 - loudness_lufs(x)) / 20)
    x = saturate(glue(x, threshold_db=-19.0), 0.9)
    x = shelf(shelf(x, 110, 0.6, high=False), 9000, 0.8, high=True)
    x = fades(x, fade_in_s, fade_out_s)
    for _ in range(3):
        x = limit(x * 10 ** ((loudness - loudness_lufs(x)) / 20))
    return x
