"""One HTTP connection: uvicorn's, less what it does to an upgrade, and open to the application."""

from __future__ import annotations

from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mlconform.mock_server.core import Connection

_OF_UPGRADES = (b"upgrade", b"http2-settings")


class HttpConnection(HttpToolsProtocol):
    """Takes no upgrade, and shows the application its transport, which may have to be broken.

    RFC 9110, 7.8: a server may ignore an offer to speak another protocol. The parser takes every offer as
    accepted and what follows as no longer HTTP, so a request that makes one is read again without it.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._without_upgrade = b""
        self._remembered = Connection()

    def data_received(self, data: bytes) -> None:
        """Read what came. A request that is no HTTP is answered with 400."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            again, self._without_upgrade = self._without_upgrade, b""
            if again:
                self.data_received(again + data[offer.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["state"]["transport"] = self.transport
        self.scope["state"]["connection"] = self._remembered

    def on_headers_complete(self) -> None:
        """The head is there; that of an offer is only kept, to be read again."""
        # CONNECT asks for a tunnel in its first line: there is nothing to leave out.
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._without_upgrade = self._head()
        else:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The whole request is there."""
        if not self._without_upgrade:
            super().on_message_complete()

    def _head(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                tokens = (token.strip() for token in value.split(b","))
                value = b", ".join(token for token in tokens if token.lower() not in _OF_UPGRADES)  # noqa: PLW2901
            if value and name not in _OF_UPGRADES:
                lines.append(b"%s: %s" % (name, value))
        return b"\r\n".join([*lines, b"", b""])
