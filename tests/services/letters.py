"""Reading the demo's mailbox as its owner would: the letters, the code in one, the links in one."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import unquote

from vteam.channels.mail.servers import mailbox_path


def in_the_mailbox() -> list[EmailMessage]:
    """The letters in the demo's mailbox, by their recipients."""
    files = [path for folder in ("new", "cur") for path in (mailbox_path() / folder).glob("*")]
    letters = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
    return sorted(letters, key=lambda letter: str(letter["To"]))


def text_of(letter: EmailMessage) -> str:
    return str(letter.get_content()).replace("\r\n", "\n")


def code_in(letter: EmailMessage) -> str:
    found = re.search(r"^ +(\d{6})$", text_of(letter), re.MULTILINE)
    assert found is not None, text_of(letter)
    return found[1]


def link_in(letter: EmailMessage, path: str) -> str:
    found = re.search(rf"{path}\?k=(\S+)", text_of(letter))
    assert found is not None, text_of(letter)
    return unquote(found[1])


def parts_of(letter: EmailMessage) -> tuple[str, str]:
    """A letter's plain text and its page."""
    text, page = letter.get_body(("plain",)), letter.get_body(("html",))
    assert isinstance(text, EmailMessage)
    assert isinstance(page, EmailMessage)
    return text_of(text), text_of(page)
