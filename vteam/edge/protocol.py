"""HTTP/1.1 as the edge speaks it: uvicorn's httptools protocol, with a limit on time and size of each request.

uvicorn waits for ever for a head that never ends, however long it gets; a door open to strangers must not. Whoever
is late or long is hung up on without a word. Nothing here is logged.
"""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

REQUEST_SECONDS_MAX = 10
REQUEST_BYTES_MAX = 16 * 1024


class EdgeProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._bytes = 0
        self._receiving = False
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A new connection has as long for its first request as a late one."""
        super().connection_made(transport)
        self._late = self.loop.call_later(REQUEST_SECONDS_MAX, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A whole request, several, or a part of one."""
        super().data_received(data)
        if self._receiving:
            self._bytes += len(data)
            if self._late is None:
                self._late = self.loop.call_later(REQUEST_SECONDS_MAX, self.transport.close)
            if self._bytes > REQUEST_BYTES_MAX:
                self.transport.close()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._receiving = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """The last byte of a request, in time."""
        self._receiving = False
        self._bytes = 0
        if self._late is not None:
            self._in_time()
        super().on_message_complete()

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
