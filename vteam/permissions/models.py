"""What people allowed, in a chain nobody edits; who they are, erasable; and what the public doors have used up."""

from django.db import models

from vteam.people.models import Person


class Subject(models.Model):
    """A person as the permission ledger of one campaign knows them: a random id, which is nobody's once they erased
    themselves. `campaign_id` is 0 for the installation itself, whose operators allow to be told of faults.
    """

    id = models.CharField(primary_key=True, max_length=32)
    campaign_id = models.BigIntegerField()
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="subjects")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign_id", "person"], name="one_subject_per_campaign")
        ]

    def __str__(self) -> str:
        return f"subject {self.id}"


class GrantEvent(models.Model):
    """One thing one subject said about one purpose. Append-only.

    `body` is the canonical text of all of it and what `sha256` is taken over, after the hash of the one before in the
    same campaign; the columns repeat what is asked for.
    """

    campaign_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    subject = models.CharField(max_length=32)
    purpose = models.CharField(max_length=12)
    channel = models.CharField(max_length=8)
    event = models.CharField(max_length=12)
    at_us = models.BigIntegerField()
    pace = models.CharField(max_length=8, blank=True)
    until_us = models.BigIntegerField(null=True)
    body = models.TextField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign_id", "seq"], name="grant_chain")]
        indexes = [
            models.Index(fields=["subject", "purpose", "seq"], name="grant_by_subject"),
            models.Index(fields=["campaign_id", "purpose", "subject", "seq"], name="grant_by_purpose"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.purpose} by {self.subject}"


class GrantProof(models.Model):
    """How we know an event was its person's own: erasable, sealed under their key. The event has its salted hash."""

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="proofs")
    seq = models.BigIntegerField()
    salt = models.CharField(max_length=32)
    sealed = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "seq"], name="one_proof_per_event")]

    def __str__(self) -> str:
        return f"proof of event {self.seq}"


class GrantText(models.Model):
    """The exact text somebody was shown when they said yes or no, by its hash. Append-only."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    language = models.CharField(max_length=8)
    version = models.PositiveIntegerField()
    text = models.TextField()

    def __str__(self) -> str:
        return self.text[:60]


class Refusal(models.Model):
    """Somebody said "not me, never again". Append-only; `lookup` is the address's keyed hash."""

    lookup = models.BinaryField(max_length=32, db_index=True)
    at_us = models.BigIntegerField()
    act = models.CharField(max_length=40)

    def __str__(self) -> str:
        return f"refusal {self.pk}"


class Budget(models.Model):
    """How much of a door's budget was used in one window of time. Prunable."""

    key = models.CharField(max_length=120, primary_key=True)
    used = models.PositiveIntegerField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key}: {self.used}"
