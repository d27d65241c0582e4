"""What may leave has one way out: read in the code itself, file by file."""

import ast
from collections.abc import Iterator
from pathlib import Path

VTEAM = Path(__file__).parents[2] / "vteam"


def names_in(path: Path) -> Iterator[tuple[str, str]]:
    """Every module imported and every name called in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (("import", alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield "import", node.module or ""
            yield from (("import", f"{node.module}.{alias.name}") for alias in node.names)
        if isinstance(node, ast.Call):
            yield (
                "call",
                node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""),
            )


def using(*wanted: tuple[str, str]) -> set[str]:
    return {
        path.relative_to(VTEAM).as_posix()
        for path in VTEAM.rglob("*.py")
        if "migrations" not in path.parts
        for found in names_in(path)
        if found in wanted
    }


def test_smtp_is_opened_in_one_file_and_letters_are_handed_over_in_one() -> None:
    ways = ("smtplib", "aiosmtplib", "django.core.mail", "django.core.mail.send_mail", "asyncore", "lmtp")
    assert using(*(("import", way) for way in ways)) == {"channels/mail/servers.py"}
    others = (
        "send_mail",
        "send_mass_mail",
        "mail_admins",
        "mail_managers",
        "EmailMultiAlternatives",
        "sendmail",
    )
    assert using(*(("call", name) for name in others)) == {"channels/mail/servers.py"}
    assert using(("import", "vteam.channels.mail.servers")) <= {
        "web/views/mailbox.py",
        "channels/mail/delivery.py",
    }
    handing = using(("import", "vteam.channels.mail.servers.server"), ("call", "server"), ("call", "hand"))
    assert handing == {"channels/mail/delivery.py"}


def test_permits_are_made_by_the_gate_alone_and_taken_by_the_delivery_alone() -> None:
    assert using(("call", "Permit")) == {"permissions/services.py"}
    assert using(("call", "permits"), ("call", "permit_code")) == {"channels/mail/delivery.py"}


def test_a_yes_is_said_by_pages_alone() -> None:
    """No command, job or channel gives a yes in somebody's name."""
    assert using(("call", "record_said")) == {"web/views/reaching.py"}


def test_others_are_asked_over_http_by_one_fetcher() -> None:
    clients = (
        "urllib.request",
        "http.client",
        "requests",
        "httpx",
        "aiohttp",
        "httptools.HttpResponseParser",
    )
    found = using(*(("import", client) for client in clients), ("call", "HttpResponseParser"))
    # The other asks our own processes on this machine whether they are well.
    assert found == {"fetching.py", "processes/doors.py"}
