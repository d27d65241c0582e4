"""Mail: from the outbox, each letter with its permit, into a real Postfix, beside bare smtplib with the same letters.

Then letters of every fate are sent by a real `jobs`, killed in the middle again and again: every one must be accounted
for, none come twice, none leave without a yes.
"""

import os
import signal
import smtplib
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from bench.folder import prepared_folder
from bench.installation import Installation
from bench.postfix import RETURN_PATH, MailServer, mail_server
from bench.report import Report
from bench.rounds import interleaved, median_ratio
from bench.tools import Misleading
from vteam.errors import CannotStart

if TYPE_CHECKING:
    from bench.letters import Accounts
    from vteam.campaigns.models import Campaign

QUIET_SECONDS_MAX = 240.0
SETTLED_SECONDS_MAX = 240.0
SENDER = "vteam@vteam.test"
# Letters leave at any hour, and as fast as they can.
UNHURRIED = {
    "EMAIL_FROM": SENDER,
    "BOUNCES_ADDRESS": RETURN_PATH,
    "QUIET_HOURS": "0-0",
    "MAILS_PER_DOMAIN_MINUTE": "1000000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Letters a round of each side sends, and rounds; letters built; letters of every fate, and how often killed."""

    rounds: int
    letters: int
    built: int
    mixed: int
    kills: int


QUICK = Sizes(rounds=3, letters=300, built=3_000, mixed=600, kills=3)
FULL = Sizes(rounds=7, letters=1_000, built=20_000, mixed=10_000, kills=10)


def run(*, quick: bool) -> Report:
    """The whole bench, short or long."""
    return measured(QUICK if quick else FULL)


def measured(sizes: Sizes) -> Report:
    """Letters a second into Postfix, beside smtplib; how fast they are built; then what became of every fate."""
    with mail_server() as server, _installed(server) as folder:
        from vteam.demo.opening import open_demo

        campaign = open_demo()
        built_per_s = _built(campaign, sizes.built)
        given = _sent(campaign, server, sizes)
        found, kills, mixed_s = mixed(campaign, server, folder, count=sizes.mixed, kills=sizes.kills, seed=1)
    if found.problems:
        raise Misleading("\n".join(found.problems[:20]))
    return Report(
        bench="mail",
        figures={
            "per_s": statistics.median(given["outbox"]),
            "smtplib_per_s": statistics.median(given["smtplib"]),
            "built_per_s": built_per_s,
            "mixed": sizes.mixed,
            "mixed_s": mixed_s,
            "kills": kills,
            "unsure": found.ended.get("unsure", 0),
            "unaccounted": len(found.problems),
        },
        ratios={"smtplib": median_ratio(given["outbox"], given["smtplib"])},
        notes=[
            f"{sizes.rounds} rounds of {sizes.letters} letters each, in turn, each over one connection",
            f"of every fate: {', '.join(f'{count} {state}' for state, count in sorted(found.ended.items()))}",
        ],
    )


def _built(campaign: "Campaign", count: int) -> float:
    """Letters made for their readers, a second: rendered once a language, then each reader's own put in."""
    import datetime as dt

    from vteam import clock
    from vteam.channels.mail.letters import Reader, written
    from vteam.rules.grants import Purpose

    at, file = clock.now(), campaign.file
    content = {
        "campaign": {"name": file.name, "team": file.team, "artist": file.artist},
        "items": [{"title": "Les digues", "address": "https://vteam.example/"}],
    }
    begun = time.perf_counter()
    letters = [
        written(Purpose.ASKED, content, language=language, list_id="asked.vteam.test", feedback_id="asked")
        for language in ("en", "fr")
    ]
    for number in range(count):
        reader = Reader(
            to=f"p{number}@example.org",
            stop_url=f"https://vteam.example/en/stop/{number:064x}",
            since=at - dt.timedelta(days=number % 60),
        )
        letters[number % 2].to(reader, at=at)
    return count / (time.perf_counter() - begun)


def _sent(campaign: "Campaign", server: MailServer, sizes: Sizes) -> dict[str, list[float]]:
    """Letters a second, the outbox's and smtplib's, round by round in turn; the server rests between them."""
    from bench.letters import people, put_letters
    from vteam import clock
    from vteam.channels.mail.delivery import postman

    subjects = people(sizes.letters, domains=("example.org",), campaign=campaign, at=clock.now())
    rounds = iter(range(sizes.rounds))

    def outbox() -> float:
        put_letters(subjects, campaign=campaign, key=f"round {next(rounds)}", at=clock.now())
        with postman() as one:

            def send() -> int:
                sent = 0
                while dealt := one.deliver_due(at=clock.now()):
                    sent += dealt
                return sent

            return _timed(server, send, sizes.letters)

    return interleaved(
        {"outbox": outbox, "smtplib": lambda: _plainly(server, sizes.letters)}, rounds=sizes.rounds
    )


def _plainly(server: MailServer, count: int) -> float:
    """The letters of the last round once more, by smtplib over one connection and with nothing around it."""
    letters = [(one.recipient, bytes(one.message)) for one in server.delivered()[-count:]]

    def send() -> int:
        with smtplib.SMTP("127.0.0.1", server.port) as connection:
            for recipient, letter in letters:
                connection.sendmail(SENDER, [recipient], letter)
        return len(letters)

    return _timed(server, send, count)


def _timed(server: MailServer, send: Callable[[], int], count: int) -> float:
    before = server.delivered_count()
    begun = time.perf_counter()
    sent = send()
    taken = time.perf_counter() - begun
    server.wait_until_quiet(QUIET_SECONDS_MAX)
    arrived = server.delivered_count() - before
    if sent != count or arrived != count:
        raise Misleading(f"{count} letters were to be sent, {sent} were handed over and {arrived} arrived")
    return count / taken


def fates(*, count: int, kills: int, seed: int) -> tuple["Accounts", int]:
    """Only the letters of every fate, over a mail server and a data folder of their own; and how often `jobs` died."""
    with mail_server() as server, _installed(server) as folder:
        from vteam.demo.opening import open_demo

        found, killed, _ = mixed(open_demo(), server, folder, count=count, kills=kills, seed=seed)
        return found, killed


def _installed(server: MailServer) -> AbstractContextManager[Path]:
    settings = {**UNHURRIED, "EMAIL_URL": server.url, "BOUNCES_URL": f"maildir:{server.bounces}"}
    return prepared_folder(postgresql=False, **settings)


# Every fate ----------------------------------------------------------------------------------------------------------
def mixed(
    campaign: "Campaign", server: MailServer, folder: Path, *, count: int, kills: int, seed: int
) -> tuple["Accounts", int, float]:
    """Letters of every fate, sent by a real `jobs` that is killed so often in the middle, at random moments.

    What became of each, how often it was killed, and how long all of it took (s).
    """
    from django.db import connection

    from bench.letters import MIXED, accounts, people, put_letters, settled
    from vteam import clock
    from vteam.channels.mail.models import OutboxMessage

    OutboxMessage.objects.all().delete()
    _empty(server)
    subjects = people(count, domains=MIXED, campaign=campaign, at=clock.now())
    put_letters(subjects, campaign=campaign, key="mixed", at=clock.now())
    connection.close()
    begun = time.monotonic()
    installation = Installation(_environment(folder), roles=("jobs",))
    installation.keep_running()
    try:
        killed = _kill(installation, kills, random=Random(seed), count=count)  # noqa: S311
        _wait(settled, installation)
        server.wait_until_quiet(QUIET_SECONDS_MAX)
        _wait(lambda: not any((server.bounces / "new").iterdir()), installation)
    finally:
        installation.stop()
    return accounts(server), killed, time.monotonic() - begun


def _environment(folder: Path) -> dict[str, str]:
    ours = {
        name.removeprefix("VTEAM_"): value for name, value in os.environ.items() if name.startswith("VTEAM_")
    }
    return {**ours, "DATA": str(folder)}


def _empty(server: MailServer) -> None:
    """Forget what arrived before."""
    for mailbox in ("delivered", "returned"):
        for letter in (server.folder / "mail" / mailbox / "new").glob("*"):
            letter.unlink()


def _kill(installation: Installation, kills: int, *, random: Random, count: int) -> int:
    """`kill -9` of `jobs`, each time once some more letters have left; returns how often it met one at work."""
    killed = 0
    for number in range(kills):
        wanted = count * (number + random.random()) / (kills + 1)
        _wait(partial(_so_many_left, wanted), installation)
        time.sleep(random.uniform(0, 0.05))
        for process in installation.by_kind(installation.processes()).get("jobs", []):
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
    return killed


def _so_many_left(wanted: float) -> bool:
    from vteam.channels.mail.models import OutboxMessage

    return OutboxMessage.objects.exclude(state=OutboxMessage.WAITING).count() >= wanted


def _wait(settled: Callable[[], bool], installation: Installation) -> None:
    give_up = time.monotonic() + SETTLED_SECONDS_MAX
    while not settled():
        if time.monotonic() > give_up:
            raise CannotStart(f"{installation.log()[-2_000:]}\nLetters were still on their way.")
        time.sleep(0.05)
