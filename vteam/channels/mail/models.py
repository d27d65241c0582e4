"""The outbox: a row per message, its content sealed, erased once the message has left."""

from django.db import models


class OutboxMessage(models.Model):
    """A message that shall leave. `sealed` (address and content) is empty once it has, or once it was given up.

    A null message (`is_null`) is written where nothing may be sent, so that asking for a code costs the same
    whether an address is known, refused or over its budget. It is deleted at its turn.
    """

    WAITING, SENT, GIVEN_UP = "waiting", "sent", "given_up"

    purpose = models.CharField(max_length=20)
    lookup = models.BinaryField(max_length=32)
    sealed_key = models.BinaryField(max_length=64)
    sealed = models.BinaryField(blank=True)
    is_null = models.BooleanField()
    state = models.CharField(max_length=10, default=WAITING)
    tries = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    useless_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "is_null", "due_at"], name="outbox_due")]

    def __str__(self) -> str:
        return f"{self.purpose} message {self.pk}: {self.state}"
