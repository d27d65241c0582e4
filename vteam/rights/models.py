"""Named holders and everything they agreed to, refused and took back."""

from django.db import models

from vteam.people.models import Person


class Holder(models.Model):
    """Somebody whose agreement a title needs. `invitation_hash` is of the one-use link the organiser hands them."""

    campaign_id = models.BigIntegerField()
    key = models.CharField(max_length=60)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=20)
    person = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="holders")
    invitation_hash = models.BinaryField(max_length=32, null=True)
    invited_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign_id", "key"], name="one_holder_per_key")]

    def __str__(self) -> str:
        return self.name


class TitleHolder(models.Model):
    """Whose agreement a title needs now: taken from the campaign file."""

    title_id = models.BigIntegerField()
    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="titles")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["title_id", "holder"], name="holder_once_per_title")]

    def __str__(self) -> str:
        return f"{self.holder} for title {self.title_id}"


class RightEvent(models.Model):
    """One act of one holder about one way of circulating one title. Append-only.

    `at_most`: how many more times it may circulate so; `counted_before`: how often it had when that was said.
    `text_sha256` is of the text they saw and agreed to, kept in `AgreementText`.
    """

    campaign_id = models.BigIntegerField()
    title_id = models.BigIntegerField()
    holder_id = models.BigIntegerField()
    person_id = models.BigIntegerField(null=True)
    way = models.CharField(max_length=12)
    act = models.CharField(max_length=12)
    at_us = models.BigIntegerField()
    from_us = models.BigIntegerField()
    until_us = models.BigIntegerField(null=True)
    at_most = models.PositiveIntegerField(null=True)
    counted_before = models.PositiveIntegerField(null=True)
    text_language = models.CharField(max_length=8)
    text_sha256 = models.CharField(max_length=64)
    words = models.CharField(max_length=500, blank=True)
    why = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["title_id", "id"], name="right_by_title")]

    def __str__(self) -> str:
        return f"{self.act} {self.way} of title {self.title_id}"


class AgreementText(models.Model):
    """The exact text a holder was shown, by its hash."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    language = models.CharField(max_length=8)
    text = models.TextField()

    def __str__(self) -> str:
        return self.text[:60]
