"""The same season in ordinary tables: a row for each thing, its texts in columns, foreign keys between them."""

from django.conf import settings
from django.db import models
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

REASONS = {
    "awarded": gettext_lazy("counted at once"),
    "held_until": gettext_lazy("counts %(when)s"),
    "needs_review": gettext_lazy("many from the same network today: a person will look at it"),
    "already_counted": gettext_lazy("this already counted once"),
    "over_daily_limit": gettext_lazy("over today's limit: try again tomorrow"),
    "over_limit": gettext_lazy("you have reached the limit of this mission"),
    "outside_season": gettext_lazy("outside the season"),
    "outside_mission": gettext_lazy("this mission was not open at that moment"),
    "same_person": gettext_lazy("your own visit does not count"),
    "rights_withdrawn": gettext_lazy("the band had taken this title back"),
}


class Campaign(models.Model):
    """One campaign."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    artist = models.CharField(max_length=80)
    team = models.CharField(max_length=80)
    starts_at = models.DateTimeField()
    release_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    time_zone = models.CharField(max_length=60)

    def __str__(self) -> str:
        return self.name


class InTwoLanguages(models.Model):
    """A name and an explanation in the page's language."""

    name_en = models.CharField(max_length=80)
    name_fr = models.CharField(max_length=80)
    explanation_en = models.TextField()
    explanation_fr = models.TextField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.name)

    @property
    def name(self) -> str:
        """The name in the page's language."""
        return str(getattr(self, f"name_{translation.get_language()}"))

    @property
    def explanation(self) -> str:
        """The explanation in the page's language."""
        return str(getattr(self, f"explanation_{translation.get_language()}"))


class Mission(InTwoLanguages):
    """What earns points."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="missions")
    kind = models.CharField(max_length=20)
    points = models.IntegerField()
    per_day = models.IntegerField(null=True)
    per_fan = models.IntegerField(null=True)
    coming = models.BooleanField()
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()


class Milestone(InTwoLanguages):
    """Something every fan who reaches `points` gets."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="milestones")
    points = models.IntegerField()


class Title(models.Model):
    """A piece of music."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="titles")
    name = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.name


class Fan(models.Model):
    """A user's place in a campaign, with their points."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="fans")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="fans")
    name = models.CharField(max_length=40)
    points = models.IntegerField()
    waiting = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "campaign"], name="one_fan_per_user")]
        indexes = [models.Index(fields=["campaign", "-points", "id"], name="fan_by_points")]

    def __str__(self) -> str:
        return self.name


class Share(models.Model):
    """A fan's link for one place."""

    fan = models.ForeignKey(Fan, on_delete=models.CASCADE, related_name="shares")
    place = models.CharField(max_length=60)

    def __str__(self) -> str:
        return self.place


class Award(models.Model):
    """What became of something a fan did: one line of their points."""

    fan = models.ForeignKey(Fan, on_delete=models.CASCADE, related_name="awards")
    mission = models.ForeignKey(Mission, on_delete=models.CASCADE)
    outcome = models.CharField(max_length=20)
    points = models.IntegerField()
    at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    share = models.ForeignKey(Share, null=True, on_delete=models.SET_NULL)
    title = models.ForeignKey(Title, null=True, on_delete=models.SET_NULL)
    recruit = models.ForeignKey(Fan, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["fan", "-id"], name="award_by_fan")]

    def __str__(self) -> str:
        return f"{self.points} of {self.fan}"

    @property
    def what(self) -> str:
        """What happened, in a sentence."""
        if self.recruit is not None:
            return _("%(name)s joined because of you") % {"name": self.recruit.name}
        if self.title is not None:
            return _("You downloaded “%(title)s”") % {"title": self.title.name}
        if self.share is not None and self.share.place:
            return _("Someone came from “%(place)s”") % {"place": self.share.place}
        return _("Someone came through your copy of a title")

    @property
    def why(self) -> str:
        """Why it counts or not."""
        when = date_format(timezone.localtime(self.due_at), "l H:i") if self.due_at else ""
        return str(REASONS[self.outcome]) % {"when": when}
