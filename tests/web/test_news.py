"""News: who may write it, what becomes of what was typed, what readers get, and that a text is never markup."""

import re
import time
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client

from tests.web.test_doors import Doors
from vteam import clock
from vteam.campaigns import news as told
from vteam.campaigns.joining import account
from vteam.campaigns.models import News, Organiser
from vteam.campaigns.organisers import invite, take_invitation
from vteam.people.models import Person
from vteam.web.words import as_html, first_paragraph

HOME = "/maree-haute/organise"
NEW = f"{HOME}/news/new"
WRITTEN = {
    "subject_en": "Roscoff on Friday",
    "text_en": "Come early.\n\nhttps://lune-noire.example/roscoff",
    "subject_fr": "Vendredi à Roscoff",
    "text_fr": "Venez tôt.",
    "act": "save",
}


class Writing(Doors):
    ana: Person

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.campaign.news.all().delete()
        cls.ana = account(address="ana@example.org", language="en", at=clock.now())
        secret = invite(campaign=cls.campaign, name="Ana", at=clock.now())
        assert secret is not None
        take_invitation(secret=secret, person=cls.ana)

    def organiser(self) -> Client:
        return self.signed_in(self.ana)

    def write(self, **others: str) -> News:
        """What Ana keeps as a draft."""
        response = self.organiser().post(NEW, WRITTEN | others)
        news = News.objects.order_by("-pk")[0]
        self.assertRedirects(response, f"{HOME}/news/{news.pk}#shown", fetch_redirect_response=False)
        return news

    def published(self, **others: str) -> News:
        news = self.write(**others)
        self.assertEqual(self.save(news, **others, act="publish").status_code, 302)
        news.refresh_from_db()
        self.assertIsNotNone(news.published_at)
        return news

    def save(self, news: News, **others: str) -> Any:
        return self.organiser().post(
            f"{HOME}/news/{news.pk}", {"seen": told.state(news), **WRITTEN, **others}
        )

    def act(self, news: News, act: str) -> int:
        return self.organiser().post(f"{HOME}/news/{news.pk}", {"act": act}).status_code


class InvitationTests(Doors):
    def test_whoever_was_handed_the_link_signs_in_presses_the_button_and_organises(self) -> None:
        secret = invite(campaign=self.campaign, name="Bo the organiser", at=clock.now())
        path = f"/organise/invitation/{secret}"
        stranger = self.client.get(path)
        self.assertContains(stranger, "<strong>Bo the organiser</strong>")
        self.assertContains(stranger, f"/sign-in?after={path.replace('/', '%2F')}")
        self.assertEqual(self.client.post(path).status_code, 200)
        self.assertFalse(Organiser.objects.filter(person=self.bo.person).exists())
        client = self.signed_in()
        self.assertEqual(client.get(path).status_code, 200)
        self.assertFalse(Organiser.objects.filter(person=self.bo.person).exists(), "reading takes nothing")
        self.assertRedirects(client.post(path), HOME)
        self.assertContains(client.get(path), "This invitation has been used.", status_code=410)
        self.assertContains(client.get("/me"), f'href="{HOME}">Marée haute</a>')
        self.assertContains(client.get("/me?erase"), "What you organise goes on without you")

    def test_an_operator_is_told_so_and_organises_no_campaign(self) -> None:
        secret = invite(campaign=None, name="Bo", at=clock.now())
        client = self.signed_in()
        self.assertContains(client.get(f"/organise/invitation/{secret}"), "look after this vTeam")
        self.assertRedirects(client.post(f"/organise/invitation/{secret}"), "/operator")
        self.assertContains(client.get("/me"), "This vTeam")
        self.assertEqual(client.get(HOME).status_code, 404)


class DoorTests(Writing):
    def test_organisers_pages_are_nothing_to_anybody_else(self) -> None:
        news = self.write()
        for path in (HOME, NEW, f"{HOME}/news/{news.pk}"):
            self.assertEqual(self.organiser().get(path).status_code, 200, path)
            self.assertIn("no-store", self.organiser().get(path)["Cache-Control"], path)
            self.assertEqual(self.signed_in().get(path).status_code, 404, path)
            self.assertRedirects(self.client.get(path), f"/sign-in?after={path.replace('/', '%2F')}")
        for act in ("save", "publish", "throw-away", "take-back"):
            answer = self.signed_in().post(f"{HOME}/news/{news.pk}", WRITTEN | {"act": act})
            self.assertEqual(answer.status_code, 404, act)
        self.assertEqual(self.signed_in().post(NEW, WRITTEN).status_code, 404)
        self.assertEqual(list(News.objects.all()), [news])

    def test_another_campaigns_news_is_not_theirs(self) -> None:
        for path in (f"{HOME}/news/999999", f"{HOME}?page=2", f"{HOME}?page=x", "/nowhere/organise"):
            self.assertEqual(self.organiser().get(path).status_code, 404, path)

    def test_the_menu_leads_organisers_there_and_nobody_else(self) -> None:
        entry = f'<a href="{HOME}">Organise</a>'
        self.assertContains(self.organiser().get("/maree-haute/"), entry)
        self.assertNotContains(self.signed_in().get("/maree-haute/"), entry)
        secret = invite(campaign=self.campaign, name="Bo", at=clock.now())
        assert secret is not None
        take_invitation(secret=secret, person=self.bo.person)
        home = self.signed_in().get("/maree-haute/home")
        self.assertContains(home, entry)
        self.assertContains(home, "My links")
        self.assertNotContains(self.organiser().get("/maree-haute/"), "My links")


class DraftTests(Writing):
    def test_a_draft_is_shown_as_a_phone_shows_it_in_both_languages_and_nobody_reads_it(self) -> None:
        news = self.write()
        page = self.organiser().get(f"{HOME}/news/{news.pk}").text
        for text in ("Roscoff on Friday", "Vendredi à Roscoff"):
            self.assertRegex(page, rf'<h3 class="news__subject"[^>]*>{text}</h3>')
        self.assertIn('<a href="https://lune-noire.example/roscoff" rel="nofollow">', page)
        self.assertIn("pas encore publiée", page)
        self.assertEqual(self.client.get(f"/maree-haute/news/{news.pk}").status_code, 404)
        self.assertNotContains(self.client.get("/maree-haute/news"), "Roscoff")

    def test_what_is_too_long_stays_in_its_field_and_is_told_by_how_much(self) -> None:
        long, subject = "wörd " * 900, "s" * 101
        answer = self.organiser().post(NEW, WRITTEN | {"text_en": long, "subject_fr": subject})
        self.assertContains(answer, "This is 499 characters too long: at most 4", status_code=422)
        self.assertContains(answer, "This is 1 character too long: at most 100.", status_code=422)
        self.assertContains(answer, long.strip(), status_code=422)
        self.assertContains(answer, f'value="{subject}"', status_code=422)
        self.assertFalse(News.objects.exists())

    def test_nothing_at_all_is_no_draft(self) -> None:
        answer = self.organiser().post(NEW, {"text_en": " \u200b\n", "subject_fr": "\u202e"})
        self.assertContains(answer, "Write a few words first.", status_code=422)

    def test_a_draft_without_a_language_is_kept_but_not_published_and_it_is_said_which(self) -> None:
        news = self.write(text_fr="")
        answer = self.save(news, text_fr="", subject_en="Changed", act="publish")
        self.assertRedirects(answer, f"{HOME}/news/{news.pk}?missing#missing", fetch_redirect_response=False)
        page = self.organiser().get(f"{HOME}/news/{news.pk}?missing")
        self.assertContains(page, "it needs a subject and a text in French.")
        self.assertContains(page, 'role="alert"')
        news.refresh_from_db()
        self.assertEqual((news.subject_en, news.published_at), ("Changed", None))

    def test_lines_are_counted_and_kept_as_they_were_typed(self) -> None:
        news = self.write(text_en="  one\r\ntwo\t \r\n\r\n\r\n\r\nthree\u202e 👩\u200d🚀\x07  ")
        self.assertEqual(news.text_en, "one\ntwo\n\nthree 👩\u200d🚀")
        self.assertContains(
            self.organiser().get(f"{HOME}/news/{news.pk}"), f"<span data-count>{len(news.text_en)}<"
        )

    def test_signed_out_while_writing_the_words_come_back_in_their_form(self) -> None:
        news = self.write()
        for path in (NEW, f"{HOME}/news/{news.pk}"):
            answer = self.client.post(path, WRITTEN | {"text_en": "Typed <now>", "seen": "f" * 64})
            self.assertContains(answer, "You were signed out meanwhile", status_code=403)
            self.assertContains(answer, "Typed &lt;now&gt;</textarea>", status_code=403)
            self.assertContains(answer, f'name="seen" value="{"f" * 64}"', status_code=403)
            self.assertNotContains(answer, "Throw", status_code=403)
        self.assertEqual(News.objects.count(), 1)

    def test_what_somebody_else_changed_meanwhile_is_shown_and_not_written_over(self) -> None:
        news = self.write()
        self.save(news, subject_en="Theirs")
        answer = self.save(news, subject_en="Mine")
        self.assertContains(answer, "Somebody else changed this", status_code=409)
        self.assertContains(answer, 'value="Mine"', status_code=409)
        self.assertContains(answer, ">Theirs</h3>", status_code=409)
        news.refresh_from_db()
        self.assertContains(answer, told.state(news), status_code=409)
        self.assertEqual(self.save(news, subject_en="Mine").status_code, 302)
        told.throw_away(news=news)
        answer = self.save(news, subject_en="Mine again")
        self.assertContains(answer, "They threw the draft away", status_code=409)
        self.assertContains(answer, f'action="{NEW}"', status_code=409)
        self.assertContains(answer, "Mine again", status_code=409)

    def test_a_refused_form_still_remembers_what_its_writer_saw(self) -> None:
        news = self.write()
        seen = told.state(news)
        self.save(news, subject_en="Theirs")
        answer = self.organiser().post(
            f"{HOME}/news/{news.pk}", WRITTEN | {"seen": seen, "subject_en": "s" * 101}
        )
        self.assertContains(answer, f'name="seen" value="{seen}"', status_code=422)

    def test_a_draft_is_thrown_away_and_an_act_nobody_knows_is_none(self) -> None:
        news = self.write()
        self.assertEqual(self.act(news, "explode"), 404)
        self.assertEqual(self.act(news, ""), 404)
        self.assertEqual(self.act(news, "throw-away"), 302)
        self.assertFalse(News.objects.exists())
        self.assertContains(self.organiser().get(HOME), "Nothing written yet.")


class PublishedTests(Writing):
    def test_published_it_stands_on_the_campaigns_page_the_fans_home_and_its_own(self) -> None:
        news = self.published()
        link = f'href="/maree-haute/news/{news.pk}"'
        for page in ("", "news"):
            self.assertContains(self.client.get(f"/maree-haute/{page}"), link)
        self.assertContains(self.signed_in().get("/maree-haute/home"), link)
        own = self.client.get(f"/fr/maree-haute/news/{news.pk}")
        self.assertContains(own, "<p>Venez tôt.</p>")
        self.assertNotContains(own, "corrigé le")
        self.assertContains(self.organiser().get(HOME), "Roscoff on Friday")

    def test_a_correction_is_said_and_cannot_empty_a_language(self) -> None:
        news = self.published()
        answer = self.save(news, text_fr="")
        self.assertContains(answer, "Published news needs a text.", status_code=422)
        self.assertEqual(self.save(news, text_fr="Venez très tôt.").status_code, 302)
        self.assertContains(self.client.get(f"/maree-haute/news/{news.pk}"), "corrected on")
        self.assertContains(self.client.get(f"/fr/maree-haute/news/{news.pk}"), "Venez très tôt.")

    def test_taken_back_it_is_gone_kindly_and_put_back_it_is_there(self) -> None:
        news = self.published()
        self.assertEqual(self.act(news, "take-back"), 302)
        self.assertContains(
            self.client.get(f"/maree-haute/news/{news.pk}"), "This has gone.", status_code=410
        )
        for page in (self.client.get("/maree-haute/"), self.client.get("/maree-haute/news")):
            self.assertNotContains(page, "Roscoff")
        self.assertContains(self.organiser().get(HOME), "Taken back")
        self.assertContains(self.organiser().get(f"{HOME}/news/{news.pk}"), "Put it back now")
        self.assertEqual(self.act(news, "throw-away"), 302)
        self.assertEqual(self.act(news, "put-back"), 302)
        self.assertContains(self.client.get(f"/maree-haute/news/{news.pk}"), "Roscoff on Friday")

    def test_without_news_there_is_no_box_and_the_list_says_so(self) -> None:
        self.assertNotContains(self.client.get("/maree-haute/"), 'id="news"')
        self.assertNotContains(self.signed_in().get("/maree-haute/home"), "home__news")
        self.assertContains(self.client.get("/maree-haute/news"), "When Lune Noire has something to tell")

    def test_the_campaign_shows_the_latest_two_and_the_home_the_newest(self) -> None:
        for subject in ("First", "Second", "Third"):
            self.published(subject_en=subject)
        page = self.client.get("/maree-haute/").text
        self.assertLess(page.index(">Third<"), page.index(">Second<"))
        self.assertNotIn(">First<", page)
        home = self.signed_in().get("/maree-haute/home").text
        self.assertIn(">Third<", home)
        self.assertNotIn(">Second<", home)

    def test_the_list_is_read_a_page_at_a_time(self) -> None:
        for subject in ("First", "Second", "Third"):
            self.published(subject_en=subject)
        with patch("vteam.web.views.news.PAGE", 2):
            first, last = (self.client.get(f"/maree-haute/news?page={page}") for page in (1, 2))
            self.assertEqual(self.client.get("/maree-haute/news?page=3").status_code, 404)
            self.assertEqual(self.client.get("/maree-haute/news?page=0").status_code, 404)
        self.assertContains(first, 'rel="next"')
        self.assertNotContains(first, "First")
        self.assertContains(last, "First")
        self.assertNotContains(last, 'rel="next"')

    def test_news_told_in_one_language_only_says_in_which(self) -> None:
        news = self.published()
        News.objects.filter(pk=news.pk).update(subject_en="", text_en="")
        page = self.client.get(f"/en/maree-haute/news/{news.pk}").text
        self.assertRegex(page, r'<h1 class="news__subject" lang="fr">Vendredi')

    def test_a_hostile_text_is_shown_as_it_was_typed(self) -> None:
        news = self.published(
            subject_en='<img src=x onerror="a()">',
            text_en="</textarea><script>a()</script>\n\njavascript:a()",
        )
        pages = (
            self.client.get(f"/maree-haute/news/{news.pk}").text,
            self.client.get("/maree-haute/news").text,
            self.client.get("/maree-haute/").text,
            self.signed_in().get("/maree-haute/home").text,
            self.organiser().get(f"{HOME}/news/{news.pk}").text,
            self.organiser().get(HOME).text,
        )
        for page in pages:
            self.assertIn("&lt;img src=x onerror=&quot;a()&quot;&gt;", page)
            self.assertNotIn("<img src=x", page)
            self.assertNotIn("<script>a", page)
            self.assertIsNone(re.search(r'(?i)href="javascript', page))


# Plain text as HTML -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        (" \n\n ", ""),
        ("one\ntwo\n\n \n\nthree", "<p>one<br>\ntwo</p>\n<p>three</p>"),
        ("<b>&\"'", "<p>&lt;b&gt;&amp;&quot;&#x27;</p>"),
        ("**bold** [a](b) &amp;", "<p>**bold** [a](b) &amp;amp;</p>"),
    ],
)
def test_paragraphs_are_all_there_is(text: str, html: str) -> None:
    assert as_html(text) == html


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see https://a.example.", "https://a.example"),
        ("(https://a.example/x)", "https://a.example/x"),
        ("https://a.example/x_(y)!", "https://a.example/x_(y)"),
        ("« https://a.example/été\u00a0»", "https://a.example/été"),
        ("HTTPS://A.example:8443/?q=1&r=2#s", "HTTPS://A.example:8443/?q=1&amp;r=2#s"),
        ("http://a.example'onmouseover='x'/", None),
        ("https://a.example/'x", "https://a.example/&#x27;x"),
        ('https://a.example/"onclick="x', "https://a.example/"),
        ("https://bank.example@evil.example/", None),
        ("https://bank.example:secret@evil.example", None),
        ("https://[::1", None),
        ("https://a.example:99999/", None),
        ("https://localhost/", None),
        ("https://127.0.0.1/", None),
        ("https://аpple.example/", None),
        ("javascript:alert(1)", None),
        ("JaVaScRiPt:alert(1)//https:", None),
        ("data:text/html,https", None),
        ("//a.example", None),
        ("mailto:bo@a.example", None),
        ("https://", None),
    ],
)
def test_only_web_addresses_become_links_and_show_where_they_lead(text: str, address: str | None) -> None:
    html = as_html(text)
    found = re.findall(r'<a href="([^"]*)" rel="nofollow">(.*?)</a>', html)
    assert found == ([] if address is None else [(address, address)])
    assert re.sub(r"</?(?:p|a)\b[^>]*>", "", html).count("<") == 0


def test_an_address_inside_a_scheme_that_is_none_of_ours_leads_to_that_address_alone() -> None:
    assert 'href="https://a.example/"' in as_html("javascript:https://a.example/")
    assert 'href="java' not in as_html("javascript:https://a.example/")


@pytest.mark.parametrize(
    "text",
    ["a" * 100_000, "https://" * 20_000, "https://a.example/" + ")" * 100_000, "\n \t" * 40_000, "(" * 99_999 + "\n",
     "https://" + "a." * 50_000 + "example"],
)  # fmt: skip
def test_huge_lines_take_no_time(text: str) -> None:
    before = time.process_time()
    assert first_paragraph(text) in text
    assert as_html(text).count("<script") == 0
    assert time.process_time() - before < 2
