"""The outbox: a row per message, whatever stands in it erased once it has left; and addresses that did not work."""

import secrets

from django.db import models

from vteam.campaigns.models import News
from vteam.people.models import Person


def new_token() -> str:
    """What a message's return path carries: 128 random bits in hexadecimal, nobody's but this message's."""
    return secrets.token_hex(16)


class OutboxMessage(models.Model):
    """A message that shall leave.

    A code carries its address and content sealed; whatever rests on a yes carries a `subject` of the permission ledger
    and ids alone (`about`, JSON), and its address is looked up when it leaves. `key`: the same content for the same
    subject is one row. `grant_seq`: the yes it left by. `token`: what its return path carries. Neither content nor
    address is left in a row that has ended.

    A null message (`is_null`) is written where nothing may be sent, so that asking for a code costs the same
    whether an address is known, refused or over its budget. It is deleted at its turn.
    """

    WAITING = "waiting"
    HANDING = "handing"
    """It is being handed to the server at this moment, or was when the process died."""
    SENT = "sent"
    GIVEN_UP = "given_up"
    BOUNCED = "bounced"
    """The server took it, and it came back."""
    UNSURE = "unsure"
    """The process died before the server's answer was written down: it left, most likely. It is not sent again."""

    campaign_id = models.BigIntegerField(default=0)
    purpose = models.CharField(max_length=20)
    subject = models.CharField(max_length=32, blank=True, default="")
    key = models.CharField(max_length=120, null=True, unique=True)
    about = models.TextField(blank=True, default="")
    lookup = models.BinaryField(max_length=32, blank=True, default=b"")
    sealed_key = models.BinaryField(max_length=64, blank=True, default=b"")
    sealed = models.BinaryField(blank=True, default=b"")
    is_null = models.BooleanField(default=False)
    state = models.CharField(max_length=10, default=WAITING)
    grant_seq = models.BigIntegerField(null=True)
    token = models.CharField(max_length=32, null=True, unique=True)
    tries = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    useless_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["state", "is_null", "due_at"], name="outbox_due"),
            models.Index(fields=["subject", "purpose", "state"], name="outbox_by_subject"),
            models.Index(fields=["about"], condition=models.Q(purpose="news"), name="outbox_by_news"),
            models.Index(
                fields=["due_at"], condition=models.Q(purpose="code", state="waiting"), name="outbox_codes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} message {self.pk}: {self.state}"


class Trouble(models.Model):
    """A person's address did not work when it was last written to. Erasable; gone once they come in by a code.

    `until` None: nothing is sent there until they say it works again; otherwise it is tried again from then on.
    """

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="trouble")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    status = models.CharField(max_length=12)
    words = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"trouble since {self.since}: {self.status}"


class Mailing(models.Model):
    """News on its way by mail to those who asked for news, some at a time.

    `after`: the subject up to whom it was put into the outbox. `audience`: how many it was for when it began.
    """

    SENDING, SENT, STOPPED = "sending", "sent", "stopped"

    news = models.OneToOneField(News, on_delete=models.CASCADE, related_name="mailing")
    state = models.CharField(max_length=8, default=SENDING)
    after = models.CharField(max_length=32, blank=True)
    audience = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"mailing of {self.news}: {self.state}"
