"""Loudness as ITU-R BS.1770-4 measures it: K-weighting, blocks of 400 ms, two gates.

Refuses silence (`ValueError`): it has no loudness.
"""

from __future__ import annotations

import numpy as np
from scipy import signal

from .waves import RATE, Signal, sample_count


def _weighted(x: Signal) -> Signal:
    """K-weighting: the head's shelf and the low cut of BS.1770, coefficients for 44.1 kHz by bilinear transform."""
    stages = (
        (1681.974450955533, 3.999843853973347, 0.7071752369554196),
        (38.13547087602444, 0.0, 0.5003270373238773),
    )
    k = np.tan(np.pi * stages[0][0] / RATE)
    high, mid = 10 ** (stages[0][1] / 20), (10 ** (stages[0][1] / 20)) ** 0.4996667741545416
    q, base = stages[0][2], 1 + k / stages[0][2] + k * k
    b = np.array([high + mid * k / q + k * k, 2 * (k * k - high), high - mid * k / q + k * k]) / base
    a = np.array([1.0, 2 * (k * k - 1) / base, (1 - k / q + k * k) / base])
    x = np.asarray(signal.lfilter(b, a, x, axis=-1))
    k, q = np.tan(np.pi * stages[1][0] / RATE), stages[1][2]
    base = 1 + k / q + k * k
    return np.asarray(
        signal.lfilter(
            [1.0, -2.0, 1.0], [1.0, 2 * (k * k - 1) / base, (1 - k / q + k * k) / base], x, axis=-1
        )
    )


def loudness_lufs(x: Signal) -> float:
    """Integrated loudness of a stereo signal `(2, n)`."""
    heard = _weighted(x) ** 2
    size, hop = sample_count(0.4), sample_count(0.1)
    total = np.concatenate([[0.0], np.cumsum(heard.sum(axis=0))])
    starts = np.arange(0, max(1, x.shape[-1] - size), hop)
    power = (total[np.minimum(starts + size, x.shape[-1])] - total[starts]) / size
    level = -0.691 + 10 * np.log10(power + 1e-12)
    kept = power[level > -70]
    if not len(kept):
        raise ValueError("nothing is loud enough to be measured")
    gate = -0.691 + 10 * np.log10(kept.mean()) - 10
    return float(-0.691 + 10 * np.log10(power[level > max(gate, -70.0)].mean()))
