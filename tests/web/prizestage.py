"""A campaign with prizes whose season is over, in the browser: what tests of its pages begin with."""

import re
from typing import Any

from django.test import Client

from tests.cast import AT, join
from tests.services.winners import SETTLED, earn, open_with, prize, settle
from vteam.campaigns.models import Campaign
from vteam.campaigns.organisers import invite, take_invitation
from vteam.people.models import Fan
from vteam.prizes.models import Offer
from vteam.prizes.offers import offer_due

SAME = {"Sec-Fetch-Site": "same-origin"}
RECORD = prize(needs="address", countries=["FR", "BE"], value="about 30 €")
POSTER = prize(key="poster", kind="milestone", first=None, milestone=500, how_many=3)
STICKER = prize(key="sticker", kind="first-come", first=None, how_many=1, name="A sticker")
SOUNDCHECK = prize(key="soundcheck", kind="draw", first=None, how_many=1, name="The soundcheck")
TOLD = {
    "name": "Bo Le Goff",
    "street": "3 rue du Port",
    "more": "",
    "postcode": "29680",
    "town": "Roscoff",
    "country": "FR",
}
AT_HOME = "/maree-haute/organise/prizes"


class Stage:
    """A campaign whose result is final, Bo who has won, Ana who organises it."""

    def __init__(self, *prizes: dict[str, Any]) -> None:
        self.campaign: Campaign = open_with(*prizes)
        self.bo: Fan = join(self.campaign.pk, "Bo")
        self.cy: Fan = join(self.campaign.pk, "Cy")
        self.ana: Fan = join(self.campaign.pk, "Ana")
        secret = invite(campaign=self.campaign, name="Ana", at=AT)
        assert secret is not None
        take_invitation(secret=secret, person=self.ana.person)
        earn(self.campaign, self.bo, 2)
        earn(self.campaign, self.cy)

    def settle(self) -> None:
        settle(self.campaign)
        offer_due(at=SETTLED)

    def client(self, fan: Fan | None = None) -> Client:
        found = Client(headers={"Host": "localhost", "Accept-Language": "en", **SAME})
        if fan is not None:
            found.force_login(fan.person)
        return found

    def offer(self, fan: Fan, key: str = "record") -> Offer:
        return Offer.objects.get(fan=fan, prize=key)

    def won(self, fan: Fan, key: str = "record") -> str:
        return f"/maree-haute/prizes/won/{self.offer(fan, key).pk}"


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())
