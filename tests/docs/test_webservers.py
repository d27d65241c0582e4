"""nginx and Caddy in front, with the files of `deploy/`: one address, visitors kept apart, patient and discreet."""

import contextlib
import gzip
import http.client
import os
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.channels.edges import BROWSER, eventually, free_port
from tests.docs.webservers import NAME, Answer, Front, caddy, nginx
from tests.services.running import ADD_SHARE
from tests.services.test_metrics import Watched

DEMO = Path(__file__).parents[2] / "demo"
PER_MINUTE = 3
# More than one worker's threads (vteam.processes.site).
SLOW_LISTENERS = 40
TITLES = ("les-digues", "sel", "phare-eteint")

# Longer titles than the demo's own: what the kernel keeps for a slow listener must not be the whole of one.
TIMES_LONGER = 8
OPEN_DEMO = """
import sys
from pathlib import Path
from vteam.processes.run import prepare
prepare()
from vteam.demo import opening
opening.PLACES = (Path(sys.argv[1]),)
opening.open_demo()
"""
WITHDRAW = """
import django
django.setup()
from vteam import clock
from vteam.campaigns.agreements import speak
from vteam.campaigns.models import Title
from vteam.rights.models import Holder
from vteam.rules.rights import Act, Way
title = Title.objects.get(key="les-digues")
speak(holder=Holder.objects.filter(titles__title_id=title.pk)[0], person=None, title=title, way=Way.LISTEN,
      act=Act.WITHDRAWN, language="en", at_us=clock.now_us())
"""


def longer_demo(folder: Path) -> Path:
    """The demo's campaign with the same audio several times over in each title."""
    shutil.copytree(DEMO, folder)
    for title in (folder / "titles").iterdir():
        whole = title.read_bytes()
        tag = 10 + sum(byte << 7 * place for place, byte in enumerate(reversed(whole[6:10])))
        title.write_bytes(whole[:tag] + whole[tag:] * TIMES_LONGER)
    return folder


def by_hand(script: str, data: Path, *arguments: str | Path) -> None:
    """What somebody does beside the running processes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VTEAM_")}
    ours = {"VTEAM_DATA": str(data), "DJANGO_SETTINGS_MODULE": "vteam.settings", "VTEAM_DEMO": "true"}
    subprocess.run([sys.executable, "-c", script, *arguments], env=kept | ours, check=True)


@dataclass(frozen=True, slots=True)
class House:
    """A running installation and the web server in front of it."""

    inside: Watched
    front: Front


@contextlib.contextmanager
def installation(data: Path) -> Iterator[Watched]:
    """The demo's campaign as a real one: a public address, one worker, a small budget for each network."""
    by_hand(OPEN_DEMO, data, longer_demo(data.with_name("campaign")))
    one = Watched(
        data,
        DEMO="false",
        PUBLIC_URL=f"https://{NAME}",
        TRUSTED_PROXIES="127.0.0.1",
        EMAIL_URL=f"smtp://127.0.0.1:{free_port()}",
        SITE_WORKERS="1",
        VISITS_PER_NETWORK_MINUTE=str(PER_MINUTE),
    )
    try:
        one.opened()
        with contextlib.closing(sqlite3.connect(data / "vteam.sqlite3", timeout=20)) as file, file:
            file.execute(ADD_SHARE)
        yield one
    finally:
        one.stop()


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with installation(folder / "data") as inside:
        (folder / "front").mkdir()
        with request.param(folder / "front", site=inside.site, edge=inside.edge) as front:
            yield House(inside, front)


def visit(front: Front, source: str, **headers: str) -> Answer:
    return front.ask("/r/abcdefghij", source=source, User_Agent=BROWSER, **headers)


def test_pages_and_built_files_come_through_compressed(house: House) -> None:
    page = house.front.ask("/maree-haute/", Accept_Encoding="gzip")
    assert (page.status, page.headers["content-encoding"]) == (200, "gzip")
    text = gzip.decompress(page.body).decode()
    assert "Marée haute" in text
    style = re.search(r'href="(/static/[^"]+\.css)"', text)
    assert style
    assert house.front.ask(style[1], Accept_Encoding="gzip").headers["content-encoding"] == "gzip"
    assert "max-age" in page.headers["strict-transport-security"]


def test_short_links_reach_the_edge_and_lead_to_the_one_address(house: House) -> None:
    answer = visit(house.front, "127.9.9.9")
    assert (answer.status, answer.headers["location"]) == (302, f"https://{NAME}/l/abcdefghij")
    # A door the edge will have: until then it says, not the site, that there is nothing.
    assert house.front.ask("/announce").body.startswith(b"There is nothing here")
    assert house.front.ask("/wsomething/").headers["content-type"].startswith("text/html")


def test_pages_talk_to_the_edge(house: House) -> None:
    def talk(origin: str) -> str:
        plain = socket.create_connection(("127.0.0.1", house.front.port), timeout=20)
        trusted = ssl.create_default_context(cafile=str(house.front.certificate))
        address = f"wss://{NAME}/ws"
        with connect(address, sock=plain, ssl=trusted, server_hostname=NAME, origin=origin) as page:  # type: ignore[arg-type]
            page.send('{"do": "hello", "ticket": "none"}')
            with pytest.raises(ConnectionClosed) as closed:
                page.recv(timeout=20)
            assert closed.value.rcvd
            return closed.value.rcvd.reason

    assert talk(f"https://{NAME}") == "ticket"
    with pytest.raises(InvalidStatus, match="403"):
        talk("https://elsewhere.example")


def test_limits_go_by_the_visitors_address_whatever_they_claim(house: House) -> None:
    def counted() -> tuple[float, float]:
        told = house.inside.figures("edge")
        return told["vteam_edge_visits_recorded_total"], told["vteam_edge_visits_over_budget_total"]

    _, over = counted()
    # Twice the budget and some: enough wherever a minute ends. Each claims to come from somewhere else.
    for number in range(3 * PER_MINUTE):
        visit(house.front, "127.1.1.1", X_Forwarded_For=f"198.51.{number}.1")
    recorded, over_then = counted()
    assert over_then >= over + PER_MINUTE
    for _ in range(PER_MINUTE):
        visit(house.front, "127.2.2.2")
    assert counted() == (recorded + PER_MINUTE, over_then), "another network has its own budget"


def test_bodies_bigger_than_any_form_are_refused(house: House) -> None:
    assert house.front.ask("/sign-in", method="POST", body=b"x" * 200_000).status == 413


def test_the_public_address_tells_no_figures(house: House) -> None:
    assert b"process_" not in house.front.ask("/metrics").body
    assert house.front.ask("/healthz").body == b"ok"


def test_a_withdrawn_title_is_refused_at_the_next_request(house: House) -> None:
    path = "/maree-haute/titles/les-digues/listen.mp3"
    heard = house.front.ask(path)
    assert (heard.status, heard.headers["content-type"]) == (200, "audio/mpeg")
    by_hand(WITHDRAW, house.inside.data)
    assert house.front.ask(path).status == 410


def test_nothing_written_down_says_who_asked_for_what(house: House) -> None:
    """Not even while the site is away and the web server has something to complain about."""
    house.front.ask("/invitation/mark3d-s3cret", source="127.7.7.7", User_Agent="MarkedBrowser/7")
    site = house.inside.roles()["site"]
    # Nobody starts it again meanwhile.
    house.inside.process.send_signal(signal.SIGSTOP)
    try:
        os.kill(site, signal.SIGKILL)
        eventually(lambda: house.front.ask("/code/mark3d-s3cret", source="127.7.7.7").status == 502)
    finally:
        house.inside.process.send_signal(signal.SIGCONT)
    eventually(lambda: house.front.ask("/healthz").status == 200, 40)
    told = house.front.logged() + house.inside.told
    assert [mark for mark in ("127.7.7.7", "mark3d-s3cret", "MarkedBrowser", "/code/") if mark in told] == []


# Slow listeners -----------------------------------------------------------------------------------------------


def slow_request(title: str, host: str) -> bytes:
    return f"GET /maree-haute/titles/{title}/listen.mp3 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def test_slow_listeners_hold_no_thread_of_the_site_behind_nginx(tmp_path: Path) -> None:
    """And without nginx they do, which shows that this test would notice."""
    with installation(tmp_path / "data") as inside, contextlib.ExitStack() as kept:
        (tmp_path / "front").mkdir()
        front = kept.enter_context(nginx(tmp_path / "front", site=inside.site, edge=inside.edge))
        for number in range(SLOW_LISTENERS):
            slow = kept.enter_context(front.connected(receive_bytes=4096))
            slow.sendall(slow_request(TITLES[number % 3], NAME))
            assert slow.recv(16).startswith(b"HTTP/1.1 200")
        for _ in range(5):
            # Without nginx: nothing at all, for as long as `ask` waits.
            assert front.ask("/maree-haute/").status == 200
        for number in range(SLOW_LISTENERS):
            direct = kept.enter_context(socket.socket())
            direct.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            direct.connect(("127.0.0.1", inside.site))
            direct.sendall(slow_request(TITLES[number % 3], NAME))
        time.sleep(1)
        with pytest.raises(TimeoutError):
            quick_page(inside.site)


def quick_page(port: int) -> int:
    """A page asked for without a proxy, by somebody who waits three seconds."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    with contextlib.closing(client):
        client.request("GET", "/maree-haute/", headers={"Host": NAME})
        return client.getresponse().status
