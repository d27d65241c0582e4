"""A kiosk among residents, in both worlds."""

from tests.worlds.lsldoor import Door
from tests.worlds.lslworld import Resident, World


def test_bo_touches_the_kiosk_and_is_shown_a_page_of_the_vteam(kiosk: World, door: Door) -> None:
    bo = Resident("Bo Resident", "fr")
    kiosk.touch(bo)
    kiosk.run(3)
    assert door.got[-1].values == {"avatar": bo.key, "name": "Bo Resident", "language": "fr"}
    assert bo.dialog.text == "La vTeam de Lune Noire\n\nHello Bo Resident."
    assert bo.dialog.buttons == ("I'm here", "Missions", "Bring", "Link me")
