"""How much of their copy a fan has been sent, so that a download that was interrupted and resumed counts too."""

from django.db import models

from vteam.campaigns.models import Title
from vteam.people.models import Fan


class CopySent(models.Model):
    """The first `up_to` bytes of a fan's copy have been sent to them."""

    fan = models.ForeignKey(Fan, on_delete=models.CASCADE, related_name="copies_sent")
    title = models.ForeignKey(Title, on_delete=models.CASCADE, related_name="copies_sent")
    up_to = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["fan", "title"], name="one_count_per_copy")]

    def __str__(self) -> str:
        return f"{self.up_to} bytes"
