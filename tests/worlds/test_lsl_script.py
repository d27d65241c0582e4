"""The script an owner pastes: what is inserted cannot become code, and each world gets only its own lines."""

from pathlib import Path

import lummao
import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from tests.worlds.contract import signature
from tests.worlds.lslworld import finished
from vteam.channels.worlds.lines import neutral_line
from vteam.channels.worlds.lsl import kiosk_script, literal

HOSTILE = [
    'Lune"; llShout(0, "buy"); string x = "',
    "Lune\\",
    'Lune\\"; default { }',
    "Lune\nNoire\r\n//",
    "*/ Lune /*",
    "Lune //% secondlife",
    "//% = address",
    "Лунный \U0001f319 свет",
    "\x00\x07\u202e\u2028Lune",
    "L" * 5000,
    "🎸" * 400,
    "",
]


def globals_of(source: str) -> dict[str, str]:
    return vars(lummao.compile_script(source))


@pytest.mark.parametrize("band", HOSTILE)
@pytest.mark.parametrize("world", ["secondlife", "opensimulator"])
def test_a_hostile_band_name_is_only_ever_shown(world: str, band: str) -> None:
    source = kiosk_script(world=world, address="https://vteam.example", band=band, pass_phrase="p")
    plain = kiosk_script(world=world, address="https://vteam.example", band="x", pass_phrase="p")
    assert len(source.splitlines()) == len(plain.splitlines())
    line = globals_of(source)["LINE"]
    assert line == neutral_line(band)
    assert len(line.encode()) <= 100
    assert "\n" not in line


@given(st.text())
def test_any_text_is_a_literal_of_its_own(text: str) -> None:
    text = text.replace("\r", "").replace("\x00", "").replace("\t", "")
    source = f"string T = {literal(text)};\ndefault {{ state_entry() {{ }} }}\n"
    assert globals_of(source)["T"] == text


def test_it_signs_as_the_example_of_the_door_does() -> None:
    script = lummao.compile_script(
        kiosk_script(world="opensimulator", address="https://vteam.example", band="x")
    )
    script.secret = "0123456789abcdef0123456789abcdef"
    body = '{"avatar":"fan1","name":"fan1","language":"fr"}'
    message = f"k7q2m9xw4tbn5rhc\n1795315164\n1-285608922\n/world/v1/touch\n{body}"
    expected = "aa672b118e3c2d6c8e4580697ce1ec0e517e0e68116a221eefc547ca55491835"
    assert finished(script.signature(message)) == expected
    assert signature(script.secret, message.encode()) == expected
    assert expected in (Path(__file__).parents[2] / "docs/worlds.md").read_text(encoding="utf-8")


def test_the_line_names_the_band() -> None:
    assert neutral_line("  Lune   Noire ") == "touch me: Lune Noire's vTeam"
    assert neutral_line("Lune\nNoire\u202e") == "touch me: Lune Noire's vTeam"
    assert len(neutral_line("é" * 500).encode()) in (99, 100)


@pytest.mark.parametrize("world", ["secondlife", "opensimulator"])
def test_the_line_is_in_the_language_of_the_page_it_was_downloaded_from(world: str) -> None:
    with translation.override("fr"):
        source = kiosk_script(world=world, address="https://vteam.example", band='Les "Digues"')
    assert globals_of(source)["LINE"] == 'touche-moi\u00a0: la vTeam de Les "Digues"'


@pytest.mark.parametrize(
    "address",
    [
        "vteam.example", "ftp://vteam.example", "https://", "https://vteam.example/path", "https://a b",
        'https://x";llDie();"', "https://vteam.example\n", "https://user:secret@vteam.example", "javascript:alert(1)",
        "https://vteam.example?x", "https://vteam.example#x", "",
    ],
)  # fmt: skip
def test_an_address_that_is_more_than_a_sites_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        kiosk_script(world="secondlife", address=address, band="Lune Noire")


@pytest.mark.parametrize(
    "address", ["https://vteam.example", "http://127.0.0.1:8099/", "https://[2001:db8::1]:8443"]
)
def test_a_sites_address_is_taken_without_its_slash(address: str) -> None:
    source = kiosk_script(world="opensimulator", address=address, band="Lune Noire")
    assert globals_of(source)["ADDRESS"] == address.removesuffix("/")


def test_each_world_gets_its_own_lines_and_no_remarks() -> None:
    second_life = kiosk_script(world="secondlife", address="https://vteam.example", band="Lune Noire")
    opensimulator = kiosk_script(world="opensimulator", address="https://vteam.example", band="Lune Noire")
    assert "llLinksetData" in second_life
    assert "llLinksetData" not in opensimulator
    assert "PASS_PHRASE" not in opensimulator
    assert "//%" not in second_life + opensimulator
    assert "Second Life" in second_life.splitlines()[0]
    assert "OpenSimulator" in opensimulator.splitlines()[0]


def test_each_download_has_a_pass_phrase_of_its_own() -> None:
    phrases = {
        globals_of(kiosk_script(world="secondlife", address="https://vteam.example", band="Lune Noire"))[
            "PASS_PHRASE"
        ]
        for _ in range(3)
    }
    assert len(phrases) == 3
    assert all(len(phrase) == 32 for phrase in phrases)
