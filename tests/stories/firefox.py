"""Debian's Firefox, driven by WebDriver BiDi (W3C) over its own WebSocket: no driver of anybody else's between."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

FIREFOX = "/usr/bin/firefox-esr"
READY_SECONDS, STEP_SECONDS = 60, 30
PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.healthreport.uploadEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:9/",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class FirefoxPage:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers = socket, count(1)
        self._ask("session.new", capabilities={})
        self._tab = self._ask("browsingContext.create", type="tab")["context"]

    def goto(self, address: str) -> None:
        """Open an address and wait until it is there."""
        self._ask("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def run(self, script: str) -> Any:
        """What an expression is worth on the page."""
        target = {"context": self._tab}
        told = self._ask("script.evaluate", expression=script, target=target, awaitPromise=True)
        assert told["type"] == "success", told
        return told["result"].get("value")

    def press(self, selector: str) -> None:
        """Press what a selector finds first, as a finger does."""
        found = f"document.querySelector({json.dumps(selector)})"
        target = {"context": self._tab}
        self.run(f"{found}.scrollIntoView({{block: 'center'}})")
        told = self._ask("script.evaluate", expression=found, target=target, awaitPromise=False)
        element = {"type": "element", "element": {"sharedId": told["result"]["sharedId"]}}
        steps = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": element},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        pointer = {
            "type": "pointer",
            "id": "finger",
            "parameters": {"pointerType": "touch"},
            "actions": steps,
        }
        self._ask("input.performActions", context=self._tab, actions=[pointer])

    def wait_for(self, script: str, *, seconds: float = STEP_SECONDS) -> None:
        """Wait until an expression is true on the page."""
        deadline = time.monotonic() + seconds
        while not self.run(script):
            assert time.monotonic() < deadline, f"never: {script}\n{self.run('document.body.innerText')}"
            time.sleep(0.1)

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv(timeout=STEP_SECONDS))
            if told.get("id") == number:
                assert told["type"] == "success", told
                return dict(told["result"])


@contextmanager
def firefox(profile: Path) -> Iterator[FirefoxPage]:
    """A Firefox with a fresh profile, that ends with the block."""
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    log = (profile / "log.txt").open("w+")
    arguments = ["--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    process = subprocess.Popen([FIREFOX, *arguments], stdout=log, stderr=subprocess.STDOUT)
    try:
        with connect(f"{_address(process, profile)}/session", proxy=None, max_size=None) as socket:
            yield FirefoxPage(socket)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _address(process: subprocess.Popen[bytes], profile: Path) -> str:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        said = (profile / "log.txt").read_text()
        if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", said):
            return found[1]
        assert process.poll() is None, said
        time.sleep(0.1)
    raise AssertionError((profile / "log.txt").read_text())
