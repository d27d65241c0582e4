"""In which language a page answers, and how to get it in another; no cookie is ever set for it.

`/fr/…` and `/en/…` say it themselves, and every address on such a page keeps its language. Without it the
signed-in person's language speaks, then the browser's. Files, the theme, health, short links and the door of virtual
worlds have no language and are left alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix, reverse, set_script_prefix
from django.utils import translation
from django.utils.cache import patch_vary_headers

from vteam.web.guards import WORLD_DOOR

Answer = Callable[[HttpRequest], HttpResponseBase]

LEFT_ALONE = ("/static/", "/healthz", "/r/", "/theme/", "/pictures/", WORLD_DOOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """The same page in one language: `code` fr, `label` FR, `name` Français, `here` when it is this one."""

    code: str
    label: str
    name: str
    address: str
    here: bool


class LanguageMiddleware:
    """Settles the language of each request."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Django's hook."""
        if request.path_info.startswith(LEFT_ALONE):
            with translation.override(settings.LANGUAGE_CODE):
                return self.get_response(request)
        before = get_script_prefix()
        code = _take_prefix(request, before)
        request.vteam_language_given = bool(code)  # type: ignore[attr-defined]
        try:
            with translation.override(code or translation.get_language_from_request(request)):
                return self._answer(request)
        finally:
            set_script_prefix(before)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """The signed-in person's language, once the session and the person can be asked; Django's hook."""
        if (
            getattr(request, "vteam_language_given", True)
            or settings.SESSION_COOKIE_NAME not in request.COOKIES
        ):
            return
        code = getattr(getattr(request, "user", None), "language", "")
        if code in dict(settings.LANGUAGES):
            translation.activate(code)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/"):
            response.headers.setdefault(
                "Content-Language", translation.get_language() or settings.LANGUAGE_CODE
            )
        if not getattr(request, "vteam_language_given", True):
            patch_vary_headers(response, ("Accept-Language",))
        return response


def _take_prefix(request: HttpRequest, script_prefix: str) -> str:
    """Moves `/fr` from the path to the script prefix; "" where the path names no language of ours."""
    first, slash, rest = request.path_info.removeprefix("/").partition("/")
    if not slash or first not in dict(settings.LANGUAGES):
        return ""
    request.path_info = f"/{rest}"
    set_script_prefix(f"{script_prefix}{first}/")
    return first


def editions(request: HttpRequest) -> tuple[Edition, ...]:
    """This page in every language, this one among them."""
    query = request.META.get("QUERY_STRING", "")
    rest = request.path_info.removeprefix("/") + (f"?{query}" if query else "")
    base, here = _plain_prefix(), translation.get_language()
    return tuple(
        Edition(code=code, label=code.upper(), name=name, address=f"{base}{code}/{rest}", here=code == here)
        for code, name in settings.LANGUAGES
    )


def plain_reverse(name: str, *args: str) -> str:
    """`reverse()` without the page's language: for what has none (files, pictures, short links)."""
    return _reversed(_plain_prefix(), name, args)


def reverse_in(code: str, name: str, *args: str) -> str:
    """`reverse()` of the page in a language, whatever this one's: for addresses that are kept, such as a feed's."""
    return _reversed(f"{_plain_prefix()}{code}/", name, args)


@lru_cache(maxsize=256)
def _reversed(prefix: str, name: str, args: tuple[str, ...]) -> str:
    kept = get_script_prefix()
    set_script_prefix(prefix)
    try:
        return reverse(name, args=args)
    finally:
        set_script_prefix(kept)


def _plain_prefix() -> str:
    """The script prefix without the language `_take_prefix` added to it."""
    prefix = get_script_prefix()
    for code in dict(settings.LANGUAGES):
        if prefix.endswith(f"/{code}/"):
            return prefix.removesuffix(f"{code}/")
    return prefix
