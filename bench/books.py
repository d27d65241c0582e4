"""How fast facts become points, and how long a rank takes, on this machine: `python -m bench.books [--fans N]`.

Uses a SQLite data folder of its own, gone afterwards. Prints medians; timings on a shared machine are noisy, so
compare only figures of one run.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable

FACTS_PER_ROUND = 5_000
ROUNDS = 5
RANKS = 500


def main() -> None:
    """Fill a campaign, move rounds of arrivals through the books, ask for ranks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fans", type=int, default=20_000)
    fans = parser.parse_args().fans
    with tempfile.TemporaryDirectory(prefix="vteam-bench-") as data:
        os.environ.update(VTEAM_DATA=data, VTEAM_DEMO="true", DJANGO_SETTINGS_MODULE="vteam.settings")
        os.environ.pop("VTEAM_DATABASE_URL", None)
        from vteam.processes.run import prepare

        prepare()
        measure(fans)


def measure(fans: int) -> None:
    """Print facts per second and microseconds per rank with so many fans."""
    from django.db import transaction

    from vteam import clock
    from vteam.jobs.moving import InboxTable, Mover
    from vteam.journal.services import record_fact
    from vteam.ledger import queries
    from vteam.rules import facts
    from vteam.rules.missions import Mission

    now, campaign = clock.now_us(), 1
    year = 365 * 86_400 * 1_000_000
    season = {"starts_at_us": now - year, "ends_at_us": now + year, "time_zone": "Europe/Paris"}
    mission = Mission(
        key="spread",
        version=1,
        kind="spread",
        points=50,
        from_us=0,
        opens_at_us=now - year,
        closes_at_us=now + year,
    ).body()
    mover = Mover(InboxTable())

    def fill(count: int, fact: Callable[[int], facts.NewFact]) -> None:
        with transaction.atomic():
            for number in range(count):
                record_fact(campaign_id=campaign, fact=fact(number))

    def joined(number: int) -> facts.NewFact:
        return facts.fan_confirmed(
            fan=number, recruiter=None, share=None, network="", same_session=False, at_us=now
        )

    def arrived(number: int) -> facts.NewFact:
        networks = (f"a{number}", f"n{number}", "w")
        owner = number * number % fans
        return facts.arrival_confirmed(
            share=number, owner=owner, networks=networks, day="today", by=None, act="stayed", at_us=now
        )

    with transaction.atomic():
        record_fact(
            campaign_id=campaign,
            fact=facts.campaign_versioned(version=1, season=season, sha256="", at_us=now),
        )
        record_fact(campaign_id=campaign, fact=facts.mission_versioned(mission=mission, at_us=now))
    fill(fans, joined)
    mover.move()
    speeds = []
    for turn in range(ROUNDS):
        fill(FACTS_PER_ROUND, lambda number, turn=turn: arrived(turn * FACTS_PER_ROUND + number))  # type: ignore[misc]
        begun = time.perf_counter()
        mover.move()
        speeds.append(FACTS_PER_ROUND / (time.perf_counter() - begun))
    took = []
    for number in range(RANKS):
        begun = time.perf_counter()
        queries.standing_of(campaign, number * 37 % fans)
        took.append((time.perf_counter() - begun) * 1_000_000)
    print(
        f"{fans} fans: {statistics.median(speeds):,.0f} facts/s posted, {statistics.median(took):,.0f} µs a rank"
    )


if __name__ == "__main__":
    main()
