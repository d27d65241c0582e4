"""The door objects of virtual worlds speak to, `/world/v1` (docs/worlds.md); its OpenAPI stands beside it.

A signature is checked before a byte of the body is read. What a resident may not do is answered with a page that says
so; only what is no request of an object's is refused with a status, and words.
"""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from ninja.security import APIKeyHeader

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.channels.worlds.avatars import Resident, lookups_of
from vteam.channels.worlds.enrolling import Around, Disbelieved, Signed, Unenrolled, believe, enrol
from vteam.channels.worlds.lines import line_of, neutral_line, told
from vteam.channels.worlds.menu import chosen, room, welcome
from vteam.channels.worlds.missions import present
from vteam.channels.worlds.models import Kiosk
from vteam.channels.worlds.pages import Page, answer_of
from vteam.channels.worlds.signing import KEY, NONCE, PATIENCE_SECONDS, TIME
from vteam.channels.worlds.visits import Addresses, Visit, one_line, refused
from vteam.permissions import budgets
from vteam.web.addresses import short_link, site_base
from vteam.web.answers import private
from vteam.web.guards import said_at_world_door, stated_bytes
from vteam.web.language import plain_reverse
from vteam.web.visitors import door_network
from vteam.web.worldmessages import Action, Code, Heartbeat, Key, Line, PageShown, Present, Refused, Touch

BODY_BYTES_MAX = 4_096
CODES_PER_HOUR = 300
"""Wrong ones of a network: all objects of a world share few, and nobody guesses one of 32**8."""
HEADER_LENGTH = {"owner": 64, "shard": 64, "region": 100, "position": 60}
REGION_CORNER = re.compile(r" \([0-9]+, [0-9]+\)$")
"""Where a region lies on its grid's map; its name is enough."""
WHOLE = re.compile(r"(-?[0-9]{1,9})(?:\.[0-9]+)?")


class NotTaken(Exception):
    """A request that is none of an object's: its status, words and reason. It does not leave this module."""

    def __init__(self, status: int, text: str, why: str) -> None:
        super().__init__(text)
        self.status, self.text, self.why = status, text, why


# Believing ----------------------------------------------------------------------------------------------------------
class Signature(APIKeyHeader):
    """The object's signature, over its key, the time, a number used once, the path and the body (docs/worlds.md)."""

    param_name = "X-VTeam-Sig"

    def authenticate(self, request: HttpRequest, key: str | None) -> Kiosk:
        """The kiosk a request is from; NotTaken where it is not believed. Ninja's hook, before anything is read."""
        headers = request.headers
        signed = Signed(
            key=headers.get("X-VTeam-Key", "")[:40],
            time=headers.get("X-VTeam-Time", "")[:20],
            nonce=headers.get("X-VTeam-Nonce", "")[:80],
            signature=(key or "")[:80],
            path=request.path,
            body=_body(request),
        )
        with translation.override("en"):
            found = believe(signed=signed, around=_around(request), at=clock.now())
            if isinstance(found, Disbelieved):
                is_often = found is Disbelieved.TOO_OFTEN
                status = HTTPStatus.TOO_MANY_REQUESTS if is_often else HTTPStatus.FORBIDDEN
                raise NotTaken(status, _in_both(_DISBELIEVED[found]), found)
        return found


def _body(request: HttpRequest) -> bytes:
    """The bytes as they came; more than an object ever sends is not read."""
    if (stated_bytes(request) or 0) > BODY_BYTES_MAX:
        raise NotTaken(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {BODY_BYTES_MAX} bytes.", "too_big")
    return request.body


def _around(request: HttpRequest) -> Around:
    """What a Linden world's server adds to an object's request; Luanti adds nothing."""
    told = {
        "owner": request.headers.get("X-SecondLife-Owner-Key", ""),
        "shard": request.headers.get("X-SecondLife-Shard", ""),
        "region": REGION_CORNER.sub("", request.headers.get("X-SecondLife-Region", "")),
        "position": ", ".join(WHOLE.findall(request.headers.get("X-SecondLife-Local-Position", "")[:60])[:3]),
    }
    return Around(**{name: one_line(text)[: HEADER_LENGTH[name]] for name, text in told.items()})


def _in_both(words: Callable[[], str]) -> str:
    """In English and French: nobody knows yet who will read it."""
    said = []
    for code in ("en", "fr"):
        with translation.override(code):
            said.append(words())
    return "\n".join(dict.fromkeys(said))


_DISBELIEVED: dict[Disbelieved, Callable[[], str]] = {
    Disbelieved.UNKNOWN: lambda: _("The vTeam does not know this object. Type a new code."),
    Disbelieved.WRONG: lambda: _("The signature is not right. Type a new code."),
    Disbelieved.LATE: lambda: _("The object's clock is more than five minutes from ours."),
    Disbelieved.REPEATED: lambda: _("This was sent before."),
    Disbelieved.OWNER: lambda: _("The object has another owner now. Type a new code."),
    Disbelieved.SHARD: lambda: _("The object is in another world now. Type a new code."),
    Disbelieved.TOO_OFTEN: lambda: _("Many ask at once. Come back in a minute."),
    Disbelieved.REVOKED: lambda: _("This kiosk is closed."),
}

_UNENROLLED: dict[Unenrolled, Callable[[], str]] = {
    Unenrolled.CODE: lambda: _("This code is wrong, was used already, or is too old. Make a new one."),
    Unenrolled.SHARD: lambda: _(
        "This code was made for another world than this one. Whoever made it puts up a kiosk for this world on the "
        "campaign's page and gets a code that is good here."
    ),
}


# The door -----------------------------------------------------------------------------------------------------------
class QuickParser(Parser):
    """Reads bodies as everything else is read here: with no numbers without end, and no endless depth."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Ninja's hook."""
        return orjson.loads(_body(request))


api = NinjaAPI(
    title="vTeam: the door for virtual worlds",
    version="1",
    description=(
        "Objects that residents touch. Each signed request has four headers, X-VTeam-Key, X-VTeam-Time, X-VTeam-Nonce "
        "and X-VTeam-Sig; docs/worlds.md says how they are made."
    ),
    docs_url=None,
    urls_namespace="world",
    parser=QuickParser(),
)
_REFUSALS = {400: Refused, 403: Refused, 413: Refused, 429: Refused}


def _header(name: str, described: str, pattern: re.Pattern[str]) -> dict[str, Any]:
    """How the description names a header that goes with a signature. It is read together with that, and not before."""
    schema = {"type": "string", "pattern": f"^{pattern.pattern}$"}
    return {"name": name, "in": "header", "required": True, "description": described, "schema": schema}


_SIGNED: dict[str, Any] = {
    "auth": Signature(),
    "openapi_extra": {
        "parameters": [
            _header("X-VTeam-Key", "the key enrol gave", KEY),
            _header("X-VTeam-Time", f"seconds since 1970, UTC; at most {PATIENCE_SECONDS} s from ours", TIME),
            _header("X-VTeam-Nonce", "never used before with this key", NONCE),
        ]
    },
}
# What is answered with a page for one resident.
_SHOWN: dict[str, Any] = {
    "response": {200: PageShown, **_REFUSALS},
    "exclude_none": True,
    **_SIGNED,
}


@api.exception_handler(NotTaken)
def _not_taken(request: HttpRequest, fault: NotTaken) -> HttpResponse:
    return said_at_world_door(status=fault.status, text=fault.text, why=fault.why)


@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, fault: HttpError) -> HttpResponse:
    if isinstance(fault.__cause__, NotTaken):  # what our parser says, ninja wraps in this
        return _not_taken(request, fault.__cause__)
    said = "This is not JSON as docs/worlds.md describes it."
    return said_at_world_door(status=400, text=said, why="unreadable")


@api.exception_handler(ValidationError)
def _not_so(request: HttpRequest, fault: ValidationError) -> HttpResponse:
    where = ", ".join(dict.fromkeys(".".join(map(str, error["loc"][2:])) for error in fault.errors[:5]))
    said = f"Missing or not what it should be: {where or 'the body'}."[:300]
    return said_at_world_door(status=400, text=said, why="unreadable")


def _json(content: object) -> HttpResponse:
    return _answer(orjson.dumps(content))


def _answer(content: bytes) -> HttpResponse:
    answer = HttpResponse(content, content_type="application/json; charset=utf-8")
    private(answer)
    return answer


@api.post("/enrol", response={200: Key, **_REFUSALS}, summary="A code becomes a key and a secret")
def take_code(request: HttpRequest, body: Code) -> HttpResponse:
    """The object's owner typed a code: good once, and again while its answer may have been lost."""
    at = clock.now()
    if not budgets.take(
        door="kiosk code", key=door_network(request), limit=CODES_PER_HOUR, window=budgets.HOUR, at=at
    ):
        words = _in_both(lambda: _("Too many codes. Come back in an hour."))
        raise NotTaken(HTTPStatus.TOO_MANY_REQUESTS, words, "too_often")
    enrolled = enrol(typed=body.code, around=_around(request), at=at)
    if isinstance(enrolled, Unenrolled):
        raise NotTaken(HTTPStatus.FORBIDDEN, _in_both(_UNENROLLED[enrolled]), enrolled)
    budgets.give_back(door="kiosk code", key=door_network(request), window=budgets.HOUR, at=at)
    kiosk = enrolled.kiosk
    artist = Campaign.objects.get(pk=kiosk.campaign_id).file.artist
    with translation.override(kiosk.language):
        neutral = neutral_line(artist)
        text = _("This kiosk belongs to the campaign now. Touch it to see what others see.")
    given = {"key": kiosk.key, "secret": enrolled.secret, "line": kiosk.line_told, "neutral": neutral}
    return _json(given | {"text": text})


@api.post("/touch", summary="A resident touched the object", **_SHOWN)
def touch(request: HttpRequest, body: Touch) -> HttpResponse:
    """What they see first."""
    return _shown(request, body, room if body.at == "room" else welcome)


@api.post("/action", summary="A resident chose or typed something", **_SHOWN)
def action(request: HttpRequest, body: Action) -> HttpResponse:
    """Where their choice leads."""
    return _shown(request, body, lambda visit: chosen(visit, body.choice, body.text))


@api.post("/presence", summary="A resident is at the concert that is announced here", **_SHOWN)
def presence(request: HttpRequest, body: Present) -> HttpResponse:
    """They pressed “I'm here”."""
    return _shown(request, body, present)


@api.post(
    "/heartbeat",
    response={200: Line, **_REFUSALS},
    summary="The object is alive",
    **_SIGNED,
)
def heartbeat(request: HttpRequest, body: Heartbeat) -> HttpResponse:
    """Every five minutes, and after each restart of its region."""
    kiosk: Kiosk = request.auth  # type: ignore[attr-defined]
    where = one_line(body.room)[:80]
    if (kiosk.url, kiosk.told_room) != (body.url, where):
        kiosk.url, kiosk.told_room = body.url, where
        kiosk.save(update_fields=["url", "told_room"])
    line = line_of(kiosk, at=clock.now())
    told(kiosk, line)
    return _json({"line": line})


def _shown(request: HttpRequest, body: Touch | Present, show: Callable[[Visit], Page]) -> HttpResponse:
    """The page a resident gets, in the language of their viewer."""
    kiosk: Kiosk = request.auth  # type: ignore[attr-defined]
    campaign = Campaign.objects.get(pk=kiosk.campaign_id)
    visit = Visit(
        campaign=campaign,
        kiosk=kiosk,
        resident=Resident(id=body.avatar, name=one_line(body.name)[:64]),
        addresses=_addresses(request),
        at=clock.now(),
    )
    line = line_of(kiosk, at=visit.at, campaign=campaign)
    with translation.override(_language(body.language, kiosk)):
        too_many = _("Many ask at once. Come back in a minute.")
        page = show(visit) if _in_budget(visit) else refused(visit, too_many)
        answer = _answer(answer_of(page, line=line))
    told(kiosk, line)
    return answer


def _language(told: str, kiosk: Kiosk) -> str:
    if not told:
        return kiosk.language
    return "fr" if told.lower().startswith("fr") else "en"


def _in_budget(visit: Visit) -> bool:
    def take(door: str, key: str, limit: int) -> bool:
        return budgets.take(door=door, key=key, limit=limit, window=budgets.MINUTE, at=visit.at)

    # The avatar's first: what one resident asks too often is not taken from all the others.
    avatar = lookups_of(visit.campaign, visit.kiosk, visit.resident)[0]
    with transaction.atomic():  # both are on disk with one wait for it
        own = take("avatar", f"{visit.campaign.pk}:{avatar}", settings.AVATAR_ASKS_PER_MINUTE)
        return own and take("kiosk", str(visit.kiosk.pk), settings.KIOSK_ASKS_PER_MINUTE)


def _addresses(request: HttpRequest) -> Addresses:
    base = site_base(request)
    return Addresses(
        campaign=lambda slug: base + plain_reverse("campaign", slug),
        share=lambda code: short_link(request, code),
        link=lambda secret: base + plain_reverse("avatar-link", secret),
    )
