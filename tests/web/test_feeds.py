"""Feeds as browsers and readers meet them: one language an address, no cookie, 304 while nothing changed."""

import datetime as dt
import json
import re
from http.cookies import SimpleCookie

import feedparser
import icalendar
import time_machine
from django.test import Client, override_settings

from tests.web.test_doors import Doors
from vteam import clock
from vteam.campaigns.file import CampaignFile
from vteam.campaigns.models import Campaign, CampaignVersion, News
from vteam.campaigns.news import Draft, publish, take_back, write_news

FEEDS = ("news.atom", "news.json", "season.ics")


class Feeds(Doors):
    def tell(self, subject: str = "Nantes is full") -> News:
        draft = Draft(subjects={"en": subject, "fr": "Nantes affiche complet"}, texts={"en": "A", "fr": "B"})
        news = write_news(campaign=self.campaign, draft=draft, at=clock.now())
        self.assertTrue(publish(news=news, at=clock.now()))
        return News.objects.get(pk=news.pk)

    def apply(self, file: CampaignFile) -> None:
        """The campaign with this file in force, as of now."""
        version = self.campaign.version + 1
        document = file.canonical()
        Campaign.objects.filter(pk=self.campaign.pk).update(document=document, version=version)
        CampaignVersion.objects.create(
            campaign_id=self.campaign.pk,
            version=version,
            document=document,
            sha256="",
            applied_at=clock.now(),
        )


class AddressTests(Feeds):
    def test_each_address_has_one_language_whatever_the_browser_and_the_person_prefer(self) -> None:
        self.tell()
        signed_in = self.signed_in()
        for name in FEEDS:
            answers = {
                client.get(
                    f"/fr/maree-haute/{name}", headers={"Host": "localhost", "Accept-Language": wanted}
                ).content
                for client in (self.client, signed_in)
                for wanted in ("en", "fr", "")
            }
            self.assertEqual(len(answers), 1, name)
        atom = self.client.get("/fr/maree-haute/news.atom")
        self.assertIn('xml:lang="fr"', atom.text)
        self.assertIn("Nantes affiche complet", atom.text)
        self.assertEqual(json.loads(self.client.get("/en/maree-haute/news.json").text)["language"], "en")
        self.assertIn("la saison commence", self.client.get("/fr/maree-haute/season.ics").text)

    def test_an_address_without_a_language_leads_to_the_campaigns_first(self) -> None:
        for name in FEEDS:
            for wanted in ("en", "fr"):
                answer = self.client.get(f"/maree-haute/{name}", headers={"Accept-Language": wanted})
                self.assertRedirects(answer, f"/fr/maree-haute/{name}")

    def test_a_language_the_campaign_has_not_leads_to_one_it_has(self) -> None:
        self.apply(self.campaign.file.model_copy(update={"languages": ("fr",)}))
        for name in FEEDS:
            self.assertRedirects(self.client.get(f"/en/maree-haute/{name}"), f"/fr/maree-haute/{name}")
        self.assertContains(
            self.client.get("/en/maree-haute/"), 'hreflang="fr" href="/fr/maree-haute/news.atom"'
        )

    def test_addresses_inside_are_whole_and_names_do_not_change_with_them(self) -> None:
        self.tell()
        names = set()
        for public in ("https://team.example.org", "https://other.example.org"):
            with override_settings(PUBLIC_URL=public):
                found = feedparser.parse(self.client.get("/fr/maree-haute/news.atom").content)
            self.assertTrue(
                found.entries[0].link.startswith(f"{public}/fr/maree-haute/"), found.entries[0].link
            )
            names.add((found.feed.id, found.entries[0].id))
        self.assertEqual(len(names), 1)

    def test_what_is_no_campaign_has_no_feed(self) -> None:
        for name in FEEDS:
            self.assertEqual(self.client.get(f"/fr/nobody/{name}").status_code, 404)
            self.assertEqual(self.client.post(f"/fr/maree-haute/{name}").status_code, 405)


class AnswerTests(Feeds):
    def test_answers_are_public_short_lived_and_know_no_cookie(self) -> None:
        types = ("application/atom+xml", "application/feed+json", "text/calendar")
        for name, content_type in zip(FEEDS, types, strict=True):
            for client in (self.client, self.signed_in()):
                answer = client.get(f"/fr/maree-haute/{name}")
                self.assertEqual(answer["Content-Type"], f"{content_type}; charset=utf-8")
                self.assertEqual(answer["Cache-Control"], "public, max-age=300")
                self.assertEqual(answer["Content-Language"], "fr")
                self.assertEqual(answer["X-Content-Type-Options"], "nosniff")
                self.assertNotIn("Vary", answer)
                self.assertEqual(answer.cookies, SimpleCookie())

    def test_who_has_it_already_gets_304_until_something_changes(self) -> None:
        paths = [f"/fr/maree-haute/{name}" for name in FEEDS]
        conditions = {}
        for path in paths:
            first = self.client.get(path)
            by_tag, by_time = (
                {"If-None-Match": first["ETag"]},
                {"If-Modified-Since": first["Last-Modified"]},
            )
            conditions[path] = by_tag, by_time
            for condition in conditions[path]:
                again = self.client.get(path, headers=condition)
                self.assertEqual((again.status_code, again.content), (304, b""))
                self.assertEqual(again["ETag"], first["ETag"])
                self.assertEqual(again["Cache-Control"], "public, max-age=300")
        self.apply(self.campaign.file.model_copy(update={"name": "Marée basse"}))
        for path in paths:
            for condition in conditions[path]:
                self.assertEqual(self.client.get(path, headers=condition).status_code, 200, path)

    def test_a_second_that_is_not_over_yet_is_nobodys_last_modified(self) -> None:
        """Something else may still change in it, and who asks by time would never hear of that."""
        with time_machine.travel(
            dt.datetime(2026, 11, 20, 12, 0, 0, 100_000, tzinfo=dt.UTC), tick=False
        ) as clocks:
            self.apply(self.campaign.file)
            self.assertNotIn("Last-Modified", self.client.get("/fr/maree-haute/season.ics"))
            clocks.shift(0.9)
            answer = self.client.get("/fr/maree-haute/season.ics")
            self.assertEqual(answer["Last-Modified"], "Fri, 20 Nov 2026 12:00:00 GMT")

    def test_news_change_their_feeds_when_they_come_and_when_they_are_taken_back(self) -> None:
        path, seen = "/en/maree-haute/news.atom", set()
        seen.add(self.client.get(path)["ETag"])
        news = self.tell()
        told = self.client.get(path)
        self.assertContains(told, "Nantes is full")
        seen.add(told["ETag"])
        take_back(news=news, at=clock.now() + dt.timedelta(minutes=1))
        gone = self.client.get(path, headers={"If-None-Match": told["ETag"]})
        self.assertEqual(gone.status_code, 200)
        self.assertNotContains(gone, "Nantes is full")
        seen.add(gone["ETag"])
        self.assertEqual(len(seen), 3)

    def test_head_says_the_same_without_the_bytes(self) -> None:
        for name in FEEDS:
            whole, head = (getattr(self.client, way)(f"/fr/maree-haute/{name}") for way in ("get", "head"))
            self.assertEqual((head["ETag"], head.content), (whole["ETag"], b""))

    def test_hostile_subjects_are_text_in_both_feeds(self) -> None:
        self.tell('</title><script>alert(1)</script> & "x" \x08')
        found = feedparser.parse(self.client.get("/en/maree-haute/news.atom").content)
        self.assertFalse(found.bozo)
        self.assertNotIn("<script>", self.client.get("/en/maree-haute/news.atom").text)
        item = json.loads(self.client.get("/en/maree-haute/news.json").text)["items"][0]
        self.assertEqual(item["title"], '</title><script>alert(1)</script> & "x" ')

    def test_the_demos_concerts_are_in_its_calendar(self) -> None:
        calendar = icalendar.Calendar.from_ical(self.client.get("/en/maree-haute/season.ics").content)
        places = [str(event.get("LOCATION", "")) for event in calendar.walk("VEVENT")]
        self.assertEqual(
            [place for place in places if place],
            ["Chez Gaby, Port-Lierre", "La Cale sèche, Nantes", "La Criée, Port-Lierre"],
        )


class FindingTests(Feeds):
    def test_every_page_of_the_campaign_tells_programs_where_its_feeds_are(self) -> None:
        for client in (self.client, self.signed_in()):
            for page in ("", "ranking", "join"):
                text = client.get(f"/fr/maree-haute/{page}", follow=True).text
                for name in FEEDS:
                    self.assertIn(f'hreflang="fr" href="/fr/maree-haute/{name}"', text, page)
        self.assertNotIn("news.atom", self.client.get("/sign-in").text)

    def test_people_find_them_too_and_the_links_work(self) -> None:
        page = self.client.get("/fr/maree-haute/")
        self.assertContains(page, "Suis tout, sans compte")
        for address in re.findall(r'<a href="([^"]+)" hreflang="fr" type=', page.text):
            self.assertEqual(Client().get(address).status_code, 200, address)
        self.assertContains(self.client.get("/en/maree-haute/"), "Follow without an account")


class ConcertTests(Feeds):
    def concerts(self, days: int) -> str:
        """The campaign's page so many days later, as it shows concerts."""
        self.apply(self.campaign.file.shifted(-days))
        self.campaign.refresh_from_db()
        return self.client.get("/en/maree-haute/").text

    def test_concerts_stand_on_the_page_until_they_are_over(self) -> None:
        page = self.concerts(0)
        for words in ("Where they play", "Chez Gaby, Port-Lierre", "La Cale sèche, Nantes", "20:30"):
            self.assertIn(words, page)
        later = self.concerts(20)
        self.assertNotIn("Chez Gaby", later)
        self.assertIn("La Cale sèche, Nantes", later)
        self.assertIn("La Criée, Port-Lierre", later)
        self.assertNotIn("Where they play", self.concerts(100))

    def test_the_day_is_told_in_words_and_the_tickets_are_one_link_away(self) -> None:
        nantes = self.campaign.file.concerts[1]
        page = self.client.get("/fr/maree-haute/")
        self.assertContains(
            page, f"décembre {nantes.at.year}" if nantes.at.month == 12 else str(nantes.at.year)
        )
        self.assertContains(page, "20\u00a0h\u00a030")
        self.assertContains(page, 'href="https://lune-noire.example/nantes" rel="noopener"')
