"""`python -m demo.render [title ...]`: renders the titles named (all three by default) into `demo/titles/`.

Refuses a title it does not know, by the usual message of the command line.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from . import mp3
from .desk import mix
from .listen import report
from .mastering import master
from .score import Title
from .scores import TITLES

DEMO = Path(__file__).resolve().parent.parent


def render(title: Title, folder: Path, cover: Path | None) -> Path:
    """Plays, mixes, masters, checks and writes one title; returns its file."""
    sound = master(mix(title), title.loudness_lufs, fade_in_s=0.02, fade_out_s=min(2.5, title.ring_s * 0.7))
    print(report(title, sound))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{title.slug}.mp3"
    mp3.write(path, sound, title, cover)
    print(f"{path.name}: {path.stat().st_size:,} bytes\n")
    return path


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.render", description="Render the demo's titles to MP3."
    )
    parser.add_argument(
        "titles",
        nargs="*",
        choices=[*TITLES, []],
        metavar="title",
        help=f"which titles: {', '.join(TITLES)} (all by default)",
    )
    parser.add_argument("--into", type=Path, default=DEMO / "titles", help="folder for the files")
    parser.add_argument(
        "--cover", type=Path, default=DEMO / "cover.jpg", help="the picture put into the files"
    )
    chosen = parser.parse_args()
    for slug in chosen.titles or list(TITLES):
        render(TITLES[slug], chosen.into, chosen.cover if chosen.cover.exists() else None)


if __name__ == "__main__":
    main()
