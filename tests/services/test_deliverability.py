"""Mail is let in or not: a real resolver asks a real name server, and every finding says what is there and what to set."""

# ruff: noqa: E501  (tables of records, one a line)

import base64
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from django.utils import translation

from tests.services.domains import (
    FOUR,
    GOOD,
    KEY,
    SHORT_KEY,
    SIX,
    TINY_KEY,
    changed,
    found_in,
    not_fine,
    of,
    told,
    with_records,
)
from tests.services.zone import Server, serving
from vteam.channels.mail import nameserver
from vteam.channels.mail.deliverability import check
from vteam.channels.mail.findings import About, Record, State
from vteam.channels.mail.nameserver import Names, resolver_at
from vteam.errors import SettingsError


# The whole ------------------------------------------------------------
def test_a_domain_that_is_set_up_well_is_fine_throughout() -> None:
    found = found_in(GOOD)
    assert {finding.state for finding in found} == {State.FINE}
    assert [str(finding.sentence) for finding in found] == [
        "203.0.113.7 may send for example.org.",
        "2001:db8::7 may send for example.org.",
        "Nobody else may send for example.org.",
        "The key counts (rsa, 2048 bits).",
        "There is a policy: what only claims to be from example.org is kept away (quarantine).",
        "Mail passes by SPF + DKIM, under the very domain its readers see.",
        "203.0.113.7 is called mail.example.org, and mail.example.org is at 203.0.113.7.",
        "2001:db8::7 is called mail.example.org, and mail.example.org is at 2001:db8::7.",
        "Bounces find their way to mail.example.org.",
    ]
    assert not any(finding.record for finding in found)


def test_of_a_domain_with_nothing_everything_is_missing_and_told_as_it_is_to_be_set() -> None:
    found = found_in({("other.example", "A"): [FOUR]}, ips=[FOUR])
    assert [told(finding) for finding in found] == [
        (State.MISSING, "example.org does not say which machines send its mail.", 'example.org. TXT "v=spf1 ip4:203.0.113.7 ~all"'),
        (State.MISSING, "There is no key at vteam._domainkey.example.org. The mail server that signs shows the one to set, behind p=.", 'vteam._domainkey.example.org. TXT "v=DKIM1; k=rsa; p=…"'),
        (State.MISSING, "example.org does not say what to do with mail that only claims to be its own. Large providers ask for it.", '_dmarc.example.org. TXT "v=DMARC1; p=none"'),
        (State.MISSING, "203.0.113.7 has no name. Whoever gives you the address sets it.", "7.113.0.203.in-addr.arpa. PTR mail.example.org."),
        (State.MISSING, "example.org names no host for its mail: bounces go to the machine of that name, or nowhere.", "example.org. MX 10 mail.example.org."),
    ]  # fmt: skip


def test_what_is_found_after_setting_what_was_told_is_fine() -> None:
    """But for the key, which only the mail server knows, and the host the records speak of."""
    zone: dict[tuple[str, str], Sequence[str]] = {("mail.example.org", "A"): [FOUR]}
    for finding in found_in(zone, ips=[FOUR]):
        assert isinstance(finding.record, Record)
        value = finding.record.value.replace("p=…", f"p={KEY}")
        zone[finding.record.name.rstrip("."), finding.record.kind] = [value]
    assert {finding.state for finding in found_in(zone, ips=[FOUR])} == {State.FINE}


def test_a_resolver_that_is_silent_is_not_asked_for_long_and_nothing_is_held_against_anybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nameserver, "ANSWER_SECONDS", 0.5)
    with serving(GOOD, silent=["*"]) as server:
        resolver = resolver_at(server.address)
        assert resolver.lifetime == 0.5
        begun = time.monotonic()
        found = check("example.org", selectors=["vteam"], sending_ips=[FOUR], resolver=resolver)
        assert time.monotonic() - begun < 20
        assert len(set(server.asked)) == nameserver.SILENCES_MAX
    assert {finding.state for finding in found} == {State.UNKNOWN}
    assert all(str(finding.sentence).startswith("No answer just now") for finding in found)
    assert not any(finding.record for finding in found)


def test_a_domain_whose_servers_are_broken_is_unknown_and_the_rest_is_still_told() -> None:
    found = found_in(GOOD, broken=["example.org"])
    states = {about: {finding.state for finding in of(found, about)} for about in About}
    assert states[About.SPF] == states[About.RETURN] == {State.UNKNOWN}
    assert states[About.DKIM] == states[About.REVERSE] == {State.FINE}
    assert str(of(found, About.DMARC)[1].sentence).startswith("Mail passes by DKIM,")


def test_without_settings_what_could_not_be_asked_is_unknown() -> None:
    found = found_in(GOOD, selectors=(), ips=())
    unknown = [str(finding.sentence).split(" ")[0] for finding in found if finding.state is State.UNKNOWN]
    assert unknown == ["VTEAM_MAIL_IPS", "VTEAM_DKIM_SELECTOR", "Whether"]
    assert not of(found, About.REVERSE)


def test_sentences_are_in_the_readers_language_when_they_are_read() -> None:
    found = found_in(changed(spf=None))
    with translation.override("fr"):
        assert (
            str(not_fine(found, About.SPF).sentence)
            == "example.org ne dit pas quelles machines envoient son courrier."
        )


def test_what_others_wrote_comes_without_anything_a_terminal_obeys() -> None:
    found = found_in(changed(dkim=["v=DKIM1; p=\x1b[31m\u00e9"], mx=["10 \\027[31m.example.org."]))
    for about in (About.DKIM, About.RETURN):
        text = " ".join([*not_fine(found, about).found, str(not_fine(found, about).sentence)])
        assert text.isascii()
        assert "\x1b" not in text
        assert "\\027[31m" in text


# DKIM ------------------------------------------------------------
@pytest.mark.parametrize(
    ("records", "state", "sentence"),
    [
        ([f"p={KEY}"], State.FINE, "The key counts (rsa, 2048 bits)."),
        ([f"v=DKIM1;k=ed25519;p={base64.b64encode(bytes(32)).decode()}"], State.FINE, "The key counts (ed25519, 256 bits)."),
        ([f"v=DKIM1; p={SHORT_KEY}"], State.FINE, "The key counts. Its 1024 bits are few: make the next one with 2048."),
        ([f"v=DKIM1; p={TINY_KEY}"], State.WRONG, "The key has 768 bits: receivers take none with fewer than 1024. Make one with 2048."),
        ([f"v=DKIM1; p={KEY[:60]} {KEY[60:]}"], State.FINE, "The key counts (rsa, 2048 bits)."),
        ([f"v=DKIM1; p={KEY[:-20]}"], State.WRONG, "What stands at vteam._domainkey.example.org is no key anybody can use."),
        ([f"v=DKIM1; k=ed25519; p={KEY}"], State.WRONG, "What stands at vteam._domainkey.example.org is no key anybody can use."),
        ([f"v=DKIM2; p={KEY}"], State.WRONG, "What stands at vteam._domainkey.example.org is no key anybody can use."),
        (["hello"], State.WRONG, "What stands at vteam._domainkey.example.org is no key anybody can use."),
        (["v=DKIM1; p="], State.WRONG, "The key at vteam._domainkey.example.org has been taken back: nothing stands behind p=."),
        ([f"p={KEY}", f"v=DKIM1; p={KEY}"], State.WRONG, "There are several records at vteam._domainkey.example.org, and nobody knows which to take. Keep one."),
    ],
)  # fmt: skip
def test_a_key_is_taken_or_not_and_why(records: list[str], state: State, sentence: str) -> None:
    [finding] = of(found_in(changed(dkim=records)), About.DKIM)
    assert (finding.state, str(finding.sentence)) == (state, sentence)


def test_a_key_that_is_only_a_test_is_shown_without_that() -> None:
    finding = not_fine(found_in(changed(dkim=[f"v=DKIM1; t=y:s; p={KEY}"])), About.DKIM)
    assert finding.record == Record(
        name="vteam._domainkey.example.org.", kind="TXT", value=f"v=DKIM1; p={KEY}"
    )


def test_every_selector_is_asked_for_and_one_no_name_can_have_is_missing() -> None:
    found = of(found_in(GOOD, selectors=["vteam", "a" * 64, "spare"]), About.DKIM)
    assert [finding.state for finding in found] == [State.FINE, State.MISSING, State.MISSING]


# DMARC ------------------------------------------------------------
@pytest.mark.parametrize(
    ("records", "state", "part"),
    [
        (["v=DMARC1; p=reject"], State.FINE, "is kept away (reject)"),
        (["v=DMARC1;p=none"], State.FINE, "It asks for nothing yet (none)"),
        (["v=DMARC1; rua=mailto:a@example.org"], State.WRONG, "The record names no policy"),
        (["v=DMARC1; p=everything"], State.WRONG, "The record names no policy"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], State.WRONG, "There are several DMARC records"),
        (["p=reject; v=DMARC1"], State.MISSING, "does not say what to do"),
    ],
)  # fmt: skip
def test_a_policy_is_there_or_not(records: list[str], state: State, part: str) -> None:
    finding = of(found_in(changed(dmarc=records)), About.DMARC)[0]
    assert finding.state is state
    assert part in str(finding.sentence)


def test_a_policy_of_the_domain_above_holds_for_a_host_below() -> None:
    zone = {
        ("_dmarc.example.org", "TXT"): ["v=DMARC1; p=reject; sp=quarantine"],
        ("team.example.org", "TXT"): ["v=spf1 -all"],
    }
    finding = of(found_in(zone, domain="team.example.org"), About.DMARC)[0]
    assert (finding.state, finding.asked) == (State.FINE, "TXT _dmarc.example.org")
    assert "(quarantine)" in str(finding.sentence)


def test_mail_that_passes_neither_way_does_not_pass() -> None:
    found = of(found_in(changed(spf=None, dkim=None)), About.DMARC)
    assert [finding.state for finding in found] == [State.FINE, State.WRONG]
    assert (
        str(found[1].sentence)
        == "Mail does not pass: neither SPF nor DKIM is fine. Mend one of them, better both."
    )


# Machines and bounces ------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("lost.example.org.", "lost.example.org. A 203.0.113.7"),
        ("static-7.provider.example.", "7.113.0.203.in-addr.arpa. PTR mail.example.org."),
    ],
)  # fmt: skip
def test_a_name_that_does_not_lead_back_is_wrong(name: str, record: str) -> None:
    finding = not_fine(found_in(changed(ptr=[name])), About.REVERSE)
    bare = name.rstrip(".")
    assert told(finding) == (
        State.WRONG,
        f"203.0.113.7 is called {bare}, but {bare} is not at 203.0.113.7.",
        record,
    )


def test_the_name_to_set_is_that_of_a_mail_host_which_is_there_already() -> None:
    zone = with_records({
        ("7.113.0.203.in-addr.arpa", "PTR"): None,
        ("example.org", "MX"): ["10 elsewhere.example.", "20 post.example.org."],
        ("post.example.org", "A"): [FOUR],
    })  # fmt: skip
    assert (
        str(not_fine(found_in(zone), About.REVERSE).record)
        == "7.113.0.203.in-addr.arpa. PTR post.example.org."
    )


def test_one_name_of_several_that_leads_back_is_enough() -> None:
    found = of(found_in(changed(ptr=["lost.example.org.", "mail.example.org."])), About.REVERSE)
    assert {finding.state for finding in found} == {State.FINE}


@pytest.mark.parametrize(
    ("hosts", "sentence", "record"),
    [
        (["0 ."], "example.org says that it takes no mail at all: many refuse what comes from it.", "example.org. MX 10 mail.example.org."),
        (["10 lost.example.org."], "lost.example.org is named for bounces, but has no address.", ""),
    ],
)  # fmt: skip
def test_bounces_need_a_host_that_takes_them(hosts: list[str], sentence: str, record: str) -> None:
    assert told(not_fine(found_in(changed(mx=hosts)), About.RETURN)) == (State.WRONG, sentence, record)


# Whom to ask ------------------------------------------------------------
@pytest.mark.parametrize(
    ("written", "host", "port"),
    [("127.0.0.1", "127.0.0.1", 53), ("127.0.0.1:5353", "127.0.0.1", 5353), ("::1", "::1", 53), ("[::1]:5353", "::1", 5353)],
)  # fmt: skip
def test_a_resolver_is_written_as_an_address_perhaps_with_a_port(written: str, host: str, port: int) -> None:
    resolver = resolver_at(written)
    assert ([str(each) for each in resolver.nameservers], resolver.port) == ([host], port)


@pytest.mark.parametrize(
    "written", ["localhost", "999.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", "dns.example.org:53"]
)
def test_anything_else_is_refused_by_its_settings_name(written: str) -> None:
    with pytest.raises(SettingsError, match="VTEAM_RESOLVER"):
        resolver_at(written)


def test_questions_are_asked_once_and_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nameserver, "QUESTIONS_MAX", 3)
    with serving(GOOD) as server:
        names = Names(resolver_at(server.address))
        for _ in range(3):
            assert names.texts("example.org").known
        assert [names.texts(f"{n}.example.org").known for n in range(4)] == [True, True, False, False]
        assert len(server.asked) == 3


# The command ------------------------------------------------------------
def run(server: Server, tmp_path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VTEAM_")}
    environment |= {
        "VTEAM_DATA": str(tmp_path / "data"),
        "VTEAM_RESOLVER": server.address,
        "VTEAM_EMAIL_FROM": "Lune Noire <team@example.org>",
        "VTEAM_MAIL_IPS": f"{FOUR}, {SIX}",
        "VTEAM_DKIM_SELECTOR": "vteam",
        **settings,
    }
    code = "from vteam.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "mail", "check"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_tells_all_and_ends_well_when_all_is_well(tmp_path: Path) -> None:
    with serving(GOOD) as server:
        done = run(server, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("fine ") == 9
    assert not (tmp_path / "data").exists()


def test_the_command_ends_with_1_and_a_record_on_one_line_when_something_is_not(tmp_path: Path) -> None:
    with serving(changed(spf=["v=spf1 a:[bold]x.example ~all"])) as server:
        done = run(server, tmp_path)
    assert done.returncode == 1
    assert f'set example.org. TXT "v=spf1 ip4:{FOUR} ip6:{SIX} a:[bold]x.example ~all"\n' in done.stdout


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"VTEAM_EMAIL_FROM": "vTeam <vteam@localhost>"}, "VTEAM_EMAIL_FROM"),
        ({"VTEAM_MAIL_IPS": "mail.example.org"}, "VTEAM_MAIL_IPS"),
        ({"VTEAM_RESOLVER": "dns.example.org"}, "VTEAM_RESOLVER"),
    ],
)
def test_the_command_names_the_setting_that_stops_it(
    tmp_path: Path, settings: dict[str, str], named: str
) -> None:
    with serving(GOOD) as server:
        done = run(server, tmp_path, **settings)
    assert done.returncode == 1
    assert named in done.stderr
    assert "Traceback" not in done.stderr
