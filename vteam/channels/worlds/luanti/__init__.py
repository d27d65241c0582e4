"""The kiosk for Luanti (Minetest): the mod is in `vteam/`, its pictures are drawn by `textures.py`."""

import io
import zipfile
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).with_name("vteam")
# The same files are the same bytes, whenever they were put together: the first day a ZIP can name.
DAY = (1980, 1, 1, 0, 0, 0)


@lru_cache(maxsize=1)
def mod_archive() -> bytes:
    """The mod as a ZIP with one folder in it, as servers have it among their mods."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(each for each in FOLDER.rglob("*") if each.is_file()):
            named = zipfile.ZipInfo(str(Path("vteam") / path.relative_to(FOLDER)), date_time=DAY)
            named.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(named, path.read_bytes())
    return packed.getvalue()
