"""The real client of Minetest: what a person sees who right-clicks the kiosk, and presses a button there."""

from pathlib import Path

from PIL import Image

from tests.worlds.luanti import pages
from tests.worlds.luanti.client import coloured, playing, share_of
from tests.worlds.luanti.conftest import set_up
from tests.worlds.luanti.door import LINE, WELCOME, standing
from tests.worlds.luanti.server import KIOSK, running

PAPER, VERMILION, CARD = (246, 239, 227), (255, 90, 60), (255, 250, 241)
# Paper as it looks in the world's light.
POSTER = (241, 234, 227)


def first_button(image: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int]:
    """The middle of the uppermost thing of this colour in the lower two thirds, where the buttons are."""
    top = image.height // 3
    left, upper, right, _ = (
        coloured(image.crop((0, top, image.width, image.height)), colour).getbbox() or (0,) * 4
    )
    assert right, colour
    return (left + right) // 2, top + upper + 15


def test_carol_sees_the_poster_touches_it_and_presses_a_button(tmp_path: Path) -> None:
    with standing() as door, running(tmp_path / "server", vteam_address=door.address) as server:
        door.answer = lambda path, told: pages.LONG if path.endswith("touch") else WELCOME
        set_up(server, door.code())
        # Ana would stand between Carol and the kiosk.
        server.players.pop().leave()
        with playing(tmp_path / "client", server.port, "carol", language="fr") as carol:
            server.logged("carol [127.0.0.1] joins", 30)
            world = carol.wait_for(POSTER, 0.03)
            assert share_of(world, PAPER) < 0.2
            carol.focus()
            carol.hold_right_button(until=lambda: bool(door.asked("touch")))
            touch = door.wait("touch")
            assert touch.told == {"avatar": "carol", "name": "carol", "language": "fr"}
            # Cards are the page's buttons: "One moment" has none.
            shown = carol.wait_for(CARD, 0.05, 60)
            assert share_of(shown, PAPER) > 0.2
            assert share_of(shown, VERMILION) > 0.02
            carol.click(*first_button(shown, VERMILION))
            assert door.wait("action").told["choice"] == "missions"
            carol.keys("Escape")
            carol.wait_for(POSTER, 0.03)
            assert server.log.count("ERROR") == 0
            assert "ERROR" not in carol.log
        bo = server.join()
        bo.wait(lambda: bo.nodes[KIOSK]["infotext"] == LINE)
