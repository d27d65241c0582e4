"""What objects in virtual worlds send to their door and are answered, as its OpenAPI describes it."""

from ninja import Field, Schema
from pydantic import ConfigDict

from vteam.channels.worlds.pages import ADDRESS_BYTES_MAX, ASK_BYTES, CHOICE_LENGTH_MAX, LABEL_BYTES

URL = r"^(https?://[!-~]{1,290})?$"
CHOICE = f"^[a-z0-9:-]{{1,{CHOICE_LENGTH_MAX}}}$"


class Asked(Schema):
    """Nothing but what is named; numbers are not read as texts."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Code(Asked):
    """What the object's owner typed."""

    code: str = Field(min_length=1, max_length=40)


class Touch(Asked):
    """Who touched the object. `at`: which of the two it was."""

    avatar: str = Field(min_length=1, max_length=64)
    name: str = Field("", max_length=64)
    language: str = Field("", max_length=16)
    at: str = Field("kiosk", pattern="^(kiosk|room)$")


class Present(Asked):
    """Who pressed “I'm here”."""

    avatar: str = Field(min_length=1, max_length=64)
    name: str = Field("", max_length=64)
    language: str = Field("", max_length=16)


class Action(Present):
    """What they chose, or typed where they were asked to."""

    choice: str = Field(pattern=CHOICE)
    text: str = Field("", max_length=400)


class Heartbeat(Asked):
    """Where the object can be told another line, and where its listening room is."""

    url: str = Field("", max_length=300, pattern=URL)
    room: str = Field("", max_length=80)


class Said(Schema):
    """A text to show."""

    text: str


class Refused(Said):
    """Why a request was not taken, in words and for the object's script."""

    why: str


class Key(Said):
    """What signs the object's requests from now on."""

    key: str
    secret: str
    line: str
    neutral: str = Field(description="the line of a kiosk that announces nothing, or was closed")


class Line(Schema):
    """The one line above the object."""

    line: str


class AskShown(Schema):
    """The resident may type something, to be sent with `choice`."""

    choice: str
    label: str = Field(description=f"at most {ASK_BYTES} bytes")


class OpenShown(Schema):
    """An address for this resident alone."""

    address: str = Field(description=f"at most {ADDRESS_BYTES_MAX} bytes")
    label: str = Field(description=f"at most {ASK_BYTES} bytes")
    flyer: bool
    note: str | None = Field(None, description="what goes with a flyer, wherever it is handed on")


class PageShown(Schema):
    """What to show to this resident, and to nobody else."""

    title: str
    text: str
    choices: list[tuple[str, str]] = Field(description=f"identifier and label of at most {LABEL_BYTES} bytes")
    ask: AskShown | None = None
    open: OpenShown | None = None
    line: str
