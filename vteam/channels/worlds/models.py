"""Kiosks, the avatars that used them, and what those did. All of it can be erased; facts carry only our numbers.

An avatar is known by a keyed hash of its grid and its name or key there, under the campaign's own key: when that is
destroyed after the season, nobody can tell any more who those were that nobody linked.
"""

from django.db import models

from vteam.people.models import Fan


class World(models.TextChoices):
    """The worlds we have an object for; any other may use the door too."""

    SECOND_LIFE = "secondlife", "Second Life"
    OPENSIMULATOR = "opensimulator", "OpenSimulator"
    LUANTI = "luanti", "Luanti"
    OTHER = "other", "another world"


class Kiosk(models.Model):
    """An object in a world. It waits for its code to be typed, then has a key, until it is revoked.

    `fan`: who hosts it; None where an organiser put it up. `vouched`: whoever hosts it is known to the organisers: its
    residents are the same as at other kiosks of that grid, and it may cause as much as an organiser's.
    `acts_per_day`: the trust in it. `code_taken_at`: when its code was first taken; None before, and again once an
    object has spoken with what the code gave: then the code is used up. `owner`, `shard`: as the world's server told
    them when it was enrolled; it is bound to both. `line_told`: the line it shows as far as we know; `push_at`: when to
    tell it the next time, `push_tries` how often that has failed. `here_mission`: the mission of the concert announced
    there, until `here_until`. `barred`: an organiser closed it; its host has one kiosk less.
    """

    campaign_id = models.BigIntegerField()
    fan = models.ForeignKey(Fan, null=True, on_delete=models.CASCADE, related_name="kiosks")
    world = models.CharField(max_length=16, choices=World)
    grid = models.CharField(max_length=60)
    place = models.CharField(max_length=80)
    room = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=8)
    acts_per_day = models.PositiveIntegerField()
    vouched = models.BooleanField()
    made_at = models.DateTimeField()
    code_hash = models.BinaryField(max_length=32, null=True, unique=True)
    code_until = models.DateTimeField(null=True)
    code_taken_at = models.DateTimeField(null=True)
    key = models.CharField(max_length=16, null=True, unique=True)
    sealed_key = models.BinaryField(max_length=64, null=True)
    sealed_secret = models.BinaryField(max_length=128, null=True)
    enrolled_at = models.DateTimeField(null=True)
    owner = models.CharField(max_length=64, blank=True)
    shard = models.CharField(max_length=64, blank=True)
    seen_at = models.DateTimeField(null=True)
    url = models.CharField(max_length=300, blank=True)
    region = models.CharField(max_length=100, blank=True)
    position = models.CharField(max_length=60, blank=True)
    told_room = models.CharField(max_length=80, blank=True)
    line_told = models.CharField(max_length=120, blank=True)
    push_at = models.DateTimeField(null=True)
    push_tries = models.PositiveIntegerField(default=0)
    here_mission = models.CharField(max_length=40, blank=True)
    here_until = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    barred = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["campaign_id", "-made_at"], name="kiosk_by_campaign"),
            models.Index(fields=["push_at"], condition=models.Q(push_at__isnull=False), name="kiosk_to_push"),
        ]

    def __str__(self) -> str:
        return self.place

    @property
    def trusted(self) -> bool:
        """Whether it speaks for its whole grid."""
        return self.fan_id is None or self.vouched


class Nonce(models.Model):
    """One number a kiosk has used; kept as long as the time beside it would be believed."""

    kiosk = models.ForeignKey(Kiosk, on_delete=models.CASCADE, related_name="nonces")
    nonce = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kiosk", "nonce"], name="one_use_per_nonce")]

    def __str__(self) -> str:
        return self.nonce


class Avatar(models.Model):
    """Somebody in a grid who did something, or is linked to a fan. `lookup`: the keyed hash they are found by.

    `name`: what they are called there, sealed under their fan's key; None before they are linked.
    """

    campaign_id = models.BigIntegerField()
    lookup = models.CharField(max_length=32)
    grid = models.CharField(max_length=60)
    fan = models.ForeignKey(Fan, null=True, on_delete=models.SET_NULL, related_name="avatars")
    name = models.BinaryField(max_length=400, null=True)
    linked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign_id", "lookup"], name="one_avatar_per_lookup")
        ]

    def __str__(self) -> str:
        return f"avatar {self.pk} in {self.grid}"


class AvatarLink(models.Model):
    """The address an avatar was shown to link themselves to a fan: good once, for ten minutes."""

    token_hash = models.BinaryField(max_length=32, unique=True)
    avatar = models.ForeignKey(Avatar, on_delete=models.CASCADE, related_name="links")
    name = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"link of avatar {self.avatar_id}"


class WorldAct(models.Model):
    """What an avatar did for a mission, once. It waits until they are linked to a fan; then it is a fact.

    `fan`: whose it is, since it is a fact: the avatar may be somebody else's later.
    `choice` (from 1), `right`, `text` with its `salt`: as the act has them. `recorded_at`: when the fact was left;
    `accepted`: what a person said of something that was brought.
    """

    campaign_id = models.BigIntegerField()
    mission = models.CharField(max_length=40)
    act = models.CharField(max_length=8)
    avatar = models.ForeignKey(Avatar, on_delete=models.CASCADE, related_name="acts")
    kiosk = models.ForeignKey(Kiosk, null=True, on_delete=models.SET_NULL, related_name="acts")
    fan = models.ForeignKey(Fan, null=True, on_delete=models.SET_NULL, related_name="world_acts")
    choice = models.PositiveSmallIntegerField(null=True)
    right = models.BooleanField(null=True)
    text = models.CharField(max_length=400, blank=True)
    salt = models.BinaryField(max_length=16, null=True)
    at = models.DateTimeField()
    waits_until = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(null=True)
    accepted = models.BooleanField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["avatar", "mission"], name="one_result_per_mission")]
        indexes = [
            models.Index(fields=["campaign_id", "mission"], name="world_act_by_mission"),
            models.Index(
                fields=["waits_until"],
                condition=models.Q(waits_until__isnull=False),
                name="world_act_waiting",
            ),
            models.Index(fields=["kiosk", "at"], name="world_act_by_kiosk"),
            models.Index(fields=["fan", "mission"], name="world_act_by_fan"),
        ]

    def __str__(self) -> str:
        return f"{self.mission}: {self.act}"
