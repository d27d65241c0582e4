"""What was seen of a passing, in the words that are kept: an erasable row, and the fact that carries its hash.

The row says which pieces went how and when, and for a direct passing whose signatures say so. Random bytes in it keep
its hash from telling anything once the row is erased.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from vteam.channels.links.redirect import InboxRow
from vteam.channels.swarm.pieces import Pieces
from vteam.channels.swarm.tickets import Ticket
from vteam.rules.canonical import canonical, digest
from vteam.rules.facts import EVIDENCE, Evidence, NewFact, copy_served

SALT_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Pieces `start` to `stop` (excluded) that passed in one introduction, in one way; µs of begin and end.

    `signed`: for a direct part the keys and last signatures of both ends, and the texts they signed.
    """

    introduction: str
    way: Evidence
    start: int
    stop: int
    begun_us: int
    ended_us: int
    signed: dict[str, str]


def rows_of(
    *, introduction: str, seeder: Ticket, listener: Ticket, pieces: Pieces, parts: Sequence[Part], at_us: int
) -> list[InboxRow]:
    """The evidence of a title that passed whole, and the fact, in the order they must be kept."""
    body = canonical(_content(introduction, seeder, listener, pieces, parts))
    fact = copy_served(
        introduction=introduction,
        fan=seeder.fan,
        title=seeder.title,
        listener=listener.browser,
        by=listener.by,
        same_person=seeder.same_person(listener),
        network=listener.network,
        evidence=kind_of(parts),
        proof=digest(body),
        at_us=at_us,
    )
    campaign = seeder.campaign
    return [(campaign, EVIDENCE, introduction, at_us, body), _row(campaign, fact)]


def up_to(parts: Sequence[Part], have: int) -> tuple[int, list[Part]]:
    """As much of the parts as a listener who has the first `have` pieces can go on from, and where that ends.

    What was relayed can be cut anywhere, for every piece was seen; what was signed for is there whole or not at all.
    """
    kept: list[Part] = []
    for part in parts:
        if part.stop <= have:
            kept.append(part)
        elif part.way is Evidence.RELAYED and part.start < have:
            kept.append(replace(part, stop=have))
            break
        else:
            break
    return (kept[-1].stop if kept else 0), kept


def kind_of(parts: Sequence[Part]) -> Evidence:
    """As strong as its weakest part: what was signed is less than what was seen."""
    relayed = all(part.way is Evidence.RELAYED for part in parts)
    return Evidence.RELAYED if relayed else Evidence.RECEIPTED


def _content(
    introduction: str, seeder: Ticket, listener: Ticket, pieces: Pieces, parts: Sequence[Part]
) -> dict[str, Any]:
    return {
        "introduction": introduction,
        "fan": seeder.fan,
        "title": seeder.title,
        "listener": listener.browser,
        "bytes": pieces.size,
        "pieces": pieces.count,
        "parts": [
            {
                "introduction": part.introduction,
                "way": str(part.way),
                "start": part.start,
                "stop": part.stop,
                "begun_us": part.begun_us,
                "ended_us": part.ended_us,
                "signed": part.signed,
            }
            for part in parts
        ],
        "salt": secrets.token_hex(SALT_BYTES),
    }


def _row(campaign: int, fact: NewFact) -> InboxRow:
    return campaign, fact.kind, fact.key, fact.seen_at_us, canonical(fact.body)
