"""Reading a campaign file that anybody may have written: bounded, and nothing a terminal would obey is told."""

import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.demofile import SOURCE, Check
from vteam.campaigns.check import SENTENCE_MAX, check_campaign
from vteam.campaigns.findings import FINDINGS_MAX
from vteam.campaigns.syntax import ROUNDS_MAX, read_toml, rounds_for


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


@given(st.text(st.sampled_from("ab=[]{}\"“”'\n# .,:1é-"), max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    reading = read_toml(text)
    assert isinstance(reading.tables, dict)
    for mistake in reading.mistakes:
        assert 1 <= mistake.line <= text.count("\n") + 1
        assert mistake.wrong
        assert mistake.instead
