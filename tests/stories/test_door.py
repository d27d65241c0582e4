"""The night of the concert: Bo has won two places, and two phones at two doors let in who shows the tickets, one of
them without network. The cameras see what Bo kept as pictures.
"""

import datetime as dt
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bench.crossing import CHROMIUM_ARGUMENTS, PHONE
from tests.channels.edges import eventually
from tests.stories.conftest import CHROMIUM, PATIENCE_MS, Installation, Visit, running, waits_longer
from tests.stories.people import apply, bo_is_first, ends_soon, open_what_was_won, organiser_comes
from vteam import clock

HOURS_AHEAD = 3
# Within this the server has to answer, or a phone goes by its own list.
ANSWER_MS = 900
KEEPS_THE_LIST = """
async () => {
    const answer = asked => new Promise((resolve, reject) => {
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = reject;
    });
    const kept = await answer(indexedDB.open("vteam-door"));
    const list = await answer(kept.transaction("door").objectStore("door").get("known"));
    kept.close();
    return Boolean(list);
}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running(tmp_path_factory, database="door") as found:
        yield found


def tonight(text: str) -> str:
    """A campaign file whose concert is today, some hours from now, where it is noon."""
    now = clock.now().replace(microsecond=0)
    ahead = 12 - now.hour
    zone = f"Etc/GMT{-ahead:+d}"  # west of Greenwich is positive there
    begins = (now + dt.timedelta(hours=ahead + HOURS_AHEAD)).replace(tzinfo=None)
    head, last, night = text.partition('key = "last-night"\nname')
    night = re.sub(r"(?m)^at = .*$", f'at = {begins.isoformat()}\ntime_zone = "{zone}"', night, count=1)
    return head + last + night


def seen_by_camera(picture: Path) -> Path:
    """A film of a picture held before a camera, as Chromium's false camera plays it."""
    film = picture.with_suffix(".mjpeg")
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-y", "-loop", "1", "-i", picture, "-t", "1", "-r", "5",
         "-vf", "scale=720:1080,pad=1280:1080:(ow-iw)/2:0:white", "-pix_fmt", "yuvj420p", film],
        check=True,
    )  # fmt: skip
    return film


class AtDoor:
    """A phone at a door, whose camera sees one film."""

    def __init__(self, context: BrowserContext, place: Installation, host: str) -> None:
        self.context, self.page = context, context.pages[0]
        self.address = place.address("/door", host=host)

    def open(self, code: str) -> None:
        self.page.goto(self.address)
        self.page.locator("[name=code]").fill(code)
        self.page.get_by_role("button", name="Open the door").click()
        expect(self.page.locator("#state")).to_contain_text("of 2 expected")

    def scan(self) -> None:
        self.page.get_by_role("button", name="Scan tickets").click()

    def said(self) -> str:
        return self.page.locator("#said").inner_text()


Phones = Callable[[Path, str], AtDoor]


@pytest.fixture
def phones(tmp_path: Path, place: Installation, chromium: Browser) -> Iterator[Phones]:
    """Makes a phone with a false camera, in a Chromium of its own: the film is one of the browser's arguments."""
    opened: list[BrowserContext] = []

    def phone(film: Path, host: str) -> AtDoor:
        camera = [
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        ]
        context = chromium.browser_type.launch_persistent_context(
            str(tmp_path / host),
            executable_path=CHROMIUM,
            args=[*CHROMIUM_ARGUMENTS, *camera],
            locale="en-GB",
            permissions=["camera"],
            **PHONE,
        )
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        return AtDoor(context, place, host)

    yield phone
    for context in opened:
        context.close()


def win_two_places(place: Installation, visit: Visit) -> tuple[Page, Page]:
    """Bo is the first of the ranking, the season ends, and he claims what he has won; Ana is there."""
    bo, ana = bo_is_first(visit, place), organiser_comes(visit, place)
    apply(place, tonight(ends_soon((place.folder / "campaign.toml").read_text())))
    open_what_was_won(bo, place, "Two places")
    bo.locator("[name=name]").fill("Bo Le Goff")
    bo.locator("[name=age][value=adult]").check(force=True)
    bo.get_by_role("button", name="Claim it").click()
    expect(bo.locator("h1")).to_have_text("It is yours.")
    return bo, ana


def make_door(ana: Page, name: str) -> str:
    ana.locator("form [name=name]").fill(name)
    ana.get_by_role("button", name="Make a door").click()
    return ana.locator(".door__code").inner_text()


def codes_in(file: Path) -> list[str]:
    """What a scanner reads in a picture, or on the pages of a PDF."""
    pages = [file]
    if file.suffix == ".pdf":
        subprocess.run(["pdftoppm", "-r", "120", "-png", file, file.with_suffix("")], check=True)
        pages = sorted(file.parent.glob(f"{file.stem}-*.png"))
    read = subprocess.run(["zbarimg", "--quiet", "--raw", *pages], check=True, capture_output=True, text=True)
    return read.stdout.split()


@pytest.mark.browser
def test_bos_tickets_are_scanned_at_two_doors_one_of_them_without_network(
    place: Installation, visit: Visit, phones: Phones, tmp_path: Path
) -> None:
    bo, ana = win_two_places(place, visit)

    # He keeps both as pictures, and prints them: each shows its own code, the same in both.
    kept = []
    for n in (0, 1):
        with bo.expect_download() as picture:
            bo.get_by_role("link", name="as a picture").nth(n).click()
        kept.append(tmp_path / f"ticket-{n}.png")
        picture.value.save_as(kept[n])
    with bo.expect_download() as printed:
        bo.get_by_role("link", name="All of them to print, as a PDF").click()
    printed.value.save_as(tmp_path / "tickets.pdf")
    on_pictures = [code for each in kept for code in codes_in(each)]
    assert len(set(on_pictures)) == 2
    assert codes_in(tmp_path / "tickets.pdf") == on_pictures

    # Ana makes two doors, and hands their codes to two people.
    ana.get_by_role("link", name="Prizes", exact=True).first.click()
    ana.get_by_role("link", name="The last night of the tour", exact=True).click()
    expect(ana.locator("main")).to_contain_text("Bo Le Goff")
    codes = [make_door(ana, name) for name in ("Main door", "Back door")]
    main = phones(seen_by_camera(kept[0]), "main.localhost")
    main.context.add_init_script(waits_longer(ANSWER_MS, PATIENCE_MS))
    back = phones(seen_by_camera(kept[1]), "back.localhost")
    main.open(codes[0])
    back.open(codes[1])

    # At the main door the first ticket comes in.
    main.scan()
    expect(main.page.locator(".verdict--in")).to_contain_text("Bo Le Goff")
    expect(main.page.locator("#state")).to_contain_text("1 in, of 2 expected")

    # The back door loses its network; the page even has to be opened anew. The second ticket comes in all the same.
    back.page.evaluate("async () => { await navigator.serviceWorker.ready }")
    back.page.reload()
    expect(back.page.locator("#state")).to_contain_text("of 2 expected")
    eventually(lambda: bool(back.page.evaluate(KEEPS_THE_LIST)))
    back.context.set_offline(True)
    back.page.reload()
    back.scan()
    expect(back.page.locator(".verdict--in")).to_contain_text("By this phone’s own list")
    expect(back.page.locator("[data-waiting]")).to_contain_text("1 let in by this phone")
    # Opened anew once more, it has not forgotten whom it let in.
    back.page.reload()
    back.scan()
    expect(back.page.locator(".verdict--no")).to_contain_text("Somebody is in with it already")
    back.page.locator("#name").fill("goff")
    back.page.get_by_role("button", name="Look for it").click()
    expect(back.page.locator("[data-trouble=names]")).to_contain_text("take the printed guest list")

    # Meanwhile the main door let somebody in with that same ticket's place, by the name.
    main.page.locator("#name").fill("le goff")
    main.page.get_by_role("button", name="Look for it").click()
    main.page.get_by_role("button", name=re.compile("Let in.*Bo Le Goff, 2")).click()
    expect(main.page.locator(".verdict--in")).to_contain_text("Place 2")
    expect(main.page.locator("#state")).to_contain_text("2 in, of 2 expected")

    # With network again the back door tells, and the conflict shows to the doors and to Ana.
    back.context.set_offline(False)
    expect(back.page.locator("[data-waiting]")).to_be_hidden()
    expect(back.page.locator("#state")).to_contain_text("1 let in on a ticket that was no good")
    ana.goto(ana.url)
    expect(ana.locator("main")).to_contain_text("Back door, without network: somebody was in with it already")
    with ana.expect_download() as guests:
        ana.get_by_role("link", name="as a table").click()
    assert "Bo Le Goff,1,2," in Path(guests.value.path()).read_text(encoding="utf-8-sig")

    # A ticket that is in does not come in again; and Bo sees that he is in.
    main.page.reload()
    main.scan()
    expect(main.page.locator(".verdict--no")).to_contain_text("Somebody is in with it already")
    bo.reload()
    expect(bo.locator("h1")).to_have_text("You are in.")
    main.page.get_by_role("button", name="Leave this door").click()
    expect(main.page.locator("main")).to_contain_text("type the code you have from the organiser")
