"""Handing messages over, in `jobs` alone: each with a permit taken out of the yes in force at that moment.

Some at a time are looked at, permitted and written down as being handed over; then each is handed over, and how it
ended is written down with the next ones: whoever kills the process finds one letter at most of which nobody can say
whether the server took it (`handover`), and that one is not sent again. Temporary trouble is tried again with growing
pauses until the message would be useless; what is given up keeps its reason.
"""

import datetime as dt
import json
import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from vteam.campaigns.models import Campaign
from vteam.channels.mail import contents, servers
from vteam.channels.mail.handover import Handover, Mark, left_behind
from vteam.channels.mail.letters import Letter, Reader, code_letter, sender, written
from vteam.channels.mail.models import OutboxMessage, Trouble
from vteam.channels.mail.pacing import Pacing
from vteam.channels.mail.stopping import stop_url
from vteam.errors import AnswerMissing, DeliveryError, NotPermitted, VTeamError
from vteam.people import vault
from vteam.permissions.services import Permit, Recipient, permit_code, permits
from vteam.rules.grants import Pace, Purpose, Quiet, leaves_at

logger = logging.getLogger(__name__)
# A turn begins no further message after so long: others wait for the database and the process.
TURN_SECONDS_MAX = 2.0
# So many permits are taken at once: a letter leaves within a moment of its own.
BATCH = 50
NULLS_AT_ONCE = 1_000
GATHERED_MAX = 200
# Of a code, which its reader waits for, and of what may arrive tomorrow as well.
FIRST_PAUSE, CODE_DOUBLINGS_MAX, DOUBLINGS_MAX = dt.timedelta(seconds=10), 6, 10
LONGEST_PAUSE = FIRST_PAUSE * 2**CODE_DOUBLINGS_MAX
# Nothing but the clock makes a message due later than a weekly digest.
FARTHEST = dt.timedelta(days=8)
# What is handed over takes seconds; whatever is still being so after this was left by a process that died.
HANDING_MAX = dt.timedelta(minutes=2)
CODE_TOO_LATE, TOO_LATE = "its code had expired", "it could not leave in time"
letters_ended: Counter[str] = Counter()
"""How many letters ended in each state, since this process began."""


def deliver_due(*, at: dt.datetime, at_most: int = 200) -> int:
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
    _handover: Handover | None = None
    _pacing: Pacing = field(default_factory=Pacing)
    _ended: list[OutboxMessage] = field(default_factory=list)
    _campaigns: dict[int, Campaign] = field(default_factory=dict)
    _letters: dict[tuple[str, int, str, str], Letter] = field(default_factory=dict)

    def deliver_due(self, *, at: dt.datetime, at_most: int = 200) -> int:
        """Hand over what is due, for about `TURN_SECONDS_MAX`; returns how many rows were dealt with.

        Null messages have their turn after the real ones, and leave nothing. What is due later than any pause or
        morning lasts is from before the clock was set back, and due.
        """
        code = Q(purpose=Purpose.CODE)
        is_due = Q(due_at__lte=at) | Q(due_at__gt=at + FARTHEST) | (code & Q(due_at__gt=at + LONGEST_PAUSE))
        due = OutboxMessage.objects.filter(is_due, state=OutboxMessage.WAITING).order_by("due_at", "pk")
        real = due.filter(is_null=False).values_list("pk", flat=True)
        self._campaigns.clear()
        self._letters.clear()
        give_up, done, seen = time.monotonic() + TURN_SECONDS_MAX, 0, set[int]()
        while len(seen) < at_most and (waiting := _next(real, seen, at_most=min(BATCH, at_most - len(seen)))):
            if self._server is None:
                self._server, self._handover = servers.server(), Handover()
            seen.update(waiting)
            done += self._carry(waiting, at, give_up=give_up)
            if time.monotonic() > give_up:
                break
        self._write_down()
        if not seen:
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
        if self._handover is not None:
            self._handover.close()
        self._server = self._handover = None

    def _carry(self, waiting: Sequence[int], at: dt.datetime, *, give_up: float) -> int:
        """Deal with some messages; returns with how many. Whoever would come after `give_up` (s) waits on."""
        ready, done = self._begin(waiting, at), len(waiting)
        for number, one in enumerate(ready):
            if number and time.monotonic() > give_up:
                left = [row for later in ready[number:] for row in later.rows]
                _put_back(left, at)
                self._ended += left
                return done - len(left)
            self._hand(one, at)
        return done

    # Permits and letters ------------------------------------------------------------------------------------------
    def _begin(self, waiting: Sequence[int], at: dt.datetime) -> list[_Ready]:
        """Take the permits and write down that these are being handed over, with how the ones before ended, in one
        transaction: whatever is withdrawn later finds them on their way, whatever is withdrawn before stops them.
        """
        assert self._handover is not None, "there is a way out when there are messages"
        with transaction.atomic():
            _keep(self._ended)
            free = OutboxMessage.objects.select_for_update(skip_locked=True).filter(
                state=OutboxMessage.WAITING
            )
            found = {row.pk: row for row in free.filter(pk__in=waiting)}
            ready = self._ready([found[pk] for pk in waiting if pk in found], at)
            self._handover.begin([row.pk for one in ready for row in one.rows])
            _hold(ready, until=at + HANDING_MAX)
        self._handover.committed()
        self._ended.clear()
        return ready

    def _ready(self, messages: Sequence[OutboxMessage], at: dt.datetime) -> list[_Ready]:
        """Those that leave now, with their letters; what becomes of the others is written down."""
        by_grant = [message for message in messages if message.purpose != Purpose.CODE]
        leaves = permits(((Purpose(row.purpose), row.subject) for row in by_grant), at=at)
        people = [one[1].person_id for one in leaves.values() if isinstance(one, tuple)]
        troubles = {one.person_id: one for one in Trouble.objects.filter(person_id__in=people)}
        ready: list[_Ready] = []
        gathered: set[int] = set()
        for message in messages:
            if message.pk in gathered:
                continue
            one = self._made(message, leaves.get((Purpose(message.purpose), message.subject)), troubles, at)
            if one is not None:
                ready.append(one)
                gathered.update(row.pk for row in one.rows)
        return ready

    def _made(
        self,
        message: OutboxMessage,
        leave: tuple[Permit, Recipient] | VTeamError | None,
        troubles: dict[int, Trouble],
        at: dt.datetime,
    ) -> _Ready | None:
        """The letter of a message; None, and written down why, where there is none or not now."""
        try:
            if at >= message.useless_at:
                raise NotPermitted(
                    message.reason or (CODE_TOO_LATE if message.purpose == Purpose.CODE else TOO_LATE)
                )
            if message.purpose == Purpose.CODE:
                return _code(message, at)
            if not isinstance(leave, tuple):
                raise leave or NotPermitted("nobody was asked")
            return self._by_grant(message, *leave, troubles.get(leave[1].person_id), at)
        except NotPermitted as refusal:
            _end([message], OutboxMessage.GIVEN_UP, str(refusal), at)
        except Exception as fault:
            # One message nobody can make or open must not keep those behind it from leaving.
            logger.exception("message %s cannot be handed over: our own fault", message.pk)
            _after_trouble([message], DeliveryError(type(fault).__name__, permanent=False), at)
        _keep([message])
        return None

    def _by_grant(
        self,
        message: OutboxMessage,
        leave: Permit,
        recipient: Recipient,
        trouble: Trouble | None,
        at: dt.datetime,
    ) -> _Ready | None:
        """The letter by a yes, with everything of the same purpose that waits with it; None where it is not yet time,
        which is then written down.
        """
        campaign = self._campaign(message.campaign_id)
        later = self._later(message, leave, recipient, trouble, campaign, at)
        if later is not None:
            OutboxMessage.objects.filter(pk=message.pk).update(due_at=later)
            return None
        rows = [message] if leave.pace is Pace.AT_ONCE else _gathered(message, at)
        letter = self._letter(rows, campaign, recipient.language)
        reader = Reader(
            to=recipient.address,
            stop_url=stop_url(message.subject, leave.purpose, recipient.language),
            since=leave.since,
        )
        return _Ready(rows=rows, letter=letter.to(reader, at=at), to=recipient.address, leave=leave)

    def _letter(self, rows: list[OutboxMessage], campaign: Campaign | None, language: str) -> Letter:
        """The letter about these rows; what many read is rendered once a turn. NotPermitted where nothing is left to
        say.
        """
        purpose, about = Purpose(rows[0].purpose), "".join(row.about for row in rows)
        key = (purpose, rows[0].campaign_id, about, language)
        if key not in self._letters:
            asked = contents.Asked(rows=rows, campaign=campaign, language=language)
            content = contents.content_of(purpose, asked)
            if content is None:
                raise NotPermitted("there is nothing left to say")
            slug = campaign.slug if campaign else "vteam"
            host = sender().rpartition("@")[2] or "localhost"
            self._letters[key] = written(
                purpose,
                content,
                language=language,
                list_id=f"{purpose}.{slug}.{host}",
                feedback_id=f"{purpose}:{slug}:mail:vteam",
            )
        return self._letters[key]

    def _later(
        self,
        message: OutboxMessage,
        leave: Permit,
        recipient: Recipient,
        trouble: Trouble | None,
        campaign: Campaign | None,
        at: dt.datetime,
    ) -> dt.datetime | None:
        """When a message may leave, where that is not now: at its pace, outside quiet hours, once its address works
        again, and no faster than its domain is written to.
        """
        quiet = _quiet(campaign)
        when = leaves_at(made_at=message.created_at, pace=leave.pace, quiet=quiet)
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

    # Handing over -------------------------------------------------------------------------------------------------
    def _hand(self, ready: _Ready, at: dt.datetime) -> None:
        assert self._server is not None and self._handover is not None, "there is a way out"
        assert vault.lookup_of(ready.to) == ready.leave.lookups[0], "the permit is for the address written to"
        first, pks = ready.rows[0], [row.pk for row in ready.rows]
        self._handover.mark(pks, Mark.BEGUN)
        try:
            self._server.hand(ready.letter, sender=sender(first.token), to=ready.to)
        except AnswerMissing as trouble:
            # The same code twice harms nobody, and its reader waits for it; anything else is not sent again.
            if first.purpose == Purpose.CODE:
                _after_trouble(ready.rows, trouble, at)
            else:
                logger.warning("message %s may have left: %s", first.pk, trouble)
                _end(ready.rows, OutboxMessage.UNSURE, str(trouble), at)
        except DeliveryError as trouble:
            self._handover.mark(pks, Mark.REFUSED)
            _after_trouble(ready.rows, trouble, at)
        except Exception as fault:
            logger.exception("message %s was not handed over: our own fault", first.pk)
            self._handover.mark(pks, Mark.REFUSED)
            _after_trouble(ready.rows, DeliveryError(type(fault).__name__, permanent=False), at)
        else:
            self._handover.mark(pks, Mark.SENT)
            _end(ready.rows, OutboxMessage.SENT, "", at)
        self._ended += ready.rows

    def _write_down(self) -> None:
        if self._ended:
            with transaction.atomic():
                _keep(self._ended)
            self._ended.clear()


def _next(due: "QuerySet[OutboxMessage, int]", seen: Iterable[int], *, at_most: int) -> list[int]:
    """The next messages: codes first, whose readers wait for them, however many others do."""
    left = due.exclude(pk__in=list(seen))
    codes = list(left.filter(purpose=Purpose.CODE)[:at_most])
    return codes + list(left.exclude(purpose=Purpose.CODE)[: at_most - len(codes)])


def _code(message: OutboxMessage, at: dt.datetime) -> _Ready:
    """The letter with the code somebody asked for."""
    content = json.loads(vault.unseal(bytes(message.sealed_key), bytes(message.sealed)))
    leave = permit_code(lookups=vault.lookups_of(content["to"]), at=at)
    assert bytes(message.lookup) in leave.lookups, "the message is for the address it was made for"
    return _Ready(rows=[message], letter=code_letter(content, at=at), to=content["to"], leave=leave)


def _gathered(message: OutboxMessage, at: dt.datetime) -> list[OutboxMessage]:
    """A digest: the message and what else was made by now for the same subject and purpose."""
    others = (
        OutboxMessage.objects.select_for_update(skip_locked=True)
        .filter(
            subject=message.subject,
            purpose=message.purpose,
            state=OutboxMessage.WAITING,
            created_at__lte=at,
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


# How messages end ----------------------------------------------------------------------------------------------------
def _end(rows: Iterable[OutboxMessage], state: str, reason: str, at: dt.datetime) -> None:
    for row in rows:
        row.state, row.reason, row.ended_at = state, reason, at
        letters_ended[state] += 1


def _after_trouble(rows: Sequence[OutboxMessage], trouble: DeliveryError, at: dt.datetime) -> None:
    logger.warning("message %s not handed over: %s", rows[0].pk, trouble)
    if trouble.permanent:
        _end(rows, OutboxMessage.GIVEN_UP, str(trouble)[:200], at)
        return
    for row in rows:
        row.tries += 1
        row.state, row.reason = OutboxMessage.WAITING, str(trouble)[:200]
        doublings = CODE_DOUBLINGS_MAX if row.purpose == Purpose.CODE else DOUBLINGS_MAX
        row.due_at = at + FIRST_PAUSE * 2 ** min(row.tries - 1, doublings)


def _put_back(rows: Iterable[OutboxMessage], at: dt.datetime) -> None:
    """Nothing was begun with these: they are due as before."""
    for row in rows:
        row.state, row.due_at = OutboxMessage.WAITING, at


def _hold(ready: Sequence[_Ready], *, until: dt.datetime) -> None:
    """Write down that these are being handed over, and by which yes; the caller holds the transaction."""
    until_value = connection.ops.adapt_datetimefield_value(until)
    held = [(until_value, one.leave.grant_seq, row.pk) for one in ready for row in one.rows]
    with connection.cursor() as cursor:
        cursor.executemany(_HOLD, held)


_HOLD = f"UPDATE mail_outboxmessage SET state = '{OutboxMessage.HANDING}', due_at = %s, grant_seq = %s WHERE id = %s"
_KEPT = ("state", "reason", "ended_at", "tries", "due_at")


def _keep(rows: Sequence[OutboxMessage]) -> None:
    """Write down how messages stand now; the caller holds the transaction. Whatever is over leaves no content.

    What came back meanwhile stays so: a server may return a letter before we have written down that it took it.
    """
    alike: dict[tuple[object, ...], list[int]] = {}
    for row in rows:
        alike.setdefault(tuple(getattr(row, name) for name in _KEPT), []).append(row.pk)
    for values, pks in alike.items():
        kept = dict(zip(_KEPT, values, strict=True))
        if kept["ended_at"] is not None:
            kept |= {"sealed": b"", "sealed_key": b""}
        OutboxMessage.objects.filter(pk__in=pks).exclude(state=OutboxMessage.BOUNCED).update(**kept)


def settle_left_behind(*, at: dt.datetime) -> int:
    """Messages the process before this one was handing over when it was killed: as far as they had come by its marks.

    For the one process that delivers for a data folder, before it begins. Returns how many there were.
    """
    marks = left_behind()
    left = list(OutboxMessage.objects.filter(state=OutboxMessage.HANDING, pk__in=list(marks)))
    for row in left:
        match marks[row.pk]:
            case Mark.SENT:
                _end([row], OutboxMessage.SENT, "", at)
            case Mark.BEGUN if row.purpose != Purpose.CODE:
                _end([row], OutboxMessage.UNSURE, "", at)
            case _:
                _put_back([row], at)
    with transaction.atomic():
        _keep(left)
    return len(left)


def settle_unsure(*, at: dt.datetime) -> int:
    """Messages nobody is handing over any more, and no marks tell how far they had come. They are not sent again.

    A code is: its reader waits for it, and the same one twice harms nobody. Returns how many there were.
    """
    left = OutboxMessage.objects.filter(state=OutboxMessage.HANDING, due_at__lte=at)
    again = left.filter(purpose=Purpose.CODE).update(state=OutboxMessage.WAITING)
    unsure = left.exclude(purpose=Purpose.CODE).update(state=OutboxMessage.UNSURE, ended_at=at)
    letters_ended[OutboxMessage.UNSURE] += unsure
    return again + unsure
