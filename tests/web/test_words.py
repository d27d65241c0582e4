"""How numbers, places and times read, and that French says everything English does."""

import datetime as dt
import subprocess
import sys
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from django.template.engine import Engine
from django.utils import translation

from vteam.web import messages
from vteam.web.templatetags import vteam as tags


def french(text: str) -> Catalog:
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    return read_po(BytesIO((head + text).encode()), locale="fr")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (50, "+50"), (-500, "−500"), (12450, "+12\u00a0450"), (1234567, "+1\u00a0234\u00a0567")],
)
def test_points_are_signed_and_their_thousands_apart(value: int, shown: str) -> None:
    assert tags.signed(value) == shown


@pytest.mark.parametrize(
    ("place", "english", "in_french"),
    [
        (1, "1st", "1<sup>er</sup>"),
        (2, "2nd", "2<sup>e</sup>"),
        (11, "11th", "11<sup>e</sup>"),
        (112, "112th", "112<sup>e</sup>"),
        (23, "23rd", "23<sup>e</sup>"),
        (1001, "1\u00a0001st", "1\u00a0001<sup>e</sup>"),
    ],
)
def test_places_read_as_people_say_them(place: int, english: str, in_french: str) -> None:
    with translation.override("en"):
        assert tags.ordinal(place) == english
    with translation.override("fr"):
        assert tags.ordinal(place) == in_french


def test_days_and_hours_are_said_in_the_reader_s_language() -> None:
    at = dt.datetime(2026, 12, 1, 14, 2, tzinfo=dt.UTC)
    with translation.override("en"):
        assert (tags.day(at), tags.hour(at), tags.long_day(at)) == (
            "1 December",
            "14:02",
            "Tuesday 1 December 2026",
        )
    with translation.override("fr"):
        assert (tags.day(at), tags.hour(at)) == ("1er décembre", "14\u00a0h\u00a002")
        assert tags.long_day(at) == "mardi 1er décembre 2026"


def test_a_title_s_length_reads_in_minutes() -> None:
    assert tags.duration(84_999) == "1:24"


def test_french_says_everything() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vteam.web.messages", "check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_a_missing_translation_is_named() -> None:
    said = Catalog()
    said.add("You are", locations=[("home.html", 3)])
    assert messages.problems(said, french("")) == ["not translated: 'You are' (home.html:3)"]


def test_a_translation_of_nothing_is_named() -> None:
    assert messages.problems(Catalog(), french('msgid "Old"\nmsgstr "Vieux"\n')) == ["said nowhere: 'Old' ()"]


def test_a_translation_must_fill_what_the_original_fills() -> None:
    said = Catalog()
    said.add("%(name)s is here")
    found = messages.problems(said, french('msgid "%(name)s is here"\nmsgstr "%(nom)s est là"\n'))
    assert found == ["other placeholders: '%(name)s is here' ()"]


def test_french_marks_stay_with_their_word() -> None:
    said = Catalog()
    said.add("Really?")
    found = messages.problems(said, french('msgid "Really?"\nmsgstr "Vraiment ?"\n'))
    assert found == ["a mark that can stand on a line of its own: 'Really?' ()"]
    assert messages.problems(said, french('msgid "Really?"\nmsgstr "Vraiment\u00a0?"\n')) == []


def test_one_singular_with_two_plurals_is_refused() -> None:
    catalog = Catalog()
    messages._add(catalog, ("one fan", "%(n)s fans"), None, ("a.html", 1))
    with pytest.raises(ValueError, match=r"b\.html:2: 'one fan' has another plural"):
        messages._add(catalog, ("one fan", "all %(n)s fans"), None, ("b.html", 2))


def test_everything_said_in_a_template_is_found() -> None:
    template = (
        "<p title=\"{% translate 'one' %}\">{% blocktranslate count n=n %}{{ n }} day{% plural %}{{ n }} days"
        '{% endblocktranslate %}\n   <b>{% translate "two" context "music" %}</b>\n  {% if x %}</p>{% endif %}'
    )
    assert [(message, context) for _line, message, context in messages.said_in(template, "page.html")] == [
        ("one", None),
        (("%(n)s day", "%(n)s days"), None),
        ("two", "music"),
    ]


def test_every_template_compiles() -> None:
    engine = Engine.get_default()
    templates = sorted((messages.PACKAGE / "web/templates").rglob("*.html"))
    assert len(templates) > 30
    for path in templates:
        engine.get_template(str(path.relative_to(messages.PACKAGE / "web/templates")))
