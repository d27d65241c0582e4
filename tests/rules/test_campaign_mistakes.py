"""Everything that can be wrong with a campaign file, said at once, in place, once, and in words of ours."""

# ruff: noqa: E501  (tables of cases, one a line)

import copy
import datetime as dt
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.rules.demofile import SOURCE, TABLES, Check, line_of
from vteam.campaigns.coherence import contradictions
from vteam.campaigns.file import CampaignFile
from vteam.campaigns.findings import findings, one_of, value_at

# Written in the demo's file, what a hand might write there instead, and what is said about it.
MISTAKES = [
    # values
    ('name = "Marée haute"', "name = 12", '`name` is a text and needs quotes → write name = "12"'),
    ("minimum_age = 15", 'minimum_age = "15"', "`minimum_age` is a whole number, without quotes → write minimum_age = 15"),
    ("minimum_age = 15", "minimum_age = 7", "`minimum_age` is too small → write 13 or more"),
    ("points = 500", "points = 100001", "`points` is too large → write 100_000 or less"),
    ("points = 500", "points = true", "`points` is a whole number, without quotes → write points = 500"),
    ("confirmed = true\n", 'confirmed = "yes"\n', "`confirmed` is yes or no → write confirmed = true, or false"),
    ('slug = "maree-haute"', 'slug = "Marée haute"', '`slug` takes small letters without accents, digits, and single hyphens between them → write slug = "maree-haute"'),
    ('slug = "maree-haute"', 'slug = "mailbox"', '`slug`: “mailbox” is an address vTeam uses itself → write another, such as "mailbox-2026"'),
    ('artist = "Lune Noire"', 'artist = ""', '`artist` is empty → write artist = "Lune Noire"'),
    ('artist = "Lune Noire"', 'artist = "Lune\\u202eNoire"', "`artist`: there is an invisible character in it (U+202E) → write the text again by hand here"),
    ('name = "Sel"', 'name = "' + "l" * 81 + '"', "`name` is 81 characters long → write at most 80 characters"),
    ('languages = ["fr", "en"]', 'languages = ["fr", "de"]', '`languages` cannot be "de" → write "en" or "fr"'),
    ('languages = ["fr", "en"]', 'languages = "fr"', '`languages` is not of this kind → write languages = ["fr", "en"]'),
    ('languages = ["fr", "en"]', "languages = []", 'there is nothing in `languages` → write languages = ["fr", "en"]'),
    ('["relayed", "receipted", "witnessed"]', '["relaid"]', '`evidence` cannot be "relaid" → did you mean "relayed"? (it can be "relayed", "receipted" or "witnessed")'),
    ('["relayed", "receipted", "witnessed"]', "[]", 'there is nothing in `evidence` → write evidence = ["relayed", "receipted", "witnessed"]'),
    ('["relayed", "receipted", "witnessed"]', '"relayed"', '`evidence` is not of this kind → write evidence = ["relayed", "receipted", "witnessed"]'),
    ("unknown_per_fan_per_day = 10", "unknown_per_fan_per_day = 0", "`unknown_per_fan_per_day` is too small → write 1 or more"),
    ("full_per_fan_per_day = 20", 'full_per_fan_per_day = "20"', "`full_per_fan_per_day` is a whole number, without quotes → write full_per_fan_per_day = 20"),
    ('role = "author"', 'role = "autor"', '`role` cannot be "autor" → did you mean "author"? (it can be "author", "performer", "producer" or "publisher")'),
    ('hold = "0"', 'hold = "a day"', '`hold`: this is not a length of time → write "24h", "2d", "30m", or "0" for no hold'),
    ('hold = "0"', 'hold = "31d"', '`hold`: points would be held too long → write "30d" or less'),
    ('"Europe/Paris"', '"Paris"', '`time_zone`: there is no time zone named “Paris” → write "Europe/Paris"'),
    ("starts = 2026-11-16", "starts = 2026-11-16T10:00:00Z", "`starts`: this time carries a zone of its own → write the local time alone, such as 2026-12-18T20:00:00"),
    ("starts = 2026-11-16", 'starts = "soon"', "`starts`: this is not a date → write a date such as 2026-12-18, or 2026-12-18T20:00:00"),
    ('"#ff5a3c"', '"red"', '`colours`: “red” is not a colour → write # and six figures or letters a to f, such as "#ff5a3c"'),
    ('["#ff5a3c", "#1f6f78"]', '["#ff5a3c"]', '`colours` is not complete → write colours = ["#ff5a3c", "#1f6f78"]'),
    ('"https://lune-noire.example"', '"http://lune-noire.example"', '`address`: only addresses that begin with https:// are shown → write a plain address such as "https://example.org/band"'),
    ('"https://lune-noire.example"', '"https://user@lune-noire.example"', '`address`: the address needs a site\'s name, without password, port or numbers → write a plain address such as "https://example.org/band"'),
    ('"https://lune-noire.example"', '"https://127.0.0.1/"', '`address`: the address needs a site\'s name, without password, port or numbers → write a plain address such as "https://example.org/band"'),
    ("at = 2026-12-05", 'at = "Saturday"', "`at`: this is not a date → write a date such as 2026-12-18, or 2026-12-18T20:00:00"),
    ("at = 2026-12-05", 'at = 2026-12-05\ntime_zone = "London"', '`time_zone`: there is no time zone named “London” → write "Europe/London"'),
    ('place = "La Cale sèche, Nantes"\n', 'place = ""\n', '`place` is empty → write place = "La Cale, Nantes"'),
    ('"https://lune-noire.example/nantes"', '"lune-noire.example/nantes"', '`tickets`: only addresses that begin with https:// are shown → write a plain address such as "https://example.org/band"'),
    # keys
    ("points = 500\n", "pionts = 500\npoints = 500\n", "`pionts` is not known in [[missions]] → did you mean `points`?"),
    ("[season]\n", "[season]\nminimum_age = 15\n", "`minimum_age` is not known in [season] → move `minimum_age` to the top of the file, before the first [heading]"),
    ("[theme]\n", "[theme]\nfont = 1\n", "`font` is not known in [theme] → take it out; known here: colours, cover"),
    ("at = 2026-12-05\n", "when = 2026-12-05\nat = 2026-12-05\n", "`when` is not known in [[concerts]] → take it out; known here: at, explanation, key, name, place, tickets, time_zone"),
    # between tables
    ("ends = 2027", "ends = 2026", "the season ends before it starts → write a day after 2026-11-16"),
    ("ends = 2027", "ends = 2028", "the season lasts for more than a year → write a day at most 400 days after 2026-11-16"),
    ("settled = 2027-01-24", "settled = 2027-01-09", "the result would be final before the season is over → write 2027-01-10 or later"),
    ('concert = "last-night"', 'concert = "last-nite"', 'no concert has the key “last-nite” → did you mean "last-night"?'),
    ('needs = "name"                  # for the door', 'needs = "address"', 'whoever has a place at a concert is asked for their name at the door → write needs = "name"'),
    ("settled = 2027-01-24", "settled = 2027-05-01", "the result would be final more than 60 days after the season → write a nearer day"),
    ('hold = "0"', 'hold = "15d"', "points of the last day, held for 15d, would come after the result is final → write a shorter one, or a later `settled`"),
    ("release = 2026-12-18", "release = 2027-12-18", "the release is after the season → write a day from 2026-11-16 to 2027-01-10"),
    ('"#1f6f78"', '"#ff5a4c"', "the two colours, #ff5a3c and #ff5a4c, can hardly be told apart → write two that differ clearly, in hue or in lightness"),
    ('titles = ["sel"]', 'titles = ["sell"]', 'no title has the key “sell” → did you mean "sel"?'),
    ('key = "spread"', 'key = "recruit"', "`key` = recruit stands twice among the missions → write another here, or take one of the two out"),
    ("points = 150", "points = 500", "`points` = 500 stands twice among the milestones → write another here, or take one of the two out"),
    ('name.fr = "Fais circuler"\n', "", '`name` has no French text → write name.fr = "…" beside it, or take "fr" out of `languages`'),
    ("per_fan_per_day = 10", "per_fan_per_day = 10\nper_fan = 9", "10 a day can never be reached when a fan is paid 9 times in all → write 10 or more"),
    ('kind = "download"', 'kind = "download"\nevidence = ["relayed"]', "`evidence` says something for a pass-on mission only, and this is a download mission → take it out"),
    ('kind = "spread"', 'kind = "spread"\nfull_per_fan_per_day = 20', "`full_per_fan_per_day` says something for a pass-on mission only, and this is a spread mission → take it out"),
    ('kind = "recruit"', 'kind = "recruit"\nunknown_per_fan_per_day = 10', "`unknown_per_fan_per_day` says something for a pass-on mission only, and this is a recruit mission → take it out"),
    ('["relayed", "receipted", "witnessed"]', '["relayed", "receipted", "relayed"]', "a kind of evidence is named twice → write each once"),
    ('kind = "recruit"', 'kind = "recruit"\nanswer = 1', "`answer` says something in a virtual world only, and this is a recruit mission → take it out"),
    ('act = "answer"  ', "", 'a mission in a virtual world says what residents do there → write act = "answer", "vote", "concert" or "bring"'),
    ('act = "answer"', 'act = "anser"', '`act` cannot be "anser" → did you mean "answer"? (it can be "answer", "vote", "concert" or "bring")'),
    ('"Sel"]\n\n[[missions]]\nkey = "there"', '"Sel"]\nanswer = 1\n\n[[missions]]\nkey = "there"', "`answer` says nothing where act = vote → take it out"),
    ('[[missions]]\nkey = "opening-song"\nkind = "world"\nact = "vote"', '[[missions]]\nkey = "opening-song"\nkind = "world"\nact = "answer"', "no choice is the right one → write answer = 1"),
    ("answer = 2\n", "answer = 4\n", "there are 3 choices, and the right one would be number 4 → write a number from 1 to 3"),
    ('[[missions]]\nkey = "kitchen-quiz"\nkind = "world"\nact = "answer"                  # a question; one of the choices is right\npoints', '[[missions]]\nkey = "quiz"\nkind = "world"\nact = "answer"\nquestion = "?"\nanswer = 1\nname = "Quiz"\nexplanation = "Quiz"\npoints = 1\n[[missions]]\nkey = "kitchen-quiz"\nkind = "world"\nact = "answer"\npoints', 'there is no `choices` to answer → write choices = ["…", "…"]'),
    ('["Les digues", "Phare éteint", "Sel"]\nanswer = 2', '["Sel"]\nanswer = 1', "there is nothing to choose from → write two or more"),
    ('["Les digues", "Phare éteint", "Sel"]\nanswer', '["Sel", "Les digues", "Sel"]\nanswer', "a choice stands twice → write each once"),
    ('act = "concert"', 'act = "concert"\nchoices = ["a", "b"]', "`choices` says nothing where act = concert → take it out"),
    ("per_fan_per_day = 10", "per_fan_per_day = 10\nopens = 2027-01-11", "the mission opens outside the season → write a day from 2026-11-16 to 2027-01-10, or leave it out"),
    ("per_fan_per_day = 10", "per_fan_per_day = 10\nopens = 2026-12-11\ncloses = 2026-12-09", "the mission closes before it opens → write a day after 2026-12-11"),
    ('hold = "0"', 'hold = "20d"\nopens = 2026-12-30', 'points held for 20d would not count before the season is over → write a shorter one, such as "24h", or open the mission earlier'),
    ("how_many = 20", "how_many = 19", "19 prizes are promised to 20 fans → write how_many = 20, or leave it out"),
    ("milestone = 5_000", "milestone = 6_000", "there is no milestone at 6_000 points → write one of 150, 500, 2_500, 5_000, 10_000"),
    ("first = 5\n", "", "a ranking prize says for whom it is → write first = 5"),
    ('kind = "draw"', 'kind = "draw"\nfirst = 3', "`first` says nothing for a draw prize → take it out"),
    ("at = 2026-12-05", "at = 2025-12-05", "the concert is before the season → write a day from 2026-11-16 on"),
    ("at = 2026-12-19T20:30:00", "at = 2028-12-19T20:30:00", "the concert is more than a year after the season → write a nearer day"),
    ('key = "nantes"', 'key = "chez-gaby"', "`key` = chez-gaby stands twice among the concerts → write another here, or take one of the two out"),
    ('country = "CH"', 'country = "ch"', '`country`: “ch” is not a country\'s code → write its two capital letters, such as "BE"'),
    ('country = "CH"', 'country = "UK"', 'no country has the code “UK” → did you mean "GB", United Kingdom?'),
    ('country = "CH"', 'country = "EU"', "no country has the code “EU” → write its code of ISO 3166"),
    ('country = "CH"', 'country = "CH"\ntext = "x"\n[[rules.conditions]]\ncountry = "CH"', "conditions for CH are written twice → write both in one text, and take one out"),
    ('country = "CH"\n', "", '`country` is missing in [[rules.conditions]] → write country = "BE"'),
    ('country = "CH"\n', 'country = "CH"\nlaw = "x"\n', "`law` is not known in [[rules.conditions]] → take it out; known here: country, text"),
    ("first = 5\n", 'first = 5\ncountries = ["FR", "XX"]\n', "no country has the code “XX” → write its code of ISO 3166"),
    # files
    ("titles/sel.mp3", "titles/zel.mp3", 'titles/zel.mp3: there is no such file → did you mean "titles/sel.mp3"?'),
    ("titles/sel.mp3", "../sel.mp3", '`file`: the file would lie outside the campaign\'s folder → put the file beside the campaign file and write its name, such as "titles/song.mp3"'),
    ("titles/sel.mp3", "/etc/passwd", '`file`: the file would lie outside the campaign\'s folder → put the file beside the campaign file and write its name, such as "titles/song.mp3"'),
    ("titles/sel.mp3", "cover.jpg", "cover.jpg: it is a picture under an MP3's name → export the song again as an MP3 from your music program"),
    ('"cover.jpg"', '"titles/sel.mp3"', "titles/sel.mp3: it is not a JPEG, PNG or WebP picture → put a square JPEG, PNG or WebP of at least 600 × 600 pixels there"),
    # syntax
    ('name = "Marée haute"', "name = “Marée haute”", 'these are typographic quotes → write straight ones: name = "Marée haute"'),
    ('artist = "Lune Noire"', "artist = Lune Noire", 'a text stands here without quotes → write artist = "Lune Noire"'),
    ('artist = "Lune Noire"', 'artist = "Lune Noire', 'a quote is opened and not closed → write artist = "…" with a quote at both ends'),
    ("release = 2026-12-18", "release = 18/12/2026", "a date is written year, month, day → write release = 2026-12-18"),
    ("minimum_age = 15", "minimum_age = ", 'nothing follows “minimum_age =” → write a value behind it, such as minimum_age = "…"'),
    ("minimum_age = 15", "minimum_age : 15", "there is a colon where = belongs → write minimum_age = 15"),
    ("milestone = 5_000", "milestone = 5 000", "“5 000” is not a whole number → write milestone = 5000"),
    ("confirmed = false", "confirmed = non", "“non” is not how yes and no are written here → write confirmed = false"),
    ("minimum_age = 15", 'minimum_age = 15\nname = "again"', "this is written a second time → keep one of the two"),
    ('["fr", "en"]', '["fr" "en"]', "a bracket opened here is not closed, or a comma is missing → close it, with commas between the parts"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "instead", "problem"), MISTAKES)
def test_one_mistake_is_told_once_in_its_line(check: Check, written: str, instead: str, problem: str) -> None:
    """The line is that of the replaced text, of one of those put there, or of the table a line was taken from."""
    [found] = check((written, instead))
    line, said = found.split(": ", 1)
    assert said == problem
    first = line_of(written)
    above = 0 if instead else 3
    assert first - above <= int(line) <= first + instead.count("\n") or "twice" in said


CONCERT = 'concert = "last-night"          # which of the concerts below\n'


def test_places_are_at_a_concert_there_is_room_at_and_time_for(check: Check) -> None:
    alone = check((CONCERT, ""))
    assert [each.partition(" says ")[0].partition(": ")[2] for each in alone] == ["`places`", "`given_on`"]
    [late] = check(("at = 2027-02-13T20:30:00", "at = 2027-01-20T20:30:00"))
    assert "the concert is over before anybody has won a place at it → name a later concert" in late
    [many] = check(("first = 5\nhow_many = 5", "first = 5_000\nhow_many = 5_000"))
    assert "a door lets in at most 5_000 winners' places → write fewer" in many
    [endless] = check(
        (
            'kind = "milestone"              # for those who reach it, as long as there are some\nmilestone = 5_000\n'
            'how_many = 60\nneeds = "address"',
            'kind = "milestone"\nmilestone = 5_000\nneeds = "name"\nconcert = "last-night"',
        )
    )
    assert "no concert has places without end → write how_many = 20" in endless


def test_a_whole_section_that_is_missing_is_shown_how_to_begin(check: Check) -> None:
    season = SOURCE[SOURCE.index("[season]") : SOURCE.index("# How it looks")]
    assert check((season, "")) == [
        "1: `season` is missing → write [season], and under it starts = 2026-11-16 and so on"
    ]


def test_one_bracket_where_there_are_several_is_told_by_name(check: Check) -> None:
    links = SOURCE[SOURCE.index("[[links]]") : SOURCE.index("# The music")]
    [found] = check((links, '[links]\nname = "x"\naddress = "https://x.example"\n\n'))
    assert (
        found == f"{line_of('[[links]]')}: there can be several `links` → write [[links]] with two brackets"
    )


def test_every_problem_is_told_at_once_and_none_twice(check: Check) -> None:
    found = check(
        ('name = "Marée haute"', "name = “Marée haute”"),
        ("minimum_age = 15", "minimum_age = 150"),
        ("ends = 2027", "ends = 2026"),
        ("points = 500", "pionts = 500"),
        ("titles/sel.mp3", "titles/missing.mp3"),
        ("supplied_by", "suplied_by"),
        ("confirmed = false", "confirmed = no"),
    )
    said = " | ".join(found)
    for part in ("typographic", "`minimum_age` is too large", "ends before", "`pionts`", "`points` is missing",
                 "missing.mp3: there is no such", "`suplied_by`", "`supplied_by` is missing", "“no” is not how"):  # fmt: skip
        assert said.count(part) == 1, part
    assert len(found) == 9
    lines = [int(problem.split(":")[0]) for problem in found]
    assert lines == sorted(lines)


def test_nothing_is_suggested_twice(check: Check) -> None:
    twice = check(
        ('key = "sel"', 'key = "les-digues"'), ('titles = ["les-digues"', 'titles = ["nowhere-near-it"')
    )
    (meant,) = [problem for problem in twice if "nowhere-near-it" in problem]
    assert meant.endswith('write "les-digues" or "phare-eteint"')


def test_of_very_many_words_the_first_are_listed() -> None:
    assert one_of(["a", "b", "a"]) == '"a" or "b"'
    assert one_of(["a", "a"]) == '"a"'
    assert one_of(map(str, range(1_000))).endswith('"11" or another')


def leaves(tables: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps = (
        tables.items() if isinstance(tables, dict) else enumerate(tables) if isinstance(tables, list) else ()
    )
    return [found for step, value in steps for found in ((*path, step), *leaves(value, (*path, step)))]


ANYTHING = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=90), st.dates(),
        st.datetimes(timezones=st.sampled_from([None, dt.UTC])), st.times(),
        st.sampled_from(["recruit", "Europe/Paris", "24h", "../x", "a/b.mp3", "#ff0000", "https://a.example/"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["en", "fr", "key", "x"]), inner),
    max_leaves=4,
)  # fmt: skip


@given(st.data())
def test_any_value_anywhere_is_refused_in_words_of_ours_or_accepted(data: st.DataObject) -> None:
    tables = copy.deepcopy(TABLES)
    for path in data.draw(st.lists(st.sampled_from(leaves(TABLES)), min_size=1, max_size=4)):
        holder: Any = value_at(tables, path[:-1])
        if value_at(tables, path) is None:
            continue  # an edit before this one took it away
        if data.draw(st.booleans()):
            holder[path[-1]] = data.draw(ANYTHING)
        elif isinstance(holder, dict):
            del holder[path[-1]]
    found = contradictions(tables)
    try:
        file = CampaignFile.model_validate(tables)
    except ValidationError as error:
        found += findings(error, tables)
        assert found
    else:
        assert CampaignFile.model_validate_json(file.canonical()) == file
    for finding in found:
        assert "cannot be understood" not in finding.wrong
        assert re.match(r"write|did you mean|take|put|add|move|keep", finding.instead), finding
