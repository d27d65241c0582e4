"""What becomes of a judged download: an evidence row that can be erased, and the fact that carries its hash."""

from typing import Any

from vteam.channels.links.redirect import InboxRow
from vteam.channels.swarm.torrents.downloads import Download
from vteam.channels.swarm.torrents.watched import Watched
from vteam.rules.canonical import canonical, digest
from vteam.rules.facts import EVIDENCE, Doubt, Evidence, copy_served


def rows_of(watched: Watched, download: Download, doubt: Doubt | None) -> list[InboxRow]:
    """Both, in the order they must be kept."""
    torrent, whole_us = watched.torrent, download.whole_us
    body = canonical(_content(watched, download))
    fact = copy_served(
        introduction=download.introduction,
        fan=torrent.fan,
        title=torrent.title,
        listener=download.listener,
        by=None,
        same_person=download.same,
        network=download.near,
        evidence=Evidence.WITNESSED,
        proof=digest(body),
        at_us=whole_us,
        doubt=doubt,
    )
    return [
        (torrent.campaign, EVIDENCE, download.introduction, whole_us, body),
        (torrent.campaign, fact.kind, fact.key, fact.seen_at_us, canonical(fact.body)),
    ]


def _content(watched: Watched, download: Download) -> dict[str, Any]:
    """What was seen, in the words that are kept."""
    torrent, ends = watched.torrent, download.ends
    return {
        "introduction": download.introduction,
        "fan": torrent.fan,
        "title": torrent.title,
        "torrent": torrent.info_hash.hex(),
        "listener": download.listener,
        "network": download.near,
        "client": download.client,
        "bytes": torrent.template.size,
        "pieces": torrent.template.pieces,
        "first_us": download.first_us,
        "whole_us": download.whole_us,
        "first_have": download.first_have,
        "seen": download.seen,
        "curve": download.curve,
        "asked": download.asked,
        "listener_says": {"uploaded": ends.sent, "downloaded": ends.got, "left": ends.left},
        "seeders": [{"client": each.client, "uploaded": each.ends.sent} for each in watched.seeders.values()],
        "sent": watched.sent,
        "gap": download.gap,
        "salt": download.salt,
    }
