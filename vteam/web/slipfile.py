"""Draws a permission slip as a PDF: an A4 page in the campaign's colours, with a code that asks whether it still holds.

A letter the fonts do not have is on the page behind the code.
"""

import datetime as dt

from django.utils.translation import gettext as _

from vteam.campaigns.files import path_of
from vteam.campaigns.models import Campaign
from vteam.campaigns.slips import Slip
from vteam.web.sheet import BAND, COLUMN, GAP, MARGIN, SOFT, WIDTH, Sheet
from vteam.web.templatetags.vteam import hour, local, long_day, moment
from vteam.web.templatetags.vteam_words import role_name, slip_until

# Millimetres.
COVER, CODE = 52, 34


def drawn(slip: Slip, *, campaign: Campaign, name: str, address: str, at: dt.datetime) -> bytes:
    """The file for the fan called `name`, made at `at`; `address`: the whole address of the slip's page."""
    sheet = _Slip(campaign)
    sheet.set_title(_("May “%(title)s” be passed on?") % {"title": slip.title.name})
    sheet.head(slip)
    sheet.who(slip)
    sheet.what(slip)
    sheet.foot(name=name, address=address, at=at)
    return bytes(sheet.output())


class _Slip(Sheet):
    """The page while it is drawn, from its head to its foot."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(campaign, foot=MARGIN + CODE + GAP)

    def head(self, slip: Slip) -> None:
        """What it is about, and the answer."""
        self.band()
        self.image(
            str(path_of(self.campaign.pictures["page"])), WIDTH - MARGIN - COVER, BAND + GAP, COVER, COVER
        )
        self.set_xy(MARGIN, BAND + GAP)
        beside = COLUMN - COVER - GAP
        self.write_text(
            f"{slip.title.artist} · {self.campaign.file.name}", size=10, colour=SOFT, width=beside, after=2
        )
        asked = _("May “%(title)s” be passed on?") % {"title": slip.title.name}
        self.write_text(asked, size=25, family="display", leading=1.06, width=beside, after=3)
        self.write_text(
            _("Yes."), size=58, family="display", colour=self.second.text, leading=1.0, width=beside
        )
        self.set_y(max(self.get_y(), BAND + GAP + COVER) + GAP)
        self.write_text(slip_until(slip, self.campaign), size=13)

    def who(self, slip: Slip) -> None:
        """Each holder, with the day of their yes."""
        self.heading(_("Who allowed it"))
        for agreement in slip.agreements:
            given = local(moment(agreement.at_us), self.campaign)
            said = _("agreed on %(day)s") % {"day": long_day(given)}
            self.write_text(agreement.holder.name, size=12, family="display", leading=1.3)
            self.write_text(f"{role_name(agreement.holder.role)} · {said}", size=10, colour=SOFT, after=2)

    def what(self, slip: Slip) -> None:
        """The very words they agreed to, each once."""
        self.heading(_("What they agreed to"))
        for text in dict.fromkeys(agreement.text for agreement in slip.agreements):
            self.write_text(text, size=11, after=2)

    def foot(self, *, name: str, address: str, at: dt.datetime) -> None:
        """Where to ask whether it still holds, and for whom the slip was made."""
        top = self.h - MARGIN - CODE
        self.set_auto_page_break(auto=False)
        self.rule(top - GAP / 2)
        self.code(address, MARGIN, top, CODE)
        beside, left = COLUMN - CODE - GAP, MARGIN + CODE + GAP
        self.set_xy(left, top)
        self.write_text(_("Does it still hold?"), size=13, family="display", width=beside, left=left)
        ask = _("An agreement can be taken back at any moment. This address says how it stands:")
        self.write_text(ask, size=10, width=beside, left=left)
        self.write_text(address, size=10, colour=self.second.text, width=beside, left=left, after=2)
        here = local(at, self.campaign)
        who = {"name": name, "team": self.campaign.file.team}
        made = _("Made for %(name)s of %(team)s on %(day)s, %(time)s.") % {
            **who,
            "day": long_day(here),
            "time": hour(here),
        }
        self.write_text(made, size=9, colour=SOFT, width=beside, left=left)
