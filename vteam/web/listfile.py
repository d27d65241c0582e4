"""Draws lists to print: the guest list of a concert, with a box to tick, and what is to be packed and sent to whom."""

from collections.abc import Iterable, Sequence

from fpdf.enums import Align

from vteam.campaigns.models import Campaign
from vteam.web.sheet import BAND, COLUMN, GAP, INK, MARGIN, MM_PER_POINT, SOFT, Sheet

# Millimetres.
BOX, LINE = 4.5, 7.0


def drawn(*, campaign: Campaign, title: str, about: str, rows: Iterable[tuple[bool, Sequence[str]]]) -> bytes:
    """A list as a PDF: each row ticked or not, its first text in bold letters, the others beneath."""
    sheet = _List(campaign)
    sheet.set_title(title)
    sheet.band()
    sheet.set_xy(MARGIN, BAND + GAP)
    sheet.write_text(f"{campaign.file.artist} · {campaign.file.name}", size=10, colour=SOFT, after=2)
    sheet.write_text(title, size=28, family="display", leading=1.06, after=2)
    sheet.write_text(about, size=11, colour=SOFT, after=GAP / 2)
    for ticked, texts in rows:
        sheet.row(ticked, texts)
    return bytes(sheet.output())


class _List(Sheet):
    """Pages of rows; each row stays whole, and every page says its number."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(campaign, foot=MARGIN)

    def footer(self) -> None:
        """The library's hook at the end of each page."""
        self.set_y(-MARGIN / 2 - LINE)
        self.set_font("text", size=9)
        self.set_text_color(*SOFT)
        self.cell(COLUMN, LINE, str(self.page_no()), align=Align.R)

    def row(self, ticked: bool, texts: Sequence[str]) -> None:
        """A row of the list."""
        head, *others = texts
        height = 12 * 1.3 * MM_PER_POINT + len(others) * 10 * 1.35 * MM_PER_POINT + 4
        if self.get_y() + height > self.h - MARGIN:
            self.add_page()
        top = self.get_y()
        self.rule(top)
        self.set_draw_color(*INK)
        self.rect(MARGIN, top + 2.4, BOX, BOX, style="F" if ticked else "D")
        left = MARGIN + BOX + 4
        self.set_xy(left, top + 1.6)
        width = COLUMN - BOX - 4
        self.write_text(head, size=12, family="display", leading=1.3, width=width, left=left)
        for text in filter(None, others):
            self.write_text(text, size=10, leading=1.35, width=width, left=left)
        self.ln(2)
