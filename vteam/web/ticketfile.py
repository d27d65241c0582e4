"""Draws tickets of concerts: as a PDF to print, one page a place, and as a picture to keep on a phone."""

import io
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby

import segno
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from vteam.campaigns.models import Campaign
from vteam.web.assets import asset_file
from vteam.web.colour import Scheme, spot
from vteam.web.sheet import BAND, COLUMN, GAP, INK, MARGIN, SOFT, WIDTH, Sheet
from vteam.web.tickets import Printed

# Millimetres.
CODE = 84
# Pixels.
PICTURE = (1080, 1620)
EDGE, STRIPE, CODE_SIDE = 84, 36, 760
LINES_AT_MOST = 3
PAPER, WHITE = (246, 239, 227), (255, 255, 255)


def drawn(tickets: Sequence[Printed], *, campaign: Campaign) -> bytes:
    """The tickets as a PDF, each on a page of its own."""
    sheet = Sheet(campaign)
    sheet.set_title(f"{tickets[0].concert} · {campaign.file.artist}")
    for number, ticket in enumerate(tickets):
        if number:
            sheet.add_page()
        _page(sheet, ticket)
    return bytes(sheet.output())


def _page(sheet: Sheet, ticket: Printed) -> None:
    sheet.band()
    sheet.set_xy(MARGIN, BAND + GAP)
    file = sheet.campaign.file
    sheet.write_text(f"{file.artist} · {file.name}", size=10, colour=SOFT, after=2)
    sheet.write_text(ticket.concert, size=38, family="display", leading=1.04, after=3)
    sheet.write_text(ticket.when, size=17, family="display", colour=sheet.second.text, leading=1.2)
    sheet.write_text(ticket.where, size=13, after=GAP)
    top = sheet.get_y()
    sheet.code(ticket.code, MARGIN, top, CODE)
    left, beside = MARGIN + CODE + GAP, COLUMN - CODE - GAP
    sheet.set_xy(left, top)
    sheet.write_text(ticket.name, size=22, family="display", leading=1.08, width=beside, left=left, after=2)
    for line in filter(None, (ticket.place, ticket.mark)):
        sheet.write_text(line, size=13, width=beside, left=left, after=1)
    sheet.write_text(ticket.prize, size=10, colour=SOFT, width=beside, left=left)
    sheet.set_y(max(top + CODE, sheet.get_y()) + GAP)
    sheet.rule(sheet.get_y() - GAP / 2)
    sheet.write_text(ticket.rule, size=11, width=WIDTH - 2 * MARGIN)


def picture(ticket: Printed, *, campaign: Campaign) -> bytes:
    """A ticket as a PNG of 1080 by 1620 pixels, its code on white whatever the phone's colours."""
    first, second = (spot(colour, Scheme.LIGHT) for colour in campaign.file.theme.colours)
    image = Image.new("RGB", PICTURE, PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, PICTURE[0], STRIPE), fill=first.fill)
    y = EDGE
    for text, size, family, colour in (
        (campaign.file.artist, 34, "text", SOFT),
        (ticket.concert, 92, "display", INK),
        (ticket.when, 50, "display", second.text),
        (ticket.where, 38, "text", INK),
    ):
        y = _lines(draw, text, y, size, family, colour)
    code = _code(ticket.code)
    left = (PICTURE[0] - CODE_SIDE) // 2
    top = max(y + 24, PICTURE[1] - CODE_SIDE - 330)
    image.paste(code, (left, top))
    y = top + CODE_SIDE + 28
    y = _lines(draw, ticket.name, y, 60, "display", INK)
    _lines(draw, " · ".join(filter(None, (ticket.place, ticket.mark))), y, 36, "text", INK)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _code(text: str) -> Image.Image:
    made, out = segno.make(text, error="m", micro=False), io.BytesIO()
    made.save(out, kind="png", scale=CODE_SIDE // made.symbol_size(border=4)[0], border=4)
    code = Image.new("RGB", (CODE_SIDE, CODE_SIDE), WHITE)
    drawn_code = Image.open(out).convert("RGB")
    margin = (CODE_SIDE - drawn_code.width) // 2
    code.paste(drawn_code, (margin, margin))
    return code


def _lines(
    draw: ImageDraw.ImageDraw, text: str, y: int, size: int, family: str, colour: str | tuple[int, int, int]
) -> int:
    """Writes a text in at most three lines; returns where the next one begins. What is longer ends in an ellipsis."""
    face = _Face(family, size)
    for line in _broken(face, text):
        face.draw(draw, line, y, colour)
        y += round(size * 1.16)
    return y + round(size * 0.3)


class _Face:
    """The two files of a font, each with letters the other has not, at a size in pixels."""

    def __init__(self, family: str, size: int) -> None:
        self.family = family
        self.plain, self.more = (_font(name, size) for name in (family, f"{family}-more"))

    def runs(self, text: str) -> Iterator[tuple[str, ImageFont.FreeTypeFont]]:
        """The pieces of a text, each with the file its letters are in."""
        for is_plain, letters in groupby(text, lambda letter: ord(letter) in _letters(self.family)):
            yield "".join(letters), self.plain if is_plain else self.more

    def length(self, text: str) -> float:
        """How wide a text is, in pixels."""
        return sum(font.getlength(run) for run, font in self.runs(text))

    def draw(self, draw: ImageDraw.ImageDraw, text: str, y: int, colour: str | tuple[int, int, int]) -> None:
        """Writes a line from the left edge."""
        x = float(EDGE)
        for run, font in self.runs(text):
            draw.text((x, y), run, font=font, fill=colour)
            x += font.getlength(run)


def _broken(face: _Face, text: str) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or face.length(longer) <= PICTURE[0] - 2 * EDGE:
            lines[-1] = longer
        else:
            lines.append(word)
    kept = lines[:LINES_AT_MOST]
    if len(lines) > LINES_AT_MOST:
        kept[-1] += "…"
    return [_cut(face, line) for line in kept]


def _cut(face: _Face, line: str) -> str:
    """A line that fits: one word may be longer than a line."""
    while face.length(line) > PICTURE[0] - 2 * EDGE:
        line = f"{line.rstrip('…')[:-1]}…"
    return line


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(asset_file(f"print-{name}.ttf"), size)


@cache
def _letters(family: str) -> frozenset[int]:
    with TTFont(asset_file(f"print-{family}.ttf")) as font:
        return frozenset(font.getBestCmap())
