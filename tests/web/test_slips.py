"""The permission slip: who allowed a title to be passed on, and that it ended the moment one of them takes it back.

The printed one is read as a stranger's phone would: the text by poppler, the code by zbar.
"""

import datetime as dt
import logging
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import time_machine
from django.http import HttpResponseBase

from tests.web.test_holders import Holding
from vteam import clock
from vteam.campaigns.agreements import speak
from vteam.campaigns.models import Title
from vteam.campaigns.slips import Slip, slip_of
from vteam.rights.models import Holder
from vteam.rules.rights import Act, Way
from vteam.web.templatetags.vteam import local
from vteam.web.views import slips

PAGE = "/en/maree-haute/titles/les-digues/permission"
FILE = "/en/maree-haute/titles/les-digues/permission.pdf"


def printed(content: bytes) -> tuple[str, str]:
    """A PDF's text, and what its code says."""
    with TemporaryDirectory() as folder:
        paper = Path(folder) / "slip.pdf"
        paper.write_bytes(content)
        text = subprocess.run(
            ["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True
        )
        subprocess.run(["pdftoppm", "-r", "100", "-png", paper, paper.with_suffix("")], check=True)
        pictures = sorted(Path(folder).glob("*.png"))
        code = subprocess.run(
            ["zbarimg", "--quiet", "--raw", *pictures], capture_output=True, text=True, check=True
        )
        return " ".join(text.stdout.split()), code.stdout.strip()


class SlipTests(Holding):
    def holders(self) -> list[str]:
        return [holder.name for holder in Holder.objects.filter(titles__title_id=self.title().pk)]

    def stands(self) -> Slip:
        found = slip_of(self.campaign, "les-digues", at_us=clock.now_us())
        assert found is not None
        return found

    def says(self, *said: tuple[int, Act]) -> None:
        """Holders by their place among the title's, and what each says of passing it on, a second apart."""
        holders = list(Holder.objects.filter(titles__title_id=self.title().pk).order_by("pk"))
        for place, act in said:
            self.clock.shift(dt.timedelta(seconds=1))
            self.say_as(holders[place], act)

    def setUp(self) -> None:
        travel = time_machine.travel(clock.now(), tick=False)
        self.clock = travel.start()
        self.addCleanup(travel.stop)

    def test_everybody_may_ask_and_reads_the_very_words_and_a_fan_reads_who(self) -> None:
        page, fans = self.client.get(PAGE), self.signed_in().get(PAGE)
        assert len(self.holders()) > 1
        for name in set(self.holders()) - {self.campaign.file.artist}:
            self.assertNotContains(page, name)
            self.assertContains(fans, name)
        self.assertContains(page, "Performer")
        for one in (page, fans):
            self.assertContains(one, "Yes.")
            self.assertContains(one, "directement depuis leur ordinateur")
        self.assertNotContains(page, "PDF")
        self.assertContains(fans, "PDF")
        self.assertIn("no-store", page["Cache-Control"])
        self.assertContains(page, "noindex")
        self.assertContains(self.client.get(PAGE.replace("/en/", "/fr/")), "Oui.")

    def test_once_taken_back_it_says_since_when_and_the_file_leads_to_the_page(self) -> None:
        self.says((0, Act.WITHDRAWN))
        page = self.signed_in().get(PAGE)
        self.assertContains(page, "Not any more.")
        self.assertContains(page, "It was allowed until")
        for name in set(self.holders()) - {self.campaign.file.artist}:
            self.assertNotContains(page, name)
        self.assertEqual(self.stands().ended, clock.now())
        self.assertRedirects(self.signed_in().get(FILE), PAGE)
        self.says((0, Act.AGREED))
        self.assertContains(self.client.get(PAGE), "Yes.")

    def test_of_two_who_take_it_back_the_first_ended_it(self) -> None:
        self.says((1, Act.WITHDRAWN))
        ended = clock.now()
        self.clock.shift(dt.timedelta(hours=4))
        self.says((0, Act.WITHDRAWN), (0, Act.AGREED), (2, Act.REFUSED))
        self.assertEqual(self.stands().ended, ended)

    def test_a_no_after_a_yes_ends_it_as_well(self) -> None:
        self.says((0, Act.REFUSED))
        self.assertEqual(self.stands().ended, clock.now())
        self.assertContains(self.client.get(PAGE), "Not any more.")

    def test_a_yes_that_was_never_everybodys_was_never_a_permission(self) -> None:
        sel = Title.objects.get(campaign=self.campaign, key="sel")
        holder = Holder.objects.filter(titles__title_id=sel.pk).order_by("pk")[0]
        for act in (Act.AGREED, Act.WITHDRAWN):
            self.clock.shift(dt.timedelta(seconds=1))
            self.say_as(holder, act, title=sel)
        self.assertContains(self.client.get("/en/maree-haute/titles/sel/permission"), "No.")
        self.assertRedirects(
            self.signed_in().get("/en/maree-haute/titles/sel/permission.pdf"),
            "/en/maree-haute/titles/sel/permission",
        )

    def test_a_title_that_left_while_it_was_allowed_was_allowed_until_then(self) -> None:
        left = clock.now()
        Title.objects.filter(pk=self.title().pk).update(retired_at=left)
        self.says((0, Act.WITHDRAWN))
        self.assertEqual(self.stands().ended, left)

    def test_what_was_never_allowed_says_no_and_another_way_does_not_open_it(self) -> None:
        page = self.client.get("/en/maree-haute/titles/sel/permission")
        self.assertContains(page, "No.")
        self.assertNotContains(page, "allowed until")
        Title.objects.filter(key="sel").update(retired_at=clock.now())
        self.assertNotContains(self.client.get("/en/maree-haute/titles/sel/permission"), "allowed until")

    def test_a_title_taken_off_the_campaign_is_over_and_one_that_never_was_is_not_there(self) -> None:
        Title.objects.filter(pk=self.title().pk).update(retired_at=clock.now())
        self.assertContains(self.client.get(PAGE), "Not any more.")
        self.assertEqual(self.client.get("/en/maree-haute/titles/rien/permission").status_code, 404)
        self.assertEqual(self.signed_in().get("/maree-haute/titles/rien/permission.pdf").status_code, 404)

    def test_an_agreement_with_an_end_says_until_when_and_the_earliest_counts(self) -> None:
        sooner, later = (clock.now() + dt.timedelta(days=days) for days in (3, 9))
        holders = Holder.objects.filter(titles__title_id=self.title().pk)
        for holder, end in zip(holders, (later, sooner), strict=False):
            self.say_as(holder, Act.AGREED, until=end)
        slip = slip_of(self.campaign, "les-digues", at_us=clock.now_us())
        assert slip is not None
        assert slip.until == sooner
        self.assertContains(self.client.get(PAGE), f"{local(sooner, self.campaign).year}, ")
        after = slip_of(self.campaign, "les-digues", at_us=clock.to_us(sooner))
        assert after is not None
        assert not after.holds
        assert after.ended == sooner

    def say_as(
        self, holder: Holder, act: Act, *, title: Title | None = None, until: dt.datetime | None = None
    ) -> None:
        speak(
            holder=holder,
            person=None,
            title=title or self.title(),
            way=Way.PASS_ON,
            act=act,
            language="fr",
            at_us=clock.now_us(),
            until_us=clock.to_us(until) if until else None,
        )


class SlipFileTests(Holding):
    def file(self, address: str = FILE) -> HttpResponseBase:
        return self.signed_in().get(address)

    def test_a_fans_file_names_them_and_those_who_allowed_it_and_its_code_leads_to_the_page(self) -> None:
        response = self.file()
        self.assertEqual(response["Content-Type"], "application/pdf")
        self.assertIn('filename="Permission for Les digues.pdf"', response["Content-Disposition"])
        text, code = printed(response.content)  # type: ignore[attr-defined]
        self.assertIn("May “Les digues” be passed on?", text)
        self.assertIn("Made for Bo of La vTeam", text)
        for holder in Holder.objects.filter(titles__title_id=self.title().pk):
            self.assertIn(holder.name, text)
        self.assertEqual(code, "http://bo.localhost/maree-haute/titles/les-digues/permission")
        self.assertContains(self.client.get(code.removeprefix("http://bo.localhost")), "Yes.")

    def test_it_is_written_in_the_fans_language(self) -> None:
        text, _ = printed(self.file(FILE.replace("/en/", "/fr/")).content)  # type: ignore[attr-defined]
        self.assertIn("Peut-on faire circuler « Les digues » ?", text)

    def test_long_names_many_holders_and_letters_of_elsewhere_still_make_a_file(self) -> None:
        self.bo.name = "Łukasz Ő 影 {nb} <b>&amp;</b> **xxxx"
        self.bo.save()
        Title.objects.filter(pk=self.title().pk).update(name="Ein sehr langer Titel " * 3)
        for holder in Holder.objects.filter(titles__title_id=self.title().pk):
            Holder.objects.filter(pk=holder.pk).update(name="Þórunn Ágústsdóttir-" * 6)
        text, code = printed(self.file().content)  # type: ignore[attr-defined]
        self.assertIn("Łukasz Ő", text)
        self.assertIn("{nb} <b>&amp;</b> **", text)
        self.assertIn("Þórunn", text)
        self.assertTrue(code.endswith("/permission"))

    def test_drawing_tells_the_log_nothing_not_even_which_letters_a_name_has(self) -> None:
        self.bo.name = "影"
        self.bo.save()
        with self.assertNoLogs(level=logging.INFO):
            self.file()

    def test_so_many_files_an_hour_and_no_drawing_for_who_asks_only_for_the_head(self) -> None:
        self.assertEqual(self.signed_in().head(FILE).status_code, 405)
        with patch.object(slips, "FILES_PER_HOUR", 1):
            self.assertEqual(self.file().status_code, 200)
            self.assertEqual(self.file().status_code, 429)

    def test_strangers_are_led_to_the_door(self) -> None:
        self.assertEqual(self.client.get(FILE).status_code, 302)

    def test_my_titles_leads_to_the_permission_of_what_may_be_passed_on(self) -> None:
        page = self.signed_in().get("/en/maree-haute/titles")
        self.assertContains(page, PAGE)
        self.assertNotContains(page, "/titles/sel/permission")
