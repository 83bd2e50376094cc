"""The model that a remote model's connector points at: a small HTTP server which the run itself starts."""

from __future__ import annotations

from typing import Any

from pytest_httpserver import HTTPServer

PREDICT_PATH = "/v1/predict"
ANSWER: dict[str, Any] = {"choices": [{"message": {"content": "hi"}}], "embedding": [0.1, 0.2]}


class ModelEndpoint:
    """Answers every call at `url` with the same JSON object, until closed.

    `host` must be an address under which the target can reach this machine.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host = host
        self._server: HTTPServer | None = None

    @property
    def url(self) -> str:
        """The address to put into a connector; the server starts at the first use."""
        if self._server is None:
            self._server = HTTPServer(host=self._host, port=0, threaded=True)
            self._server.expect_request(PREDICT_PATH).respond_with_json(ANSWER)
            self._server.start()
        return str(self._server.url_for(PREDICT_PATH))

    def close(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
