"""The bench of fans' torrents: figures where all three make the same torrent of a copy, and none otherwise."""

import pytest

from bench import torrents
from bench.tools import Misleading
from bench.torrents import Sizes, measured


def test_everything_it_promises_is_measured() -> None:
    report = measured(Sizes(rounds=1, ours=50, theirs=1))
    assert set(report.figures) == {"per_s", "libtorrent_per_s", "torf_per_s"}
    assert set(report.ratios) == {"libtorrent", "torf"}
    assert all(value > 0 for value in (*report.figures.values(), *report.ratios.values()))


def test_another_torrent_than_the_peers_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torrents, "_ours", lambda *_: bytes(20))
    with pytest.raises(Misleading, match="makes another torrent"):
        measured(Sizes(rounds=1, ours=1, theirs=1))
