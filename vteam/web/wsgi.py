"""The site as a WSGI application, for granian or any other server."""

import os
from pathlib import Path
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler
from whitenoise import WhiteNoise

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vteam.settings")
django.setup(set_prefix=False)

STATIC = Path(__file__).parent / "static"


def _is_immutable(path: str, url: str) -> bool:
    """Built files carry their hash in their name (`page-3f2a91.css`), so browsers may keep them for ever."""
    return "-" in Path(path).name


class BuiltFiles(WhiteNoise):  # type: ignore[misc]  # WhiteNoise has no types
    """WhiteNoise lists the built files once, at the start; one that a later build took away is 404, not our fault."""

    @staticmethod
    def serve(static_file: Any, environ: dict[str, Any], start_response: Any) -> Any:
        """WhiteNoise's hook for a listed file."""
        try:
            return WhiteNoise.serve(static_file, environ, start_response)
        except FileNotFoundError:
            start_response("404 Not Found", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])
            return [b"There is no such file (any more). Load the page again."]


application = BuiltFiles(WSGIHandler(), immutable_file_test=_is_immutable)
application.add_files(str(STATIC), prefix="static/")
