"""Facts in, books out: judges a batch of journaled facts and writes decisions, transfers and standings.

The same code runs live and in a replay, on either database; only the connection differs. Judging only reads, so it
needs no lock that others wait for; writing happens in the caller's transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from vteam.ledger.counters import arrivals_key, reversed_key
from vteam.ledger.past import LATER, Past, Recorded, recorded
from vteam.rules.canonical import canonical
from vteam.rules.decisions import (
    COUNTING,
    IN_REVIEW,
    SAME,
    WAITING,
    WAITS,
    Decision,
    Earned,
    Keys,
    Outcome,
    after_hold,
    after_result,
    after_reversal,
    after_review,
    closed_key,
    decide,
)
from vteam.rules.facts import Fact, Kind
from vteam.rules.transfers import ISSUE, PENDING, Transfer, chained, movement

BUCKET_POINTS = 1_000
RULINGS = frozenset({Kind.CAMPAIGN_VERSIONED, Kind.MISSION_VERSIONED, Kind.RESULT_FROZEN})

INSERT_DECISION = (
    "INSERT INTO ledger_decision (campaign_id, seq, fact_seq, mission_key, fan_id, outcome, points, body) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
)
INSERT_TRANSFER = (
    "INSERT INTO ledger_transfer (campaign_id, seq, source, target, points, body, previous, sha256) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
)
INSERT_RULING = "INSERT INTO ledger_ruling (campaign_id, seq, kind, body) VALUES (%s, %s, %s, %s)"
INSERT_HOLD = (
    "INSERT INTO ledger_hold (campaign_id, decision_seq, due_at_us, announced) VALUES (%s, %s, %s, FALSE)"
)
DELETE_HOLD = "DELETE FROM ledger_hold WHERE campaign_id = %s AND decision_seq = %s"
SET_COUNTER = (
    "INSERT INTO ledger_counter (campaign_id, key, n) VALUES (%s, %s, %s) "
    "ON CONFLICT (campaign_id, key) DO UPDATE SET n = excluded.n"
)
SET_TOTAL = (
    "INSERT INTO ledger_total (campaign_id, fan_id, confirmed, pending) VALUES (%s, %s, %s, %s) "
    "ON CONFLICT (campaign_id, fan_id) DO UPDATE SET confirmed = excluded.confirmed, pending = excluded.pending"
)
ADD_TO_BUCKET = (
    "INSERT INTO ledger_bucket (campaign_id, bucket, fans) VALUES (%s, %s, %s) "
    "ON CONFLICT (campaign_id, bucket) DO UPDATE SET fans = ledger_bucket.fans + excluded.fans"
)
ADD_TO_LEVEL = (
    "INSERT INTO ledger_level (campaign_id, points, fans) VALUES (%s, %s, %s) "
    "ON CONFLICT (campaign_id, points) DO UPDATE SET fans = ledger_level.fans + excluded.fans"
)
# Nobody stands there any more. Left behind, such rows would soon be most of what a rank adds up.
DELETE_EMPTY_BUCKET = "DELETE FROM ledger_bucket WHERE campaign_id = %s AND bucket = %s AND fans = 0"
DELETE_EMPTY_LEVEL = "DELETE FROM ledger_level WHERE campaign_id = %s AND points = %s AND fans = 0"
READ_TOTALS = "SELECT fan_id, confirmed, pending FROM ledger_total WHERE campaign_id = %s AND fan_id IN ({})"


def post_facts(connection: BaseDatabaseWrapper, campaign_id: int, facts: Sequence[Fact]) -> None:
    """Judge facts (of one campaign, in order) and write everything that follows from them."""
    judged(connection, campaign_id, facts).write()


def judged(connection: BaseDatabaseWrapper, campaign_id: int, facts: Sequence[Fact]) -> "Posting":
    """The same, judged and not written yet. Nobody else may write to the books in between."""
    posting = Posting(connection, campaign_id)
    for part in _split_at_rulings(facts):
        posting.judge(part)
    posting.add_up()
    return posting


def _split_at_rulings(facts: Sequence[Fact]) -> Iterable[list[Fact]]:
    """Parts that each begin with at most one ruling: what it changes decides which counters the rest asks for."""
    part: list[Fact] = []
    for fact in facts:
        if fact.kind in RULINGS and part:
            yield part
            part = []
        part.append(fact)
    if part:
        yield part


class Posting:
    """One batch: judged in memory against the past, then written at once."""

    def __init__(self, connection: BaseDatabaseWrapper, campaign_id: int) -> None:
        self.connection, self.campaign_id = connection, campaign_id
        self.past = Past(connection, campaign_id)
        self.rulings: list[Fact] = []
        self.decisions: list[Recorded] = []
        self.transfers: list[Transfer] = []
        self.enrolled: set[int] = set()
        self.earned: dict[int, list[int]] = defaultdict(lambda: [0, 0])  # fan -> [confirmed, pending] to add
        self.begun: dict[int, int | None] = {}  # waiting decision -> when it is due
        self.ended: set[int] = set()
        self.totals: list[tuple[int, ...]] = []
        self.levels: dict[int, int] = defaultdict(int)  # points -> change in the number of fans who have them

    def judge(self, facts: Sequence[Fact]) -> None:
        """Judge facts in order; nothing is written yet."""
        if facts and facts[0].kind in RULINGS:
            self._rule(facts[0])
        self.past.prepare(facts)
        for fact in facts:
            if fact.kind in LATER:
                self._judge_later(fact)
            elif fact.kind not in RULINGS:
                self._judge_first(fact)

    def _rule(self, fact: Fact) -> None:
        self.rulings.append(fact)
        self.past.rule(fact.kind, dict(fact.body))

    def _judge_first(self, fact: Fact) -> None:
        self._keep_count(fact)
        for mission, keys in self.past.judging(fact):
            season = self.past.season
            assert season is not None, "missions are judged within a season"
            decision = decide(fact, mission, season, self._earned(keys))
            if decision is not None:
                decision = after_result(decision) if self.past.is_final else decision
                counted = keys.counted if decision.outcome in COUNTING else ()
                if decision.outcome in IN_REVIEW:
                    counted += keys.waiting
                    self.past.add(keys.waiting, +1)
                else:
                    self.past.add(counted, +1)
                self._record(fact, mission.key, mission.version, decision, counted, was_waiting=False)

    def _keep_count(self, fact: Fact) -> None:
        """What a fact changes whatever any mission says of it."""
        if fact.kind == Kind.FAN_CONFIRMED:
            self.enrolled.add(fact.body["fan"])
        elif fact.kind == Kind.ARRIVAL_CONFIRMED:
            self.past.add((arrivals_key(fact.body["share"]),), +1)
        elif fact.kind in (Kind.RIGHT_AGREED, Kind.RIGHT_WITHDRAWN):
            key = closed_key(fact.body["title"], fact.body["way"])
            self.past.put(key, 0 if fact.body["open"] else self.past.count(key) or fact.seen_at_us)

    def _earned(self, keys: Keys) -> Earned:
        known = self.past.counters.get
        return Earned(
            the_same=sum([known(key, 0) for key in keys.the_same]),
            waiting=sum([known(key, 0) for key in keys.waiting]),
            by_fan=known(keys.by_fan, 0),
            by_fan_today=known(keys.by_fan_today, 0),
            from_network_today=known(keys.from_network_today, 0),
            to_unknown_today=known(keys.to_unknown_today, 0),
            closed_since_us=known(keys.closed_since, 0),
        )

    def _judge_later(self, fact: Fact) -> None:
        """A hold ended, a review was decided, an award was taken back: moot where that was settled before, and
        once the result is final.
        """
        seq = fact.body["decision"]
        before = self.past.decisions.get(seq)
        if before is None or self.past.is_final:
            return
        if fact.kind == Kind.AWARD_REVERSED:
            self._reverse(fact, before)
        elif seq in self.past.waiting and _settles(fact, before):
            self._settle(fact, before)

    def _settle(self, fact: Fact, before: Recorded) -> None:
        in_review = before.decision.outcome in IN_REVIEW
        if fact.kind == Kind.HOLD_ENDED:
            decision = after_hold(before.decision)
        else:
            the_same = [key for key in before.counted if key.startswith(SAME)]
            meanwhile = in_review and any(self.past.count(key) > 0 for key in the_same)
            decision = after_review(
                before.decision, accepted=fact.body["accepted"], counted_meanwhile=meanwhile
            )
        self.past.waiting.discard(before.seq)
        self.begun.pop(before.seq, None)
        self.ended.add(before.seq)
        waiting = tuple(key for key in before.counted if key.startswith(WAITS))
        awarded = decision.outcome is Outcome.AWARDED
        counted = tuple(key for key in before.counted if key not in waiting) if awarded else ()
        if in_review:
            self.past.add(counted, +1)
            self.past.add(waiting, -1)
        elif not counted:
            self.past.add(before.counted, -1)
        self._record(fact, before.mission, before.version, decision, counted, was_waiting=True)

    def _reverse(self, fact: Fact, before: Recorded) -> None:
        key = reversed_key(before.seq)
        if before.decision.outcome is not Outcome.AWARDED or self.past.count(key):
            return
        self.past.put(key, 1)
        self.past.add(before.counted, -1)
        self._record(
            fact, before.mission, before.version, after_reversal(before.decision), (), was_waiting=False
        )

    def _record(
        self,
        fact: Fact,
        mission: str,
        version: int,
        decision: Decision,
        counted: tuple[str, ...],
        *,
        was_waiting: bool,
    ) -> None:
        self.past.last_decision += 1
        made = recorded(
            seq=self.past.last_decision,
            fact_seq=fact.seq,
            mission=mission,
            version=version,
            decision=decision,
            counted=counted,
        )
        self.decisions.append(made)
        self.past.decisions[made.seq] = made
        if decision.outcome in WAITING:
            self.past.waiting.add(made.seq)
            self.begun[made.seq] = decision.due_at_us
        self._transfer(fact, made, was_waiting=was_waiting)

    def _transfer(self, fact: Fact, made: Recorded, *, was_waiting: bool) -> None:
        accounts = movement(made.decision, was_waiting=was_waiting)
        if accounts is None:
            return
        source, target = accounts
        self.past.last_transfer += 1
        transfer = chained(
            seq=self.past.last_transfer,
            fact=fact.seq,
            mission=made.mission,
            version=made.version,
            source=source,
            target=target,
            points=made.decision.points,
            at_us=fact.seen_at_us,
            previous=self.past.last_hash,
        )
        self.past.last_hash = transfer.sha256
        self.transfers.append(transfer)
        earned = self.earned[made.decision.fan]
        for account, points in ((source, -transfer.points), (target, transfer.points)):
            if account != ISSUE:
                earned[account.startswith(PENDING)] += points

    def add_up(self) -> None:
        """Work out the standings that follow; nothing is written yet."""
        fans = sorted(self.enrolled | self.earned.keys())
        before = self._totals_of(fans)
        for fan in fans:
            confirmed, waiting = before.get(fan, (0, 0))
            if fan in before:
                self.levels[confirmed] -= 1
            more_confirmed, more_waiting = self.earned[fan]
            self.totals.append((self.campaign_id, fan, confirmed + more_confirmed, waiting + more_waiting))
            self.levels[confirmed + more_confirmed] += 1

    def write(self) -> None:
        """Write everything judged, in a handful of statements; the caller holds the transaction."""
        campaign = self.campaign_id
        self._many(INSERT_RULING, [(campaign, f.seq, f.kind, canonical(f.body)) for f in self.rulings])
        self._many(INSERT_DECISION, [_decision_row(campaign, made) for made in self.decisions])
        self._many(INSERT_TRANSFER, [_transfer_row(campaign, transfer) for transfer in self.transfers])
        self._many(INSERT_HOLD, [(campaign, seq, due) for seq, due in self.begun.items()])
        self._many(DELETE_HOLD, [(campaign, seq) for seq in self.ended])
        self._many(SET_COUNTER, [(campaign, place, n) for place, n in self.past.changed_counters()])
        self._many(SET_TOTAL, self.totals)
        self._write_histogram(self.levels)

    def _write_histogram(self, levels: Mapping[int, int]) -> None:
        """Only net changes touch the histogram: a fan who climbs within a batch writes two rows, not twenty."""
        buckets: dict[int, int] = defaultdict(int)
        for points, change in levels.items():
            buckets[points // BUCKET_POINTS] += change
        self._change(levels, ADD_TO_LEVEL, DELETE_EMPTY_LEVEL)
        self._change(buckets, ADD_TO_BUCKET, DELETE_EMPTY_BUCKET)

    def _change(self, fans: Mapping[int, int], add: str, delete_empty: str) -> None:
        changes = [(self.campaign_id, place, change) for place, change in sorted(fans.items()) if change]
        self._many(add, changes)
        self._many(delete_empty, [(campaign, place) for campaign, place, change in changes if change < 0])

    def _totals_of(self, fans: Sequence[int]) -> dict[int, tuple[int, int]]:
        if not fans:
            return {}
        with self.connection.cursor() as cursor:
            cursor.execute(READ_TOTALS.format(", ".join(["%s"] * len(fans))), [self.campaign_id, *fans])
            return {fan: (confirmed, waiting) for fan, confirmed, waiting in cursor.fetchall()}

    def _many(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            with self.connection.cursor() as cursor:
                cursor.executemany(statement, rows)


def _settles(fact: Fact, before: Recorded) -> bool:
    """A hold ends what waits for a time; a review may end either kind of waiting."""
    return fact.kind == Kind.REVIEW_DECIDED or before.decision.outcome is Outcome.HELD_UNTIL


def _decision_row(campaign: int, made: Recorded) -> tuple[Any, ...]:
    decision = made.decision
    outcome = str(decision.outcome)
    return (
        campaign,
        made.seq,
        made.fact_seq,
        made.mission,
        decision.fan,
        outcome,
        decision.points,
        made.body,
    )


def _transfer_row(campaign: int, transfer: Transfer) -> tuple[Any, ...]:
    accounts = (transfer.source, transfer.target, transfer.points)
    return (campaign, transfer.seq, *accounts, transfer.body, transfer.previous, transfer.sha256)
