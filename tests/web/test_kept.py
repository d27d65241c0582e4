"""Parts of pages are printed once and kept; nobody ever reads one that is out of date, or somebody else's."""

from django.template import engines
from django.utils import translation

from tests import cast
from tests.web.test_doors import Doors
from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.people.models import Fan
from vteam.web.templatetags.vteam import kept
from vteam.web.views.campaign import Row

HOME = "/maree-haute/home"


class KeptTests(Doors):
    def setUp(self) -> None:
        cast.offer(self.campaign.pk, cast.joined(self.bo.pk, at_us=clock.now_us()))
        cast.move()

    def test_a_new_name_shows_at_once_wherever_it_stood(self) -> None:
        client = self.signed_in()
        pages = (HOME, "/maree-haute/", "/maree-haute/ranking")
        for name in ("Bo", "Beau", "Bo"):
            Fan.objects.filter(pk=self.bo.pk).update(name=name)
            for page in pages:
                self.assertContains(client.get(page), f'<span class="rank__name">{name}<')

    def test_what_the_organiser_changes_shows_at_once(self) -> None:
        client = self.signed_in()
        file = self.campaign.file
        for words in ("Bring a friend", "Bring an enemy"):
            name = file.missions[0].name.model_copy(update={"en": words})
            mission = file.missions[0].model_copy(update={"name": name})
            changed = file.model_copy(update={"missions": (mission, *file.missions[1:])})
            Campaign.objects.filter(pk=self.campaign.pk).update(document=changed.canonical())
            for page in (HOME, "/maree-haute/"):
                self.assertContains(client.get(page), words)

    def test_each_language_has_its_own_and_links_within_it(self) -> None:
        client = self.signed_in()
        for _ in range(2):
            english, french = client.get(f"/en{HOME}"), client.get(f"/fr{HOME}")
            self.assertContains(english, '<a href="/en/maree-haute/points">My points</a>')
            self.assertContains(french, '<a href="/fr/maree-haute/points">Mes points</a>')
            self.assertContains(client.get(HOME), '<a href="/maree-haute/points">My points</a>')

    def test_only_the_readers_own_row_is_in_colour(self) -> None:
        self.assertContains(self.signed_in().get("/maree-haute/"), "rank--you")
        self.assertNotContains(self.client.get("/maree-haute/"), "rank--you")

    def test_a_kept_part_is_escaped_and_knows_nothing_it_was_not_given(self) -> None:
        row = Row(fan_id=1, rank=1, points=50, name="<b>Bo</b>")
        with translation.override("en"):
            self.assertIn("&lt;b&gt;Bo&lt;/b&gt;", kept("parts/ranks.html", rows=(row,), mine=None))
            page = engines["django"].from_string(
                '{% with mine=1 %}{% kept "parts/ranks.html" rows=r %}{% endwith %}'
            )
            self.assertNotIn("rank--you", page.render({"r": (row,)}))
