"""What a scenario's own HTTP server offers to the node: files to fetch, and an answer to every call."""

from __future__ import annotations

import base64
import io
import json
import threading
import zipfile
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from msgspec import Struct

ANSWER = {"choices": [{"message": {"content": "hi"}}], "embedding": [0.1, 0.2]}
"""What the model behind every connector answers."""

_NO_TIME = (1980, 1, 1, 0, 0, 0)
_LONG_BYTES = 100_000


class Served(Struct, frozen=True):
    """One file: its bytes, the status it is answered with, and the seconds until the answer begins."""

    content: bytes
    status: int = 200
    after: float = 0.0

    def header(self) -> dict[str, Any]:
        """The file as the header of a recording has it."""
        return {"base64": base64.b64encode(self.content).decode(), "status": self.status, "after": self.after}

    @classmethod
    def of_header(cls, values: Mapping[str, Any]) -> Served:
        """The file that a recording's header tells of. Raises ValueError or LookupError for what is none."""
        content = base64.b64decode(values["base64"], validate=True)
        return cls(content, int(values["status"]), float(values["after"]))


def zipped(entries: Mapping[str, bytes]) -> bytes:
    """A zip of these entries, in their order: the same bytes each time. Only what is long is compressed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in entries.items():
            method = zipfile.ZIP_DEFLATED if len(content) > _LONG_BYTES else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(name, _NO_TIME), content, method)
    return packed.getvalue()


class FileServer:
    """Serves files below `url` on loopback until left; every POST is answered with `ANSWER`."""

    def __init__(self, files: Mapping[str, Served], port: int = 0) -> None:
        released = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                served = files.get(self.path.removeprefix("/"), Served(b"", 404))
                released.wait(served.after)
                self._answer(served.status, served.content, "application/octet-stream")

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self._answer(200, json.dumps(ANSWER).encode(), "application/json")

            def _answer(self, status: int, content: bytes, content_type: str) -> None:
                self.send_response(status)
                self.send_header("content-type", content_type)
                self.send_header("content-length", str(len(content)))
                # A connection that stayed open would ask the files of this scenario in the next one too.
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                """Say nothing."""

        self._released = released
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FileServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
