"""Shares looked up by code: a popular link costs one query in a few seconds."""

from vteam.channels.links.redirect import Found, Share
from vteam.edge.databases import Database
from vteam.edge.lookups import Ask, Cached, source_of

SELECT_SHARE = "SELECT id, campaign_id, ended_at FROM links_share WHERE code = %s"


def share_of(ask: Ask, code: str) -> Found:
    """The share of a code."""
    rows = ask(SELECT_SHARE, (code,))
    return Found(Share.from_row(*rows[0]) if rows else None)


def shares_of(database: Database) -> Cached[str, Found]:
    """The shares of a database."""
    return Cached(source_of(database), share_of)
