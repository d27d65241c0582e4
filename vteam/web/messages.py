"""The pages' French: what is said in templates and code, and whether the catalogue says it too.

    python -m vteam.web.messages compile    write the .mo files the site reads (at build time; not kept in git)
    python -m vteam.web.messages check      fail when something said has no French, or French says nothing any more
    python -m vteam.web.messages update     bring the catalogue in line: new entries empty, unused ones gone

English needs no catalogue: it is what the templates and the code say. No gettext tools are needed.
"""

import io
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

PACKAGE = Path(__file__).parent.parent
LOCALE = Path(__file__).parent / "locale"
DOMAIN = "django"
# French marks are kept at their word by a no-break space.
LOOSE_MARK = re.compile(r" [?!;:»](?!\w)|« ")
Said = str | tuple[str, ...]
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
HEADER = """\
# vTeam's pages: written in this language, not translated word by word. Fans are told "tu", organisers and
# holders "vous".
msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def said() -> Catalog:
    """Everything templates and code say, with where."""
    catalog = Catalog(domain=DOMAIN)
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix not in {".py", ".html", ".txt"} or "node_modules" in path.parts:
            continue
        place = str(path.relative_to(PACKAGE.parent))
        for line, message, context in said_in(path.read_text(encoding="utf-8"), place):
            _add(catalog, message, context, (place, line))
    return catalog


def _add(catalog: Catalog, message: Said, context: str | None, where: tuple[str, int]) -> None:
    """Note something said; one singular with two plurals would silently lose one of them, and is refused."""
    known = catalog.get(message[0] if isinstance(message, tuple) else message, context)
    if (
        known is not None
        and isinstance(known.id, tuple)
        and isinstance(message, tuple)
        and known.id != message
    ):
        raise ValueError(
            f"{where[0]}:{where[1]}: {message[0]!r} has another plural elsewhere: {known.id[1]!r}"
        )
    catalog.add(message, context=context, locations=[where])


def said_in(source: str, place: str) -> Iterator[tuple[int, Said, str | None]]:
    """What one file says, in its order: the line, the text (or singular and plural), and its context if any.

    `place`: the file's path; one that ends in .py is code, any other a template.
    """
    code = source
    if not place.endswith(".py"):
        # The templates' texts become gettext calls, one a line; what stands between them is blanked out.
        code = "\n".join(line.strip() for line in templatize(source, origin=place).splitlines())
    for line, message, _comments, context in extract("python", io.BytesIO(code.encode()), KEYWORDS):
        yield line, message, context


def catalogues() -> Iterator[tuple[str, Path]]:
    """Each language that has a catalogue, with its file."""
    for path in sorted(LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        yield path.parts[-3], path


def read(path: Path, language: str) -> Catalog:
    """A catalogue as it is kept."""
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def problems(said_now: Catalog, kept: Catalog) -> list[str]:
    """What a catalogue lacks, keeps for nothing, or fills differently."""
    found = [
        f"not translated: {_shown(message)}" for message in _texts(said_now) if not _is_there(message, kept)
    ]
    for message in _texts(kept):
        if message.fuzzy:
            found.append(f"marked as doubtful: {_shown(message)}")
        if said_now.get(message.id, message.context) is None:
            found.append(f"said nowhere: {_shown(message)}")
        elif not _same_placeholders(message):
            found.append(f"other placeholders: {_shown(message)}")
        elif kept.locale_identifier == "fr" and any(map(LOOSE_MARK.search, _strings(message.string))):
            found.append(f"a mark that can stand on a line of its own: {_shown(message)}")
    return found


def _texts(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def _is_there(message: Message, kept: Catalog) -> bool:
    own = kept.get(message.id, message.context)
    return own is not None and all(_strings(own.string))


def _same_placeholders(message: Message) -> bool:
    """Every translation fills what the original fills; a singular may leave its number out."""
    wanted = set(PLACEHOLDER.findall(" ".join(_strings(message.id))))
    return all(
        set(PLACEHOLDER.findall(text)) <= wanted for text in _strings(message.string)
    ) and wanted == set(PLACEHOLDER.findall(" ".join(_strings(message.string))))


def _strings(text: str | Iterable[str] | None) -> list[str]:
    return [text or ""] if isinstance(text, str) or text is None else list(text)


def _shown(message: Message) -> str:
    where = ", ".join(f"{place}:{line}" for place, line in message.locations[:2])
    return f"{_strings(message.id)[0]!r} ({where})"


def check() -> int:
    """0 when every catalogue says exactly what is said."""
    said_now, bad = said(), 0
    for language, path in catalogues():
        for problem in problems(said_now, read(path, language)):
            print(f"{language}: {problem}")
            bad += 1
    return min(bad, 1)


def compile_all() -> int:
    """Write each catalogue's .mo beside it."""
    for language, path in catalogues():
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, read(path, language))
    return 0


def update() -> int:
    """Rewrite each catalogue in the order things are said, keeping what is translated."""
    for language, path in catalogues():
        kept = read(path, language)
        kept.update(said(), no_fuzzy_matching=True)
        kept.obsolete.clear()
        write(path, kept)
    return 0


def write(path: Path, catalog: Catalog) -> None:
    """Keep a catalogue under a header that never changes by itself (no dates, no names)."""
    entries = io.BytesIO()
    write_po(entries, catalog, width=112, omit_header=True, include_lineno=False, ignore_obsolete=True)
    header = HEADER.format(language=catalog.locale_identifier, plurals=catalog.plural_forms)
    path.write_bytes(header.encode() + entries.getvalue().strip() + b"\n")


COMMANDS = {"compile": compile_all, "check": check, "update": update}


def main(arguments: list[str]) -> int:
    """The command line."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(f"usage: python -m vteam.web.messages {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    return COMMANDS[arguments[0]]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
