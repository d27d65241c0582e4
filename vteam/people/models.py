"""People: accounts, their membership in campaigns, and codes waiting to be typed. Everything here is erasable."""

from collections.abc import Iterator

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac


class Person(AbstractBaseUser):
    """Somebody who proved a mail address. There are no passwords: a code by mail opens the door."""

    password = None  # type: ignore[assignment]
    lookup = models.BinaryField(max_length=32, unique=True)
    sealed_key = models.BinaryField(max_length=64)
    sealed_address = models.BinaryField(max_length=512)
    language = models.CharField(max_length=8)
    created_at = models.DateTimeField(db_default=Now())

    objects = BaseUserManager()
    USERNAME_FIELD = "id"
    REQUIRED_FIELDS = []

    def __str__(self) -> str:
        return f"person {self.pk}"

    def get_session_auth_hash(self) -> str:
        """Sessions end when the person's key is replaced, with which the address is sealed anew.

        They outlive another master key, which wraps the same key differently.
        """
        return _session_hash(bytes(self.sealed_address))

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """What sessions begun before the master key could be replaced were tied to; Django ties them to the above."""
        yield _session_hash(bytes(self.sealed_key))


def _session_hash(sealed: bytes) -> str:
    return salted_hmac("vteam.people.session", sealed.hex(), algorithm="sha256").hexdigest()


class Fan(models.Model):
    """A person's place in one campaign's vTeam."""

    campaign_id = models.BigIntegerField()
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="fans")
    name = models.CharField(max_length=40)
    recruited_by_share_id = models.BigIntegerField(null=True)
    joined_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign_id", "person"], name="one_fan_per_campaign")]
        indexes = [models.Index(fields=["campaign_id", "recruited_by_share_id"], name="fan_by_share")]

    def __str__(self) -> str:
        return self.name


class Pending(models.Model):
    """A code asked for by typing an address: no account exists until it is right, and it expires by itself.

    `code_hash` is of the digits, good until `expires_at` and for few wrong tries; `link_hash` is of the long
    secret in the mail's link, good until `link_expires_at`, which no stranger's wrong tries can use up. `mailed`: the
    code is on its way; where a budget forbade it, the next request may still have it sent, and until then the row
    looks the same from outside.
    `asked_from` is a keyed hash of the network the request came from.
    """

    id = models.CharField(primary_key=True, max_length=32)
    campaign_id = models.BigIntegerField(null=True)
    lookup = models.BinaryField(max_length=32)
    sealed_key = models.BinaryField(max_length=64)
    sealed_address = models.BinaryField(max_length=512)
    name = models.CharField(max_length=40, blank=True)
    share_id = models.BigIntegerField(null=True)
    recruiter_id = models.BigIntegerField(null=True)
    after = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=8)
    asked_from = models.CharField(max_length=64, blank=True)
    code_hash = models.BinaryField(max_length=32)
    link_hash = models.BinaryField(max_length=32)
    mailed = models.BooleanField(default=False)
    wrong_tries = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    link_expires_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["lookup", "campaign_id"], name="pending_by_address")]

    def __str__(self) -> str:
        return f"code for campaign {self.campaign_id}"
