"""What the edge counts while it works: one addition a request, two a commit. `edge.figures` tells it.

One edge runs in a process, so the process is where it is counted.
"""

from vteam.channels.links.redirect import PREFIX
from vteam.channels.swarm.torrents.announce import PREFIX as ANNOUNCE
from vteam.metrics.spread import ROWS, SECONDS, Spread

DOORS = ("links", "announces", "health", "none")
"""Where a request can knock; `none`: at no door of ours."""
CLASSES = ("2xx", "3xx", "4xx", "5xx")

answers: dict[tuple[str, str], int] = {(door, status): 0 for door in DOORS for status in CLASSES}
rows = Spread(ROWS)
commits = Spread(SECONDS)


def answer(path: str, status: int) -> None:
    """One request was answered."""
    answers[_door(path), CLASSES[status // 100 - 2]] += 1


def _door(path: str) -> str:
    if path.startswith(PREFIX):
        return "links"
    if path.startswith(ANNOUNCE):
        return "announces"
    return "health" if path == "/healthz" else "none"


def commit(count: int, seconds: float) -> None:
    """So many rows became durable in one commit."""
    rows.observe(count)
    commits.observe(seconds)
