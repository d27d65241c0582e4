"""What a batch of facts must know of the past, fetched in a handful of queries before anything is judged.

The same object then takes what the batch itself adds, so a fact sees the ones before it in the same batch.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from django.db.backends.base.base import BaseDatabaseWrapper

from vteam.ledger.counters import arrivals_key, places_of, reversed_key
from vteam.rules.canonical import GENESIS, spelled
from vteam.rules.decisions import Decision, Keys, Outcome, closed_key, keys_for
from vteam.rules.facts import Fact, Kind
from vteam.rules.missions import Mission, Season, in_force, mission_of, same_judges

PARAMETERS_AT_ONCE = 5_000
LATER = frozenset({Kind.HOLD_ENDED, Kind.REVIEW_DECIDED, Kind.AWARD_REVERSED})


class Recorded(NamedTuple):
    """A decision as the books hold it."""

    seq: int
    fact_seq: int
    mission: str
    version: int
    decision: Decision
    counted: tuple[str, ...]
    body: str


def recorded(
    *, seq: int, fact_seq: int, mission: str, version: int, decision: Decision, counted: tuple[str, ...]
) -> Recorded:
    """A decision with its number and its canonical text."""
    content = {
        "seq": seq,
        "fact": fact_seq,
        "mission": mission,
        "version": version,
        "fan": decision.fan,
        "outcome": str(decision.outcome),
        "points": decision.points,
        "due_at_us": decision.due_at_us,
        "counted": counted,
    }
    return Recorded(
        seq=seq,
        fact_seq=fact_seq,
        mission=mission,
        version=version,
        decision=decision,
        counted=counted,
        body=spelled(content),
    )


def from_body(body: str) -> Recorded:
    """A stored decision from its canonical text."""
    content: dict[str, Any] = orjson.loads(body)
    decision = Decision(
        fan=content["fan"],
        outcome=Outcome(content["outcome"]),
        points=content["points"],
        due_at_us=content["due_at_us"],
    )
    return Recorded(
        seq=content["seq"],
        fact_seq=content["fact"],
        mission=content["mission"],
        version=content["version"],
        decision=decision,
        counted=tuple(content["counted"]),
        body=body,
    )


class Past:
    """The state a batch is judged against. Reads happen in `__init__` and `prepare`, never while judging."""

    def __init__(self, connection: BaseDatabaseWrapper, campaign_id: int) -> None:
        self.connection, self.campaign_id = connection, campaign_id
        self.season: Season | None = None
        self.is_final = False
        self.missions: list[Mission] = []
        # By sort of fact, for all seen since the newest mission came.
        self._judges: dict[str, list[Mission]] = {}
        self._newest_us = 0
        self._judged: dict[int, list[tuple[Mission, Keys]]] = {}
        self.counters: dict[str, int] = {}
        self._places: dict[str, str] = {}  # of the counters asked for, by name
        self.changed: set[str] = set()
        self.decisions: dict[int, Recorded] = {}
        self.waiting: set[int] = set()
        self.last_decision = self._one("SELECT MAX(seq) FROM ledger_decision WHERE campaign_id = %s") or 0
        row = self._row(
            "SELECT seq, sha256 FROM ledger_transfer WHERE campaign_id = %s ORDER BY seq DESC LIMIT 1"
        )
        self.last_transfer, self.last_hash = row or (0, GENESIS)
        for kind, body in self._rows(
            "SELECT kind, body FROM ledger_ruling WHERE campaign_id = %s ORDER BY seq"
        ):
            self.rule(kind, orjson.loads(body))

    def rule(self, kind: str, body: dict[str, Any]) -> None:
        """Take a season, a mission's version or the end of it all into account from now on."""
        if kind == Kind.CAMPAIGN_VERSIONED:
            self.season = Season(**body["season"])
        elif kind == Kind.RESULT_FROZEN:
            self.is_final = True
        else:
            mission = mission_of(body)
            self.missions.append(mission)
            self._newest_us = max(self._newest_us, mission.from_us)
            self._judges.clear()

    def prepare(self, facts: Sequence[Fact]) -> None:
        """Fetch the counters, decisions and holds these facts refer to."""
        # What this batch settled already is known better here than in the tables, which still say it waits.
        self._fetch_decisions({f.body["decision"] for f in facts if f.kind in LATER} - self.decisions.keys())
        keys = set(self._keys_of_later())
        for fact in facts:
            self._judged[fact.seq] = self._judging(fact)
            keys.update(self._keys_of(fact))
        self._fetch_counters(keys - self.counters.keys())

    def _keys_of(self, fact: Fact) -> Iterable[str]:
        if fact.kind in (Kind.RIGHT_AGREED, Kind.RIGHT_WITHDRAWN):
            return [closed_key(fact.body["title"], fact.body["way"])]
        if fact.kind == Kind.AWARD_REVERSED:
            return [reversed_key(fact.body["decision"])]
        keys = [arrivals_key(fact.body["share"])] if fact.kind == Kind.ARRIVAL_CONFIRMED else []
        for _, wanted in self.judging(fact):
            keys += wanted.counted
            keys += wanted.waiting
            if wanted.closed_since:
                keys.append(wanted.closed_since)
        return keys

    def _keys_of_later(self) -> Iterable[str]:
        for decision in self.decisions.values():
            yield from decision.counted

    def judging(self, fact: Fact) -> list[tuple[Mission, Keys]]:
        """The missions that judge a fact `prepare` was told of, each with the counters it asks for."""
        return self._judged[fact.seq]

    def _judging(self, fact: Fact) -> list[tuple[Mission, Keys]]:
        if self.season is None or fact.kind in LATER:
            return []
        return [(mission, keys_for(fact, mission, self.season)) for mission in self._in_force(fact)]

    def _in_force(self, fact: Fact) -> list[Mission]:
        """Nearly every fact was seen after the newest mission came: then facts of a sort have the same judges."""
        if fact.seen_at_us < self._newest_us:
            return in_force(self.missions, fact)
        sort = same_judges(fact)
        found = self._judges.get(sort)
        if found is None:
            found = self._judges[sort] = in_force(self.missions, fact)
        return found

    def count(self, key: str) -> int:
        """A counter as it stands within this batch."""
        return self.counters.get(key, 0)

    def put(self, key: str, n: int) -> None:
        """Set a counter."""
        self.counters[key] = n
        self.changed.add(key)

    def add(self, keys: Sequence[str], change: int) -> None:
        """Raise (or lower) each of these counters."""
        counters = self.counters
        for key in keys:
            counters[key] = counters.get(key, 0) + change
        self.changed.update(keys)

    def changed_counters(self) -> list[tuple[str, int]]:
        """The counters that were set, by place, as they stand now; `prepare` asked for all of them."""
        places, counters = self._places, self.counters
        return sorted([(places[name], counters[name]) for name in self.changed])

    def _fetch_counters(self, keys: set[str]) -> None:
        sql = "SELECT key, n FROM ledger_counter WHERE campaign_id = %s AND key IN ({})"
        names = places_of(keys)
        self._places |= {name: place for place, name in names.items()}
        self.counters.update((names[place], n) for place, n in self._rows_in(sql, sorted(names)))

    def _fetch_decisions(self, seqs: set[int]) -> None:
        sql = "SELECT body FROM ledger_decision WHERE campaign_id = %s AND seq IN ({})"
        for (body,) in self._rows_in(sql, sorted(seqs)):
            known = from_body(body)
            self.decisions[known.seq] = known
        sql = "SELECT decision_seq FROM ledger_hold WHERE campaign_id = %s AND decision_seq IN ({})"
        self.waiting.update(seq for (seq,) in self._rows_in(sql, sorted(seqs)))

    def _rows_in(self, sql: str, values: Sequence[Any]) -> Iterable[tuple[Any, ...]]:
        for begin in range(0, len(values), PARAMETERS_AT_ONCE):
            part = values[begin : begin + PARAMETERS_AT_ONCE]
            yield from self._rows(sql.format(", ".join(["%s"] * len(part))), *part)

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, [self.campaign_id, *values])
            return list(cursor.fetchall())

    def _row(self, sql: str) -> tuple[Any, ...] | None:
        rows = self._rows(sql)
        return rows[0] if rows else None

    def _one(self, sql: str) -> int | None:
        row = self._row(sql)
        return row[0] if row else None
