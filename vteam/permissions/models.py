"""Addresses that must never be written to again, and what the public doors have used up."""

from django.db import models


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
