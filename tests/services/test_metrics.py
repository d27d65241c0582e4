"""Figures and health at the private ports: of a whole installation, of what waits, and with a database that is away."""

import contextlib
import http.client
import os
import random
import re
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests import cast
from tests.channels.edges import eventually
from tests.services.running import ADD_SHARE, Installation, alive
from vteam.errors import Away, CannotStart, SettingsError
from vteam.jobs import counted, figures
from vteam.jobs.figures import JobsFigures
from vteam.jobs.loop import Job, run_due
from vteam.ledger.models import Hold
from vteam.metrics import asked
from vteam.metrics.asked import Asked
from vteam.metrics.port import Port
from vteam.metrics.spread import Spread
from vteam.metrics.tally import Tally
from vteam.processes import RoleName

Figures = dict[str, float]


def three_free_ports() -> int:
    """The first of three neighbouring ports nobody listens on."""
    while True:
        # Below the ports the kernel gives to whoever asks for any.
        first = random.randrange(20_000, 32_000)
        with contextlib.ExitStack() as doors:
            try:
                for port in (first, first + 1, first + 2):
                    doors.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first


def asked_at(port: int, path: str, **headers: str) -> tuple[int, str]:
    """Status and text of an answer."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        client.request("GET", path, headers=headers)
        answer = client.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        client.close()


def parsed(text: str) -> Figures:
    """Every sample by its name and labels, as Prometheus' own reader understands it."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


class Watched(Installation):
    """An installation with its private ports open."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.first = three_free_ports()
        self.ports_open = environment.get("METRICS_PORT") != "0"
        super().__init__(data, **{"METRICS_PORT": str(self.first)} | environment)

    def opened(self) -> "Watched":
        """Waits for the private ports too, where there are any: jobs opens its own when it likes."""
        super().opened()
        if self.ports_open:
            eventually(lambda: all(self.well(role) for role in RoleName), seconds=60)
        return self

    def port(self, role: str) -> int:
        return self.first + list(RoleName).index(RoleName(role))

    def told_by(self, role: str) -> str:
        """All that a role tells: jobs leaves out what its database did not answer in time, and is asked again."""
        texts: list[str] = []

        def is_whole() -> bool:
            texts.append(asked_at(self.port(role), "/metrics")[1])
            return "vteam_jobs_database_answers 0.0" not in texts[-1]

        eventually(is_whole)
        return texts[-1]

    def figures(self, role: str) -> Figures:
        return parsed(self.told_by(role))

    def well(self, role: str) -> int:
        """The status of a role's health; 0 while nobody answers."""
        try:
            return asked_at(self.port(role), "/healthz")[0]
        except OSError:
            return 0


Start = Callable[..., Watched]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts installations that end with the test, however it ends."""
    started: list[Watched] = []

    def begin(data: Path, **environment: str) -> Watched:
        started.append(Watched(data, **environment))
        return started[-1]

    yield begin
    for installation in started:
        installation.stop()


# A whole installation -----------------------------------------------------------------------------------------

STRANGE = [
    "/r/%00",
    "/r/" + "x" * 300,
    "/nobody@example.org",
    "/203.0.113.9",
    "/code/se-cr-et",
    "/fr/zz/links/abc.svg",
]


def test_every_process_tells_its_figures_and_strangers_cannot_name_any(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path).opened()
    eventually(lambda: one.figures("site")["vteam_site_workers"] == 2)
    before = {role: set(one.figures(role)) for role in RoleName}
    for path in STRANGE:
        for port in (one.site, one.edge):
            asked_at(port, path, **{"User-Agent": "marked-agent", "X-Forwarded-For": "203.0.113.7"})
    for role in RoleName:
        told = one.figures(role)
        assert set(told) == before[role], role
        assert told["process_resident_memory_bytes"] > 1_000_000
        assert told["process_start_time_seconds"] > 0
    eventually(lambda: all(one.well(role) == 200 for role in RoleName))
    edge, site = one.figures("edge"), one.figures("site")
    assert edge["vteam_edge_requests_total{door=links,status=3xx}"] == 2
    assert edge["vteam_edge_requests_total{door=none,status=4xx}"] == 4
    assert site["vteam_site_requests_total{pages=other,status=4xx}"] >= 4
    assert site["vteam_site_workers"] == 2
    assert len([name for name in site if name.startswith("worker_process_resident_memory_bytes")]) == 2


def test_every_figure_is_documented(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path).opened()
    told = {family.name for role in RoleName for family in text_string_to_metric_families(one.told_by(role))}
    document = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    rows = "".join(re.findall(r"(?m)^\| (`.*?) \|", document))
    assert set(re.findall(r"`(\w+)`", rows)) == told


def test_a_visit_shows_in_the_figures_of_edge_and_jobs(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path).opened()
    with closing(sqlite3.connect(tmp_path / "vteam.sqlite3", timeout=20)) as file, file:
        file.execute(ADD_SHARE)
    assert one.visit().endswith("/l/abcdefghij")
    eventually(lambda: one.figures("jobs")["vteam_jobs_moved_total{kind=visit}"] == 1)
    told = one.figures("edge")
    assert told["vteam_edge_visits_recorded_total"] == told["vteam_edge_commit_seconds_count"] == 1
    assert told["vteam_edge_rows_waiting"] == told["vteam_edge_away"] == 0
    jobs = one.figures("jobs")
    assert jobs["vteam_jobs_batch_rows_sum"] == jobs["vteam_jobs_locked_seconds_count"] == 1
    eventually(lambda: one.figures("jobs")["vteam_jobs_waiting_rows{inbox=edge}"] == 0)


def test_counts_go_on_when_a_worker_or_the_whole_site_is_killed(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path).opened()
    pages = "vteam_site_requests_total{pages=campaign,status=2xx}"
    for _ in range(10):
        asked_at(one.site, "/", Host="localhost")
    assert one.figures("site")[pages] == 10
    killed = min(one.workers())
    os.kill(killed, signal.SIGKILL)
    # Gone from the table of processes: all its threads have ended, and its socket is closed.
    eventually(lambda: killed not in one.workers() and one.figures("site")["vteam_site_workers"] == 2)
    for _ in range(10):
        asked_at(one.site, "/", Host="localhost")
    assert one.figures("site")[pages] == 20
    site = one.roles()["site"]
    os.kill(site, signal.SIGKILL)
    eventually(lambda: not alive(site) and one.well("site") == 200, 40)
    assert one.figures("site")[pages] == 0, "a new main process counts anew, as Prometheus expects"


def test_health_follows_the_database(tmp_path: Path, start: Start) -> None:
    """The main file is taken away and put back: pages and site say so; the edge, with a file of its own, goes on."""
    one = start(tmp_path).opened()
    (tmp_path / "vteam.sqlite3").rename(tmp_path / "elsewhere")
    eventually(lambda: asked_at(one.site, "/healthz", Host="localhost") == (503, "not now"))
    eventually(lambda: one.well("site") == 503)  # each worker remembers its answer for a second
    assert one.well("edge") == 200
    (tmp_path / "elsewhere").rename(tmp_path / "vteam.sqlite3")
    eventually(lambda: one.healthy(one.site) and one.well("site") == 200)


def test_nothing_private_is_open_unless_asked_for(tmp_path: Path, start: Start) -> None:
    one = start(tmp_path, METRICS_PORT="0").opened()
    for role in RoleName:
        with pytest.raises(ConnectionRefusedError):
            one.figures(role)
    for port in (one.site, one.edge):
        for path in ("/metrics", "/metrics/"):
            assert "process_" not in asked_at(port, path, Host="localhost")[1]


def test_a_private_port_that_is_taken_is_named_before_anything_starts(tmp_path: Path, start: Start) -> None:
    first = three_free_ports()
    with socket.socket() as door:
        door.bind(("127.0.0.1", first + 2))
        door.listen()
        one = start(tmp_path, METRICS_PORT=str(first))
        assert one.process.wait(timeout=60) == 1
    one.reader.join()
    assert "VTEAM_METRICS_PORT (jobs)" in one.told


def test_a_private_port_is_never_a_public_one(tmp_path: Path, start: Start) -> None:
    first = three_free_ports()
    one = start(tmp_path, METRICS_PORT=str(first), EDGE_PORT=str(first + 2))
    assert one.process.wait(timeout=60) == 1
    one.reader.join()
    assert "VTEAM_METRICS_PORT meets a public port" in one.told


# The port itself ----------------------------------------------------------------------------------------------


class Nothing:
    """Has nothing to tell."""

    def collect(self) -> list[Any]:
        return []


def well() -> None:
    """Always."""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "8.8.8.8", "2606:4700::1", "team.example.org", ""])
def test_figures_are_never_told_to_the_world(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vteam.settings.METRICS_HOST", host)
    with pytest.raises(SettingsError, match="VTEAM_METRICS_HOST"):
        Port("edge", 0, Nothing(), well)


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        with pytest.raises(CannotStart, match="VTEAM_METRICS_PORT"):
            Port("edge", door.getsockname()[1], Nothing(), well)


def test_the_reason_of_bad_health_is_told_and_other_paths_are_nothing() -> None:
    def unwell() -> None:
        raise Away("the loop has stood still for 31 s")

    with Port("jobs", 0, Nothing(), unwell) as port:
        thread = threading.Thread(target=port.serve_forever)
        thread.start()
        try:
            number = port.server_address[1]
            assert asked_at(number, "/healthz") == (503, "the loop has stood still for 31 s\n")
            assert asked_at(number, "/")[0] == 404
            openmetrics = asked_at(number, "/metrics", Accept="application/openmetrics-text; version=1.0.0")[
                1
            ]
            assert openmetrics.endswith("# EOF\n")
        finally:
            port.shutdown()
            thread.join()


# Questions ----------------------------------------------------------------------------------------------------


def test_many_who_ask_at_once_are_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes the last of them to come."""
    monkeypatch.setattr(asked, "FRESH_SECONDS", 60.0)
    monkeypatch.setattr(asked, "WAIT_SECONDS_MAX", 60.0)
    times: list[float] = []

    def slowly() -> int:
        times.append(time.monotonic())
        time.sleep(0.2)
        return 7

    question, found = Asked(slowly), []
    askers = [threading.Thread(target=lambda: found.append(question.answer())) for _ in range(50)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert found == [7] * 50
    assert question.answer() == 7
    assert len(times) == 1


def test_an_old_answer_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "FRESH_SECONDS", 0.0)
    numbers = iter(range(10))
    question = Asked(lambda: next(numbers))
    assert [question.answer(), question.answer()] == [0, 1]


def test_nobody_waits_long_for_a_database_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "WAIT_SECONDS_MAX", 0.1)
    release = threading.Event()
    question = Asked(release.wait)
    for _ in range(3):
        with pytest.raises(Away, match="no answer within"):
            question.answer()
    assert sum(thread.name == "question" for thread in threading.enumerate()) == 1
    release.set()
    eventually(lambda: sum(thread.name == "question" for thread in threading.enumerate()) == 0)


def test_a_failed_question_says_why() -> None:
    def fails() -> None:
        raise ValueError("no such table\nand more")

    with pytest.raises(Away, match=r"^no such table$"):
        Asked(fails).answer()


# Counting -----------------------------------------------------------------------------------------------------


def test_a_spread_counts_each_value_once() -> None:
    spread = Spread((1, 10))
    for value in (0.5, 1, 2, 10, 11):
        spread.observe(value)
    assert (spread.counts, spread.total) == ([2, 2, 1], 24.5)


def test_a_row_is_had_by_one_living_process() -> None:
    tally = Tally(cells=2, rows=2)
    one, two = tally.claim(), tally.claim()
    assert one
    assert two
    assert tally.claim() is None
    threads = [
        threading.Thread(target=lambda: [one.add({0: 1, 1: 0.5}) for _ in range(500)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    two.add({0: 1})
    assert tally.sums() == [2001, 1000]
    assert tally.processes() == {0: os.getpid(), 1: os.getpid()}


# What jobs tells ----------------------------------------------------------------------------------------------


def samples(told: JobsFigures) -> Figures:
    found = {}
    for family in told.collect():
        for sample in family.samples:
            found[sample.name + "".join(f"{{{value}}}" for value in sample.labels.values())] = sample.value
    return found


@pytest.mark.django_db(transaction=True)
def test_what_waits_is_told_with_the_age_of_the_oldest() -> None:
    cast.open_season(7)
    Hold.objects.create(campaign_id=7, decision_seq=1, due_at_us=1)
    Hold.objects.create(campaign_id=7, decision_seq=2, due_at_us=2**60)
    told = samples(JobsFigures(edge_file=None))
    assert told["vteam_jobs_database_answers"] == 1
    assert told["vteam_jobs_waiting_rows{main}"] == 1 + len(cast.MISSIONS)
    assert told["vteam_jobs_waiting_seconds{main}"] >= 0
    assert told["vteam_jobs_holds_due"] == 1
    assert told["vteam_jobs_letters_waiting"] == 0


@pytest.mark.django_db(transaction=True)
def test_an_inbox_file_that_cannot_be_read_leaves_figures_out(tmp_path: Path) -> None:
    (tmp_path / "edge.sqlite3").write_bytes(b"no database at all" * 100)
    told = samples(JobsFigures(edge_file=tmp_path / "edge.sqlite3"))
    assert told["vteam_jobs_database_answers"] == 0
    assert "vteam_jobs_waiting_rows{main}" not in told


@pytest.mark.django_db  # a job that fails has old connections closed
def test_jobs_is_unwell_while_a_job_goes_on_failing(monkeypatch: pytest.MonkeyPatch) -> None:
    works = SimpleNamespace(now=False)

    def sometimes() -> int:
        if not works.now:
            raise OSError("no space left on device")
        return 0

    told, job = JobsFigures(edge_file=None), Job("write the diary", sometimes)
    run_due([job], at=1.0)
    told.well()  # a moment's trouble is none
    monkeypatch.setattr(figures, "FAILING_SECONDS_MAX", 0.0)
    with pytest.raises(Away, match=r"failing for \d+ s: write the diary"):
        told.well()
    assert counted.failures["write the diary"] == 1
    works.now = True
    run_due([job], at=100.0)
    told.well()


def test_jobs_is_unwell_when_its_loop_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    told = JobsFigures(edge_file=None)
    run_due([Job("nothing", lambda: 0)], at=1.0)
    told.well()
    monkeypatch.setattr(figures, "SILENT_SECONDS_MAX", 0.0)
    with pytest.raises(Away, match="stood still"):
        told.well()
