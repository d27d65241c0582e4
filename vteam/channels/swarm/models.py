"""What is kept about passing on: the evidence, what fans allow, and who asked them for a title."""

from django.db import models

from vteam.campaigns.models import Title
from vteam.people.models import Fan


class EvidenceRow(models.Model):
    """What was seen of one title that passed whole; its hash stands in the fact. Erasable, with its fan."""

    introduction = models.CharField(max_length=32, primary_key=True)
    campaign_id = models.BigIntegerField()
    fan_id = models.BigIntegerField(db_index=True)
    seen_at_us = models.BigIntegerField()
    content = models.TextField()

    class Meta:
        db_table = "swarm_evidence"

    def __str__(self) -> str:
        return self.introduction


class Willing(models.Model):
    """Whether people may ask a fan for a title while the fan's page is closed. No row: they may not."""

    fan = models.OneToOneField(Fan, on_delete=models.CASCADE, primary_key=True, related_name="willing")
    may_be_asked = models.BooleanField()

    def __str__(self) -> str:
        return "may be asked" if self.may_be_asked else "may not be asked"


class Asked(models.Model):
    """Somebody asked a fan for a title and keeps `code` to come back with. No address, no name."""

    code = models.CharField(max_length=10, primary_key=True)
    fan = models.ForeignKey(Fan, on_delete=models.CASCADE, related_name="asked")
    title = models.ForeignKey(Title, on_delete=models.CASCADE, related_name="asked")
    share_id = models.BigIntegerField()
    asked_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.code
