"""A running mock for tests: a real HTTP server on a loopback port, in a thread of this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from mlconform.mock_server.asgi import HOST, serving_nodes
from mlconform.mock_server.certificates import certificates
from mlconform.mock_server.core import Request
from mlconform.mock_server.server import MockServer


class RunningMock(Struct, frozen=True):
    """A mock that listens at `url`; with HTTPS, its certificate is by the authority in `ca_file`.

    `urls` are those of its nodes, where each has a port.
    """

    url: str
    server: MockServer
    ca_file: Path | None = None
    urls: tuple[str, ...] = ()

    def predict(self, *answers: Any, status: int = 200, delay: float = 0.0, **stub: Any) -> None:
        """Let the endpoints of models answer with these values: one a call, the last one for good.

        `stub` are members of a stub: `model` and `connector` by id or name, `input`, `order`, `times`.
        `delay` is in seconds. Raises ValueError for what is no stub.
        """
        told = [{"answer": answer, "status": status, "delay": delay} for answer in answers]
        self.stub({**stub, "answers": told})

    def stub(self, stub: dict[str, Any]) -> None:
        """Add a stub in its JSON form. Raises ValueError for what is none."""
        self._control("POST", "stubs", {"stubs": [stub]})

    def requests(
        self, method: str | None = None, path: str | None = None, body: Any = None
    ) -> list[dict[str, Any]]:
        """The requests that came with this method, a path of this pattern, and a body that has all of `body`.

        Each has `at`, `method`, `path`, `query`, `body` and the `status` of its answer.
        """
        return list(self._look(method, path, body)["requests"])

    def verify(
        self, method: str | None = None, path: str | None = None, body: Any = None, times: int | None = None
    ) -> None:
        """Raises AssertionError when no such request came, or not as many `times`; it lists what did come."""
        found = self._look(method, path, body)["times"]
        if found == times if times is not None else found:
            return
        shown = "" if body is None else f" with {json.dumps(body)}"
        wanted = f"{'at least one' if times is None else times} of {method or 'any'} {path or '*'}{shown}"
        came = [f"{one['method']} {one['path']} {json.dumps(one['body'])}" for one in self.requests()]
        raise AssertionError("\n  ".join([f"expected {wanted}, got {found} among", *came]))

    def _look(self, method: str | None, path: str | None, body: Any) -> dict[str, Any]:
        given = {"method": method, "path": path, "body": body}
        return self._control("POST", "verify", {name: one for name, one in given.items() if one is not None})

    def _control(self, method: str, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        sent = Request(method, f"/_mock/{operation}", "", {}, json.dumps(body).encode())
        answer = self.server.handle(sent)
        value: dict[str, Any] = json.loads(answer.body)
        if answer.status != 200:
            raise ValueError(value["error"])
        return value


@contextmanager
def running_mock(*, tls: bool = False, every_node: bool = False, **options: Any) -> Iterator[RunningMock]:
    """Run a `MockServer` with these options on a free loopback port for as long as the context lasts.

    With `tls` it is served over HTTPS; with `every_node` each node has a port, and publishes it.
    """
    server = MockServer(**options)
    count = server.node_count if every_node else 1
    with (
        certificates(HOST) if tls else nullcontext() as certified,
        serving_nodes(server, count, certified) as urls,
    ):
        if every_node:
            server.publish(*(urlsplit(url).netloc for url in urls))
        ca_file = None if certified is None else certified.ca_file
        yield RunningMock(urls[0], server, ca_file, urls)
