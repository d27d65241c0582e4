"""Which machines may send for a domain (SPF), as the standard says and as its owner is told."""

# ruff: noqa: E501  (tables of records, one a line)

import ipaddress
from collections.abc import Sequence

import pytest

from tests.services.domains import FOUR, SIX, changed, found_in, not_fine, of
from tests.services.zone import Zone, serving
from vteam.channels.mail.findings import About, State
from vteam.channels.mail.nameserver import Names, resolver_at
from vteam.channels.mail.spf import Result, Trouble, verdict_on


@pytest.mark.parametrize(
    ("records", "sentence", "record"),
    [
        (["v=spf1 include:more.example ?all", "v=spf1 ip4:203.0.113.9 mx:nobody.example -all"],
         "There are several SPF records, and so none of them counts. Keep one.",
         "v=spf1 ip4:203.0.113.7 include:more.example ip4:203.0.113.9 mx:nobody.example -all"),
        (["v=spf1 ip4:203.0.113.9 ~all"], "203.0.113.7 is not among the machines that may send for example.org.",
         "v=spf1 ip4:203.0.113.7 ip4:203.0.113.9 ~all"),
        ([f"v=spf1 ip4:{FOUR} +all"], "The record lets every machine in the world send for example.org.", f"v=spf1 ip4:{FOUR} ~all"),
        ([f"v=spf1 ip4:{FOUR} ip4:0.0.0.0/0 -all"], "The record lets every machine in the world send for example.org.", ""),
        ([f"v=spf1 ip4:{FOUR}"], "The record says nothing about other machines: end it with ~all.", f"v=spf1 ip4:{FOUR} ~all"),
        ([f"v=spf1 ip4:{FOUR} ?all"], "The record says nothing about other machines: end it with ~all.", f"v=spf1 ip4:{FOUR} ~all"),
        (["v=spf1 ipv4:203.0.113.7 -all"], "Nobody can read “ipv4:203.0.113.7” in the record, and so none of it counts.", f"v=spf1 ip4:{FOUR} -all"),
        (["v=spf1 include:gone.example -all"], "“include:gone.example” leads to a domain without an SPF record, and so none of the record counts.", f"v=spf1 ip4:{FOUR} -all"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_spf_record_is_told_with_the_record_to_set(
    records: list[str], sentence: str, record: str
) -> None:
    finding = not_fine(found_in(changed(spf=records), ips=[FOUR]), About.SPF)
    assert (finding.state, str(finding.sentence)) == (State.WRONG, sentence)
    assert finding.asked == "TXT example.org"
    assert finding.found == tuple(records)
    assert str(finding.record or "") == (f'example.org. TXT "{record}"' if record else "")


def test_a_record_that_takes_eleven_lookups_counts_no_more_and_ten_do() -> None:
    for count, state in ((10, State.FINE), (11, State.WRONG)):
        many = {(f"{n}.many.example", "TXT"): [f"v=spf1 ip4:198.51.100.{n} -all"] for n in range(count)}
        record = " ".join(
            ["v=spf1", *(f"include:{n}.many.example" for n in range(count)), f"ip4:{FOUR} -all"]
        )
        found = found_in({**changed(spf=[record]), **many}, ips=[FOUR])
        assert of(found, About.SPF)[-1].state is state
        if state is State.WRONG:
            assert str(of(found, About.SPF)[-1].sentence).endswith("The eleventh: include:10.many.example")


def test_a_record_that_includes_itself_ends() -> None:
    finding = not_fine(found_in(changed(spf=["v=spf1 include:example.org -all"]), ips=[FOUR]), About.SPF)
    assert "more than 10 lookups" in str(finding.sentence)


def verdict(
    ip: str, record: str, more: Zone | None = None, *, silent: Sequence[str] = ()
) -> tuple[Result, Trouble | None]:
    with serving({("example.org", "TXT"): [record], **(more or {})}, broken=silent) as server:
        found = verdict_on(
            ipaddress.ip_address(ip), domain="example.org", names=Names(resolver_at(server.address))
        )
    return found.result, found.trouble


HOSTS: Zone = {
    ("example.org", "A"): ["203.0.113.1"],
    ("example.org", "MX"): ["10 mail.example.org."],
    ("mail.example.org", "A"): ["203.0.113.130"],
    ("mail.example.org", "AAAA"): [SIX],
    ("7.113.0.203.in-addr.arpa", "PTR"): ["forged.example.net.", "out.example.org."],
    ("out.example.org", "A"): [FOUR],
    ("_spf.example.net", "TXT"): ["v=spf1 ip4:203.0.113.0/29 -all"],
    ("soft.example.net", "TXT"): [f"v=spf1 ~ip4:{FOUR} -all"],
    ("two.example.net", "TXT"): ["v=spf1 -all", "v=spf1 +all"],
    ("7.113.0.203.in-addr._spf.example.org", "A"): ["127.0.0.2"],
    ("7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.org", "A"): ["127.0.0.2"],
    ("postmaster.org.yes.example.net", "A"): ["127.0.0.2"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("ip", "record", "result"),
    [
        (FOUR, "v=spf1", Result.NEUTRAL),
        (FOUR, "V=SPF1 IP4:203.0.113.7 -ALL", Result.PASS),
        (FOUR, "v=spf1 ip4:203.0.113.0/24 -all", Result.PASS),
        (FOUR, "v=spf1 ip4:203.0.112.0/24 -all", Result.FAIL),
        (SIX, "v=spf1 ip6:2001:db8::/32 -all", Result.PASS),
        (SIX, "v=spf1 ip4:0.0.0.0/0 ~all", Result.SOFTFAIL),
        ("203.0.113.1", "v=spf1 a -all", Result.PASS),
        (FOUR, "v=spf1 a -all", Result.FAIL),
        (FOUR, "v=spf1 a/28 -all", Result.PASS),
        (FOUR, "v=spf1 a:out.example.org -all", Result.PASS),
        ("203.0.113.200", "v=spf1 mx/25 -all", Result.PASS),
        (FOUR, "v=spf1 mx/25 -all", Result.FAIL),
        ("2001:db8::8", "v=spf1 mx//64 -all", Result.PASS),
        (FOUR, "v=spf1 include:_spf.example.net -all", Result.PASS),
        ("203.0.113.9", "v=spf1 include:_spf.example.net ?all", Result.NEUTRAL),
        (FOUR, "v=spf1 include:soft.example.net -all", Result.FAIL),
        (FOUR, "v=spf1 redirect=soft.example.net", Result.SOFTFAIL),
        (FOUR, "v=spf1 redirect=soft.example.net -all", Result.FAIL),
        (FOUR, "v=spf1 ptr -all", Result.PASS),
        (FOUR, "v=spf1 ptr:example.net -all", Result.FAIL),
        (FOUR, "v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all", Result.PASS),
        (SIX, "v=spf1 exists:%{ir}.%{v}._spf.%{d} -all", Result.PASS),
        (FOUR, "v=spf1 exists:%{l}.%{o1}.yes.example.net -all", Result.PASS),
        (FOUR, "v=spf1 exists:%{i}.no.example.net exp=why.%{d} -all", Result.FAIL),
    ],
)  # fmt: skip
def test_a_record_is_read_as_the_standard_says(ip: str, record: str, result: Result) -> None:
    assert verdict(ip, record, HOSTS) == (result, None)


@pytest.mark.parametrize(
    ("record", "trouble"),
    [
        ("v=spf1 al", Trouble.SYNTAX),
        ("v=spf1 -all x", Trouble.SYNTAX),
        ("v=spf1 ip4:203.0.113.7/33 -all", Trouble.SYNTAX),
        ("v=spf1 ip4:2001:db8::7 -all", Trouble.SYNTAX),
        ("v=spf1 ip4 -all", Trouble.SYNTAX),
        ("v=spf1 all:example.org", Trouble.SYNTAX),
        ("v=spf1 include -all", Trouble.SYNTAX),
        ("v=spf1 a/33 -all", Trouble.SYNTAX),
        ("v=spf1 a//129 -all", Trouble.SYNTAX),
        ("v=spf1 exists:%{x}.example.org -all", Trouble.SYNTAX),
        ("v=spf1 exists:100% -all", Trouble.SYNTAX),
        ("v=spf1 redirect=a.example redirect=b.example", Trouble.SYNTAX),
        ("v=spf1 " + "/" * 60_000, Trouble.SYNTAX),
        ("v=spf1 redirect=nothing.example.net", Trouble.NO_RECORD),
        ("v=spf1 include:two.example.net -all", Trouble.SEVERAL),
        ("v=spf1 a:one.nowhere a:two.nowhere a:three.nowhere -all", Trouble.VOIDS),
        ("v=spf1 " + "ptr " * 11, Trouble.LOOKUPS),
    ],
)  # fmt: skip
def test_a_record_that_counts_nowhere_says_why(record: str, trouble: Trouble) -> None:
    ip = "203.0.113.99"
    assert verdict(ip, record[:4_500], HOSTS) == (Result.PERMERROR, trouble)


def test_a_part_nobody_answers_for_is_no_error_of_the_records() -> None:
    assert verdict(FOUR, "v=spf1 include:_spf.example.net -all", HOSTS, silent=["_spf.example.net"]) == (
        Result.TEMPERROR,
        Trouble.SILENT,
    )


def test_a_host_with_more_than_ten_exchanges_is_too_much_for_one_mx() -> None:
    zone = {**HOSTS, ("example.org", "MX"): [f"{n} mail{n}.example.org." for n in range(11)]}
    assert verdict("203.0.113.99", "v=spf1 mx -all", zone) == (Result.PERMERROR, Trouble.LOOKUPS)
