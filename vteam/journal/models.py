"""The inbox, the journal, and what was offered but cannot be a fact. Times are whole microseconds UTC."""

from django.db import models


class Inbox(models.Model):
    """A fact that is durable but not yet in order. Consumed by `jobs` alone, by deleting."""

    campaign_id = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=160)
    seen_at_us = models.BigIntegerField()
    body = models.TextField()

    class Meta:
        db_table = "journal_inbox"

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Fact(models.Model):
    """What happened, in order: `seq` runs from 1 without gaps within a campaign. Append-only.

    `sha256` covers the fact and the hash of the one before, so a changed or missing one shows.
    """

    pk = models.CompositePrimaryKey("campaign_id", "seq")
    campaign_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=160)
    seen_at_us = models.BigIntegerField()
    body = models.TextField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        db_table = "journal_fact"
        constraints = [models.UniqueConstraint(fields=["campaign_id", "key"], name="one_fact_per_key")]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.seq} {self.kind}"


class Rejected(models.Model):
    """A row that could not become a fact: the same key with other content, or a body nobody can read."""

    campaign_id = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=160)
    seen_at_us = models.BigIntegerField()
    body = models.TextField()
    reason = models.CharField(max_length=200)
    rejected_at_us = models.BigIntegerField()

    class Meta:
        db_table = "journal_rejected"

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {self.reason}"


class Cursor(models.Model):
    """How far a source outside this database has been moved."""

    source = models.CharField(max_length=40, primary_key=True)
    position = models.BigIntegerField()

    class Meta:
        db_table = "journal_cursor"

    def __str__(self) -> str:
        return f"{self.source} at {self.position}"
