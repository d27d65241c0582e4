"""Whether a machine may send for a domain (SPF, RFC 7208): the verdict a receiver would come to, and why.

Everything but `exp` (words for a refused sender) is evaluated, within the standard's limits of 10 lookups and 2 that
find nothing; a record that is wrong anywhere counts nowhere, as it says.
"""

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from vteam.channels.mail.nameserver import IP, Answer, Names

VERSION = "v=spf1"
LOOKUPS_MAX: Final = 10
VOIDS_MAX: Final = 2
NAMES_MAX: Final = 10
"""Of one `mx` or `ptr` (4.6.4)."""
DOMAIN_LETTERS_MAX: Final = 253
RECORD_LETTERS_MAX: Final = 4_000
"""The standard advises 450 (3.4); what is longer is not read."""
MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE)
MECHANISM = re.compile(
    r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?:(:)(.+?))?((?:/[^/]*)?(?://.*)?)", re.I
)
LENGTHS = re.compile(r"(?:/([0-9]{1,2}))?(?://([0-9]{1,3}))?")
MACRO = re.compile(r"%(?:\{([slodipvh])([0-9]{0,3})(r?)([.+,/_=-]*)\}|([%_-]))", re.IGNORECASE)
PLAIN = {"%": "%", "_": " ", "-": "%20"}


class Result(StrEnum):
    """What a receiver concludes (2.6)."""

    PASS = "pass"  # noqa: S105  # no secret
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    PERMERROR = "permerror"
    TEMPERROR = "temperror"


class Trouble(StrEnum):
    """Why a record counts nowhere, or nobody can tell."""

    LOOKUPS = "lookups"
    VOIDS = "voids"
    SYNTAX = "syntax"
    NO_RECORD = "no record"
    SEVERAL = "several"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`trouble` and the `part` of a record it lies in are told for both errors alone."""

    result: Result
    trouble: Trouble | None = None
    part: str = ""


QUALIFIERS = {"": Result.PASS, "+": Result.PASS, "-": Result.FAIL, "~": Result.SOFTFAIL, "?": Result.NEUTRAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A mechanism of a record: what it is called, what it is about, and what follows where it matches."""

    name: str
    about: str
    lengths: tuple[int | None, int | None]
    result: Result
    written: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A record taken apart."""

    terms: tuple[Term, ...]
    redirect: str | None


class _Ends(Exception):
    """The evaluation ends here with an error."""

    def __init__(self, trouble: Trouble, part: str) -> None:
        super().__init__(trouble)
        self.trouble, self.part = trouble, part


def records_in(answer: Answer) -> tuple[str, ...]:
    """The SPF records among a name's TXT records."""
    return tuple(
        text for text in answer.values if text.lower() == VERSION or text.lower().startswith(f"{VERSION} ")
    )


def verdict_on(ip: IP, *, domain: str, names: Names) -> Verdict:
    """What a receiver concludes about mail of `domain` that comes from `ip`."""
    try:
        return Verdict(result=_Walk(ip, domain, names).result_at(domain))
    except _Ends as end:
        result = Result.TEMPERROR if end.trouble is Trouble.SILENT else Result.PERMERROR
        return Verdict(result=result, trouble=end.trouble, part=end.part)


# Reading ------------------------------------------------------------
def _policy(record: str) -> Policy:
    terms: list[Term] = []
    redirects: list[str] = []
    if len(record) > RECORD_LETTERS_MAX:
        raise _Ends(Trouble.SYNTAX, f"{record[:40]}…")
    for written in record.split()[1:]:
        modifier = MODIFIER.fullmatch(written)
        if modifier is None:
            terms.append(_term(written))
        elif modifier[1].lower() == "redirect":
            redirects.append(modifier[2])
    if len(redirects) > 1:
        raise _Ends(Trouble.SYNTAX, f"redirect={redirects[1]}")
    return Policy(terms=tuple(terms), redirect=redirects[0] if redirects else None)


def _term(written: str) -> Term:
    found = MECHANISM.fullmatch(written)
    if found is None:
        raise _Ends(Trouble.SYNTAX, written)
    qualifier, name, about, cut = found[1], found[2].lower(), found[4] or "", found[5]
    if name in ("ip4", "ip6"):
        about, cut = about + cut, ""
        _network(name, about, written)
    lengths = LENGTHS.fullmatch(cut)
    four, six = (int(part) if part else None for part in (lengths.groups() if lengths else (None, None)))
    fits = (
        lengths is not None
        and (four or 0) <= 32
        and (six or 0) <= 128
        and (not cut or name in ("a", "mx"))
        and (bool(about) or name in ("all", "a", "mx", "ptr"))
        and not (name == "all" and about)
    )
    if not fits:
        raise _Ends(Trouble.SYNTAX, written)
    return Term(name=name, about=about, lengths=(four, six), result=QUALIFIERS[qualifier], written=written)


def _network(name: str, about: str, written: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        network = ipaddress.ip_network(about, strict=False)
    except ValueError as error:
        raise _Ends(Trouble.SYNTAX, written) from error
    if network.version != int(name[-1]):
        raise _Ends(Trouble.SYNTAX, written)
    return network


# Walking ------------------------------------------------------------
class _Walk:
    """One evaluation with what it has used up of the limits, which nested records share."""

    def __init__(self, ip: IP, sender: str, names: Names) -> None:
        self.ip, self.sender, self.names = ip, sender, names
        self.lookups = self.voids = 0

    def result_at(self, domain: str) -> Result:
        """`check_host()` (4). It ends: each deeper step is one of the ten lookups."""
        records = records_in(self._known(self.names.texts(domain), domain))
        if not records:
            return Result.NONE
        if len(records) > 1:
            raise _Ends(Trouble.SEVERAL, domain)
        policy = _policy(records[0])
        for term in policy.terms:
            if self._matches(term, domain):
                return term.result
        if policy.redirect is None or any(term.name == "all" for term in policy.terms):
            return Result.NEUTRAL
        return self._elsewhere(f"redirect={policy.redirect}", policy.redirect, domain)

    def _elsewhere(self, written: str, spec: str, domain: str) -> Result:
        """What another domain's record says (5.2, 6.1); that there is none is an error."""
        self._look_up(written)
        result = self.result_at(self._expanded(spec, domain, written))
        if result is Result.NONE:
            raise _Ends(Trouble.NO_RECORD, written)
        return result

    def _matches(self, term: Term, domain: str) -> bool:
        if term.name == "all":
            return True
        if term.name in ("ip4", "ip6"):
            network = _network(term.name, term.about, term.written)
            return self.ip.version == network.version and self.ip in network
        if term.name == "include":
            return self._elsewhere(term.written, term.about, domain) is Result.PASS
        return self._matches_names(term, self._expanded(term.about or domain, domain, term.written))

    def _matches_names(self, term: Term, target: str) -> bool:
        self._look_up(term.written)
        match term.name:
            case "a":
                return self._is_at(target, term)
            case "mx":
                return self._is_an_exchange(target, term)
            case "exists":
                return bool(self._found(self.names.addresses(target, version=4), term.written).values)
            case _:
                return self._is_called(target)

    def _is_an_exchange(self, target: str, term: Term) -> bool:
        hosts = self._found(self.names.exchanges(target), term.written).values
        if len(hosts) > NAMES_MAX:
            raise _Ends(Trouble.LOOKUPS, term.written)
        return any(self._is_at(host, term) for host in hosts)

    def _is_at(self, host: str, term: Term) -> bool:
        length = term.lengths[0 if self.ip.version == 4 else 1]
        length = self.ip.max_prefixlen if length is None else length
        found = self._found(self.names.addresses(host, version=self.ip.version), term.written).values
        return any(self.ip in ipaddress.ip_network(f"{value}/{length}", strict=False) for value in found)

    def _is_called(self, target: str) -> bool:
        """`ptr` (5.5): an unanswered question is no match, and no error."""
        wanted = target.rstrip(".").lower()
        for name in self.names.pointers(self.ip).values[:NAMES_MAX]:
            bare = name.rstrip(".").lower()
            if (bare == wanted or bare.endswith(f".{wanted}")) and str(self.ip) in self.names.addresses(
                bare, version=self.ip.version
            ).values:
                return True
        return False

    def _look_up(self, written: str) -> None:
        self.lookups += 1
        if self.lookups > LOOKUPS_MAX:
            raise _Ends(Trouble.LOOKUPS, written)

    def _found(self, answer: Answer, written: str) -> Answer:
        if not self._known(answer, written).values:
            self.voids += 1
            if self.voids > VOIDS_MAX:
                raise _Ends(Trouble.VOIDS, written)
        return answer

    def _known(self, answer: Answer, part: str) -> Answer:
        if not answer.known:
            raise _Ends(Trouble.SILENT, part)
        return answer

    # Macros (7) ------------------------------------------------------------
    def _expanded(self, spec: str, domain: str, written: str) -> str:
        if "%" in MACRO.sub("", spec):
            raise _Ends(Trouble.SYNTAX, written)
        name = MACRO.sub(lambda found: self._macro(found, domain), spec)
        while len(name) > DOMAIN_LETTERS_MAX and "." in name:
            name = name.partition(".")[2]
        return name

    def _macro(self, found: re.Match[str], domain: str) -> str:
        letter, digits, turned, marks, plain = found.groups()
        if plain:
            return PLAIN[plain]
        v6 = isinstance(self.ip, ipaddress.IPv6Address)
        dotted = ".".join(self.ip.exploded.replace(":", "")) if v6 else str(self.ip)
        values = {
            "s": f"postmaster@{self.sender}", "l": "postmaster", "o": self.sender, "h": self.sender,
            "d": domain, "i": dotted, "p": "unknown", "v": "ip6" if v6 else "in-addr",
        }  # fmt: skip
        parts = re.split(f"[{re.escape(marks or '.')}]", values[letter.lower()])
        if turned:
            parts.reverse()
        kept = ".".join(parts[-int(digits) :] if digits and int(digits) else parts)
        return quote(kept, safe="") if letter.isupper() else kept
