"""Torrents looked up by info hash, with the hashes that all of a title's share kept once."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from vteam.channels.swarm.torrents.metainfo import Template, Torrent
from vteam.edge.databases import Database
from vteam.edge.lookups import Ask, Cached, source_of

TEMPLATES_MAX = 256
TORRENT_SECONDS, TORRENTS_MAX = 120.0, 100_000
"""Longer than clients take to announce again. What is no torrent, or comes with another key, is looked at again sooner
(`edge.tracker`); whether a title may circulate is asked elsewhere."""
WATCHES_MAX = 20_000
_SELECT = (
    "SELECT t.id, t.info_hash, f.campaign_id, t.fan_id, p.title_id, c.network_key, t.seed_key, t.friend_key, "
    "t.first, t.template_id FROM swarm_torrent t JOIN swarm_torrenttemplate p ON p.id = t.template_id "
    "JOIN people_fan f ON f.id = t.fan_id JOIN campaigns_campaign c ON c.id = f.campaign_id WHERE t.{} = %s"
)
SELECT_TORRENT, SELECT_BY_ID = _SELECT.format("info_hash"), _SELECT.format("id")
SELECT_TEMPLATE = "SELECT id, name, size, piece_bytes, body FROM swarm_torrenttemplate WHERE id = %s"
# What the rules judge by, not what an organiser may be editing.
SELECT_SEASON = (
    "SELECT body FROM journal_fact WHERE campaign_id = %s AND key = 'campaign:' || CAST((SELECT MAX(version) "
    "FROM campaigns_campaignversion WHERE campaign_id = %s) AS TEXT)"
)
SELECT_WATCHES = "SELECT torrent_id, content FROM swarm_watch WHERE at_us >= %s ORDER BY at_us DESC LIMIT %s"


class FoundTorrent(NamedTuple):
    """What a lookup found; None where the info hash is of no torrent of ours."""

    torrent: Torrent | None


class Torrents:
    """Everything asked of torrents; `seen` remembers them for a few seconds."""

    def __init__(self, database: Database) -> None:
        self._templates: OrderedDict[int, Template] = OrderedDict()
        self._source = source_of(database)
        self.seen: Cached[bytes, FoundTorrent] = Cached(
            self._source, self._torrent_of, seconds=TORRENT_SECONDS, cached_max=TORRENTS_MAX
        )

    async def watched_since(self, at_us: int) -> list[tuple[Torrent, dict[str, Any]]]:
        """How downloads stood, of every torrent of which it was kept since then; Away when the database is."""
        return await self._source.read(at_us, self._watched_since)

    def close(self) -> None:
        """Lets the database go."""
        self._source.close()

    def _torrent_of(self, ask: Ask, info_hash: bytes) -> FoundTorrent:
        return FoundTorrent(self._torrent(ask, ask(SELECT_TORRENT, (info_hash.hex(),))))

    def _torrent(self, ask: Ask, rows: Sequence[tuple[Any, ...]]) -> Torrent | None:
        if not rows:
            return None
        pk, info_hash, campaign, fan, title, network_key, seed_key, friend_key, first, template = rows[0]
        seasons = ask(SELECT_SEASON, (campaign, campaign))
        if not seasons:
            return None  # its campaign has not begun: nobody has moved its first fact yet
        return Torrent(
            id=pk,
            info_hash=bytes.fromhex(info_hash),
            campaign=campaign,
            fan=fan,
            title=title,
            ends_us=orjson.loads(seasons[0][0])["season"]["ends_at_us"],
            network_key=bytes(network_key or b""),
            seed_key=seed_key,
            friend_key=friend_key,
            first=bytes(first),
            template=self._template(ask, template),
        )

    def _template(self, ask: Ask, pk: int) -> Template:
        found = self._templates.get(pk)
        if found is None:
            ((pk, name, size, piece_bytes, body),) = ask(SELECT_TEMPLATE, (pk,))
            found = Template(id=pk, name=name, size=size, piece_bytes=piece_bytes, body=bytes(body))
            self._templates[pk] = found
        self._templates.move_to_end(pk)
        if len(self._templates) > TEMPLATES_MAX:
            self._templates.popitem(last=False)
        return found

    def _watched_since(self, ask: Ask, at_us: int) -> list[tuple[Torrent, dict[str, Any]]]:
        found = []
        for pk, content in ask(SELECT_WATCHES, (at_us, WATCHES_MAX)):
            torrent = self._torrent(ask, ask(SELECT_BY_ID, (pk,)))
            if torrent is not None:
                found.append((torrent, orjson.loads(content)))
        return found
