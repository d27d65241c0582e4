"""Any two colours an organiser may choose become readable, in light and in dark, and keep their hue."""

import re
from pathlib import Path

import pytest
from coloraide import Color
from hypothesis import given, settings
from hypothesis import strategies as st

from vteam.web.colour import PAPERS, Scheme, contrast, nearest_lightness, overprint, spot
from vteam.web.theme import HOUSE, theme_called, theme_css, theme_name

TOKENS = Path(__file__).parents[2] / "vteam/web/assets/styles/tokens.css"
colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@settings(deadline=None, max_examples=60)
@given(colours, st.sampled_from(Scheme))
def test_text_on_a_spot_and_the_spot_on_paper_pass_aa(chosen: str, scheme: Scheme) -> None:
    printed, ground = spot(chosen, scheme), PAPERS[scheme]
    assert contrast(printed.ink, printed.fill) >= 4.5
    assert contrast(ground.ink, printed.tint) >= 4.5
    for paper in ground.grounds:
        assert contrast(printed.fill, paper) >= 3
        assert contrast(printed.text, paper) >= 4.5


def test_a_readable_colour_is_left_as_chosen() -> None:
    assert spot("#1f6f78", Scheme.LIGHT).fill == "#1f6f78"
    assert spot("#ff5a3c", Scheme.DARK).fill == "#ff5a3c"


def test_only_the_lightness_moves() -> None:
    before, after = (
        Color("#ff5a3c").convert("oklch"),
        Color(spot("#ff5a3c", Scheme.LIGHT).fill).convert("oklch"),
    )
    assert after["hue"] == pytest.approx(before["hue"], abs=1)
    assert 0 < before["lightness"] - after["lightness"] < 0.05


def test_the_nearest_lightness_is_the_nearest() -> None:
    accepted = nearest_lightness("#ff5a3c", lambda colour: contrast(colour, "#f6efe3") >= 3)
    lighter = Color(accepted).convert("oklch")
    lighter["lightness"] += 0.01
    assert contrast(lighter.convert("srgb").fit().to_string(hex=True), "#f6efe3") < 3


def test_a_rule_nothing_meets_is_an_error() -> None:
    with pytest.raises(LookupError):
        nearest_lightness("#ff5a3c", lambda _colour: False)


def test_where_two_inks_meet_each_takes_its_part_of_the_light() -> None:
    assert overprint("#ff0000", "#00ffff") == "#000000"
    assert overprint("#ffffff", "#1f6f78") == "#1f6f78"


def test_the_stylesheet_sets_custom_properties_and_nothing_else() -> None:
    declarations = re.sub(
        r"@media \(prefers-color-scheme:dark\)|:root|[{}\n]", "", theme_css("#123456", "#abcdef")
    )
    assert declarations
    for declaration in declarations.split(";"):
        assert re.fullmatch(r"--[a-z0-9-]+:#[0-9a-f]{6}|", declaration)


@pytest.mark.parametrize("wrong", ["red", "#fff", "#12345g", "#123456;}", ""])
def test_what_is_no_colour_never_reaches_a_stylesheet(wrong: str) -> None:
    with pytest.raises(ValueError):
        theme_css(wrong, "#123456")
    with pytest.raises(ValueError):
        theme_css("#123456", wrong)


def test_a_stylesheet_is_found_by_the_name_we_gave_and_by_no_other() -> None:
    name = theme_name("#FF5A3C", "#1f6f78")
    assert name == theme_name("#ff5a3c", "#1f6f78")
    assert theme_called(name) == theme_css("#ff5a3c", "#1f6f78")
    assert theme_called(name.replace("ff5a3c", "ff5a3d")) is None
    for wrong in ("", "x", "ff5a3c", "ff5a3c-1f6f78", name + "0", "é-é-é"):
        assert theme_called(wrong) is None


def test_the_house_colours_in_the_styles_are_those_the_theme_would_give() -> None:
    written = re.sub(r"\s", "", TOKENS.read_text(encoding="utf-8"))
    for declarations in re.findall(r":root\{([^}]*)\}", theme_css(*HOUSE)):
        assert declarations in written


def test_paper_and_ink_in_the_styles_are_those_the_theme_reckons_with() -> None:
    written = TOKENS.read_text(encoding="utf-8")
    for paper in PAPERS.values():
        for name in ("paper", "card", "ink"):
            assert f"--{name}: {getattr(paper, name)};" in written
