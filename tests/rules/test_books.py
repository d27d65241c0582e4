"""The books as a whole: points neither made nor lost, the same journal the same books, undone is as never done.

Whatever happens is drawn at random: joining, arriving, downloading, rights withdrawn, holds ended, reviews,
reversals, and rules changing in between. The real judging and posting run, into empty books of their own.
"""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import cast
from tests.cast import AT_US, DAY_US, DOWNLOAD, HOUR_US, RECRUIT, SEASON, SPREAD
from vteam.journal import models as journal
from vteam.journal.queries import chained_hash
from vteam.journal.sql import INSERT_FACT
from vteam.ledger.posting import post_facts
from vteam.ledger.replay import MODELS, first_difference, scratch_books
from vteam.ledger.verify import verify
from vteam.rules import facts
from vteam.rules.canonical import GENESIS, canonical
from vteam.rules.facts import Fact, Kind, NewFact
from vteam.rules.missions import Mission
from vteam.rules.transfers import ISSUE

FANS = 3
_campaigns = itertools.count(1)
LIMITED = (
    replace(RECRUIT, hold_us=DAY_US, per_fan=4),
    replace(SPREAD, per_fan_per_day=3, per_network_per_day=2),
    DOWNLOAD,
)


@pytest.fixture(scope="module")
def books(django_db_blocker: Any) -> Iterator[BaseDatabaseWrapper]:
    """Empty books and a journal in a file of their own; each run in them is a campaign of its own."""
    with django_db_blocker.unblock(), scratch_books() as scratch:
        with scratch.schema_editor() as editor:
            editor.create_model(journal.Fact)
        yield scratch


# Histories drawn at random --------------------------------------------------------------------------------------
moments = st.integers(-2, 60).map(lambda hours: AT_US + hours * HOUR_US)
fans = st.integers(1, FANS)
numbers = st.integers(1, 9)
networks = st.sampled_from(["home", "school", ""])
shares = st.integers(10, 10 * FANS + 9)


def _arrival(share: int, near: str, by: int | None, at_us: int) -> NewFact:
    return cast.arrival(share, share // 10, near=near, by=by, day=SEASON.day_of(at_us), at_us=at_us)


def _right(title: int, is_open: bool, event: int, at_us: int) -> NewFact:
    return facts.right_changed(
        agreed=is_open, event=event, title=title, way="download", holder=1, is_open=is_open, at_us=at_us
    )


def _mission(base: Mission, points: int, hold_us: int, version: int, withdrawn: bool, at_us: int) -> NewFact:
    changed = replace(
        base, version=version, points=points, hold_us=hold_us, withdrawn=withdrawn, from_us=at_us
    )
    return cast.mission_fact(changed, at_us=at_us)


def _season(hours: int, zone: str, version: int) -> NewFact:
    season = replace(SEASON, ends_at_us=AT_US + hours * HOUR_US, time_zone=zone)
    return cast.season_fact(season, version=version, at_us=AT_US)


happenings = st.one_of(
    st.builds(
        cast.joined,
        fans,
        recruiter=st.none() | fans,
        network=networks,
        same_session=st.booleans(),
        at_us=moments,
    ),
    st.builds(_arrival, shares, networks, st.none() | fans, moments),
    st.builds(_arrival, shares, networks, st.none(), moments),
    st.builds(facts.title_downloaded, fan=fans, title=st.integers(1, 2), at_us=moments),
    st.builds(_right, st.integers(1, 2), st.booleans(), st.integers(1, 9), moments),
    st.builds(facts.hold_ended, decision=numbers, at_us=moments),
    st.builds(
        facts.review_decided, decision=numbers, accepted=st.booleans(), reason=st.just(""), at_us=moments
    ),
    st.builds(facts.award_reversed, decision=numbers, reason=st.just(""), at_us=moments),
    st.builds(
        _mission,
        st.sampled_from(LIMITED),
        st.integers(1, 900),
        st.sampled_from([0, HOUR_US]),
        st.integers(2, 9),
        st.booleans(),
        moments,
    ),
    st.builds(
        _season, st.integers(0, 100), st.sampled_from(["Europe/Paris", "Asia/Tokyo"]), st.integers(2, 5)
    ),
)


def history(new: Sequence[NewFact], missions: Sequence[Mission] = LIMITED) -> list[NewFact]:
    """What the journal would keep of these: the season and missions first, each key once."""
    begun = [cast.season_fact(), *map(cast.mission_fact, missions), *new]
    return list({fact.key: fact for fact in reversed(begun)}.values())[::-1]


@st.composite
def settlements(draw: st.DrawFn) -> list[NewFact]:
    """One award settled in several ways close to each other, perhaps with the rules changing in between."""
    number, at_us = draw(st.integers(1, 6)), draw(moments)
    ends = [
        facts.hold_ended(decision=number, at_us=at_us),
        facts.review_decided(decision=number, accepted=draw(st.booleans()), reason="", at_us=at_us),
        facts.award_reversed(decision=number, reason="", at_us=at_us),
    ]
    change = _mission(draw(st.sampled_from(LIMITED)), 10, 0, draw(st.integers(10, 19)), False, at_us)
    return draw(st.permutations([*ends, change]))


def flat(parts: Sequence[Sequence[NewFact]]) -> list[NewFact]:
    return [fact for part in parts for fact in part]


doings = happenings.map(lambda happening: [happening]) | settlements()
histories = (st.lists(doings, max_size=8) | st.lists(doings, min_size=20, max_size=45)).map(flat).map(history)


# Running them ---------------------------------------------------------------------------------------------------
def chained_rows(campaign: int, facts: Sequence[Fact]) -> Iterator[tuple[object, ...]]:
    """Facts as the journal stores them, each with the hash that follows from the one before."""
    sha256 = GENESIS
    for fact in facts:
        row = (campaign, fact.seq, fact.kind, fact.key, fact.seen_at_us, canonical(fact.body))
        sha256 = chained_hash(row, after=sha256)
        yield (*row, sha256)


def posted(books: BaseDatabaseWrapper, new: Sequence[NewFact], cuts: Sequence[int] = ()) -> int:
    """Journal and post a history as a new campaign, in batches cut at these places; returns the campaign."""
    campaign = next(_campaigns)
    journaled = [
        Fact(
            campaign_id=campaign, seq=seq, kind=n.kind, key=n.key, seen_at_us=n.seen_at_us, body=dict(n.body)
        )
        for seq, n in enumerate(new, start=1)
    ]
    with books.cursor() as cursor:
        cursor.executemany(
            INSERT_FACT,
            list(chained_rows(campaign, journaled)),
        )
    edges = sorted({0, *(cut % (len(journaled) + 1) for cut in cuts), len(journaled)})
    for begin, end in itertools.pairwise(edges):
        post_facts(books, campaign, journaled[begin:end])
    return campaign


def rows(books: BaseDatabaseWrapper, table: str, campaign: int, columns: str) -> list[tuple[Any, ...]]:
    with books.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table} WHERE campaign_id = %s ORDER BY {columns}", [campaign])
        return [tuple(row) for row in cursor.fetchall()]


def everything(books: BaseDatabaseWrapper, campaign: int) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of a campaign's books; levels nobody stands on and counts of zero say nothing."""
    found = {}
    for model in MODELS:
        table = model._meta.db_table
        columns = [field.column for field in model._meta.concrete_fields if field.column != "campaign_id"]
        found[table] = rows(books, table, campaign, ", ".join(columns))
    for table in ("ledger_level", "ledger_bucket", "ledger_counter"):
        found[table] = [row for row in found[table] if row[-1] != 0]
    return found


@dataclass
class Balance:
    least: int = 0
    now: int = 0

    def add(self, points: int) -> None:
        self.now += points
        self.least = min(self.least, self.now)


def balances(books: BaseDatabaseWrapper, campaign: int) -> dict[str, Balance]:
    """What every account holds, and the least it ever held, from the transfers alone."""
    accounts: dict[str, Balance] = {}
    for _, source, target, points in rows(books, "ledger_transfer", campaign, "seq, source, target, points"):
        accounts.setdefault(source, Balance()).add(-points)
        accounts.setdefault(target, Balance()).add(points)
    return accounts


# What always holds ----------------------------------------------------------------------------------------------
@given(new=histories)
def test_points_are_neither_made_nor_lost(books: BaseDatabaseWrapper, new: list[NewFact]) -> None:
    campaign = posted(books, new)
    accounts = balances(books, campaign)
    assert sum(balance.now for balance in accounts.values()) == 0
    assert all(balance.least >= 0 for name, balance in accounts.items() if name != ISSUE)
    totals = rows(books, "ledger_total", campaign, "fan_id, confirmed, pending")
    held = {f"confirmed:{fan}": confirmed for fan, confirmed, _ in totals}
    held |= {f"pending:{fan}": pending for fan, _, pending in totals}
    kept = {name: balance.now for name, balance in accounts.items() if name != ISSUE}
    assert {k: v for k, v in held.items() if v} == {k: v for k, v in kept.items() if v}
    assert verify(books, campaign) is None


@given(new=histories)
def test_no_counter_ever_falls_below_zero_and_what_waits_is_what_is_pending(
    books: BaseDatabaseWrapper, new: list[NewFact]
) -> None:
    campaign = posted(books, new)
    assert all(n >= 0 for _, n in rows(books, "ledger_counter", campaign, "key, n"))
    waiting = {seq for (seq,) in rows(books, "ledger_hold", campaign, "decision_seq")}
    decided = rows(books, "ledger_decision", campaign, "seq, points")
    pending = sum(points for (points,) in rows(books, "ledger_total", campaign, "pending"))
    assert pending == sum(points for seq, points in decided if seq in waiting)


@settings(max_examples=150)
@given(new=histories, cuts=st.lists(st.integers(0, 60), max_size=12))
def test_the_same_journal_gives_the_same_books_however_it_was_cut_into_batches(
    books: BaseDatabaseWrapper, new: list[NewFact], cuts: list[int]
) -> None:
    whole, cut = posted(books, new), posted(books, new, cuts)
    assert everything(books, whole) == everything(books, cut)


def test_a_review_and_a_hold_that_meet_around_a_rule_change_in_one_batch_settle_once(
    books: BaseDatabaseWrapper,
) -> None:
    """A hold fetched again after a rule change looked as if it still waited."""
    begun = history([cast.joined(2, recruiter=1)])
    settled = [
        facts.review_decided(decision=1, accepted=True, reason="", at_us=AT_US),
        _mission(DOWNLOAD, 60, 0, 2, False, AT_US),
        facts.hold_ended(decision=1, at_us=AT_US),
    ]
    campaign = posted(books, [*begun, *settled], cuts=[len(begun)])
    assert rows(books, "ledger_total", campaign, "fan_id, confirmed, pending") == [(1, 500, 0), (2, 0, 0)]


# What can be undone ---------------------------------------------------------------------------------------------
def _without_traces(found: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """What decides later awards and shows in the standings; arrivals are counted whatever they earn."""
    counters = [row for row in found["ledger_counter"] if not row[0].startswith(("arrivals:", "reversed:"))]
    standings = {
        name: found[name] for name in ("ledger_total", "ledger_level", "ledger_bucket", "ledger_hold")
    }
    return {"ledger_counter": counters, **standings}


def _last_decision(books: BaseDatabaseWrapper, campaign: int) -> tuple[int, str]:
    seq, body = rows(books, "ledger_decision", campaign, "seq, body")[-1]
    return seq, json.loads(body)["outcome"]


@given(new=histories, share=st.integers(40, 99), near=networks)
def test_an_award_taken_back_leaves_standings_and_counters_as_they_were(
    books: BaseDatabaseWrapper, new: list[NewFact], share: int, near: str
) -> None:
    new = [fact for fact in new if fact.kind not in (Kind.CAMPAIGN_VERSIONED, Kind.MISSION_VERSIONED)]
    begun = history([*new, cast.joined(share // 10)], (RECRUIT, SPREAD, DOWNLOAD))
    came = _arrival(share, near, None, AT_US + 1)
    seq, outcome = _last_decision(books, posted(books, [*begun, came]))
    assert outcome == "awarded"
    back = replace(facts.award_reversed(decision=seq, reason="", at_us=AT_US + 2), key="the last word")
    before = everything(books, posted(books, begun))
    after = everything(books, posted(books, [*begun, came, back]))
    assert _without_traces(after) == _without_traces(before)


@given(new=histories, share=st.integers(40, 99))
def test_a_refused_award_leaves_standings_and_counters_as_they_were(
    books: BaseDatabaseWrapper, new: list[NewFact], share: int
) -> None:
    held = (RECRUIT, replace(SPREAD, hold_us=DAY_US), DOWNLOAD)
    new = [fact for fact in new if fact.kind not in (Kind.CAMPAIGN_VERSIONED, Kind.MISSION_VERSIONED)]
    begun = history([*new, cast.joined(share // 10)], held)
    came = _arrival(share, "far", None, AT_US + 1)
    seq, outcome = _last_decision(books, posted(books, [*begun, came]))
    assert outcome == "held_until"
    refused = facts.review_decided(decision=seq, accepted=False, reason="", at_us=AT_US + 2)
    refused = replace(refused, key="the last word")
    before = everything(books, posted(books, begun))
    after = everything(books, posted(books, [*begun, came, refused]))
    assert _without_traces(after) == _without_traces(before)


def test_what_was_taken_back_can_be_earned_again_and_is_taken_back_only_once(
    books: BaseDatabaseWrapper,
) -> None:
    first, again = _arrival(10, "home", None, AT_US), _arrival(10, "home", None, AT_US + DAY_US)
    back = facts.award_reversed(decision=1, reason="", at_us=AT_US + 1)
    twice = replace(back, key="reversal:1:again")
    campaign = posted(books, history([cast.joined(1), first, back, twice, again]))
    outcomes = [
        json.loads(body)["outcome"] for _, body in rows(books, "ledger_decision", campaign, "seq, body")
    ]
    assert outcomes == ["awarded", "reversed", "awarded"]
    assert rows(books, "ledger_total", campaign, "confirmed, pending") == [(50, 0)]


def test_only_what_counted_can_be_taken_back_and_only_what_waits_can_be_settled(
    books: BaseDatabaseWrapper,
) -> None:
    begun = history([cast.joined(2, recruiter=1)])  # decision 1 is held
    moot = [
        facts.award_reversed(decision=1, reason="", at_us=AT_US),
        facts.hold_ended(decision=99, at_us=AT_US),
        facts.hold_ended(decision=1, at_us=AT_US),  # decision 2: it counts
        facts.review_decided(decision=1, accepted=False, reason="", at_us=AT_US),
    ]
    campaign = posted(books, [*begun, *moot])
    assert rows(books, "ledger_total", campaign, "fan_id, confirmed, pending") == [(1, 500, 0), (2, 0, 0)]
    assert len(rows(books, "ledger_decision", campaign, "seq")) == 2


def test_the_end_of_a_hold_does_not_settle_what_a_person_has_to_look_at(books: BaseDatabaseWrapper) -> None:
    near = [_arrival(share, "school", None, AT_US) for share in (10, 11, 12)]
    begun = history([cast.joined(1), *near], (replace(SPREAD, per_network_per_day=2),))
    campaign = posted(books, [*begun, facts.hold_ended(decision=3, at_us=AT_US)])
    assert rows(books, "ledger_total", campaign, "confirmed, pending") == [(100, 50)]


# Order ----------------------------------------------------------------------------------------------------------
own = st.tuples(st.sampled_from(["join", "arrive", "download"]), st.integers(0, 4), st.integers(0, 40))


@given(
    each=st.lists(st.lists(own, max_size=8), min_size=FANS, max_size=FANS),
    order=st.randoms(use_true_random=False),
)
def test_what_different_fans_do_from_different_networks_may_arrive_in_any_order(
    books: BaseDatabaseWrapper, each: list[list[tuple[str, int, int]]], order: Any
) -> None:
    queues = [[_own_fact(fan, *what) for what in doings] for fan, doings in enumerate(each, start=1)]
    straight = [fact for queue in queues for fact in queue]
    turns = [index for index, queue in enumerate(queues) for _ in queue]
    order.shuffle(turns)
    mixed_queues = [iter(queue) for queue in queues]
    mixed = [next(mixed_queues[index]) for index in turns]
    one, other = posted(books, history(straight)), posted(books, history(mixed))
    for table, columns in (("ledger_total", "fan_id, confirmed, pending"), ("ledger_counter", "key, n")):
        assert rows(books, table, one, columns) == rows(books, table, other, columns)


def _own_fact(fan: int, what: str, which: int, hours: int) -> NewFact:
    at_us = AT_US + hours * HOUR_US
    if what == "join":
        return cast.joined(fan * 100 + which, recruiter=fan, network=f"home {fan}", at_us=at_us)
    if what == "arrive":
        return _arrival(fan * 10 + which, f"home {fan}", None, at_us)
    return facts.title_downloaded(fan=fan, title=which, at_us=at_us)


def test_a_reader_can_tell_two_different_books_apart(books: BaseDatabaseWrapper) -> None:
    campaign = posted(books, history([cast.joined(1), _arrival(10, "home", None, AT_US)]))
    with scratch_books() as others:
        assert "decision 1 differs" in str(first_difference(books, others, campaign))
