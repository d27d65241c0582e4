"""A campaign file: what it means, and everything that can be wrong with it, said at once and in place."""

# ruff: noqa: E501  (tables of cases, one a line)

import copy
import datetime as dt
import re
import shutil
import subprocess
import tempfile
import tomllib
import typing
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import BaseModel, ValidationError

from vteam.campaigns.check import SENTENCE_MAX, check_campaign, inside
from vteam.campaigns.coherence import contradictions
from vteam.campaigns.file import CampaignFile, MissionEntry
from vteam.campaigns.findings import FINDINGS_MAX, findings, one_of, value_at
from vteam.campaigns.syntax import ROUNDS_MAX, read_toml, rounds_for
from vteam.campaigns.values import Words, hold_seconds
from vteam.errors import CampaignFileError

DEMO = Path(__file__).parents[2] / "demo" / "campaign.toml"
SOURCE = DEMO.read_text()
TABLES = tomllib.loads(SOURCE)


@pytest.fixture(scope="session")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's campaign file with files of the right names: twelve seconds of a tone, a square."""
    folder = tmp_path_factory.mktemp("campaign")
    (folder / "titles").mkdir()
    made = folder / "titles" / "sel.mp3"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440:d=12", "-b:a", "64k", str(made)], check=True
    )
    for title in TABLES["titles"]:
        if title["file"] != "titles/sel.mp3":
            shutil.copy(made, folder / title["file"])
    Image.new("RGB", (800, 800), "#1f6f78").save(folder / "cover.jpg")
    return folder


@pytest.fixture
def folder(assets: Path, tmp_path: Path) -> Path:
    """A folder of its own for a test that changes files."""
    return Path(shutil.copytree(assets, tmp_path / "campaign"))


Check = Callable[..., list[str]]


@pytest.fixture
def check(assets: Path) -> Check:
    """Check the demo's file with some texts replaced: the problems as "line: wrong → instead"."""

    def checked(*replacements: tuple[str, str]) -> list[str]:
        source = SOURCE
        for written, instead in replacements:
            assert written in source, written
            source = source.replace(written, instead, 1)
        path = assets / "campaign.toml"
        path.write_text(source)
        result = check_campaign(path)
        assert (result.file is None) == bool(result.problems)
        return [str(problem).removeprefix(f"{path}:") for problem in result.problems]

    return checked


def line_of(text: str) -> int:
    return SOURCE.count("\n", 0, SOURCE.index(text)) + 1


def campaign(**changed: Any) -> CampaignFile:
    return CampaignFile.model_validate(copy.deepcopy(TABLES) | changed)


# What it means ----------------------------------------------------------
def test_the_demo_has_nothing_wrong_with_it(check: Check) -> None:
    assert check() == []


def test_the_demos_own_files_are_good() -> None:
    result = check_campaign(DEMO)
    assert [str(problem) for problem in result.problems] == []
    assert list(result.audio) == ["les-digues", "phare-eteint", "sel"]


def test_a_campaign_is_the_same_after_its_canonical_text() -> None:
    first = campaign()
    again = CampaignFile.model_validate_json(first.canonical())
    assert again == first
    assert again.canonical() == first.canonical()
    assert "Marée" in first.canonical()


def test_the_canonical_text_does_not_depend_on_how_the_file_is_written() -> None:
    turned = {key: TABLES[key] for key in reversed(TABLES)} | {"minimum_age": 15}
    mission = {**TABLES["missions"][1], "hold": 0, "per_network_per_day": 5, "coming": False}
    turned["missions"] = [TABLES["missions"][0], mission, *TABLES["missions"][2:]]
    assert CampaignFile.model_validate(turned).canonical() == campaign().canonical()


def test_days_are_whole_in_the_seasons_zone() -> None:
    season = campaign().season
    assert season.starts_at == dt.datetime(2026, 11, 15, 23, tzinfo=dt.UTC)
    assert season.ends_at == dt.datetime(2027, 1, 10, 23, tzinfo=dt.UTC)


def test_hours_are_local_summer_or_winter() -> None:
    source = SOURCE.replace("starts = 2026-11-16", "starts = 2026-10-24T20:00:00")
    season = CampaignFile.model_validate(tomllib.loads(source)).season
    assert season.starts_at == dt.datetime(2026, 10, 24, 18, tzinfo=dt.UTC)
    assert CampaignFile.model_validate_json(campaign().canonical()).season.starts == dt.date(2026, 11, 16)


def test_a_mission_runs_with_the_season_unless_it_has_days_of_its_own() -> None:
    file = campaign()
    mission = file.missions[0].model_copy(update={"closes": dt.date(2026, 12, 24)})
    assert file.mission_opens_at(mission) == file.season.starts_at
    assert file.mission_closes_at(mission) == dt.datetime(2026, 12, 24, 23, tzinfo=dt.UTC)


def test_a_shifted_campaign_keeps_its_lengths() -> None:
    missions = copy.deepcopy(TABLES["missions"])
    evening = dt.datetime.fromisoformat("2026-12-01T18:00:00")
    missions[0] |= {"opens": dt.date(2026, 11, 20), "closes": evening}
    shifted = campaign(missions=missions).shifted(-7)
    assert (shifted.season.starts, shifted.season.ends) == (dt.date(2026, 11, 9), dt.date(2027, 1, 3))
    assert shifted.season.release == dt.date(2026, 12, 11)
    assert shifted.missions[0].opens == dt.date(2026, 11, 13)
    assert shifted.missions[0].closes == evening - dt.timedelta(days=7)
    assert shifted.missions[1].opens is None


@pytest.mark.parametrize(
    ("kind", "hold_s", "per_network", "coming"),
    [
        ("recruit", 86_400, 5, False),
        ("spread", 0, 5, False),
        ("download", 0, None, False),
        ("pass-on", 0, None, True),
    ],
)
def test_each_kind_of_mission_has_its_defaults(
    kind: str, hold_s: int, per_network: int | None, coming: bool
) -> None:
    mission = MissionEntry.model_validate(
        {"key": "m", "kind": kind, "points": 1, "name": "M", "explanation": "Do it."}
    )
    assert (mission.hold_seconds, mission.per_network_per_day) == (hold_s, per_network)
    assert mission.shown_as_coming is coming


@pytest.mark.parametrize(
    ("written", "seconds"), [("0", 0), ("30m", 1_800), ("24h", 86_400), ("2d", 172_800), ("30d", 2_592_000)]
)
def test_a_hold_is_a_length_of_time(written: str, seconds: int) -> None:
    assert hold_seconds(written) == seconds


def test_a_text_comes_in_the_language_asked_for_or_in_one_there_is() -> None:
    both = Words.model_validate({"en": "Sea", "fr": "Mer"})
    assert (both.in_language("fr"), both.in_language("en"), both.in_language("br")) == ("Mer", "Sea", "Sea")
    assert Words.model_validate({"fr": "Mer"}).in_language("en") == "Mer"
    assert Words.model_validate("Sel").in_language("fr") == "Sel"


def test_holders_without_titles_speak_for_all_of_them() -> None:
    file = campaign()
    assert [holder.key for holder in file.holders_of("sel")] == ["lune-noire", "malo-kerrien", "petit-large"]
    assert file.titles_of(file.holders[0]) == ("les-digues", "phare-eteint", "sel")
    assert file.titles_of(file.holders[1]) == ("les-digues", "phare-eteint")


def test_a_keen_fan_can_pass_twenty_thousand_points_in_a_first_week() -> None:
    """Bringing in half of what the limit allows, with the honest rest."""
    by_kind = {mission.kind: mission for mission in campaign().missions}
    recruits, places = by_kind["recruit"].per_fan_per_day, by_kind["spread"].per_fan_per_day
    assert recruits and places
    a_day = recruits // 2 * by_kind["recruit"].points + min(8, places) * by_kind["spread"].points
    assert 7 * a_day + len(campaign().titles) * by_kind["download"].points > 20_000


# What is wrong ----------------------------------------------------------
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
    # keys
    ("points = 500\n", "pionts = 500\npoints = 500\n", "`pionts` is not known in [[missions]] → did you mean `points`?"),
    ("[season]\n", "[season]\nminimum_age = 15\n", "`minimum_age` is not known in [season] → move `minimum_age` to the top of the file, before the first [heading]"),
    ("[theme]\n", "[theme]\nfont = 1\n", "`font` is not known in [theme] → take it out; known here: colours, cover"),
    # between tables
    ("ends = 2027", "ends = 2026", "the season ends before it starts → write a day after 2026-11-16"),
    ("ends = 2027", "ends = 2028", "the season lasts for more than a year → write a day at most 400 days after 2026-11-16"),
    ("release = 2026-12-18", "release = 2027-12-18", "the release is after the season → write a day from 2026-11-16 to 2027-01-10"),
    ('"#1f6f78"', '"#ff5a4c"', "the two colours, #ff5a3c and #ff5a4c, can hardly be told apart → write two that differ clearly, in hue or in lightness"),
    ('titles = ["sel"]', 'titles = ["sell"]', 'no title has the key “sell” → did you mean "sel"?'),
    ('key = "spread"', 'key = "recruit"', "`key` = recruit stands twice among the missions → write another here, or take one of the two out"),
    ("points = 150", "points = 500", "`points` = 500 stands twice among the milestones → write another here, or take one of the two out"),
    ('name.fr = "Fais circuler"\n', "", '`name` has no French text → write name.fr = "…" beside it, or take "fr" out of `languages`'),
    ("per_fan_per_day = 10", "per_fan_per_day = 10\nper_fan = 9", "10 a day can never be reached when a fan is paid 9 times in all → write 10 or more"),
    ("coming = true", "coming = false", "vTeam cannot pay for “pass-on” yet: it is shown as coming → write coming = true, or leave it out"),
    ("per_fan_per_day = 10", "per_fan_per_day = 10\nopens = 2027-01-11", "the mission opens outside the season → write a day from 2026-11-16 to 2027-01-10, or leave it out"),
    ("per_fan_per_day = 10", "per_fan_per_day = 10\nopens = 2026-12-11\ncloses = 2026-12-09", "the mission closes before it opens → write a day after 2026-12-11"),
    ('hold = "0"', 'hold = "20d"\nopens = 2026-12-30', 'points held for 20d would not count before the season is over → write a shorter one, such as "24h", or open the mission earlier'),
    ("how_many = 20", "how_many = 19", "19 prizes are promised to 20 fans → write how_many = 20, or leave it out"),
    ("milestone = 5_000", "milestone = 6_000", "there is no milestone at 6_000 points → write one of 150, 500, 2_500, 5_000, 10_000"),
    ("first = 5\n", "", "a ranking prize says for whom it is → write first = 5"),
    ('kind = "draw"', 'kind = "draw"\nfirst = 3', "`first` says nothing for a draw prize → take it out"),
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


def test_a_text_that_never_ends_does_not_hide_what_stands_before_it(check: Check) -> None:
    found = check(
        ("minimum_age = 15", "minimum_age = 1"),
        ('explanation.en = """\nOne link', 'explanation.fr = """\nOne link'),
    )
    assert any("`minimum_age` is too small" in problem for problem in found)
    unclosed = SOURCE.replace('avec nous."""', "avec nous.")
    reading = read_toml(unclosed)
    assert reading.mistakes
    assert reading.tables["slug"] == "maree-haute"


def test_more_mistakes_than_are_shown_are_not_passed_over_in_silence() -> None:
    reading = read_toml("".join(f"k{number} = oops\n" for number in range(60)))
    assert len(reading.mistakes) == 41
    assert reading.mistakes[-1].wrong == "there are more mistakes than these 40"


def test_names_of_very_many_parts_are_left_out_before_they_are_read() -> None:
    for name in (".".join("a" * 20_000), " . ".join(['"b c"'] * 20_000), ".".join(["'d'"] * 500)):
        for line in (f"{name} = 1", f"[{name}]", f"x = {{ {name} = 1 }}"):
            reading = read_toml(f'name = "x"\n{line}\n')
            assert [(mistake.line, mistake.wrong) for mistake in reading.mistakes] == [
                (2, "a name here has more than 20 parts")
            ]
            assert reading.tables == {"name": "x"}


def test_dots_between_words_are_no_name() -> None:
    text = 'name = "' + "And so on. And on… And on. " * 40 + "." * 500 + '"'
    assert read_toml(text).mistakes == []


@pytest.mark.parametrize("filling", ["a", " ", "a ", '"', "=", "a.", "\t#"])
def test_a_line_of_any_length_is_explained_in_a_few_looks(filling: str, tmp_path: Path) -> None:
    """Twice the length is about twice the work, not four times: counted in seconds it would depend on the day."""
    path = tmp_path / "campaign.toml"
    path.write_text('name = "x" ' + filling * (200_000 // len(filling)) + "!\n" + SOURCE)
    problems = check_campaign(path).problems
    assert problems
    assert all(len(problem.wrong) + len(problem.instead) <= 2 * (SENTENCE_MAX + 1) for problem in problems)


def test_a_very_long_text_is_read_fewer_times() -> None:
    assert rounds_for(SOURCE) == ROUNDS_MAX
    assert rounds_for("a" * 250_000) == 7
    long = "#" * 250_000 + "\n" + "".join(f"nonsense\nkey{at} = 1\n" for at in range(20))
    mistakes = read_toml(long).mistakes
    assert len(mistakes) == 8
    assert mistakes[-1].wrong == "there are more mistakes than these 7"


def test_of_thousands_of_problems_the_first_are_told(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text("".join(f"key{number} = 1\n" for number in range(15_000)))
    problems = check_campaign(path).problems
    assert len(problems) == FINDINGS_MAX + 1
    assert "more to mend than these 200" in problems[-1].wrong


def test_titles_and_holders_by_the_thousand_are_neither_all_compared_nor_all_opened(folder: Path) -> None:
    path = folder / "campaign.toml"
    titles = "".join(f'[[titles]]\nkey = "a{at}"\nfile = "b{at}.mp3"\n' for at in range(3_000))
    named = ", ".join(f'"c{at}"' for at in range(3_000))
    path.write_text(f"{titles}[[holders]]\ntitles = [{named}]\n")
    problems = check_campaign(path).problems
    assert len(problems) == FINDINGS_MAX + 1
    assert sum(".mp3: there is no such file" in problem.wrong for problem in problems) <= 50


def test_nesting_too_deep_to_walk_is_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    for depth in range(200, 1_000, 20):
        path.write_text("x = " + "[" * depth + "]" * depth + "\n")
        assert check_campaign(path).problems


# Only words reach the terminal ------------------------------------------------------------
@pytest.mark.parametrize(
    ("written", "seen"),
    [
        (r"\u001b[2Jevil", r"\u001b[2Jevil"),
        (r"a\nb", r"a\u000ab"),
        (r"a\u009b1m", r"a\u009b1m"),
        (r"\u202egnp", r"\u202egnp"),
        (r"\u2028x", r"\u2028x"),
        (r"\U000E0041x", r"\U000e0041x"),
        ("\u202egnp", r"\u202egnp"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(check: Check, written: str, seen: str) -> None:
    quoted = check(("[season]", f'"{written}" = 1\n[season]'))
    quoted += check_text(f'theme.colours = ["{written}", "#fff"]\n')
    quoted += check_text(f'[[missions]]\nkind = "{written}"\n')
    assert sum(seen.casefold() in problem.casefold() for problem in quoted) >= 2, quoted
    named = check_text(f'[[titles]]\nkey = "{written}"\nfile = "{written}.mp3"\n')
    named += check_text(f'[[titles]]\nkey = "a"\n[[holders]]\ntitles = ["{written}"]\n')
    for problem in quoted + named:
        assert not [mark for mark in problem if unicodedata.category(mark) in {"Cc", "Cf", "Zl", "Zp"}]


def check_text(text: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "campaign.toml"
        path.write_text(text)
        return [str(problem) for problem in check_campaign(path).problems]


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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "`slug` is missing"),
        ("name = 'Marée'".encode("latin-1"), "line 1 holds letters in another encoding"),
        (b"#" * (257 << 10), "it is larger than 256 KiB"),
        (b"a = " + b"[" * 100_000, "cannot be read"),
        (b"a = " + b"1" * 5_000, "cannot be read"),
        (b"\x00", "says nothing that can be read"),
    ],
)
def test_a_file_that_is_no_campaign_at_all_is_refused_in_words(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "campaign.toml"
    path.write_bytes(content)
    result = check_campaign(path)
    assert result.file is None
    assert said in " ".join(map(str, result.problems))


def test_no_file_and_a_folder_without_one(tmp_path: Path) -> None:
    [problem] = check_campaign(tmp_path).problems
    assert str(problem).startswith(f"{tmp_path}/campaign.toml: there is no such file → ")


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake(folder: Path) -> None:
    path = folder / "campaign.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SOURCE.replace("\n", "\r\n").encode())
    assert check_campaign(folder).problems == []


def test_links_to_other_places_are_refused(folder: Path) -> None:
    outside = folder.parent / "outside.mp3"
    shutil.move(folder / "titles" / "sel.mp3", outside)
    (folder / "titles" / "sel.mp3").symlink_to(outside)
    shutil.move(folder / "titles", folder.parent / "elsewhere")
    (folder / "titles").symlink_to(folder.parent / "elsewhere")
    for name in ("titles/sel.mp3", "titles/les-digues.mp3"):
        with pytest.raises(CampaignFileError, match="it is a link to somewhere else"):
            inside(folder, name)
    with pytest.raises(CampaignFileError, match="outside the campaign's folder"):
        inside(folder, "../outside.mp3")


def test_a_cover_too_small_and_one_not_square_are_refused(folder: Path) -> None:
    (folder / "campaign.toml").write_text(SOURCE)
    for size, said in (((599, 599), "too small (599 × 599"), ((900, 700), "not square (900 × 700")):
        Image.new("RGB", size).save(folder / "cover.jpg")
        [problem] = check_campaign(folder).problems
        assert said in problem.wrong


# Anything at all ---------------------------------------------------------
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


def test_the_page_for_organisers_names_every_key_and_every_word_to_choose_from() -> None:
    page = (DEMO.parents[1] / "docs" / "campaign-file.md").read_text()
    tables: list[type[BaseModel]] = [CampaignFile]
    while tables:
        table = tables.pop()
        for name, field in table.model_fields.items():
            assert f"`{name}`" in page or f"[{name}]" in page, f"{table.__name__}.{name}"
            tables += [
                part for part in parts(field.annotation) if isinstance(part, type) and part is not Words
            ]
            for word in (part for part in parts(field.annotation) if isinstance(part, str)):
                assert f'`"{word}"`' in page, word


def parts(annotation: Any) -> list[Any]:
    """The tables and the words to choose from inside an annotation."""
    if isinstance(annotation, str) or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return [annotation]
    return [found for part in typing.get_args(annotation) for found in parts(part)]


@given(st.text(st.sampled_from("ab=[]{}\"“”'\n# .,:1é-"), max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    reading = read_toml(text)
    assert isinstance(reading.tables, dict)
    for mistake in reading.mistakes:
        assert 1 <= mistake.line <= text.count("\n") + 1
        assert mistake.wrong
        assert mistake.instead
