"""The edge's doors: which one a request is at, and when its answer may leave.

No framework, no Django, no cookie, no access log. A door that cannot do its work now answers 503 and when to come
again; nothing it could not record is answered as if it were.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from vteam.channels.links.redirect import NO_SUCH_LINK, PREFIX, Answer, Redirect, Reply, Request, spoken
from vteam.channels.swarm.torrents.announce import PREFIX as ANNOUNCE
from vteam.edge import counted, sockets
from vteam.edge.commits import GroupCommit
from vteam.edge.tasks import Tasks
from vteam.errors import Away

HEALTHY = spoken(200, "ok\n")
COME_AGAIN = spoken(
    503,
    "We are a little out of breath. Please open the link again in a moment.\n"
    "On reprend notre souffle. Rouvre le lien dans un instant.\n",
    (b"retry-after", b"2"),
)
OUR_FAULT = spoken(
    500,
    "Something broke on our side. Please open the link again in a while.\n"
    "Quelque chose s'est cassé chez nous. Rouvre le lien un peu plus tard.\n",
)

NOT_FROM_HERE = spoken(
    403,
    "Only our own pages may talk here.\nSeules nos propres pages peuvent parler ici.\n",
)
TOO_MANY_HERE = spoken(
    429,
    "Too many pages from your network are open here. Please close one.\n"
    "Trop de pages sont ouvertes ici depuis ton réseau. Fermes-en une.\n",
)
FOR_PAGES = spoken(
    426,
    "This address is for our pages to talk to; there is nothing to see.\n"
    "Cette adresse sert à nos pages pour se parler ; il n'y a rien à voir.\n",
    (b"upgrade", b"websocket"),
)

FAULT = "a request was not answered as it should be: our own fault"

Send = Callable[[Answer], None]
logger = logging.getLogger(__name__)


class Announces(Protocol):
    """The tracker's door."""

    def reply(self, request: Request) -> Reply | Awaitable[Reply]:
        """The answer to an announce."""


class Edge:
    """Answers requests in the loop's thread, most of them without a task of their own.

    `tells_local`: whether requests say which address of ours they came to, which costs each connection a question.
    """

    def __init__(
        self,
        *,
        redirect: Redirect,
        inbox: GroupCommit,
        door: sockets.Door | None = None,
        tracker: Announces | None = None,
        tells_local: bool = False,
    ) -> None:
        self.tells_local = tells_local
        self._redirect = redirect
        self._tracker = tracker
        self.door = door
        self._inbox = inbox
        self._tasks = Tasks()

    def answer(self, request: Request, send: Send) -> None:
        """Calls `send` exactly once: now, or when the visit is durable or cannot be."""
        told = partial(_told, request.path, send)
        try:
            reply = self._reply(request)
        except Exception:
            logger.exception(FAULT)
            reply = Reply(OUR_FAULT)
        if isinstance(reply, Reply):
            self._leave(reply, told)
        else:
            self._tasks.start(self._awaited(reply, told))

    def _reply(self, request: Request) -> Reply | Awaitable[Reply]:
        if request.path.startswith(PREFIX):
            return self._redirect.reply(request)
        if request.path.startswith(ANNOUNCE) and self._tracker is not None:
            return self._tracker.reply(request)
        if request.path == "/healthz":
            return self._health()
        if request.path == sockets.PATH and self.door is not None:
            return Reply(
                {403: NOT_FROM_HERE, 429: TOO_MANY_HERE}.get(self.door.refuses(request) or 0, FOR_PAGES)
            )
        return Reply(NO_SUCH_LINK)

    async def _health(self) -> Reply:
        await self._inbox.check()
        return Reply(HEALTHY)

    async def _awaited(self, coming: Awaitable[Reply], told: Send) -> None:
        try:
            reply = await coming
        except Away:
            reply = Reply(COME_AGAIN)
        except Exception:
            logger.exception(FAULT)
            reply = Reply(OUR_FAULT)
        self._leave(reply, told)

    def _leave(self, reply: Reply, told: Send) -> None:
        if reply.visit is None:
            told(reply.answer)
        else:
            self._inbox.record(reply.visit, partial(_recorded, reply.answer, told))


def _recorded(answer: Answer, told: Send, away: Away | None) -> None:
    told(COME_AGAIN if away else answer)


def _told(path: str, send: Send, answer: Answer) -> None:
    counted.answer(path, answer.status)
    send(answer)
