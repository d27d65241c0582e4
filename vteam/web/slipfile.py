"""Draws a permission slip as a PDF: an A4 page in the campaign's colours, with a code that asks whether it still holds.

In the pages' own fonts. A letter they do not have (they write Latin) is drawn as an empty box; the page behind the
code has it.
"""

import datetime as dt
import io

import segno
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos

from vteam.campaigns.files import path_of
from vteam.campaigns.models import Campaign
from vteam.campaigns.slips import Slip
from vteam.web.assets import asset_file
from vteam.web.colour import Scheme, spot
from vteam.web.templatetags.vteam import hour, local, long_day, moment
from vteam.web.templatetags.vteam_words import role_name, slip_until

# Millimetres.
WIDTH, MARGIN, GAP, COVER, CODE, BAND = 210, 20, 8, 52, 34, 7
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


def drawn(slip: Slip, *, campaign: Campaign, name: str, address: str, at: dt.datetime) -> bytes:
    """The file for the fan called `name`, made at `at`; `address`: the whole address of the slip's page."""
    sheet = _Sheet(campaign)
    sheet.set_title(_("May “%(title)s” be passed on?") % {"title": slip.title.name})
    sheet.head(slip)
    sheet.who(slip)
    sheet.what(slip)
    sheet.foot(name=name, address=address, at=at)
    return bytes(sheet.output())


class _Sheet(FPDF):
    """The page while it is drawn, from its head to its foot."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(format="A4")
        self.campaign = campaign
        colours = [spot(colour, Scheme.LIGHT) for colour in campaign.file.theme.colours]
        self.first, self.second = colours
        for family, file in FONTS.items():
            self.add_font(family, fname=asset_file(file))
        self.set_fallback_fonts(["text-more", "display-more"], exact_match=False)
        self.alias_nb_pages("")  # nobody's name is a place for the number of pages
        self.set_lang(get_language() or "en")
        self.set_margin(MARGIN)
        self.set_auto_page_break(auto=True, margin=MARGIN + CODE + GAP)
        self.add_page()

    def head(self, slip: Slip) -> None:
        """What it is about, and the answer."""
        self.set_fill_color(self.first.fill)
        self.rect(0, 0, WIDTH, BAND, style="F")
        self.image(
            str(path_of(self.campaign.pictures["page"])), WIDTH - MARGIN - COVER, BAND + GAP, COVER, COVER
        )
        self.set_xy(MARGIN, BAND + GAP)
        beside = COLUMN - COVER - GAP
        self._write(
            f"{slip.title.artist} · {self.campaign.file.name}", size=10, colour=SOFT, width=beside, after=2
        )
        asked = _("May “%(title)s” be passed on?") % {"title": slip.title.name}
        self._write(asked, size=25, family="display", leading=1.06, width=beside, after=3)
        self._write(_("Yes."), size=58, family="display", colour=self.second.text, leading=1.0, width=beside)
        self.set_y(max(self.get_y(), BAND + GAP + COVER) + GAP)
        self._write(slip_until(slip, self.campaign), size=13)

    def who(self, slip: Slip) -> None:
        """Each holder, with the day of their yes."""
        self._heading(_("Who allowed it"))
        for agreement in slip.agreements:
            given = local(moment(agreement.at_us), self.campaign)
            said = _("agreed on %(day)s") % {"day": long_day(given)}
            self._write(agreement.holder.name, size=12, family="display", leading=1.3)
            self._write(f"{role_name(agreement.holder.role)} · {said}", size=10, colour=SOFT, after=2)

    def what(self, slip: Slip) -> None:
        """The very words they agreed to, each once."""
        self._heading(_("What they agreed to"))
        for text in dict.fromkeys(agreement.text for agreement in slip.agreements):
            self._write(text, size=11, after=2)

    def foot(self, *, name: str, address: str, at: dt.datetime) -> None:
        """Where to ask whether it still holds, and for whom the slip was made."""
        top = self.h - MARGIN - CODE
        self.set_auto_page_break(auto=False)
        self.set_draw_color(*HAIRLINE)
        self.line(MARGIN, top - GAP / 2, WIDTH - MARGIN, top - GAP / 2)
        code = io.BytesIO()
        segno.make(address, error="m", micro=False).save(code, kind="png", scale=12, border=0)
        self.image(code, MARGIN, top, CODE, CODE, alt_text=address)
        beside, left = COLUMN - CODE - GAP, MARGIN + CODE + GAP
        self.set_xy(left, top)
        self._write(_("Does it still hold?"), size=13, family="display", width=beside, left=left)
        ask = _("An agreement can be taken back at any moment. This address says how it stands:")
        self._write(ask, size=10, width=beside, left=left)
        self._write(address, size=10, colour=self.second.text, width=beside, left=left, after=2)
        here = local(at, self.campaign)
        who = {"name": name, "team": self.campaign.file.team}
        made = _("Made for %(name)s of %(team)s on %(day)s, %(time)s.") % {
            **who,
            "day": long_day(here),
            "time": hour(here),
        }
        self._write(made, size=9, colour=SOFT, width=beside, left=left)

    def _heading(self, text: str) -> None:
        self.ln(GAP)
        self._write(text, size=15, family="display", after=1.5)

    def _write(
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
        self.set_font(family, size=size)
        self.set_text_color(colour) if isinstance(colour, str) else self.set_text_color(*colour)
        self.set_x(left)
        height = size * leading * MM_PER_POINT
        self.multi_cell(width, height, text, align=Align.L, new_x=XPos.LEFT, new_y=YPos.NEXT)
        if after:
            self.ln(after)
