"""The edge's one ASGI application: which door a request is at, and the answer's way out.

No framework, no Django, no cookie, no access log. A door that cannot do its work now answers 503 and when to come
again; nothing it could not record is answered as if it were.
"""

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

from vteam.channels.links.redirect import NO_SUCH_LINK, PREFIX, Answer, Redirect, Request, spoken
from vteam.edge import counted
from vteam.edge.commits import GroupCommit
from vteam.errors import Away

# A client that hung up already has no address any more; it is one network.
NO_PEER = "192.0.2.0"
HEALTHY = spoken(200, "ok\n")
COME_AGAIN = spoken(
    503,
    "We are a little out of breath. Please open the link again in a moment.\n"
    "On reprend notre souffle. Rouvre le lien dans un instant.\n",
    (b"retry-after", b"2"),
)


class Edge:
    """Called by the server for each request. `behind_proxies`: X-Forwarded-For is worth reading."""

    def __init__(self, *, redirect: Redirect, inbox: GroupCommit, behind_proxies: bool) -> None:
        self._redirect = redirect
        self._inbox = inbox
        self._behind_proxies = behind_proxies

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """One request, one answer; neither lifespan nor WebSockets yet."""
        if scope["type"] != "http":
            return
        status, headers, body = await self._answer(scope)
        counted.answer(scope["path"], status)
        await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _answer(self, scope: HTTPScope) -> Answer:
        path = scope["path"]
        try:
            if path.startswith(PREFIX):
                return await self._redirect.answer(self._request(scope))
            if path == "/healthz":
                await self._inbox.check()
                return HEALTHY
        except Away:
            return COME_AGAIN
        return NO_SUCH_LINK

    def _request(self, scope: HTTPScope) -> Request:
        headers = scope["headers"]
        forwarded = b""
        if self._behind_proxies:
            forwarded = b",".join(value for name, value in headers if name == b"x-forwarded-for")
        client = scope["client"]
        return Request(
            scope["method"],
            scope["path"],
            dict(headers),
            client[0] if client else NO_PEER,
            forwarded.decode("latin-1"),
        )
