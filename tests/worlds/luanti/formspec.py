"""A formspec as a client reads it: its elements, and in them what a person sees, types into and presses."""

import re
from dataclasses import dataclass

BUTTONS = ("button", "button_exit", "button_url")
# hypertext[]: the tags the mod itself writes; every other "<" must be escaped.
OURS = re.compile(r"<global [^<>]*>|<style size=\d+>|</style>|</?b>")
TITLE_END = "</b></style>\n"


def split(text: str, mark: str) -> list[str]:
    """At each mark that no backslash escapes."""
    parts, part, at = [], "", 0
    while at < len(text):
        if text[at] == "\\":
            part += text[at : at + 2]
            at += 2
        elif text[at] == mark:
            parts.append(part)
            part, at = "", at + 1
        else:
            part += text[at]
            at += 1
    return [*parts, part]


def unescaped(text: str) -> str:
    """Without the backslashes that escape."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


@dataclass(frozen=True, slots=True)
class Form:
    """One form a player was shown."""

    name: str
    spec: str

    @property
    def elements(self) -> list[tuple[str, list[str]]]:
        """Each element's kind and its parts, escaped as they came."""
        found = []
        for each in split(self.spec, "]")[:-1]:
            kind, *rest = split(each, "[")
            assert len(rest) == 1, f"not an element: {each!r}"
            found.append((kind.strip(), split(rest[0], ";")))
        assert split(self.spec, "]")[-1].strip() == "", "something follows the last element"
        return found

    @property
    def texts(self) -> list[str]:
        """What is written on it, from the top; a markup that is not ours would be seen here as such."""
        found = []
        for kind, parts in self.elements:
            if kind == "hypertext":
                assert len(parts) == 4, parts
                for each in unescaped(parts[3]).split(TITLE_END):
                    inside = OURS.sub("", each)
                    assert "<" not in re.sub(r"\\.", "", inside), inside
                    found.append(unescaped(inside))
        return found

    @property
    def text(self) -> str:
        """All that is written on it."""
        return "\n".join(self.texts)

    @property
    def buttons(self) -> dict[str, str]:
        """What each button sends, by what is written on it."""
        return {unescaped(parts[3]): parts[2] for kind, parts in self.elements if kind in BUTTONS}

    @property
    def fields(self) -> dict[str, str]:
        """What stands in each field, by the field's name."""
        return {parts[2]: unescaped(parts[4]) for kind, parts in self.elements if kind == "field"}
