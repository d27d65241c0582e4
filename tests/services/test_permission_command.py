"""`vteam permission`: an operator sees what somebody allows and ends it at their wish; nobody says yes for them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from tests.services.installed import Installed, installed
from vteam.cli import app

CLI = Path(__file__).parents[2] / "vteam" / "cli"
BO, CY = "bo@example.org", "cy@example.org"
# Bo in two campaigns and as an operator; Cy, who said no; Di, who was never asked; Ed, who is gone.
PEOPLE = """
import datetime as dt
from vteam.campaigns.joining import account
from vteam.campaigns.models import Campaign
from vteam.channels.erasing import erase
from vteam.people import vault
from vteam.permissions.codes import refuse_for_ever
from vteam.permissions.services import Said, record_said
from vteam.rules.grants import Event, Pace, Purpose
first = Campaign.objects.get()
other = Campaign.objects.get()
other.pk, other.slug, other._state.adding = None, "other", True
other.save()
at = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
def said(person, campaign, purpose, event, pace=None, days=0, until=None):
    moment = at + days * dt.timedelta(days=1)
    what = Said(purpose=Purpose(purpose), event=Event(event), act="pressed", page="home",
                pace=Pace(pace) if pace else None, until=until)
    assert record_said(person=person, campaign_id=campaign, said=what, at=moment) is not None
bo, cy, di, ed = (account(address=f"{name}@example.org", language="en", at=at) for name in ("bo", "cy", "di", "ed"))
said(bo, first.pk, "news", "given", "at-once")
said(bo, first.pk, "news", "pace-changed", "weekly", days=1)
said(cy, first.pk, "news", "refused")
said(cy, first.pk, "points", "given", "weekly")
said(cy, first.pk, "points", "withdrawn", days=2)
said(ed, first.pk, "news", "given", "at-once")
said(bo, first.pk, "asked", "given", "daily")
said(bo, first.pk, "asked", "paused", until=dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
said(bo, other.pk, "news", "given", "at-once")
said(bo, 0, "faults", "given", "at-once")
erase(person=ed, at=at)
refuse_for_ever(lookup=vault.lookup_of("never@example.org"), act="a link", at=at)
"""
GIVEN = "SELECT count(*) FROM permissions_grantevent WHERE event = 'given'"
EVENTS = "SELECT count(*) FROM permissions_grantevent"
LAST = (
    "from vteam.permissions.models import GrantEvent\n"
    "for e in GrantEvent.objects.order_by('pk')[10:]: print(e.campaign_id == 0, e.purpose, e.event, e.body)"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The demo, another campaign, and people. Nobody changes it."""
    with installed(tmp_path_factory.mktemp("place")) as one:
        one.done("demo", "--no-run")
        one.inside(PEOPLE)
        yield one


@pytest.fixture
def own(place: Installed, tmp_path: Path) -> Iterator[Installed]:
    """The same, to change."""
    with installed(tmp_path, like=place) as one:
        yield one


# Looking --------------------------------------------------------------------------------------------------------
def test_what_somebody_allows_is_shown_campaign_by_campaign_with_its_place_in_the_chain(
    place: Installed,
) -> None:
    assert place.done("permission", "show", "--address", " Bo@Example.org").splitlines() == [
        "the installation:",
        "  news    nothing said",
        "  points  nothing said",
        "  asked   nothing said",
        "  won     nothing said",
        "  faults  yes, at-once, since 2026-11-20 12:00 UTC [1 given]",
        "maree-haute:",
        "  news    yes, weekly, since 2026-11-20 12:00 UTC [1 given, 2 pace-changed]",
        "  points  nothing said",
        "  asked   yes, daily, since 2026-11-20 12:00 UTC, paused until 2100-01-01 00:00 UTC [7 given, 8 paused]",
        "  won     nothing said",
        "  faults  nothing said",
        "other:",
        "  news    yes, at-once, since 2026-11-20 12:00 UTC [1 given]",
        "  points  nothing said",
        "  asked   nothing said",
        "  won     nothing said",
        "  faults  nothing said",
    ]
    shown = place.done("permission", "show", "--address", CY)
    assert "  news    no (refused), since 2026-11-20 12:00 UTC [3 refused]" in shown
    assert "  points  no (withdrawn), since 2026-11-22 12:00 UTC [4 given, 5 withdrawn]" in shown


def test_who_never_said_anything_and_who_said_never_again_are_told_apart(place: Installed) -> None:
    assert "never said anything" in place.done("permission", "show", "--address", "di@example.org")
    told = place.done("permission", "show", "--address", "never@example.org")
    assert "This address said “never again”" in told
    assert "Nobody here has it as theirs." in told


@pytest.mark.parametrize("address", ["ed@example.org", "nobody@example.org"])
def test_of_who_is_gone_or_never_came_there_is_nothing(place: Installed, address: str) -> None:
    for command in ("show", "withdraw"):
        assert "Nobody here has this address" in place.refused("permission", command, "--address", address)


def test_what_is_no_address_is_said_so(place: Installed) -> None:
    assert "not a mail address" in place.refused("permission", "show", "--address", "bo at example")


def test_the_numbers_name_nobody(place: Installed) -> None:
    shown = place.done("permission", "numbers").splitlines()
    rest = "paused {}, refused {}, withdrawn {}, expired 0"
    assert shown == [
        "other:",
        "  news    at-once 1, weekly 0, " + rest.format(0, 0, 0),
        "  points  weekly 0, daily 0, " + rest.format(0, 0, 0),
        "  asked   at-once 0, daily 0, " + rest.format(0, 0, 0),
        "  won     at-once 0, " + rest.format(0, 0, 0),
        "maree-haute:",
        "  news    at-once 0, weekly 1, " + rest.format(0, 1, 0),
        "  points  weekly 0, daily 0, " + rest.format(0, 0, 1),
        "  asked   at-once 0, daily 0, " + rest.format(1, 0, 0),
        "  won     at-once 0, " + rest.format(0, 0, 0),
        "the installation:",
        "  faults  at-once 1, daily 0, " + rest.format(0, 0, 0),
        "Addresses that said “never again”: 1",
    ]
    assert place.done("permission", "numbers", "other").splitlines() == shown[:5]


# Ending ---------------------------------------------------------------------------------------------------------
def test_it_is_asked_once_more_and_without_a_yes_nothing_ends(own: Installed) -> None:
    before = own.number(EVENTS)
    for typed in ("n\n", ""):
        answer = own.vteam("permission", "withdraw", "--address", BO, typed=typed)
        assert answer.returncode == 1
        assert "  - maree-haute: news" in answer.stdout
    assert own.number(EVENTS) == before


def test_everything_ends_at_their_wish_and_the_chain_says_by_whom(own: Installed) -> None:
    answer = own.vteam("permission", "withdraw", "--address", BO, typed="y\n")
    assert answer.returncode == 0, answer.stderr
    assert "Ended: 4." in answer.stdout
    lines = own.inside(LAST).splitlines()
    assert [line.split(" {")[0] for line in lines] == [
        "True faults withdrawn",
        "False news withdrawn",
        "False asked withdrawn",
        "False news withdrawn",
    ]
    assert all('"act":"an operator, at their wish"' in line for line in lines)
    log = (own.data / "noes.log").read_text()
    assert [log.count(f" {purpose} ") for purpose in ("faults", "news", "asked")] == [1, 3, 1]
    assert "nothing to end" in own.done("permission", "withdraw", "--address", BO)
    assert "the installation: the permissions hold" in own.done("verify")


@pytest.mark.parametrize(
    ("options", "ended"),
    [
        (["--campaign", "other"], ["other: news"]),
        (["--purpose", "news"], ["maree-haute: news", "other: news"]),
        (["--campaign", "maree-haute", "--purpose", "asked"], ["maree-haute: asked"]),
    ],
)
def test_what_ends_may_be_one_campaigns_or_one_purpose_alone(
    own: Installed, options: list[str], ended: list[str]
) -> None:
    before = own.number(EVENTS)
    told = own.done("permission", "withdraw", "--address", BO, "--yes", *options)
    assert [line.removeprefix("  - ") for line in told.splitlines()[:-1]] == ended
    assert told.splitlines()[-1] == f"Ended: {len(ended)}."
    assert own.number(EVENTS) == before + len(ended)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--purpose", "code"], "Write one of: news, points, asked, won, faults"),
        (["--purpose", "dreams"], "There is no purpose"),
        (["--campaign", "nowhere"], "no campaign"),
    ],
)
def test_a_purpose_or_campaign_that_is_not_there_is_refused(
    place: Installed, option: list[str], said: str
) -> None:
    told = place.refused("permission", "withdraw", "--address", BO, "--yes", *option)
    assert said in told.replace("\n", " ")


# Nothing else ---------------------------------------------------------------------------------------------------
def test_no_command_gives_a_yes(own: Installed) -> None:
    commands = get_command(app).commands["permission"].commands  # type: ignore[attr-defined]
    assert set(commands) == {"show", "withdraw", "numbers"}
    before = own.number(GIVEN)
    for arguments in (
        ["show", "--address", CY],
        ["withdraw", "--address", CY, "--yes"],
        ["numbers"],
        ["give", "--address", CY, "--purpose", "news"],
    ):
        own.vteam("permission", *arguments)
    assert own.number(GIVEN) == before
    for path in CLI.glob("*.py"):
        names = {
            node.attr if isinstance(node, ast.Attribute) else node.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute | ast.Name)
        }
        assert names.isdisjoint({"record_said", "Said", "GIVEN", "_record", "ease"}), path.name


def test_verify_names_the_permission_that_was_changed_behind_the_triggers_back(own: Installed) -> None:
    told = own.done("verify").splitlines()
    assert told[-1] == "the installation: the permissions hold"
    assert told.count("maree-haute: the permissions hold") == 1
    assert "the installation" not in own.done("verify", "maree-haute")
    own.inside(
        "from django.db import connection\nfrom vteam import appendonly\nappendonly.uninstall(connection)\n"
        "connection.cursor().execute(\"UPDATE permissions_grantevent SET event = 'given' WHERE event = 'refused'\")\n"
        "connection.cursor().execute('UPDATE permissions_grantevent SET seq = 2 WHERE campaign_id = 0')\n"
        "appendonly.install(connection)"
    )
    answer = own.vteam("verify")
    assert answer.returncode == 1
    assert "maree-haute: permission 3 says one thing in its columns and another in its text" in answer.stderr
    assert "other: the permissions hold" in answer.stdout
    assert "the installation: permission 1 is missing" in answer.stderr
