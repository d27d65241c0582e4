"""A kiosk's manners: it acts only when touched, speaks only to the one who touched it, and nothing about it moves.

Read from the script's text and its calls, and seen by letting it stand for a while.
"""

import re

import pytest

from tests.worlds.lslcalls import Calls
from tests.worlds.lsldoor import Door
from tests.worlds.lslworld import Resident, World
from vteam.channels.worlds.lsl import World as WorldName
from vteam.channels.worlds.lsl import kiosk_script

SHOWS = {"llDialog", "llTextBox", "llLoadURL", "llGiveInventory", "llRegionSayTo"}
# Everything the script may call: whatever is not here it does not do. Only looking, counting and asking the platform.
QUIET = {
    "llDeleteSubList", "llDeleteSubString", "llDetectedKey", "llDetectedLinkNumber", "llDetectedName",
    "llDumpList2String", "llFrand", "llGenerateKey", "llGetAgentLanguage", "llGetInventoryPermMask",
    "llGetInventoryType", "llGetLinkName", "llGetLinkPrimitiveParams", "llGetListLength", "llGetNumberOfPrims",
    "llGetOwner", "llGetOwnerKey", "llGetSubString", "llGetUnixTime", "llHTTPRequest", "llHTTPResponse",
    "llJsonGetValue", "llList2Integer", "llList2List", "llList2String", "llList2Vector", "llListFindList",
    "llListReplaceList", "llListen", "llListenRemove", "llParseStringKeepNulls", "llReleaseURL",
    "llRequestURL", "llRound", "llSHA256String", "llSetText", "llSetTimerEvent", "llStringLength",
    "llStringToBase64", "llStringTrim", "llSubStringIndex", "llUnescapeURL",
}  # fmt: skip
# For reading the secret from linkset data.
KEPT = {
    "llLinksetDataWriteProtected",
    "llLinksetDataReadProtected",
    "llLinksetDataDeleteProtected",
    "llParseString2List",
}
# Words of LSL's and of the languages that OpenSimulator's engines turn it into.
RESERVED = set(
    re.findall(
        r"\w+",
        "get set in out where abstract base bool break byte case catch char class const continue decimal "
        "default delegate do double else enum event explicit extern false finally fixed float foreach "
        "goto implicit int interface internal is key lock long namespace new null object operator out "
        "override params private protected public readonly ref return rotation sbyte sealed short sizeof "
        "stackalloc state static string struct switch this throw true try typeof uint ulong unchecked "
        "unsafe ushort using vector virtual void volatile while jump list integer quaternion print "
        "constant typedef undef final partial exception array instanceof ",
    )
)


@pytest.fixture(params=["secondlife", "opensimulator"])
def name(request: pytest.FixtureRequest) -> WorldName:
    return request.param


@pytest.fixture
def source(name: WorldName) -> str:
    return kiosk_script(world=name, address="https://vteam.example", band="Lune Noire")


@pytest.fixture
def calls(source: str) -> Calls:
    return Calls(source)


def test_it_calls_nothing_that_shouts_moves_senses_or_shines(calls: Calls, name: WorldName) -> None:
    functions = {called for called in calls.everything() if called.startswith("ll")}
    if name == "opensimulator":
        assert functions == QUIET | SHOWS
    else:
        assert functions == QUIET | SHOWS | KEPT


def test_its_handlers_are_these_and_no_others(calls: Calls) -> None:
    assert sorted(calls.handlers) == sorted(
        [
            "state_entry",
            "on_rez",
            "changed",
            "touch_start",
            "listen",
            "timer",
            "http_response",
            "http_request",
        ]
    )


@pytest.mark.parametrize("handler", ["state_entry", "on_rez", "changed", "http_request"])
def test_what_nobody_present_asked_for_shows_nothing_to_anybody(calls: Calls, handler: str) -> None:
    assert not calls.reach(handler) & SHOWS


def test_time_alone_only_lets_it_tell_those_whose_own_request_failed(calls: Calls) -> None:
    assert calls.reach("timer") & SHOWS == {"llRegionSayTo"}
    assert not calls.reach("timer", except_through=["sorry"]) & SHOWS
    assert "sorry" in calls.direct["grow_old"]
    assert "sorry" not in calls.reach("timer", except_through=["grow_old"])


def test_addresses_and_gifts_come_only_with_the_answer_to_ones_own_request(calls: Calls) -> None:
    assert list(calls.callers("llLoadURL")) == ["open"]
    assert list(calls.callers("llGiveInventory")) == ["open"]
    assert list(calls.callers("open")) == ["show"]
    assert list(calls.callers("show")) == ["http_response"]


def test_it_speaks_in_one_place_and_only_to_one(calls: Calls) -> None:
    assert list(calls.callers("llRegionSayTo")) == ["tell"]
    assert list(calls.callers("llSetText")) == ["set_line"]
    assert list(calls.callers("llHTTPRequest")) == ["send_next"]


def test_it_needs_no_more_than_a_script_may_hold(source: str) -> None:
    assert len(source.encode()) < 30_000
    literals = re.findall(r'"(?:[^"\\]|\\.)*"', source)
    assert max(map(len, literals)) < 1023
    assert max(map(len, source.splitlines())) <= 120


def test_its_names_are_nobodys_reserved_words(source: str) -> None:
    code = re.sub(r'//.*|"(?:[^"\\]|\\.)*"', "", source)
    declared = set(re.findall(r"\b(?:integer|string|list|key|vector|float)\s+(\w+)", code))
    defined = set(re.findall(r"^(\w+)\(", code, re.M))
    assert len(declared | defined) > 80
    assert not (declared | defined) & RESERVED


def test_it_never_waits_in_a_loop(source: str) -> None:
    code = re.sub(r'//.*|"(?:[^"\\]|\\.)*"', "", source)
    assert not re.search(r"\b(while|do|jump|llSleep)\b", code)


def test_an_hour_alone_it_sends_its_heartbeats_and_shows_nothing(
    kiosk: World, door: Door, ana: Resident
) -> None:
    bystander = kiosk.add(Resident("Bo Resident"))
    before, lines = len(kiosk.sent), len(kiosk.hover)
    kiosk.ticks = 0
    kiosk.run(3600)
    assert kiosk.ticks <= 12 * 3  # its timer rests, too
    assert {sent.path for sent in kiosk.sent[before:]} == {"/world/v1/heartbeat"}
    assert len(kiosk.sent) - before == 12
    assert not bystander.shown + ana.shown
    assert len(kiosk.hover) == lines
    assert not kiosk.listens


def test_not_set_up_it_does_nothing_at_all(bare: World, door: Door, ana: Resident) -> None:
    bare.run(3600)
    assert not bare.ticks
    assert not bare.sent
    assert not bare.urls
    assert not ana.shown
    assert [text for _, text in bare.hover] == ["touch me: Lune Noire's vTeam"]


def test_touched_it_shows_one_thing_to_the_one_who_touched(kiosk: World, door: Door, ana: Resident) -> None:
    bo, bystander = Resident("Bo Resident"), kiosk.add(Resident("Cy Resident"))
    lines = len(kiosk.hover)
    kiosk.touch(bo)
    kiosk.run(400)
    assert len(bo.shown) == 1
    assert not bystander.shown + ana.shown
    assert len(kiosk.hover) == lines
