"""Kiosk scripts in LSL, ready to be pasted: for Second Life and for OpenSimulator, made from one source.

`kiosk.lsl` is valid LSL as it stands; remarks at the ends of its lines tell what is made of them:

    //% secondlife          this line is for Second Life only (`opensimulator` likewise)
    //% = address           the string literal in this line is replaced

What is inserted comes from outside: a band's name is escaped for a literal, an address that is more than a site's is
refused.
"""

import re
import secrets
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from vteam.channels.worlds.lines import neutral_line

World = Literal["secondlife", "opensimulator"]

_SOURCE = Path(__file__).with_name("kiosk.lsl")
_REMARK = re.compile(r"\s*//% ?(?P<world>secondlife|opensimulator)?(?: ?= (?P<name>\w+))?$")
_LITERAL = re.compile(r'"[^"]*"')


def kiosk_script(*, world: World, address: str, band: str, pass_phrase: str = "") -> str:
    """The text an owner pastes into an object's script; its line is in the language that is active.

    `address`: the site's, "https://vteam.example"; ValueError where it is none. `pass_phrase`: protects the secret in
    Second Life; one is made where none is given.
    """
    inserted = {
        "address": site_address(address),
        "line": neutral_line(band),
        "pass_phrase": pass_phrase or secrets.token_hex(16),
    }
    lines = []
    for line in _SOURCE.read_text(encoding="utf-8").splitlines():
        remark = _REMARK.search(line)
        if remark is None:
            lines.append(line)
        elif remark["world"] in (None, world):
            lines.append(_filled(line[: remark.start()], inserted.get(remark["name"])))
    return "\n".join(lines) + "\n"


def site_address(address: str) -> str:
    """The address without a slash at its end; ValueError where it is not a scheme, a host and perhaps a port."""
    parts = urlsplit(address.removesuffix("/"))
    bare = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in ("https", "http") or not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", parts.netloc):
        raise ValueError(f"not the address of a site: {address!r}")
    if bare != address.removesuffix("/"):
        raise ValueError(f"a site's address has no path: {address!r}")
    return bare


def literal(text: str) -> str:
    """The text as an LSL string literal: backslashes and quotes escaped, line breaks as LSL writes them."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "\\n")
    return f'"{escaped}"'


def _filled(line: str, text: str | None) -> str:
    return line if text is None else _LITERAL.sub(lambda _: literal(text), line, count=1)
