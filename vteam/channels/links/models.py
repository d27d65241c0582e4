"""Shares and what can be counted about them. Visits are counters that may be pruned, never facts."""

from django.db import models

from vteam.people.models import Fan


class Share(models.Model):
    """One fan's link for one place (`kind` "place"), or one of those a fan has once: "copy" stands inside the fan's
    copies of titles, "hand" on the screen from which titles are passed on.
    """

    campaign_id = models.BigIntegerField()
    fan = models.ForeignKey(Fan, on_delete=models.CASCADE, related_name="shares")
    code = models.CharField(max_length=10, unique=True)
    place = models.CharField(max_length=60)
    kind = models.CharField(max_length=8, default="place")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["fan", "kind"], condition=~models.Q(kind="place"), name="one_share_of_a_kind"
            )
        ]

    def __str__(self) -> str:
        return self.place


class VisitDay(models.Model):
    """How often a share was opened on one day (UTC), by whoever did not look like a scanner."""

    share = models.ForeignKey(Share, on_delete=models.CASCADE, related_name="visit_days")
    day = models.DateField()
    visits = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["share", "day"], name="one_visit_count_per_day")]

    def __str__(self) -> str:
        return f"{self.visits} on {self.day}"


class SpentToken(models.Model):
    """An arrival token that was used. Prunable once the token itself has expired."""

    nonce = models.CharField(max_length=32, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.nonce
