"""A printed sheet in the campaign's colours and the pages' own fonts: what a slip, a ticket and a list are drawn on.

A letter the fonts do not have (they write Latin) is drawn as an empty box.
"""

import io
from typing import Any

import segno
from django.utils.translation import get_language
from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, XPos, YPos

from vteam.campaigns.models import Campaign
from vteam.web.assets import asset_file
from vteam.web.colour import Scheme, spot

# Millimetres.
WIDTH, MARGIN, GAP, BAND = 210, 20, 8, 7
COLUMN = WIDTH - 2 * MARGIN
MM_PER_POINT = 25.4 / 72
Colour = str | tuple[int, int, int]
INK, SOFT, HAIRLINE = (29, 26, 22), (93, 86, 75), (222, 216, 206)
FONTS = {
    "display": "print-display.ttf",
    "display-more": "print-display-more.ttf",
    "text": "print-text.ttf",
    "text-more": "print-text-more.ttf",
}


class Sheet(FPDF):
    """A4, upright; the first page is there."""

    def __init__(self, campaign: Campaign, *, foot: float = MARGIN) -> None:
        """`foot`: what stays free at the end of every page, in mm."""
        super().__init__(format="A4")
        self.campaign = campaign
        colours = [spot(colour, Scheme.LIGHT) for colour in campaign.file.theme.colours]
        self.first, self.second = colours
        for family, file in FONTS.items():
            self.add_font(family, fname=asset_file(file))
        self.alias_nb_pages("")  # nobody's name is a place for the number of pages
        self.set_lang(get_language() or "en")
        self.set_margin(MARGIN)
        self.set_auto_page_break(auto=True, margin=foot)
        self.add_page()

    def band(self) -> None:
        """The colour along the upper edge."""
        self.set_fill_color(self.first.fill)
        self.rect(0, 0, WIDTH, BAND, style="F")

    def rule(self, top: float) -> None:
        """A hairline across the column."""
        self.set_draw_color(*HAIRLINE)
        self.line(MARGIN, top, WIDTH - MARGIN, top)

    def code(self, text: str, left: float, top: float, side: float) -> None:
        """A QR code of `side` mm, its quiet zone not counted."""
        picture = io.BytesIO()
        segno.make(text, error="m", micro=False).save(picture, kind="png", scale=12, border=0)
        self.image(picture, left, top, side, side, alt_text=text)

    def heading(self, text: str) -> None:
        """What follows."""
        self.ln(GAP)
        self.write_text(text, size=15, family="display", after=1.5)

    def write_text(
        self,
        text: str,
        *,
        size: float,
        family: str = "text",
        colour: Colour = INK,
        leading: float = 1.45,
        width: float = COLUMN,
        left: float = MARGIN,
        after: float = 0,
    ) -> None:
        """A paragraph of `size` points below what was written last; `after`: the space beneath it, in mm."""
        self.set_fallback_fonts([f"{family}-more"], exact_match=False)
        self.set_font(family, size=size)
        self.set_text_color(colour) if isinstance(colour, str) else self.set_text_color(*colour)
        height = size * leading * MM_PER_POINT
        lines: Any = self.multi_cell(
            width, height, text, align=Align.L, dry_run=True, output=MethodReturnValue.LINES
        )
        for line in lines:
            self._name_font(family, size)
            self.set_x(left)
            self.cell(width, height, line, new_x=XPos.LEFT, new_y=YPos.NEXT)
        if after:
            self.ln(after)

    def _name_font(self, family: str, size: float) -> None:
        """Says the font anew: where a line had letters of the other file, the library takes for said what is not."""
        self.set_font(family, size=size / 2)
        self.set_font(family, size=size)
