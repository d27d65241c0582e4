"""Objects of virtual worlds as the door meets them: signed by docs/worlds.md, with the headers real worlds send."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from tests.worlds.contract import message_of, signature
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.worlds.enrolling import NotOpened, Spot, put_up
from vteam.channels.worlds.linking import link_avatar
from vteam.channels.worlds.models import Kiosk, World
from vteam.jobs.moving import InboxTable, Mover
from vteam.ledger.models import Decision
from vteam.people.models import Fan

OWNER, STRANGER = "00000000-0000-0000-0000-00000000a001", "00000000-0000-0000-0000-00000000a009"
NADIA, REMI = "00000000-0000-0000-0000-00000000a002", "00000000-0000-0000-0000-00000000a003"
TOUCH = {"avatar": NADIA, "name": "Nadia Resident", "language": "en"}
# As a real OpenSimulator 0.9.2.2 sends them, in its order.
OPENSIMULATOR = {
    "X-SecondLife-Shard": "OpenSim",
    "X-SecondLife-Object-Name": "vTeam kiosk",
    "X-SecondLife-Object-Key": "ded99cd5-f28d-491d-b085-9eb4e8072055",
    "X-SecondLife-Region": "vTeam Test (256000, 256000)",
    "X-SecondLife-Local-Position": "(128.000000, 130.000000, 25.000000)",
    "X-SecondLife-Local-Velocity": "(0.000000, 0.000000, 0.000000)",
    "X-SecondLife-Local-Rotation": "(0.000000, 0.000000, 0.000000, 1.000000)",
    "X-SecondLife-Owner-Name": "Kiosk Owner",
    "X-SecondLife-Owner-Key": OWNER,
}


def signed(
    key: str, secret: str, path: str, body: str | bytes, *, time: str = "", nonce: str = ""
) -> dict[str, str]:
    """The four headers of a request, as the documentation says they are made."""
    time, nonce = time or str(clock.now_us() // 1_000_000), nonce or f"1-{secrets.token_hex(8)}"
    body = body.encode() if isinstance(body, str) else body
    return {
        "X-VTeam-Key": key,
        "X-VTeam-Time": time,
        "X-VTeam-Nonce": nonce,
        "X-VTeam-Sig": signature(secret, message_of(key, time, nonce, path, body)),
    }


@dataclass(kw_only=True)
class Object:
    """An object that was enrolled. `around`: what its world's server adds."""

    key: str
    secret: str
    around: dict[str, str] = field(default_factory=lambda: dict(OPENSIMULATOR))

    def send(self, name: str, content: object, **how: str) -> Any:
        """The answer to a signed request. The body is written as OpenSimulator does, with its escaped slashes."""
        path = f"/world/v1/{name}"
        body = content if isinstance(content, str) else json.dumps(content).replace("/", "\\/")
        headers = signed(self.key, self.secret, path, body, **how) | self.around
        return Client(headers=headers).post(path, body, content_type="application/json")

    def page(self, name: str, /, avatar: str = NADIA, **more: str) -> dict[str, Any]:
        """What a resident is shown."""
        content = {"avatar": avatar, "name": "Nadia Resident", "language": "en"} | more
        answer = self.send(name, content)
        assert answer.status_code == 200, answer.content
        assert len(answer.content) <= 1_900
        shown: dict[str, Any] = answer.json()
        return shown

    def choose(self, choice: str, /, avatar: str = NADIA, **more: str) -> dict[str, Any]:
        """What a resident's choice leads to."""
        return self.page("action", avatar, choice=choice, **more)


def put(
    campaign: Campaign, *, fan: Fan | None = None, world: World = World.OPENSIMULATOR, acts: int = 100
) -> tuple[Kiosk, str]:
    """A kiosk that waits, and its code."""
    spot = Spot(world=world, grid="OSgrid", place="The Ska Club", room="The cellar of the Ska Club")
    made = put_up(campaign=campaign, spot=spot, fan=fan, acts_per_day=acts, at=clock.now())
    assert not isinstance(made, NotOpened), made
    return made


def type_code(code: object, **headers: str) -> tuple[int, dict[str, str]]:
    """How the door answers an object whose owner typed a code, and what it says."""
    answer = Client(headers=headers).post(
        "/world/v1/enrol", json.dumps({"code": code}), content_type="application/json"
    )
    return answer.status_code, answer.json()


def enrolled(campaign: Campaign, *, around: dict[str, str] | None = None, **how: Any) -> tuple[Kiosk, Object]:
    """A kiosk whose object was enrolled through the door."""
    kiosk, code = put(campaign, **how)
    around = dict(OPENSIMULATOR) if around is None else around
    status, given = type_code(code, **around)
    assert status == 200, given
    kiosk.refresh_from_db()
    return kiosk, Object(key=given["key"], secret=given["secret"], around=around)


def link(kiosk: Object, fan: Fan, avatar: str = NADIA) -> None:
    """The avatar asks for the address, and the fan opens it."""
    address = kiosk.choose("link", avatar)["open"]["address"]
    assert link_avatar(secret=address.rpartition("/")[2], fan=fan, at=clock.now())


def outcomes(fan: Fan) -> list[str]:
    """What became of a fan's facts, oldest first."""
    Mover(InboxTable()).move()
    found = Decision.objects.filter(campaign_id=fan.campaign_id, fan_id=fan.pk).order_by("seq")
    return list(found.values_list("outcome", flat=True))
