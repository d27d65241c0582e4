"""The loop of the `jobs` process: everything that is due, again and again, until it is told to stop.

Work is found by looking at rows, so nothing can be lost between two runs. A job that fails is reported and tried
again, ever later; the others go on. While the database is away that is a line now and then, not a traceback a turn.
"""

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import close_old_connections, connection

from vteam import clock
from vteam.campaigns.services import close_past, freeze_results
from vteam.channels.links.services import forget_spent
from vteam.channels.mail import alarms, faults
from vteam.channels.mail.courier import delivering
from vteam.channels.mail.mailings import put_into_outbox
from vteam.channels.mail.outbox import forget_ended
from vteam.channels.mail.returns import receiving
from vteam.channels.mail.telling import PointsTeller, tell_winners
from vteam.channels.swarm.otherhashes import hash_others
from vteam.channels.swarm.services import forget_asked
from vteam.channels.worlds.avatars import forget_waiting
from vteam.channels.worlds.enrolling import forget_nonces
from vteam.jobs import counted
from vteam.jobs.checkpoints import WriteAheadLog
from vteam.jobs.edgefile import EdgeFile
from vteam.jobs.moving import InboxTable, Mover
from vteam.jobs.pushing import pushing
from vteam.jobs.room import take_room
from vteam.jobs.rounds import fetching
from vteam.ledger.services import end_due_holds
from vteam.metrics.ports import port_of
from vteam.outage import report
from vteam.people.services import forget_expired
from vteam.permissions.budgets import forget_past
from vteam.prizes.offers import forget_details, offer_due

logger = logging.getLogger(__name__)
TURN_SECONDS = 0.2
HOLDS_AT_ONCE = 500
OTHERS_AT_ONCE = 2
TROUBLE_SECONDS_MAX = 30.0


@dataclass(slots=True)
class Job:
    """Something to do every `every` seconds; `due` is the monotonic time of its next turn."""

    name: str
    run: Callable[[], int]
    every: float = 0.0
    due: float = 0.0
    failures: int = 0


def jobs(log: WriteAheadLog) -> list[Job]:
    """Everything the loop does, in the order of a turn; `log` is told of what is moved."""
    teller = PointsTeller()
    found = [
        Job("end holds", lambda: end_due_holds(at_us=clock.now_us(), at_most=HOLDS_AT_ONCE)),
        Job("move the inbox", Mover(InboxTable(), log).move),
        Job("make results final", lambda: freeze_results(at=clock.now()), every=1.0),
        Job("offer prizes", lambda: offer_due(at=clock.now()), every=2.0),
        Job("forget what expired", forget, every=60.0),
        Job("put news into the outbox", lambda: put_into_outbox(at=clock.now()), every=1.0),
        Job("hash for other networks", lambda: hash_others(at_most=OTHERS_AT_ONCE), every=2.0),
        Job("tell winners", lambda: tell_winners(at=clock.now()), every=2.0),
        Job("tell points", lambda: teller.turn(at=clock.now()), every=2.0),
    ]
    if connection.vendor == "sqlite":
        edge = EdgeFile(edge_file())
        found.insert(1, Job("move the edge's inbox", Mover(edge, log).move))
    return found


def edge_file() -> Path:
    """Where the edge leaves its rows beside a SQLite database."""
    return Path(settings.DATA) / "edge.sqlite3"


def forget() -> int:
    """Delete what has expired: codes, used tokens, budgets, sent mail, sessions; returns how many rows."""
    at = clock.now()
    sessions: int = Session.objects.filter(expire_date__lt=at).delete()[0]
    return (
        forget_expired(at=at)
        + forget_spent(at=at)
        + forget_past(at=at)
        + forget_asked(at=at)
        + forget_ended(at=at)
        + close_past(at=at)
        + forget_details(at=at)
        + forget_waiting(at=at)
        + forget_nonces(at=at)
        + sessions
    )


def run_due(found: list[Job], *, at: float) -> int:
    """Run the jobs whose turn it is; returns how much was done."""
    return sum(_run(job, at) for job in found if job.due <= at)


def _run(job: Job, at: float) -> int:
    counted.turned()
    try:
        done = job.run()
    except Exception as fault:
        job.failures += 1
        counted.failed(job.name)
        pause = min(TURN_SECONDS * 2 ** min(job.failures, 16), TROUBLE_SECONDS_MAX)
        job.due = at + report(logger, job.name, fault, failures=job.failures, pause=pause)
        close_old_connections()
        return 0
    if job.failures:
        logger.info("%s works again", job.name)
    job.failures, job.due = 0, at + job.every
    counted.worked(job.name)
    return done


def main() -> None:
    """Run until SIGTERM or SIGINT; the turn under way is finished first."""
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    faults.begin(alarms.tell_fault)
    log = WriteAheadLog()
    found = jobs(log)
    _tell_figures()
    take_room()
    # Beside the loop: no slow server of mail or of rounds, no slow world and no copying of the log must hold up facts.
    with delivering(), receiving(), fetching(), pushing(), log.copied_beside():
        while not stop.asked:
            done = run_due(found, at=time.monotonic())
            if not done or any(job.failures for job in found):
                time.sleep(TURN_SECONDS)


def _tell_figures() -> None:
    """Opens the private port, if the settings ask for one; what it needs is loaded only then."""
    if port_of("jobs"):
        from vteam.jobs.figures import JobsFigures
        from vteam.metrics.port import open_port

        figures = JobsFigures(edge_file() if connection.vendor == "sqlite" else None)
        open_port("jobs", figures, figures.well)


class Stop:
    """Remembers that a signal asked us to stop. A plain flag: a handler may run in the middle of anything."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        self.asked = True
