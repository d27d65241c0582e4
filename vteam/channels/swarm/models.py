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


class TorrentTemplate(models.Model):
    """What every fan's torrent of a title has in common. Never changed: other music or another name is another one.

    `body`: the SHA-1 hashes (20 bytes each) of the pieces after the tag, the last of which may be shorter.
    """

    title = models.ForeignKey(Title, on_delete=models.CASCADE, related_name="torrent_templates")
    name = models.CharField(max_length=200)
    size = models.BigIntegerField()
    piece_bytes = models.PositiveIntegerField()
    body_sha256 = models.CharField(max_length=64)
    body = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["title", "name", "size", "piece_bytes", "body_sha256"],
                name="one_template_per_content",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Torrent(models.Model):
    """A fan's own torrent of a title: the first hashes are of the tag with their link, the rest is the template's.

    `seed_key` stands in the file for the fan's computer, `friend_key` in what they give to friends; new keys replace
    the ones before. `fetch_key` is the way to the fan's copy over HTTP, good for `fetch_left` bytes. `others`: its
    hashes for other networks (JSON), "" until they are worked out. Addresses and names of computers are not kept.
    """

    info_hash = models.CharField(max_length=40, unique=True)
    template = models.ForeignKey(TorrentTemplate, on_delete=models.CASCADE, related_name="torrents")
    fan = models.ForeignKey(Fan, on_delete=models.CASCADE, related_name="torrents")
    link = models.CharField(max_length=200)
    first = models.BinaryField()
    seed_key = models.CharField(max_length=32, unique=True)
    friend_key = models.CharField(max_length=32, unique=True)
    fetch_key = models.CharField(max_length=32, unique=True, null=True)
    fetch_left = models.BigIntegerField(default=0)
    others = models.TextField(blank=True)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.info_hash


class Watch(models.Model):
    """How a torrent's downloads stood when the edge last said so: what its fan sees, and what the edge goes on from."""

    torrent = models.OneToOneField(Torrent, on_delete=models.CASCADE, primary_key=True, related_name="watch")
    at_us = models.BigIntegerField()
    content = models.TextField()

    class Meta:
        db_table = "swarm_watch"

    def __str__(self) -> str:
        return f"torrent {self.torrent_id} at {self.at_us}"


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
