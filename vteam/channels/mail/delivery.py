"""Handing messages over, in `jobs` alone: each with a permit taken out of the yes in force at that moment.

What is due is looked at, permitted, written down as being handed over, handed over, and written down as ended, in
this order: whoever kills the process in the middle finds one message at most of which nobody can say whether the server
took it, and that one is not sent again. Temporary trouble is tried again with growing pauses until the message would
be useless; what is given up keeps its reason.
"""

import datetime as dt
import json
import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from vteam.campaigns.models import Campaign
from vteam.channels.mail import contents, servers
from vteam.channels.mail.letters import Letter, Reader, code_letter, sender, written
from vteam.channels.mail.models import OutboxMessage, Trouble
from vteam.channels.mail.pacing import Pacing
from vteam.channels.mail.stopping import stop_url
from vteam.errors import DeliveryError, NotPermitted
from vteam.people import vault
from vteam.permissions.services import Permit, Recipient, permit, permit_code
from vteam.rules.grants import Pace, Purpose, Quiet, leaves_at

logger = logging.getLogger(__name__)
# A turn begins no further message after so long: others wait for the database and the process.
TURN_SECONDS_MAX = 2.0
NULLS_AT_ONCE = 1_000
GATHERED_MAX = 200
# Of a code, which its reader waits for, and of what may arrive tomorrow as well.
FIRST_PAUSE, CODE_DOUBLINGS_MAX, DOUBLINGS_MAX = dt.timedelta(seconds=10), 6, 10
LONGEST_PAUSE = FIRST_PAUSE * 2**CODE_DOUBLINGS_MAX
# Nothing but the clock makes a message due later than a weekly digest.
FARTHEST = dt.timedelta(days=8)
# What is handed over takes seconds; whatever is still being so after this was left by a process that died.
HANDING_MAX = dt.timedelta(minutes=2)
letters_ended: Counter[str] = Counter()
"""How many letters ended in each state, since this process began."""


def deliver_due(*, at: dt.datetime, at_most: int = 50) -> int:
    """One turn of a postman who comes for it and leaves; returns how many rows were dealt with."""
    with postman() as one:
        return one.deliver_due(at=at, at_most=at_most)


@contextmanager
def postman() -> "Iterator[Postman]":
    """A postman, whose way to the server stays open from turn to turn until the block ends."""
    one = Postman()
    try:
        yield one
    finally:
        one.leave()


@dataclass(slots=True)
class _Ready:
    """A message with its permit, and all that leaves with it in one letter."""

    rows: list[OutboxMessage]
    letter: bytes
    to: str
    leave: Permit


@dataclass(slots=True)
class Postman:
    """Carries what is due, over one connection as long as there is something to carry."""

    _server: servers.Server | None = None
    _pacing: Pacing = field(default_factory=Pacing)
    _ended: list[OutboxMessage] = field(default_factory=list)
    _campaigns: dict[int, Campaign] = field(default_factory=dict)

    def deliver_due(self, *, at: dt.datetime, at_most: int = 50) -> int:
        """Hand over what is due, for about `TURN_SECONDS_MAX`; returns how many rows were dealt with.

        Null messages have their turn after the real ones, and leave nothing. What is due later than any pause or
        morning lasts is from before the clock was set back, and due.
        """
        code = Q(purpose=Purpose.CODE)
        is_due = Q(due_at__lte=at) | Q(due_at__gt=at + FARTHEST) | (code & Q(due_at__gt=at + LONGEST_PAUSE))
        due = OutboxMessage.objects.filter(is_due, state=OutboxMessage.WAITING).order_by("due_at", "pk")
        messages = list(due.filter(is_null=False)[:at_most])
        if messages and self._server is None:
            self._server = servers.server()
        self._campaigns.clear()
        begun, done, dealt = time.monotonic(), 0, set[int]()
        for message in messages:
            if message.pk not in dealt:
                dealt |= self._deliver(message, at)
                done += 1
            if time.monotonic() - begun > TURN_SECONDS_MAX:
                break
        self._write_down()
        if not messages:
            self.rest()
        nulls = list(due.filter(is_null=True).values_list("pk", flat=True)[:NULLS_AT_ONCE])
        return done + (OutboxMessage.objects.filter(pk__in=nulls).delete()[0] if nulls else 0)

    def rest(self) -> None:
        """Nothing is due: the server need not wait for us."""
        if self._server is not None:
            self._server.leave()

    def leave(self) -> None:
        """The last turn is over."""
        self.rest()
        self._server = None

    def _deliver(self, message: OutboxMessage, at: dt.datetime) -> set[int]:
        """Deal with a message and all that leaves with it; returns whose turn that was."""
        try:
            ready = self._begin(message, at)
            if ready is None:
                return {message.pk}
            self._hand(ready, at)
            return {row.pk for row in ready.rows}
        except Exception as fault:
            # One message nobody can make or open must not keep those behind it from leaving.
            logger.exception("message %s cannot be handed over: our own fault", message.pk)
            self._after_trouble([message], DeliveryError(type(fault).__name__, permanent=False), at)
            self._write_down()
            return {message.pk}

    def _begin(self, waiting: OutboxMessage, at: dt.datetime) -> _Ready | None:
        """Take the permit and write down that the message is being handed over, with how the ones before ended, in
        one transaction: whatever is withdrawn later finds it on its way, whatever is withdrawn before stops it.

        None where it is not to be handed over now: by nobody, or not by us.
        """
        with transaction.atomic():
            _keep(self._ended)
            free = OutboxMessage.objects.select_for_update(skip_locked=True).filter(
                state=OutboxMessage.WAITING
            )
            message = free.filter(pk=waiting.pk).first()
            ready = self._ready(message, at) if message else None
            if ready is not None:
                OutboxMessage.objects.filter(pk__in=[row.pk for row in ready.rows]).update(
                    state=OutboxMessage.HANDING, due_at=at + HANDING_MAX, grant_seq=ready.leave.grant_seq
                )
        self._ended.clear()
        return ready

    def _ready(self, message: OutboxMessage, at: dt.datetime) -> _Ready | None:
        if at >= message.useless_at:
            _end(
                [message],
                OutboxMessage.GIVEN_UP,
                message.reason or TOO_LATE[message.purpose == Purpose.CODE],
                at,
            )
            _keep([message])
            return None
        try:
            return _code(message, at) if message.purpose == Purpose.CODE else self._by_grant(message, at)
        except NotPermitted as refusal:
            _end([message], OutboxMessage.GIVEN_UP, str(refusal), at)
            _keep([message])
            return None

    def _by_grant(self, message: OutboxMessage, at: dt.datetime) -> _Ready | None:
        """The letter by a yes, with everything of the same purpose that waits with it; None where it is not yet time,
        which is then written down.
        """
        purpose = Purpose(message.purpose)
        leave, recipient = permit(purpose=purpose, subject=message.subject, at=at)
        campaign = self._campaign(message.campaign_id)
        later = self._later(message, leave, recipient, campaign, at)
        if later is not None:
            OutboxMessage.objects.filter(pk=message.pk).update(due_at=later)
            return None
        rows = [message]
        if leave.pace is not Pace.AT_ONCE:
            rows = _gathered(message, at)
        asked = contents.Asked(rows=rows, campaign=campaign, language=recipient.language)
        content = contents.content_of(purpose, asked)
        if content is None:
            raise NotPermitted("there is nothing left to say")
        slug = campaign.slug if campaign else "vteam"
        letter = _written(purpose, json.dumps(content), recipient.language, slug)
        reader = Reader(
            to=recipient.address,
            stop_url=stop_url(message.subject, purpose, recipient.language),
            since=leave.since,
        )
        return _Ready(rows=rows, letter=letter.to(reader, at=at), to=recipient.address, leave=leave)

    def _later(
        self,
        message: OutboxMessage,
        leave: Permit,
        recipient: Recipient,
        campaign: Campaign | None,
        at: dt.datetime,
    ) -> dt.datetime | None:
        """When a message may leave, where that is not now: at its pace, outside quiet hours, once its address works
        again, and no faster than its domain is written to.
        """
        quiet = _quiet(campaign)
        when = leaves_at(made_at=message.created_at, pace=leave.pace, quiet=quiet)
        trouble = Trouble.objects.filter(person_id=recipient.person_id).first()
        if trouble is not None and trouble.until is None:
            raise NotPermitted(f"their mailbox does not take mail: {trouble.status}")
        if trouble is not None and trouble.until is not None:
            when = max(when, trouble.until)
        when = leaves_at(made_at=max(when, at), pace=Pace.AT_ONCE, quiet=quiet)
        return when if when > at else self._pacing.later(recipient.address, at=at)

    def _campaign(self, campaign_id: int) -> Campaign | None:
        """The campaign a message is of, looked up once a turn; None for the installation's own."""
        if campaign_id and campaign_id not in self._campaigns:
            self._campaigns[campaign_id] = Campaign.objects.get(pk=campaign_id)
        return self._campaigns.get(campaign_id)

    def _hand(self, ready: _Ready, at: dt.datetime) -> None:
        assert self._server is not None, "there is a way out when there are messages"
        assert vault.lookup_of(ready.to) == ready.leave.lookups[0], "the permit is for the address written to"
        try:
            self._server.hand(ready.letter, sender=sender(ready.rows[0].token), to=ready.to)
        except DeliveryError as trouble:
            self._after_trouble(ready.rows, trouble, at)
        else:
            _end(ready.rows, OutboxMessage.SENT, "", at)
            self._ended += ready.rows

    def _after_trouble(self, rows: list[OutboxMessage], trouble: DeliveryError, at: dt.datetime) -> None:
        logger.warning("message %s not handed over: %s", rows[0].pk, trouble)
        if trouble.permanent:
            _end(rows, OutboxMessage.GIVEN_UP, str(trouble)[:200], at)
        for row in rows:
            if not trouble.permanent:
                row.tries += 1
                row.state, row.reason = OutboxMessage.WAITING, str(trouble)[:200]
                doublings = CODE_DOUBLINGS_MAX if row.purpose == Purpose.CODE else DOUBLINGS_MAX
                row.due_at = at + FIRST_PAUSE * 2 ** min(row.tries - 1, doublings)
        self._ended += rows

    def _write_down(self) -> None:
        if self._ended:
            with transaction.atomic():
                _keep(self._ended)
            self._ended.clear()


TOO_LATE = {True: "its code had expired", False: "it could not leave in time"}


def _code(message: OutboxMessage, at: dt.datetime) -> _Ready:
    """The letter with the code somebody asked for."""
    content = json.loads(vault.unseal(bytes(message.sealed_key), bytes(message.sealed)))
    leave = permit_code(lookups=vault.lookups_of(content["to"]), at=at)
    assert bytes(message.lookup) in leave.lookups, "the message is for the address it was made for"
    letter = code_letter(content, at=at)
    return _Ready(rows=[message], letter=letter, to=content["to"], leave=leave)


def _gathered(message: OutboxMessage, at: dt.datetime) -> list[OutboxMessage]:
    """A digest: the message and what else was made by now for the same subject and purpose."""
    others = (
        OutboxMessage.objects.select_for_update(skip_locked=True)
        .filter(
            subject=message.subject, purpose=message.purpose, state=OutboxMessage.WAITING, created_at__lte=at
        )
        .exclude(pk=message.pk)
    )
    return [message, *others.order_by("pk")[: GATHERED_MAX - 1]]


def _quiet(campaign: Campaign | None) -> Quiet:
    """When nobody is written to in a campaign's name; operators are told of faults at any hour."""
    if campaign is None:
        return Quiet(begins=0, ends=0, zone="UTC")
    begins, ends = settings.QUIET_HOURS
    return Quiet(begins=begins, ends=ends, zone=campaign.file.season.time_zone)


def _end(rows: list[OutboxMessage], state: str, reason: str, at: dt.datetime) -> None:
    for row in rows:
        row.state, row.reason, row.ended_at = state, reason, at
        row.sealed = row.sealed_key = b""
        letters_ended[state] += 1


def _keep(rows: list[OutboxMessage]) -> None:
    """Write down how messages ended, or when they are tried again; the caller holds the transaction."""
    for row in rows:
        row.save(update_fields=["state", "reason", "ended_at", "sealed", "sealed_key", "tries", "due_at"])


def settle_unsure(*, at: dt.datetime) -> int:
    """Messages a dead process was handing over: whether the server took them nobody can say. They are not sent again.

    A code is: its reader waits for it, and the same one twice harms nobody. Returns how many there were.
    """
    left = OutboxMessage.objects.filter(state=OutboxMessage.HANDING, due_at__lte=at)
    again = left.filter(purpose=Purpose.CODE).update(state=OutboxMessage.WAITING)
    unsure = left.exclude(purpose=Purpose.CODE).update(state=OutboxMessage.UNSURE, ended_at=at)
    letters_ended[OutboxMessage.UNSURE] += unsure
    return again + unsure


@lru_cache(maxsize=64)
def _written(purpose: Purpose, content: str, language: str, slug: str) -> Letter:
    """A letter rendered once for all who read the same; its content as text, so that the same is found again."""
    host = sender().rpartition("@")[2] or "localhost"
    return written(
        purpose,
        json.loads(content),
        language=language,
        list_id=f"{purpose}.{slug}.{host}",
        feedback_id=f"{purpose}:{slug}:mail:vteam",
    )
