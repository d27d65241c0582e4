"""MP3 files: encoding (LAME) and the ID3v2.4 tag with the cover in it.

Refuses (`ValueError`) a signal that is not stereo or that would clip.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import lameenc
import numpy as np
from mutagen.id3 import APIC, COMM, ID3, TALB, TBPM, TCON, TCOP, TDRC, TIT2, TLEN, TPE1, TRCK, WCOP
from PIL import Image

from .score import Title
from .waves import RATE, Signal

KBIT_S = 160
ALBUM, ARTIST, YEAR = "Marée haute", "Lune Noire", "2026"
RELEASED = "Composed and rendered by the vTeam project; public domain, CC0 1.0 (CC0-1.0)"
LICENCE_PAGE = "https://creativecommons.org/publicdomain/zero/1.0/"


def _samples(x: Signal, seed: int) -> bytes:
    """Sixteen-bit interleaved samples, with triangular dither so that fades end smoothly."""
    if x.ndim != 2 or x.shape[0] != 2 or np.abs(x).max() >= 1.0:
        raise ValueError("a title is stereo and stays below full scale")
    rng = np.random.default_rng(seed)
    dither = rng.random(x.shape) - rng.random(x.shape)
    return np.round(x.T * 32_767 + dither.T).clip(-32_768, 32_767).astype("<i2").tobytes()


def encode(x: Signal, seed: int) -> bytes:
    """The MPEG audio of a stereo signal, without any tag."""
    encoder = lameenc.Encoder()
    encoder.set_bit_rate(KBIT_S)
    encoder.set_in_sample_rate(RATE)
    encoder.set_channels(2)
    encoder.set_quality(2)
    encoder.silence()
    return bytes(encoder.encode(_samples(x, seed))) + bytes(encoder.flush())


def small_cover(cover: Path, side: int = 500) -> bytes:
    """The cover as a JPEG small enough to travel inside every file."""
    out = BytesIO()
    with Image.open(cover) as image:
        image.convert("RGB").resize((side, side), Image.Resampling.LANCZOS).save(
            out, "JPEG", quality=82, optimize=True
        )
    return out.getvalue()


def tag(path: Path, title: Title, duration_s: float, cover: Path | None) -> None:
    """Writes title, artist, album, year, licence and cover into the file's ID3v2.4 tag."""
    tags = ID3()
    for frame, text in (
        (TIT2, title.name),
        (TPE1, ARTIST),
        (TALB, ALBUM),
        (TDRC, YEAR),
        (TCOP, RELEASED),
        (TCON, "Indie pop"),
        (TRCK, f"{title.track_number}/3"),
        (TBPM, str(round(title.bpm))),
        (TLEN, str(round(duration_s * 1000))),
    ):
        tags.add(frame(encoding=3, text=text))
    tags.add(COMM(encoding=3, lang="eng", desc="", text=RELEASED))
    tags.add(WCOP(url=LICENCE_PAGE))
    if cover is not None:
        tags.add(APIC(encoding=3, mime="image/jpeg", type=3, desc="Cover", data=small_cover(cover)))
    tags.save(path, v2_version=4)


def write(path: Path, x: Signal, title: Title, cover: Path | None) -> None:
    """Encodes, writes and tags one title."""
    path.write_bytes(encode(x, title.seed))
    tag(path, title, x.shape[-1] / RATE, cover)
