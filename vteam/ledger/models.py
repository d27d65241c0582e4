"""The books (decisions, transfers: append-only) and their caches (counters, holds, totals, histogram, rulings).

A cache can be thrown away: replaying the journal gives the same. Keys begin with the campaign.
"""

from django.db import models


class Decision(models.Model):
    """What became of one fact under one mission. `body` is its canonical text; the columns repeat it."""

    pk = models.CompositePrimaryKey("campaign_id", "seq")
    campaign_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    fact_seq = models.BigIntegerField()
    mission_key = models.CharField(max_length=60)
    fan_id = models.BigIntegerField()
    outcome = models.CharField(max_length=20)
    points = models.BigIntegerField()
    body = models.TextField()

    class Meta:
        db_table = "ledger_decision"
        constraints = [
            models.UniqueConstraint(
                fields=["campaign_id", "fact_seq", "mission_key"], name="one_decision_per_mission"
            )
        ]
        indexes = [models.Index(fields=["campaign_id", "fan_id", "-seq"], name="decision_by_fan")]

    def __str__(self) -> str:
        return f"{self.outcome} {self.points}"


class Transfer(models.Model):
    """Points moved from one account to another; `sha256` covers `previous` and the canonical `body`."""

    pk = models.CompositePrimaryKey("campaign_id", "seq")
    campaign_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    source = models.CharField(max_length=40)
    target = models.CharField(max_length=40)
    points = models.BigIntegerField()
    body = models.TextField()
    previous = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)

    class Meta:
        db_table = "ledger_transfer"
        constraints = [models.CheckConstraint(condition=models.Q(points__gt=0), name="points_move_forward")]

    def __str__(self) -> str:
        return f"{self.points} from {self.source} to {self.target}"


class Counter(models.Model):
    """How often something was counted: what the rules ask of the past, by the place of its name (`ledger.counters`).

    On SQLite the table has no row numbers (migration 0002): a counter is one entry in one tree.
    """

    pk = models.CompositePrimaryKey("campaign_id", "key")
    campaign_id = models.BigIntegerField()
    key = models.CharField(max_length=200)
    n = models.BigIntegerField()

    class Meta:
        db_table = "ledger_counter"

    def __str__(self) -> str:
        return f"{self.key} = {self.n}"


class Hold(models.Model):
    """An award that waits: until `due_at_us`, or for a person's review where that is None.

    `announced`: the fact that its time has come is in the inbox.
    """

    pk = models.CompositePrimaryKey("campaign_id", "decision_seq")
    campaign_id = models.BigIntegerField()
    decision_seq = models.BigIntegerField()
    due_at_us = models.BigIntegerField(null=True)
    announced = models.BooleanField(default=False)

    class Meta:
        db_table = "ledger_hold"
        indexes = [models.Index(fields=["due_at_us"], name="hold_by_due")]

    def __str__(self) -> str:
        return f"decision {self.decision_seq} waits"


class Total(models.Model):
    """A fan's points: those that count and those that wait."""

    pk = models.CompositePrimaryKey("campaign_id", "fan_id")
    campaign_id = models.BigIntegerField()
    fan_id = models.BigIntegerField()
    confirmed = models.BigIntegerField()
    pending = models.BigIntegerField()

    class Meta:
        db_table = "ledger_total"
        indexes = [models.Index(fields=["campaign_id", "-confirmed", "fan_id"], name="total_by_points")]

    def __str__(self) -> str:
        return f"fan {self.fan_id}: {self.confirmed}"


class Bucket(models.Model):
    """How many fans have points in [bucket * 1000, (bucket + 1) * 1000): the histogram's upper level."""

    pk = models.CompositePrimaryKey("campaign_id", "bucket")
    campaign_id = models.BigIntegerField()
    bucket = models.BigIntegerField()
    fans = models.BigIntegerField()

    class Meta:
        db_table = "ledger_bucket"

    def __str__(self) -> str:
        return f"{self.fans} fans in bucket {self.bucket}"


class Level(models.Model):
    """How many fans have exactly these points: the histogram's lower level."""

    pk = models.CompositePrimaryKey("campaign_id", "points")
    campaign_id = models.BigIntegerField()
    points = models.BigIntegerField()
    fans = models.BigIntegerField()

    class Meta:
        db_table = "ledger_level"

    def __str__(self) -> str:
        return f"{self.fans} fans at {self.points}"


class Ruling(models.Model):
    """The few facts every judgement needs at hand: the season and the missions' versions."""

    pk = models.CompositePrimaryKey("campaign_id", "seq")
    campaign_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    body = models.TextField()

    class Meta:
        db_table = "ledger_ruling"

    def __str__(self) -> str:
        return f"{self.kind} at {self.seq}"
