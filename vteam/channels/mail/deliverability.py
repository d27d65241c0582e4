"""Whether mail of ours will be let in: what receivers ask the domain name system about whoever sends it.

SPF (RFC 7208), DKIM keys (RFC 6376, 8301, 8463), DMARC (RFC 7489, looked for upwards name by name), names of the
sending machines (RFC 1912, 2.1) and the way back for bounces (RFC 5321, 5.1). It only asks; what is missing or wrong is
told with the record to set, where that can be known.
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import dns.resolver
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from vteam.channels.mail import dkim, spf
from vteam.channels.mail.findings import NO_ANSWER, About, Finding, Record, State, told
from vteam.channels.mail.nameserver import IP, Answer, Names, reverse_name
from vteam.channels.mail.spf import Result, Trouble, Verdict

STRANGERS: tuple[IP, ...] = (IPv4Address("192.0.2.1"), IPv6Address("2001:db8:ffff::1"))
"""Addresses of nobody (RFC 5737, RFC 3849): what is allowed to them is allowed to everybody."""
NAMES_MAX = 10
"""Names of one address, or hosts of one domain, that are looked at."""
PARENTS_MAX = 4
POLICIES = ("none", "quarantine", "reject")


def check(
    sender_domain: str,
    *,
    selectors: Sequence[str],
    sending_ips: Sequence[str],
    resolver: dns.resolver.Resolver,
) -> list[Finding]:
    """Everything there is to say about mail of `sender_domain`.

    `selectors`: of its DKIM keys. `sending_ips`: numeric addresses of the machines that hand its mail over; ValueError
    for any other text.
    """
    domain = sender_domain.strip().rstrip(".").lower()
    ips = [ip_address(ip) for ip in sending_ips]
    names = Names(resolver)
    keys = [dkim.finding(domain, selector, names) for selector in selectors]
    return [
        *_spf(domain, ips, names),
        *(keys or [_no_selector(domain)]),
        *_dmarc(domain, ips, keys, names),
        *(_reverse(ip, domain, names) for ip in ips),
        _return(domain, names),
    ]


# SPF ------------------------------------------------------------
def _spf(domain: str, ips: Sequence[IP], names: Names) -> Iterator[Finding]:
    answer = names.texts(domain)
    records = spf.records_in(answer)
    if not answer.known:
        yield _of_spf(State.UNKNOWN, domain, (), NO_ANSWER)
    elif not records:
        text = _("%(domain)s does not say which machines send its mail.")
        yield _of_spf(State.MISSING, domain, (), text, record=_better(domain, [], ips))
    elif len(records) > 1:
        text = _("There are several SPF records, and so none of them counts. Keep one.")
        yield _of_spf(State.WRONG, domain, records, text, record=_better(domain, records, ips))
    else:
        yield from _one_spf(domain, records[0], ips, names)


def _one_spf(domain: str, record: str, ips: Sequence[IP], names: Names) -> Iterator[Finding]:
    verdicts = {ip: spf.verdict_on(ip, domain=domain, names=names) for ip in (*ips, *STRANGERS)}
    read = [ip for ip in ips if verdicts[ip].result is not Result.PERMERROR]
    better = _better(domain, [record], [ip for ip in read if verdicts[ip].result is not Result.PASS])
    for ip in read:
        yield _of_one_ip(ip, verdicts[ip], domain, record, better)
    if not ips:
        text = _(
            "VTEAM_MAIL_IPS is not set: whether the machines that send are among those allowed is not known."
        )
        yield _of_spf(State.UNKNOWN, domain, (record,), text)
    broken = next((each for each in verdicts.values() if each.result is Result.PERMERROR), None)
    if broken:
        text = BROKEN[broken.trouble or Trouble.SYNTAX]
        to_set = _without(broken.part, domain, record, ips) if broken.trouble is not Trouble.LOOKUPS else None
        yield _of_spf(State.WRONG, domain, (record,), text, record=to_set, part=broken.part)
    else:
        yield _of_others([verdicts[stranger] for stranger in STRANGERS], domain, record, better)


def _without(part: str, domain: str, record: str, ips: Sequence[IP]) -> Record | None:
    """The record without the part that spoils it, where that stands in this one and in none it leads to."""
    kept = [term for term in record.split() if term != part]
    return _better(domain, [" ".join(kept)], ips) if len(kept) < len(record.split()) else None


def _of_one_ip(ip: IP, verdict: Verdict, domain: str, record: str, better: Record) -> Finding:
    if verdict.result is Result.PASS:
        return _of_spf(State.FINE, domain, (record,), _("%(ip)s may send for %(domain)s."), ip=ip)
    if verdict.result is Result.TEMPERROR:
        return _of_spf(State.UNKNOWN, domain, (record,), NO_ANSWER)
    text = _("%(ip)s is not among the machines that may send for %(domain)s.")
    return _of_spf(State.WRONG, domain, (record,), text, record=better, ip=ip)


def _of_others(verdicts: Sequence[Verdict], domain: str, record: str, better: Record) -> Finding:
    """What the record says about everybody else."""
    results = {verdict.result for verdict in verdicts}
    if Result.TEMPERROR in results:
        return _of_spf(State.UNKNOWN, domain, (record,), NO_ANSWER)
    if Result.PASS in results:
        text = _("The record lets every machine in the world send for %(domain)s.")
    elif results <= {Result.FAIL, Result.SOFTFAIL}:
        return _of_spf(State.FINE, domain, (record,), _("Nobody else may send for %(domain)s."))
    else:
        text = _("The record says nothing about other machines: end it with ~all.")
    told_to_set = better if better.value.lower() != record.lower() else None
    return _of_spf(State.WRONG, domain, (record,), text, record=told_to_set)


def _of_spf(
    state: State,
    domain: str,
    found: tuple[str, ...],
    text: str | Promise,
    *,
    record: Record | None = None,
    **values: object,
) -> Finding:
    sentence = told(text, domain=domain, **values)
    return Finding(
        about=About.SPF, state=state, asked=f"TXT {domain}", found=found, sentence=sentence, record=record
    )


def _better(domain: str, records: Sequence[str], missing: Sequence[IP]) -> Record:
    """One record with what the `records` hold, the machines `missing` in them, and an end that lets nobody else in."""
    terms = list(dict.fromkeys(term for record in records for term in record.split()[1:]))
    ends = [term for term in terms if term.lower().lstrip("+?~-") == "all"]
    kept = [term for term in terms if term not in ends]
    strict = next((term for term in ends if term[0] in "-~"), "~all")
    follows = any(term.lower().startswith("redirect=") for term in kept)
    own = [f"ip{ip.version}:{ip}" for ip in missing]
    end = [] if follows and not ends else [strict]
    return Record(name=f"{domain}.", kind="TXT", value=" ".join([spf.VERSION, *own, *kept, *end]))


BROKEN = {
    Trouble.LOOKUPS: _(
        "Reading the record takes more than 10 lookups, and so it no longer counts (RFC 7208). Take out what you no "
        "longer use, or write addresses in place of names. The eleventh: %(part)s"
    ),
    Trouble.VOIDS: _(
        "The record leads to more than two names with nothing behind them, and so it no longer counts (RFC 7208). "
        "Take them out. The third: %(part)s"
    ),
    Trouble.SYNTAX: _("Nobody can read “%(part)s” in the record, and so none of it counts."),
    Trouble.NO_RECORD: _(
        "“%(part)s” leads to a domain without an SPF record, and so none of the record counts."
    ),
    Trouble.SEVERAL: _("The record leads to %(part)s, which has several, and so none of it counts."),
}


def _no_selector(domain: str) -> Finding:
    text = _(
        "VTEAM_DKIM_SELECTOR is not set: no key can be looked for. Your mail server says which one it signs with."
    )
    asked = f"TXT ?._domainkey.{domain}"
    return Finding(about=About.DKIM, state=State.UNKNOWN, asked=asked, sentence=told(text))


# DMARC ------------------------------------------------------------
def _dmarc(domain: str, ips: Sequence[IP], keys: Sequence[Finding], names: Names) -> Iterator[Finding]:
    at, answer = _policy_of(domain, names)
    records = _policies(answer)
    if not answer.known:
        yield _of_dmarc(State.UNKNOWN, at, (), NO_ANSWER)
        return
    record = Record(name=f"_dmarc.{domain}.", kind="TXT", value="v=DMARC1; p=none")
    if not records:
        text = _(
            "%(domain)s does not say what to do with mail that only claims to be its own. Large providers ask for it."
        )
        yield _of_dmarc(State.MISSING, at, (), text, record=record, domain=domain)
    elif len(records) > 1:
        text = _("There are several DMARC records, and so none of them counts. Keep one.")
        first = Record(name=f"_dmarc.{at}.", kind="TXT", value=records[0])
        yield _of_dmarc(State.WRONG, at, records, text, record=first)
    else:
        tags = dkim.tags_of(records[0])
        policy = (tags.get("sp") if at != domain else None) or tags.get("p", "")
        yield _of_policy(policy.lower(), at, records, record)
        passing = {About.SPF: _spf_passes(domain, ips, names), About.DKIM: _all_fine(keys)}
        yield _of_alignment(passing, at, records)


def _policy_of(domain: str, names: Names) -> tuple[str, Answer]:
    """Where the policy for a domain stands: its own, or of the nearest domain above that has one (never a bare TLD)."""
    own = at = domain
    answer = first = names.texts(f"_dmarc.{own}")
    for _step in range(PARENTS_MAX):
        at = at.partition(".")[2]
        if _policies(answer) or not answer.known or "." not in at:
            break
        answer, own = names.texts(f"_dmarc.{at}"), at
    return (own, answer) if _policies(answer) or not answer.known else (domain, first)


def _policies(answer: Answer) -> tuple[str, ...]:
    return tuple(text for text in answer.values if dkim.first_tag(text) == ("v", "DMARC1"))


def _of_policy(policy: str, at: str, found: tuple[str, ...], record: Record) -> Finding:
    if policy not in POLICIES:
        text = _("The record names no policy: write p=none, p=quarantine or p=reject.")
        return _of_dmarc(State.WRONG, at, found, text, record=record)
    if policy == "none":
        text = _(
            "There is a policy. It asks for nothing yet (none): once all of your mail passes, make it quarantine."
        )
        return _of_dmarc(State.FINE, at, found, text)
    text = _("There is a policy: what only claims to be from %(domain)s is kept away (%(policy)s).")
    return _of_dmarc(State.FINE, at, found, text, domain=at, policy=policy)


def _spf_passes(domain: str, ips: Sequence[IP], names: Names) -> bool | None:
    results = {spf.verdict_on(ip, domain=domain, names=names).result for ip in ips}
    return None if not results or Result.TEMPERROR in results else results == {Result.PASS}


def _all_fine(findings: Sequence[Finding]) -> bool | None:
    states = {finding.state for finding in findings}
    return None if not states or State.UNKNOWN in states else states == {State.FINE}


def _of_alignment(passing: dict[About, bool | None], at: str, found: tuple[str, ...]) -> Finding:
    """DMARC passes where SPF or DKIM does under the domain readers see. Both were asked for under that very one: even
    its strict form (aspf=s, adkim=s) holds.
    """
    ways = [about.value for about, passes in passing.items() if passes]
    if ways:
        text = _("Mail passes by %(ways)s, under the very domain its readers see.")
        return _of_dmarc(State.FINE, at, found, text, ways=" + ".join(ways))
    if None in passing.values():
        text = _("Whether mail passes is not known: it takes SPF or DKIM, and neither is known to be fine.")
        return _of_dmarc(State.UNKNOWN, at, found, text)
    text = _("Mail does not pass: neither SPF nor DKIM is fine. Mend one of them, better both.")
    return _of_dmarc(State.WRONG, at, found, text)


def _of_dmarc(
    state: State,
    at: str,
    found: tuple[str, ...],
    text: str | Promise,
    *,
    record: Record | None = None,
    **values: object,
) -> Finding:
    return Finding(
        about=About.DMARC,
        state=state,
        asked=f"TXT _dmarc.{at}",
        found=found,
        sentence=told(text, **values),
        record=record,
    )


# The machines, and the way back ------------------------------------------------------------
def _reverse(ip: IP, domain: str, names: Names) -> Finding:
    """An address has a name, and that name leads back to it."""
    answer = names.pointers(ip)
    called = answer.values[:NAMES_MAX]
    back = {name: names.addresses(name, version=ip.version) for name in called}
    state, text, record = State.FINE, _("%(ip)s is called %(name)s, and %(name)s is at %(ip)s."), None
    good = [name for name, found in back.items() if ip in map(ip_address, found.values)]
    if good:
        called = (good[0],)
    elif not answer.known or any(not found.known for found in back.values()):
        state, text = State.UNKNOWN, NO_ANSWER
    elif not called:
        state = State.MISSING
        text = _("%(ip)s has no name. Whoever gives you the address sets it.")
        record = _name_for(ip, domain, names)
    else:
        state = State.WRONG
        text = _("%(ip)s is called %(name)s, but %(name)s is not at %(ip)s.")
        own = called[0].lower().rstrip(".").endswith(f".{domain}")
        kind = "A" if ip.version == 4 else "AAAA"
        record = Record(name=called[0], kind=kind, value=str(ip)) if own else _name_for(ip, domain, names)
    sentence = told(text, ip=ip, name=called[0].rstrip(".") if called else "")
    return Finding(
        about=About.REVERSE,
        state=state,
        asked=f"PTR {ip}",
        found=answer.values[:NAMES_MAX],
        sentence=sentence,
        record=record,
    )


def _name_for(ip: IP, domain: str, names: Names) -> Record:
    """A name of the domain's own: one of its mail hosts that is at the address, or the usual one."""
    hosts = [host for host in names.exchanges(domain).values[:NAMES_MAX] if host.endswith(f".{domain}.")]
    there = (host for host in hosts if str(ip) in names.addresses(host, version=ip.version).values)
    return Record(name=reverse_name(ip), kind="PTR", value=next(there, f"mail.{domain}."))


def _return(domain: str, names: Names) -> Finding:
    """Bounces come back to the domain we send as."""
    answer = names.exchanges(domain)
    hosts = answer.values[:NAMES_MAX]
    found = {host: names.addresses(host) for host in hosts if host != "."}
    lost = [host for host, addresses in found.items() if addresses.known and not addresses.values]
    state, text = State.FINE, _("Bounces find their way to %(host)s.")
    record = Record(name=f"{domain}.", kind="MX", value=f"10 mail.{domain}.")
    host = hosts[0].rstrip(".") if hosts else ""
    if not answer.known:
        state, text = State.UNKNOWN, NO_ANSWER
    elif not hosts:
        state = State.MISSING
        text = _("%(domain)s names no host for its mail: bounces go to the machine of that name, or nowhere.")
    elif not found:
        state = State.WRONG
        text = _("%(domain)s says that it takes no mail at all: many refuse what comes from it.")
    elif lost:
        state, host = State.WRONG, lost[0].rstrip(".")
        text = _("%(host)s is named for bounces, but has no address.")
    elif not all(addresses.known for addresses in found.values()):
        state, text = State.UNKNOWN, NO_ANSWER
    to_set = record if state is State.MISSING or (state is State.WRONG and not found) else None
    return Finding(
        about=About.RETURN,
        state=state,
        asked=f"MX {domain}",
        found=hosts,
        sentence=told(text, domain=domain, host=host),
        record=to_set,
    )
