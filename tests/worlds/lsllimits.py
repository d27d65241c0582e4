"""What Second Life and OpenSimulator 0.9.2.2 allow a script; what they refuse or shout about is a `ScriptError`.

Sources: the Second Life wiki's pages on each function; OpenSimulator's own source and the requests recorded there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class ScriptError(AssertionError):
    """The world would refuse this, or shout it at whoever stands near."""


def need(true: bool, otherwise: str) -> None:
    if not true:
        raise ScriptError(otherwise)


@dataclass(frozen=True, slots=True)
class Limits:
    """`burst`: requests at once, one a second afterwards; 0: 25 in 20 s. `flags`: the highest known HTTP option."""

    world: str
    shard: str
    region: str
    burst: float
    flags: int
    has_linkset_data: bool
    load_url_sleeps_s: float
    times_out_after_s: float
    body_bytes: int = 2048
    body_bytes_max: int = 16384

    def check_dialog(self, text: str, buttons: Sequence[Any]) -> None:
        need(0 < len(text.encode()) < 512, f"a dialog's text of {len(text.encode())} bytes")
        need(1 <= len(buttons) <= 12, f"{len(buttons)} buttons")
        for label in buttons:
            need(isinstance(label, str) and 0 < len(label.encode()) <= 24, f"the button {label!r}")

    def check_address(self, text: str, address: str) -> None:
        need(len(text.encode()) <= 254, "a long text beside an address")
        need(0 < len(address.encode()) <= 255, "a long address")


SECOND_LIFE = Limits(
    world="secondlife",
    shard="Production",
    region="Jin Ho (264448, 233984)",
    burst=0,
    flags=9,
    has_linkset_data=True,
    load_url_sleeps_s=0.1,
    times_out_after_s=60,
)
OPENSIMULATOR = Limits(
    world="opensimulator",
    shard="OpenSim",
    region="vTeam Test (256000, 256000)",
    burst=3,
    flags=6,
    has_linkset_data=False,
    load_url_sleeps_s=1.0,
    times_out_after_s=30,
)
