"""Campaigns as applied. The campaign file's canonical text is kept whole; tables hold only what others point at."""

from functools import cached_property, lru_cache

from django.db import models

from vteam.campaigns.file import CampaignFile
from vteam.people.models import Person

FILES_KEPT = 64


class Campaign(models.Model):
    """One campaign. `document` is the canonical text of the campaign file in force.

    `pictures` names the stored cover by use (`pictures.Cover`); `gifts`, what winners download, by the prize's key: its
    SHA-256, by which it is stored, and its bytes. `network_key` keys the hashes of networks
    (`rules.networks`); it is destroyed when the season and its appeals close, and the hashes are then nobody's.
    `settled_at`: when its result was made final.
    """

    slug = models.CharField(max_length=40, unique=True)
    version = models.PositiveIntegerField()
    document = models.TextField()
    network_key = models.BinaryField(max_length=32)
    networks_forgotten_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    pictures = models.JSONField()
    gifts = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.slug

    @cached_property
    def file(self) -> CampaignFile:
        """The campaign file in force."""
        return read_file(self.document)


@lru_cache(maxsize=FILES_KEPT)
def read_file(document: str) -> CampaignFile:
    """The campaign file a canonical text is of.

    Reading a file checks every word of it, which no page has time for; and the same text is the same file.
    """
    return CampaignFile.model_validate_json(document)


class MadeIn(models.TextChoices):
    """Where a version of a campaign was made: in a `campaign.toml`, or on an organiser's pages."""

    FILE = "file"
    BROWSER = "browser"


class CampaignVersion(models.Model):
    """Every campaign file ever applied. Append-only."""

    campaign_id = models.BigIntegerField()
    version = models.PositiveIntegerField()
    document = models.TextField()
    sha256 = models.CharField(max_length=64)
    applied_at = models.DateTimeField()
    made_in = models.CharField(max_length=8, choices=MadeIn, default=MadeIn.FILE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign_id", "version"], name="one_file_per_version")
        ]

    def __str__(self) -> str:
        return f"version {self.version}"


class MissionVersion(models.Model):
    """Every version of every mission, as the journal carries it. Append-only."""

    campaign_id = models.BigIntegerField()
    key = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    body = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign_id", "key", "version"], name="one_mission_version")
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.version}"


class Title(models.Model):
    """A piece of music. `body_sha256` names the stored audio without tags: the same bytes for every fan."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="titles")
    key = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    artist = models.CharField(max_length=80)
    body_sha256 = models.CharField(max_length=64)
    body_bytes = models.PositiveIntegerField()
    milliseconds = models.PositiveIntegerField()
    pictures = models.JSONField()
    position = models.PositiveIntegerField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "key"], name="one_title_per_key")]

    def __str__(self) -> str:
        return self.name


class CirculationDay(models.Model):
    """How often a title went out in one way on one day, local to its campaign: counted, for its holders to see."""

    title = models.ForeignKey(Title, on_delete=models.CASCADE, related_name="circulation_days")
    way = models.CharField(max_length=12)
    day = models.DateField()
    n = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["title", "way", "day"], name="one_count_per_way_and_day")
        ]

    def __str__(self) -> str:
        return f"{self.n} on {self.day}"


class Organiser(models.Model):
    """Somebody who may act for a campaign, or, without one, for the whole installation (an operator).

    `invitation_hash` is of the one-use link that was handed to them; None once it is used. `name`: what whoever
    invited them calls them.
    """

    campaign = models.ForeignKey(Campaign, null=True, on_delete=models.CASCADE, related_name="organisers")
    name = models.CharField(max_length=80)
    person = models.ForeignKey(Person, null=True, on_delete=models.CASCADE, related_name="organises")
    invitation_hash = models.BinaryField(max_length=32, null=True)
    invited_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "person"], name="one_organiser_per_campaign"),
            models.UniqueConstraint(fields=["campaign", "name"], name="one_organiser_per_name"),
            models.UniqueConstraint(
                fields=["person"], condition=models.Q(campaign=None), name="one_operator_per_person"
            ),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(campaign=None), name="one_operator_per_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class News(models.Model):
    """What an organiser tells: one subject and text per language of the campaign, plain paragraphs.

    Nobody sees it before `published_at`. `edited_at`: corrected afterwards; pages and feeds say so. `withdrawn_at`:
    taken off pages and feeds; what was mailed by then stays with who has it.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="news")
    subject_en = models.CharField(max_length=100, blank=True)
    subject_fr = models.CharField(max_length=100, blank=True)
    text_en = models.TextField(max_length=4_000, blank=True)
    text_fr = models.TextField(max_length=4_000, blank=True)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    edited_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["campaign", "published_at"], name="news_by_time")]

    def __str__(self) -> str:
        return self.subject_en or self.subject_fr

    def told_in(self, language: str) -> str:
        """The code of the language readers of `language` get it in: theirs, or the one there is."""
        others = ("fr", "en") if language == "fr" else ("en", "fr")
        return next((code for code in others if getattr(self, f"subject_{code}")), language)

    def subject(self, language: str) -> str:
        """The subject in a language, or in the one there is."""
        return str(getattr(self, f"subject_{self.told_in(language)}", ""))

    def text(self, language: str) -> str:
        """The text in a language, or in the one there is: the same one as its subject."""
        return str(getattr(self, f"text_{self.told_in(language)}", ""))
