"""A small world for one LSL object: a clock that only moves when told, residents, and the limits of the real worlds.

The script is compiled by lummao and runs for real; its requests are real HTTP requests. What a world would refuse or
shout about fails the test: `ScriptError`. Functions that a world does not have are missing here too.
"""

import heapq
import itertools
import uuid
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import lummao
from lummao.vendor.lslopt.lslcommon import Key, Vector

from tests.worlds.lsllimits import Limits, ScriptError, need
from tests.worlds.lslwire import Headers, Sent, read_options, send

NULL_KEY = "00000000-0000-0000-0000-000000000000"
COPY, TRANSFER = 0x8000, 0x2000
CHANGED_OWNER, CHANGED_REGION, CHANGED_TELEPORT, CHANGED_REGION_START = 0x80, 0x100, 0x200, 0x400
NOT_HERE = -1


@dataclass(frozen=True, slots=True)
class Shown:
    """What one resident saw, and nobody else: `kind` is dialog, textbox, url, said or given."""

    kind: str
    text: str
    buttons: tuple[str, ...] = ()
    channel: int = 0
    address: str = ""
    at: float = 0.0


@dataclass(slots=True)
class Resident:
    name: str
    language: str = ""
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    shown: list[Shown] = field(default_factory=list)

    def kinds(self, kind: str) -> list[Shown]:
        return [shown for shown in self.shown if shown.kind == kind]

    @property
    def dialog(self) -> Shown:
        """The newest dialog or text box."""
        return [shown for shown in self.shown if shown.kind in ("dialog", "textbox")][-1]

    @property
    def texts(self) -> str:
        return "\n".join(shown.text for shown in self.shown)


class World:
    """One object with one script, on land of `owner`."""

    def __init__(self, source: str, limits: Limits, owner: Resident, *, starts_at: float) -> None:
        self.source, self.limits, self.owner = source, limits, owner
        self.now = starts_at
        self.residents = {owner.key: owner}
        self.object_key = str(uuid.uuid4())
        self.hover: list[tuple[float, str]] = []
        self.sent: list[Sent] = []
        self.refused: list[float] = []
        self.answers: dict[str, int] = {}
        self.inventory: dict[str, int] = {}
        self.links = {0: "vTeam kiosk"}
        self.linkset_data: dict[str, tuple[str, str]] = {}
        self.has_addresses = True
        self.holds_back = False
        self.ticks = 0
        self.urls: list[str] = []
        self.latency_s = 0.2
        self.listens: dict[int, int] = {}
        self._allowed: deque[float] = deque()
        self._tokens, self._filled_at = limits.burst, starts_at
        self._numbers = itertools.count(1)
        self._events: list[tuple[float, int, str, tuple[Any, ...], list[Any]]] = []
        self._timer = 0
        self.reset()

    # What happens to the object ------------------------------------------------------------------------------------
    def reset(self) -> None:
        """The script starts anew: its variables, timers and listens are gone."""
        self._events.clear()
        self.listens.clear()
        self._timer = 0
        self.script = lummao.compile_script(self.source)
        self.script.event_queue.clear()
        functions = self.script.builtin_funcs
        for name, value in {
            **_given(self),
            **(_linkset_data(self) if self.limits.has_linkset_data else {}),
        }.items():
            functions[name] = value
        if not self.limits.has_linkset_data:
            for name in [name for name in functions if name.startswith("llLinksetData")]:
                del functions[name]
        self.queue("state_entry")
        self.run(0)

    def restart_region(self, *, keeps_timers: bool = True) -> None:
        """Addresses, answers on their way and opened dialogs are gone; variables stay, and timers should."""
        self.urls.clear()
        self._events = [event for event in self._events if event[2] == "timer" and keeps_timers]
        heapq.heapify(self._events)
        self.queue("changed", CHANGED_REGION_START)

    def give_to(self, owner: Resident) -> None:
        self.owner = self.add(owner)
        self.queue("changed", CHANGED_OWNER)

    def take_out_again(self) -> None:
        self.object_key = str(uuid.uuid4())
        self.queue("on_rez", 0)

    # What residents do ---------------------------------------------------------------------------------------------
    def add(self, resident: Resident) -> Resident:
        return self.residents.setdefault(resident.key, resident)

    def touch(self, *residents: Resident, link: int = 0) -> None:
        """All within one event, as worlds do when they touch at the same moment."""
        details = []
        for resident in residents:
            self.add(resident)
            details.append(lummao.DetectedDetails(Key=Key(resident.key), Name=resident.name, LinkNumber=link))
        self.queue("touch_start", len(details), detected=details)

    def press(self, resident: Resident, label: str) -> None:
        """One of the buttons of the newest dialog they see."""
        assert label in resident.dialog.buttons, (label, resident.dialog)
        self.chat(resident, resident.dialog.channel, label)

    def type(self, resident: Resident, text: str) -> None:
        assert resident.dialog.kind == "textbox", resident.dialog
        self.chat(resident, resident.dialog.channel, text)

    def chat(self, resident: Resident, channel: int, text: str) -> None:
        self._heard(channel, resident.name, resident.key, text)

    def object_chat(self, channel: int, text: str) -> None:
        """Another object, whose owner is somebody else."""
        self._heard(channel, "a scripted object", str(uuid.uuid4()), text)

    def _heard(self, channel: int, name: str, key: str, text: str) -> None:
        if channel in self.listens.values():
            self.queue("listen", channel, name, Key(key), text)

    def push(self, body: str, *, method: str = "POST") -> int | None:
        """The status with which the object answers a request to its address; None: it does not."""
        request = str(uuid.uuid4())
        self.queue("http_request", Key(request), method, body)
        self.run(0)
        return self.answers.get(request)

    # Time ----------------------------------------------------------------------------------------------------------
    def queue(
        self, name: str, *arguments: Any, after_s: float = 0.0, detected: list[Any] | None = None
    ) -> None:
        event = (self.now + after_s, next(self._numbers), name, arguments, detected or [])
        heapq.heappush(self._events, event)

    def run(self, seconds: float) -> None:
        """Let so much time pass; a script that sleeps takes longer, as in the world."""
        until = self.now + seconds
        for _ in range(100_000):
            if not self._events or self._events[0][0] > until:
                break
            at, number, name, arguments, detected = heapq.heappop(self._events)
            self.now = max(self.now, at)
            if name != "timer":
                self._handle(name, arguments, detected)
            elif number == self._timer:
                self.ticks += 1
                self._timer = 0
                self._set_timer(arguments[0])
                self._handle(name, (), [])
        else:
            raise AssertionError("a script that never rests")
        self.now = max(self.now, until)

    def turn_back(self, at: float) -> None:
        """The world's clock is set anew; what is to happen happens after as long as before."""
        ahead_s = self.now - at
        self._events = [(event[0] - ahead_s, *event[1:]) for event in self._events]
        self._filled_at -= ahead_s
        self._allowed = deque(allowed - ahead_s for allowed in self._allowed)
        self.now = at

    def _handle(self, name: str, arguments: tuple[Any, ...], detected: list[Any]) -> None:
        handler = getattr(self.script, f"e{self.script.current_state}{name}", None)
        if handler is None:
            return
        self.script.detected_stack = detected
        finished(handler(*arguments))

    def _set_timer(self, seconds: float) -> None:
        self._timer = 0
        if seconds > 0:
            self.queue("timer", seconds, after_s=max(seconds, 0.05))
            self._timer = max(number for _, number, name, *_ in self._events if name == "timer")

    # What the script asks of the world -----------------------------------------------------------------------------
    def show(self, avatar: str, kind: str, text: str, sleeps_s: float = 0.0, **more: Any) -> None:
        need(avatar in self.residents, f"{kind} for {avatar!r}, who is nobody here")
        self.residents[avatar].shown.append(Shown(kind, text, at=self.now, **more))
        self.now += sleeps_s

    def dialog(self, avatar: str, text: str, buttons: list[Any], channel: int) -> None:
        self.limits.check_dialog(text, buttons)
        self.show(avatar, "dialog", text, 1.0, buttons=tuple(buttons), channel=channel)

    def text_box(self, avatar: str, text: str, channel: int) -> None:
        self.limits.check_dialog(text, ["OK"])
        self.show(avatar, "textbox", text, 1.0, channel=channel)

    def load_url(self, avatar: str, text: str, address: str) -> None:
        self.limits.check_address(text, address)
        self.show(avatar, "url", text, self.limits.load_url_sleeps_s, address=address)

    def say_to(self, avatar: str, channel: int, text: str) -> None:
        need(channel == 0 and 0 < len(text.encode()) <= 1023, f"said on {channel}: {text!r}")
        self.show(avatar, "said", text)

    def give(self, avatar: str, item: str) -> None:
        need(item in self.inventory, f"no {item!r} to give")
        self.show(avatar, "given", item)

    def set_text(self, text: str, _colour: Vector, _alpha: float) -> None:
        need(len(text.encode()) <= 254 and "\n" not in text, f"hover text {text!r}")
        self.hover.append((self.now, text))

    def request_url(self) -> Key:
        request = Key(str(uuid.uuid4()))
        if self.has_addresses:
            self.urls.append(f"http://simhost.example:12046/cap/{uuid.uuid4()}")
            self.queue("http_request", request, "URL_REQUEST_GRANTED", self.urls[-1], after_s=0.1)
        else:
            self.queue("http_request", request, "URL_REQUEST_DENIED", "", after_s=0.1)
        return request

    def release_url(self, url: str) -> None:
        if url in self.urls:
            self.urls.remove(url)

    def listen(self, channel: int, name: str, _key: str, text: str) -> int:
        need(name == "" and text == "" and channel < 0, "a listen that hears public chat")
        handle = next(self._numbers)
        self.listens[handle] = channel
        return handle

    def http_request(self, address: str, options: list[Any], body: str) -> Key:
        if not self._is_allowed():
            self.refused.append(self.now)
            return Key(NULL_KEY)
        asked = read_options(options, self.limits)
        sent = Sent(self.now, address, body, asked.headers)
        self.sent.append(sent)
        status, answer, took_s = send(sent, asked, self.limits, self._own_headers())
        request = Key(str(uuid.uuid4()))
        self.queue("http_response", request, status, [], answer, after_s=took_s or self.latency_s)
        return request

    def _is_allowed(self) -> bool:
        """25 in 20 s (Second Life), or a bucket of 3 that one request a second fills (OpenSimulator)."""
        if self.holds_back:
            return False
        if self.limits.burst:
            self._tokens = min(self.limits.burst, self._tokens + (self.now - self._filled_at))
            self._filled_at = self.now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True
        while self._allowed and self._allowed[0] <= self.now - 20:
            self._allowed.popleft()
        if len(self._allowed) >= 25:
            return False
        self._allowed.append(self.now)
        return True

    def other_scripts_request(self, times: int) -> None:
        """Other scripts of the same object use up what is allowed."""
        for _ in range(times):
            self._is_allowed()

    def _own_headers(self) -> Headers:
        return [
            ("X-SecondLife-Shard", self.limits.shard),
            ("X-SecondLife-Object-Name", "vTeam kiosk"),
            ("X-SecondLife-Object-Key", self.object_key),
            ("X-SecondLife-Region", self.limits.region),
            ("X-SecondLife-Local-Position", "(128.000000, 130.000000, 25.000000)"),
            ("X-SecondLife-Local-Velocity", "(0.000000, 0.000000, 0.000000)"),
            ("X-SecondLife-Local-Rotation", "(0.000000, 0.000000, 0.000000, 1.000000)"),
            ("X-SecondLife-Owner-Name", self.owner.name),
            ("X-SecondLife-Owner-Key", self.owner.key),
        ]


def finished(handler: Coroutine[Any, Any, Any]) -> Any:
    """The result of a handler; nothing in this world makes one wait."""
    try:
        handler.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("a handler that waits")


def _given(world: World) -> dict[str, Any]:
    """What both worlds have, beyond what lummao computes itself."""
    return {
        "llDialog": world.dialog,
        "llTextBox": world.text_box,
        "llLoadURL": world.load_url,
        "llRegionSayTo": world.say_to,
        "llGiveInventory": world.give,
        "llSetText": world.set_text,
        "llSetTimerEvent": world._set_timer,
        "llHTTPRequest": world.http_request,
        "llHTTPResponse": lambda request, status, _body: world.answers.__setitem__(request, status),
        "llRequestURL": world.request_url,
        "llReleaseURL": world.release_url,
        "llListen": world.listen,
        "llListenRemove": lambda handle: world.listens.pop(handle, None),
        "llGetOwner": lambda: Key(world.owner.key),
        "llGetOwnerKey": lambda key: key if key in world.residents else Key(world.owner.key),
        "llGetAgentLanguage": lambda avatar: world.residents[avatar].language,
        "llGetUnixTime": lambda: int(world.now),
        "llGenerateKey": lambda: Key(str(uuid.uuid4())),
        "llGetInventoryType": lambda item: 7 if item in world.inventory else NOT_HERE,
        "llGetInventoryPermMask": lambda item, _mask: world.inventory[item],
        "llGetNumberOfPrims": lambda: len(world.links),
        "llGetLinkName": lambda link: world.links.get(link, NULL_KEY),
        "llGetLinkPrimitiveParams": lambda link, _asked: [Vector((float(link) + 0.6, 130.2, 25.0))],
    }


def _linkset_data(world: World) -> dict[str, Any]:
    """Second Life's: a value can be read and overwritten only with its pass phrase."""

    def write(name: str, text: str, phrase: str) -> int:
        if world.linkset_data.get(name, ("", phrase))[1] != phrase:
            return 3
        world.linkset_data[name] = (text, phrase)
        return 0

    def read(name: str, phrase: str) -> str:
        text, needed = world.linkset_data.get(name, ("", phrase))
        return text if needed == phrase else ""

    def delete(name: str, phrase: str) -> list[int]:
        if world.linkset_data.get(name, ("", ""))[1] != phrase:
            return [3, 0]
        del world.linkset_data[name]
        return [0, 1]

    return {
        "llLinksetDataWriteProtected": write,
        "llLinksetDataReadProtected": read,
        "llLinksetDataDeleteProtected": delete,
    }


__all__ = ["Resident", "ScriptError", "Shown", "World"]
