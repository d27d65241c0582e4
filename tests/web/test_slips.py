"""The permission slip: who allowed a title to be passed on, and that it ended the moment one of them takes it back.

The printed one is read as a stranger's phone would: the text by poppler, the code by zbar.
"""

import datetime as dt
import logging
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from django.http import HttpResponseBase

from tests.web.test_holders import Holding
from vteam import clock
from vteam.campaigns.models import Title
from vteam.campaigns.slips import slip_of
from vteam.rights.models import Holder
from vteam.rights.services import Said, record_act
from vteam.rights.wording import wording
from vteam.rules.rights import Act, Way

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

    def test_everybody_may_ask_and_reads_who_allowed_it_in_their_very_words(self) -> None:
        page = self.client.get(PAGE)
        self.assertContains(page, "Yes.")
        assert len(self.holders()) > 1
        for name in self.holders():
            self.assertContains(page, name)
        self.assertContains(page, "directement depuis leur ordinateur")
        self.assertNotContains(page, "PDF")
        self.assertIn("no-store", page["Cache-Control"])
        self.assertContains(page, "noindex")
        self.assertContains(self.client.get(PAGE.replace("/en/", "/fr/")), "Oui.")

    def test_once_taken_back_it_says_since_when_and_makes_no_file(self) -> None:
        before = clock.now()
        self.say(Act.WITHDRAWN, way=Way.PASS_ON)
        page = self.client.get(PAGE)
        self.assertContains(page, "Not any more.")
        self.assertContains(page, "It was allowed until")
        for name in set(self.holders()) - {self.campaign.file.artist}:
            self.assertNotContains(page, name)
        ended = slip_of(self.campaign, "les-digues", at_us=clock.now_us())
        assert ended is not None
        assert ended.ended is not None
        assert dt.timedelta() <= ended.ended - before < dt.timedelta(minutes=1)
        self.assertEqual(self.signed_in().get(FILE).status_code, 410)
        self.say(Act.AGREED, way=Way.PASS_ON)
        self.assertContains(self.client.get(PAGE), "Yes.")

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
            self.say_until(holder, end)
        slip = slip_of(self.campaign, "les-digues", at_us=clock.now_us())
        assert slip is not None
        assert slip.until == sooner
        self.assertContains(self.client.get(PAGE), f"{sooner.year}, ")
        after = slip_of(self.campaign, "les-digues", at_us=clock.to_us(sooner))
        assert after is not None
        assert not after.holds
        assert after.ended == sooner

    def say_until(self, holder: Holder, end: dt.datetime) -> None:
        title = self.title()
        words = wording(Way.PASS_ON, title=title.name, artist=title.artist, language="fr")
        said = Said(
            title_id=title.pk, way=Way.PASS_ON, act=Act.AGREED, wording=words,
            at_us=clock.now_us(), until_us=clock.to_us(end),
        )  # fmt: skip
        record_act(holder=holder, person=None, said=said)


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
        self.bo.name = "Łukasz Ő 影 <b>&amp;</b> **" + "x" * 10
        self.bo.save()
        Title.objects.filter(pk=self.title().pk).update(name="Ein sehr langer Titel " * 3)
        for holder in Holder.objects.filter(titles__title_id=self.title().pk):
            Holder.objects.filter(pk=holder.pk).update(name="Þórunn Ágústsdóttir-" * 6)
        text, code = printed(self.file().content)  # type: ignore[attr-defined]
        self.assertIn("Łukasz Ő", text)
        self.assertIn("<b>&amp;</b> **", text)
        self.assertIn("Þórunn", text)
        self.assertTrue(code.endswith("/permission"))

    def test_drawing_tells_the_log_nothing(self) -> None:
        with self.assertNoLogs(level=logging.INFO):
            self.file()

    def test_strangers_are_led_to_the_door(self) -> None:
        self.assertEqual(self.client.get(FILE).status_code, 302)

    def test_my_titles_leads_to_the_permission_of_what_may_be_passed_on(self) -> None:
        page = self.signed_in().get("/en/maree-haute/titles")
        self.assertContains(page, PAGE)
        self.assertNotContains(page, "/titles/sel/permission")
