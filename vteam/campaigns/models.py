"""Campaigns as applied. The campaign file's canonical text is kept whole; tables hold only what others point at."""

from functools import cached_property, lru_cache

from django.db import models

from vteam.campaigns.file import CampaignFile

FILES_KEPT = 64


class Campaign(models.Model):
    """One campaign. `document` is the canonical text of the campaign file in force.

    `pictures` names the stored cover by use (`pictures.Cover`). `network_key` keys the hashes of networks
    (`rules.networks`); it is destroyed when the season and its appeals close, and the hashes are then nobody's.
    """

    slug = models.CharField(max_length=40, unique=True)
    version = models.PositiveIntegerField()
    document = models.TextField()
    network_key = models.BinaryField(max_length=32)
    networks_forgotten_at = models.DateTimeField(null=True)
    pictures = models.JSONField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.slug

    @cached_property
    def file(self) -> CampaignFile:
        """The campaign file in force."""
        return _read(self.document)


@lru_cache(maxsize=FILES_KEPT)
def _read(document: str) -> CampaignFile:
    """Reading a file checks every word of it, which no page has time for; and the same text is the same file."""
    return CampaignFile.model_validate_json(document)


class CampaignVersion(models.Model):
    """Every campaign file ever applied. Append-only."""

    campaign_id = models.BigIntegerField()
    version = models.PositiveIntegerField()
    document = models.TextField()
    sha256 = models.CharField(max_length=64)
    applied_at = models.DateTimeField()

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
