"""The demo's campaign behind the real door, on the loopback: what kiosks of both kinds of world speak to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.core.wsgi import get_wsgi_application
from django.db import connections

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.worlds import models
from vteam.channels.worlds.enrolling import NotOpened, Spot, put_up
from vteam.demo.opening import open_demo


class _Site(ThreadingMixIn, WSGIServer):
    """Answers several at once; each answers with database connections of its own, that end with it."""

    block_on_close = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            connections.close_all()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A vTeam that can be asked: where it is, and a fresh code for a kiosk."""

    address: str
    campaign: Campaign
    loses: list[str] = field(default_factory=list)
    """The ends of paths; the next request to each is done, and a proxy before it says that no answer came in time."""

    def code(self, *, world: str) -> str:
        """Good once, within 24 hours."""
        spot = Spot(world=models.World(world), grid="a world of the tests", place="The Ska Club")
        made = put_up(campaign=self.campaign, spot=spot, fan=None, acts_per_day=1_000, at=clock.now())
        assert not isinstance(made, NotOpened), made
        return made[1]


def _losing(site: Any, loses: list[str]) -> Any:
    def answer(environ: Any, start_response: Any) -> Any:
        due = next((end for end in loses if environ["PATH_INFO"].endswith(end)), None)
        if due is None:
            return site(environ, start_response)
        loses.remove(due)
        site(environ, lambda *_: None).close()
        start_response("504 Gateway Timeout", [("Content-Type", "text/html")])
        return [b"<html>Gateway Timeout</html>"]

    return answer


@contextmanager
def standing() -> Iterator[Platform]:
    """It stands while the block runs."""
    campaign, loses = open_demo(), list[str]()
    site_behind = _losing(get_wsgi_application(), loses)
    with make_server("127.0.0.1", 0, site_behind, _Site, _Quiet) as site:
        thread = threading.Thread(target=site.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield Platform(f"http://127.0.0.1:{site.server_port}", campaign, loses)
        finally:
            site.shutdown()
            thread.join()
