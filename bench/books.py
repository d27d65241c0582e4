"""What the books tell of people's deeds, read by plain SQL: no code of ours stands between, and no Django."""

import contextlib
import json
import sqlite3
from collections import Counter
from pathlib import Path

import psycopg

from bench.traffic import Deed

FACTS = "SELECT kind, key, body FROM journal_fact ORDER BY campaign_id, seq"
VISITS = (
    "SELECT s.code, v.visits FROM links_visitday v JOIN links_share s ON s.id = v.share_id ORDER BY s.code"
)
NAMES = "SELECT id, name FROM people_fan"
CODES = "SELECT id, code FROM links_share"
TITLES = "SELECT id, key FROM campaigns_title"
WAITING = "SELECT count(*) FROM journal_inbox"
REJECTED = "SELECT kind, key, reason FROM journal_rejected"
Row = tuple[object, ...]


class Books:
    """The books of an installation: its data folder, and its PostgreSQL where it has one."""

    def __init__(self, data: Path, database_url: str = "") -> None:
        self._data, self._url = data, database_url

    def waiting(self) -> int:
        """How many rows are still on their way, in either inbox."""
        edge = self._data / "edge.sqlite3"
        in_file = _rows_of(edge, WAITING) if edge.exists() else [(0,)]
        return sum(int(str(row[0])) for row in (*self._rows(WAITING), *in_file))

    def rejected(self) -> list[Row]:
        """What could not become a fact."""
        return self._rows(REJECTED)

    def deeds(self) -> Counter[Deed]:
        """How often each deed is in the books."""
        names, codes, titles = (self._named(question) for question in (NAMES, CODES, TITLES))
        found: Counter[Deed] = Counter()
        for code, visits in self._rows(VISITS):
            found["visit", str(code)] += int(str(visits))
        for kind, _, text in self._rows(FACTS):
            body = json.loads(str(text))
            if kind == "ArrivalConfirmed":
                found["arrival", str(codes[body["share"]])] += 1
            elif kind == "FanConfirmed":
                found["join", str(names[body["fan"]])] += 1
            elif kind == "TitleDownloaded":
                found["download", str(names[body["fan"]]), str(titles[body["title"]])] += 1
        return found

    def _named(self, question: str) -> dict[object, object]:
        return {row[0]: row[1] for row in self._rows(question)}

    def _rows(self, question: str) -> list[Row]:
        if self._url:
            with psycopg.connect(self._url) as connection:
                return connection.execute(question.encode()).fetchall()
        return _rows_of(self._data / "vteam.sqlite3", question)


def _rows_of(file: Path, question: str) -> list[Row]:
    with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=20)) as connection:
        return connection.execute(question).fetchall()
