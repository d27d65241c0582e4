"""A short link opened: `/r/CODE` counts the visit durably and sends its visitor to our own landing page.

It never redirects to an address somebody typed, never sets a cookie, and never counts what is not a person opening
a page: HEAD, link previews, crawlers, mail scanners, prefetching browsers, more visits than one network may make.
Those get the same redirect, because the landing page carries the card they came for. No Django here: the edge
gives the share lookup and makes visits durable, tests give others.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple, Protocol

from vteam import clock
from vteam.rules.canonical import canonical
from vteam.rules.codes import SHARE_ALPHABET, SHARE_LENGTH
from vteam.rules.facts import VISIT

PREFIX = "/r/"
LANDING = "/l/"
UNKNOWN = "unknown"
"""No share's code: where it leads, a page says kindly that the link is not known."""
USER_AGENT_LENGTH_MAX = 1024
HOST_LENGTH_MAX = 253

# What link previews, crawlers and mail scanners call themselves, in small letters. In-app browsers are people and
# must not match: "instagram", "fban/fbios", "snapchat", "linkedinapp", "line/" stand in theirs.
NOT_PEOPLE = (
    "facebookexternalhit", "facebookcatalog", "facebot", "meta-externalagent", "meta-externalfetcher",
    "twitterbot", "slackbot", "slack-imgproxy", "whatsapp/", "telegrambot", "discordbot", "linkedinbot",
    "skypeuripreview", "microsoftpreview", "msteams", "pinterestbot", "redditbot", "mastodon/",
    "cardyb", "embedly", "iframely", "vkshare", "kakaotalk-scrap", "line-poker",
    "snap url preview", "bitlybot", "googlebot", "google-inspectiontool", "googleimageproxy", "google-safety",
    "google-read-aloud", "googleother", "feedfetcher", "mediapartners-google", "adsbot", "apis-google",
    "bingbot", "bingpreview", "msnbot", "yandex.com/bots", "yandexbot", "duckduckbot", "baiduspider", "applebot",
    "petalbot", "bytespider", "amazonbot", "ahrefsbot", "semrushbot", "mj12bot", "dotbot", "ccbot", "gptbot",
    "claudebot", "perplexitybot", "yahoomailproxy", "yahoo link preview", "yahoo! slurp", "ms-office",
    "microsoft office", "barracuda", "proofpoint", "mimecast", "fireeye", "symantec", "trendmicro", "sophos",
    "cisco umbrella", "bitdefender", "urlscan", "virustotal", "safebrowsing", "headlesschrome", "phantomjs",
    "lighthouse", "pingdom", "uptimerobot", "crawler", "spider/", "bot/", "preview/", "+http",
)  # fmt: skip
# Every browser of this century begins so; tools, feed readers and scripts mostly do not.
BROWSER_PREFIX = "mozilla/"

_NOT_PEOPLE = re.compile("|".join(map(re.escape, NOT_PEOPLE)))
_CODE = re.compile(f"[{SHARE_ALPHABET}]{{{SHARE_LENGTH}}}")
_TYPED = re.compile("[A-Za-z0-9_-]{1,40}")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
_TYPED_AROUND_LINKS = "/.,;:!?)]}>»\"'"

Header = tuple[bytes, bytes]
InboxRow = tuple[int, str, str, int, str]
"""An inbox row as its SQL wants it: campaign_id, kind, key, seen_at_us, body (canonical JSON)."""


class Request(NamedTuple):
    """What of a request matters here. `headers`: names in small letters. `peer`: the socket's other end.

    `query`: what follows the path's question mark, as it came. `local`: the socket's own end, "" where nobody
    asks for it.
    """

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    peer: str
    query: bytes = b""
    local: str = ""


class Answer(NamedTuple):
    """A whole answer. `head`: status line and headers as they are sent, the content's length among them."""

    status: int
    head: bytes
    body: bytes


class Reply(NamedTuple):
    """An answer which leaves once `visit` is durable; None: at once."""

    answer: Answer
    visit: InboxRow | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A share as the redirect needs it; one that ended is not `is_open` and counts nothing more."""

    id: int
    campaign_id: int
    is_open: bool
    visit: str

    @classmethod
    def from_row(cls, id: int, campaign_id: int, ended_at: object) -> "Share":
        """A share from its columns; `visit` is the body of each of its visits, written once."""
        return cls(id=id, campaign_id=campaign_id, is_open=ended_at is None, visit=canonical({"share": id}))


class Found(NamedTuple):
    """What a lookup found; `share` is None where the code is nobody's."""

    share: Share | None


class Shares(Protocol):
    """Where shares are looked up."""

    def remembered(self, code: str) -> Found | None:
        """What was found lately; None when it has to be looked up."""

    async def find(self, code: str) -> Found:
        """What is found now; raises when it cannot be looked up."""


class Budget(Protocol):
    """How many visits of one network count."""

    def spend(self, network: str) -> bool:
        """Whether this one still does."""


NetworkOf = Callable[[Request], str]
"""The near network a request comes from, in clear text, for budgets in memory (`channels.networks.near_of`)."""


class Site:
    """Where our own pages are, as the visitor reaches them.

    `public_url`: the one address, when set. Otherwise the host the visitor asked for, when it is one of
    `allowed_hosts` (as in Django: a leading dot takes subdomains too; `*` is not accepted, since then anybody's
    host name would do), with the site's port.
    """

    def __init__(self, *, public_url: str, allowed_hosts: Sequence[str], port: int) -> None:
        self._public = public_url.rstrip("/").encode() or None
        self._exact = frozenset(host.lower() for host in allowed_hosts if not host.startswith("."))
        self._endings = tuple(host.lower() for host in allowed_hosts if host.startswith("."))
        self._port = port
        self.base = lru_cache(maxsize=1024)(self._base)

    def _base(self, host: bytes) -> bytes | None:
        """`http://host:port` or the public address without a slash at its end; None for a host not ours."""
        if self._public:
            return self._public
        found = _HOST.fullmatch(host.decode("latin-1").lower())
        if found is None or len(found[1]) > HOST_LENGTH_MAX:
            return None
        name = found[1]
        ours = name in self._exact or name.endswith(self._endings) or f".{name}" in self._endings
        return f"http://{name}:{self._port}".encode() if ours else None


class Redirect:
    """The handler of `/r/CODE`. It decides; whoever asks it makes the visit durable and sends the answer."""

    def __init__(self, *, shares: Shares, budget: Budget, site: Site, network_of: NetworkOf) -> None:
        self._shares = shares
        self._budget = budget
        self._site = site
        self._network_of = network_of

    def reply(self, request: Request) -> Reply | Awaitable[Reply]:
        """A redirect to our landing page, with the visit if it counts; or a short text saying why not.

        To be awaited where the share has to be looked up first, which raises what the lookup raises.
        """
        if request.method not in ("GET", "HEAD"):
            return Reply(WRONG_METHOD)
        base = self._site.base(request.headers.get(b"host", b""))
        if base is None:
            return Reply(WRONG_HOST)
        code = code_in(request.path)
        if code is None:
            return Reply(_to(base, typed_in(request.path)))
        found = self._shares.remembered(code)
        if found is None:
            return self._looked_up(request, base, code)
        return Reply(_to(base, code), self._visit(request, found.share))

    async def _looked_up(self, request: Request, base: bytes, code: str) -> Reply:
        found = await self._shares.find(code)
        return Reply(_to(base, code), self._visit(request, found.share))

    def _visit(self, request: Request, share: Share | None) -> InboxRow | None:
        if share is None or not share.is_open or not is_a_visit(request) or not self._within_budget(request):
            return None
        return (share.campaign_id, VISIT, "", clock.now_us(), share.visit)

    def _within_budget(self, request: Request) -> bool:
        return self._budget.spend(self._network_of(request))


def code_in(path: str) -> str | None:
    """The code of `/r/CODE`, None when nothing there can be one.

    Capitals (QR codes made elsewhere) and what sticks to the end of a link in a text are forgiven.
    """
    code = path[len(PREFIX) :]
    if _CODE.fullmatch(code):
        return code
    code = code[: SHARE_LENGTH + 8].rstrip(_TYPED_AROUND_LINKS).lower()
    return code if _CODE.fullmatch(code) else None


def typed_in(path: str) -> str:
    """What was typed in place of a code, where it is short and harmless; otherwise UNKNOWN."""
    typed = path[len(PREFIX) :]
    return typed if _TYPED.fullmatch(typed) else UNKNOWN


@lru_cache(maxsize=4096)
def _to(base: bytes, code: str) -> Answer:
    location = (b"location", base + LANDING.encode() + code.encode())
    return Answer(302, _head(302, [location, *_REDIRECT]), b"")


def is_a_visit(request: Request) -> bool:
    """Whether a request is a person's browser opening the page, as far as it says so itself."""
    headers = request.headers
    agent = headers.get(b"user-agent", b"")
    if request.method != "GET" or len(agent) > USER_AGENT_LENGTH_MAX or not looks_like_a_person(agent):
        return False
    purposes = (headers.get(b"sec-purpose", b""), headers.get(b"purpose", b""), headers.get(b"x-moz", b""))
    return not any(purpose and (b"prefetch" in purpose or b"preview" in purpose) for purpose in purposes)


@lru_cache(maxsize=4096)
def looks_like_a_person(user_agent: bytes) -> bool:
    """Whether a User-Agent is a browser's and none of a preview, crawler or scanner."""
    name = user_agent.decode("latin-1").lower()
    return name.startswith(BROWSER_PREFIX) and not _NOT_PEOPLE.search(name)


def spoken(status: int, text: str, *extra: Header) -> Answer:
    """A short plain text in English and French, never stored by anybody."""
    body = text.encode()
    kept_to_itself = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
    kind = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    return Answer(status, _head(status, [*kind, *kept_to_itself, *extra]), body)


def with_body(body: bytes) -> Answer:
    """Bytes for a program to read, never stored by anybody."""
    return Answer(200, _HEAD_OF_BODY + b"content-length: %d\r\n" % len(body), body)


def _head(status: int, headers: Sequence[Header]) -> bytes:
    """Status line and headers; what of them somebody typed is letters, digits, dashes and a host name of ours."""
    line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
    return line + b"".join(b"%b: %b\r\n" % header for header in headers)


_HEAD_OF_BODY = _head(200, [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")])
# The referrer stays behind: which page somebody came from is nobody's business.
_REDIRECT: tuple[Header, ...] = (
    (b"content-length", b"0"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)
NO_SUCH_LINK = spoken(
    404,
    "There is nothing here. Perhaps a letter of the link got lost: ask whoever gave it to you.\n"
    "Il n'y a rien ici. Il manque peut-être une lettre au lien : redemande-le à qui te l'a donné.\n",
)
WRONG_HOST = spoken(
    400,
    "This name is not ours, so this link leads nowhere.\n"
    "Ce nom n'est pas le nôtre : ce lien ne mène nulle part.\n",
)
WRONG_METHOD = spoken(
    405,
    "Links are for opening, nothing else.\nUn lien s'ouvre, et rien d'autre.\n",
    (b"allow", b"GET, HEAD"),
)
