"""The door of a concert, on a phone without an account: whoever types its code lets people in, by camera or by name.

GET shows, POST acts. Everything works without the script but the camera, and going on without network.
"""

import json
import re
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from vteam import clock
from vteam.campaigns.file import ConcertEntry
from vteam.campaigns.models import Campaign
from vteam.permissions import budgets
from vteam.prizes import doors
from vteam.prizes.doors import (
    Heard,
    Said,
    concert_at,
    conflicts,
    counted,
    door_with,
    heard_offline,
    is_open,
    known_hashes,
    scan_code,
    scan_hash,
    undoable,
)
from vteam.prizes.models import Door, Ticket
from vteam.prizes.tickets import Guest, guests, public_keys
from vteam.rules.tickets import SECRET_BYTES, Became, mark_of
from vteam.web.answers import private, private_render
from vteam.web.assets import asset_file
from vteam.web.forms import bare_name
from vteam.web.guards import HEADERS
from vteam.web.tickets import by_name
from vteam.web.visitors import door_network

SESSION = "door"
CODES_PER_HOUR = 12
SCANS_PER_HOUR, MERGES_PER_HOUR, NAMES_PER_HOUR = 6_000, 600, 2_000
MERGED_WITHIN = 48 * 3_600
"""Seconds within which a phone tells what it did without network."""
MERGING = "what a door's phone did without network"
NAMES_SHOWN, CONFLICTS_SHOWN, MERGED_AT_ONCE = 20, 50, 100
HASH, SCAN = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{32}")
BY_ITSELF = (Became.IN, Became.ALREADY_IN, Became.TOO_EARLY, Became.NOT_OURS, "newer")
"""What a phone without network may say. Newer: signed by us, but not on its list."""
P = ParamSpec("P")
DoorView = Callable[Concatenate[HttpRequest, Door, P], HttpResponseBase]


def for_doors(view: DoorView[P]) -> Callable[..., HttpResponseBase]:
    """A page for whoever has typed the code of a door that is open; others are asked for one."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        found = _door(request)
        if found is None or not is_open(found, at=clock.now()):
            return _closed(request)
        return private(view(request, found, *args, **kwargs))

    return guarded


def _door(request: HttpRequest) -> Door | None:
    kept = request.session.get(SESSION) if request.COOKIES else None
    return Door.objects.filter(pk=kept).first() if kept else None


def _closed(request: HttpRequest) -> HttpResponseBase:
    return private_render(request, "door_code.html", {"ended": SESSION in request.session}, status=403)


@require_http_methods(["GET", "HEAD", "POST"])
def door(request: HttpRequest) -> HttpResponseBase:
    """The door; where no code was typed yet, the page that asks for it."""
    if request.method == "POST":
        return _enter(request)
    found = _door(request)
    if found is None:
        return private_render(request, "door_code.html", {})
    return page(request)


def _enter(request: HttpRequest) -> HttpResponseBase:
    at, network = clock.now(), door_network(request)
    if not budgets.take(door="door code", key=network, limit=CODES_PER_HOUR, window=budgets.HOUR, at=at):
        return private_render(request, "door_code.html", {"too_many": True}, status=429)
    found = door_with(request.POST.get("code", "")[:40], at=at)
    if found is None:
        return private_render(request, "door_code.html", {"wrong": True}, status=422)
    budgets.give_back(door="door code", key=network, window=budgets.HOUR, at=at)
    request.session[SESSION] = found.pk
    return redirect("door")


@for_doors
def page(request: HttpRequest, door: Door) -> HttpResponseBase:
    """Camera, names, who is in."""
    return _page(request, door)


def _page(request: HttpRequest, door: Door, *, said: Said | None = None, asked: str = "") -> HttpResponseBase:
    campaign, concert = _stage(door)
    context = {
        "campaign": campaign,
        "concert": concert,
        "door": door,
        "said": said,
        "offline": BY_ITSELF,
        **_state(door),
        **_found(campaign, door, asked),
    }
    answer = private_render(request, "door.html", context)
    answer["Permissions-Policy"] = HEADERS["Permissions-Policy"].replace("camera=()", "camera=(self)")
    return answer


def _stage(door: Door) -> tuple[Campaign, ConcertEntry]:
    found = concert_at(door)
    assert found is not None, "an open door has its concert"
    return found


def _state(door: Door) -> dict[str, Any]:
    inside, expected = counted(door)
    shown = list(conflicts(door.campaign_id, door.concert)[: CONFLICTS_SHOWN + 1])
    return {
        "inside": inside,
        "expected": expected,
        "conflicts": [
            (scan, None, mark_of(bytes(scan.ticket.token_hash))) for scan in shown[:CONFLICTS_SHOWN]
        ],
        "more_conflicts": len(shown) > CONFLICTS_SHOWN,
    }


@for_doors
@require_safe
def state(request: HttpRequest, door: Door) -> HttpResponseBase:
    """How many are in, and who was let in twice: a part of the page."""
    return private_render(request, "_door_state.html", {"campaign": _stage(door)[0], **_state(door)})


@for_doors
@require_POST
def names(request: HttpRequest, door: Door) -> HttpResponseBase:
    """Who is on the list under a name: a part of the page, or all of it. By POST: a name stands in no address."""
    asked = request.POST.get("name", "").strip()[:80]
    if not _may(door, "names", NAMES_PER_HOUR):
        return private_render(request, "429.html", {}, status=429)
    if not request.headers.get("HX-Request"):
        return _page(request, door, asked=asked)
    campaign, _concert = _stage(door)
    return private_render(
        request, "_door_names.html", {"campaign": campaign, **_found(campaign, door, asked)}
    )


def _found(campaign: Campaign, door: Door, asked: str) -> dict[str, Any]:
    """Everybody in whose name, winner's name or mark each of the words typed is, without case and accents."""
    if not asked:
        return {"asked": ""}
    wanted = [bare_name(word) for word in asked.split()]
    there = guests(campaign.file, campaign.pk, door.concert)
    matching = sorted(
        (guest for guest in there if all(word in _told_of(guest) for word in wanted)), key=by_name
    )
    shown = matching[:NAMES_SHOWN]
    undos = undoable(door, (guest.ticket.pk for guest in shown), at=clock.now())
    return {
        "asked": asked,
        "guests": [(guest, undos.get(guest.ticket.pk)) for guest in shown],
        "more_guests": max(len(matching) - NAMES_SHOWN, 0),
    }


def _told_of(guest: Guest) -> str:
    return " ".join(map(bare_name, (guest.name, guest.winner, guest.mark)))


def _may(door: Door, what: str, limit: int) -> bool:
    return budgets.take(door=what, key=str(door.pk), limit=limit, window=budgets.HOUR, at=clock.now())


# Letting in ----------------------------------------------------------------------------------------------------------
@for_doors
@require_POST
def let_in(request: HttpRequest, door: Door) -> HttpResponseBase:
    """Lets somebody in, by the code of a ticket or by the ticket itself (`hash`); a part of the page, or all of it."""
    at = clock.now()
    if not _may(door, "scan", SCANS_PER_HOUR):
        return private_render(request, "429.html", {}, status=429)
    scan, known = request.POST.get("scan", ""), request.POST.get("hash", "")
    heard = Heard(
        scan=bytes.fromhex(scan) if SCAN.fullmatch(scan) else secrets.token_bytes(SECRET_BYTES), at=at
    )
    if HASH.fullmatch(known):
        said = scan_hash(door=door, token_hash=bytes.fromhex(known), heard=heard)
    else:
        said = scan_code(door=door, code=request.POST.get("code", "")[:400], heard=heard)
    return _answer(request, door, said)


def _answer(request: HttpRequest, door: Door, said: Said) -> HttpResponseBase:
    if not request.headers.get("HX-Request"):
        return _page(request, door, said=said)
    campaign, concert = _stage(door)
    context = {"campaign": campaign, "concert": concert, "said": said, "door": door}
    answer = private_render(request, "_door_said.html", context)
    answer["HX-Trigger"] = "told"
    return answer


@for_doors
@require_POST
def undo(request: HttpRequest, door: Door) -> HttpResponseBase:
    """That was a mistake: the ticket is good again, unless somebody else was let in with it too."""
    typed = request.POST.get("scan", "")
    scan = bytes.fromhex(typed) if SCAN.fullmatch(typed) else b""
    undone = doors.undo(door=door, scan=scan, at=clock.now())
    if not request.headers.get("HX-Request"):
        return redirect("door")
    still_in = Ticket.objects.filter(scans__door=door, scans__scan=scan, entered_at__isnull=False).exists()
    answer = private_render(request, "_door_undone.html", {"undone": undone, "still_in": still_in})
    answer["HX-Trigger"] = "told"
    return answer


# Without network -----------------------------------------------------------------------------------------------------
@for_doors
@require_safe
def known(request: HttpRequest, door: Door) -> HttpResponseBase:
    """What a phone needs to go on without network: hashes, no names; and what a ticket's signature is checked with."""
    campaign, concert = _stage(door)
    return JsonResponse({
        "door": door.pk,
        "pass": signing.dumps(door.pk, salt=MERGING),
        "campaign": campaign.pk,
        "keys": public_keys(campaign.pk),
        "from": int(campaign.file.day_begins_at(concert).timestamp() * 1000),
        "tickets": [[token_hash.hex(), int(is_in)] for token_hash, is_in in known_hashes(door)],
    })  # fmt: skip


@require_POST
def merge(request: HttpRequest) -> HttpResponseBase:
    """What a phone did without network, told later: also once its door is closed, or it stands at another.

    JSON: `pass`, as `known` gave it, and `scans`, at most 100, each with `scan` (32 hex digits), `hash` (64) and `at`
    (ms since 1970). Answers what became of each, in order.
    """
    read = _told(request.body)
    if read is None:
        return JsonResponse({"wrong": "this is not what a door tells"}, status=400)
    passed, scans = read
    found = _door_of(passed)
    if found is None:
        return JsonResponse({"wrong": "no door"}, status=403)
    if not _may(found, "merge", MERGES_PER_HOUR):
        return JsonResponse({"wrong": "too often"}, status=429)
    now = clock.now()
    became = []
    for scan, token_hash, at_ms in scans:
        heard = heard_offline(scan=scan, at_us=at_ms * 1000, let_in=True, now=now)
        became.append(scan_hash(door=found, token_hash=token_hash, heard=heard).became)
    return private(JsonResponse({"became": became}))


def _door_of(passed: str) -> Door | None:
    """The door whose phone had a pass within the last days."""
    try:
        pk = signing.loads(passed, salt=MERGING, max_age=MERGED_WITHIN)
    except signing.BadSignature:
        return None
    return Door.objects.filter(pk=pk).first()


def _told(body: bytes) -> tuple[str, list[tuple[bytes, bytes, int]]] | None:
    """The pass and the scans in a body; None where it is anything else."""
    try:
        told = json.loads(body)
        passed, read = told["pass"], [(each["scan"], each["hash"], each["at"]) for each in told["scans"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(passed, str) or len(read) > MERGED_AT_ONCE or not all(_is_scan(*each) for each in read):
        return None
    return passed, [(bytes.fromhex(scan), bytes.fromhex(token_hash), at) for scan, token_hash, at in read]


def _is_scan(scan: object, token_hash: object, at: object) -> bool:
    return (
        isinstance(scan, str)
        and SCAN.fullmatch(scan) is not None
        and isinstance(token_hash, str)
        and HASH.fullmatch(token_hash) is not None
        and isinstance(at, int)
        and 0 <= at < MS_MAX
    )


MS_MAX = 4_102_444_800_000
"""The year 2100."""


@require_POST
def leave(request: HttpRequest) -> HttpResponseBase:
    """This phone is no door any more."""
    request.session.pop(SESSION, None)
    return redirect("door")


@require_safe
def worker(request: HttpRequest) -> HttpResponseBase:
    """The script that keeps the page for when there is no network."""
    answer = HttpResponse(
        asset_file("door-worker.js").read_bytes(), content_type="text/javascript; charset=utf-8"
    )
    answer["Cache-Control"] = "no-cache"
    # Of the page beside it too: by itself a script may do so only below its own folder.
    answer["Service-Worker-Allowed"] = reverse("door")
    return answer
