"""A running mock for tests: a real HTTP server on a loopback port, in a thread of this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mock_server.asgi import HOST, serving
from mock_server.certificates import certificates
from mock_server.server import MockServer


@dataclass(frozen=True, slots=True)
class RunningMock:
    """A mock that listens at `url`; with HTTPS, its certificate is by the authority in `ca_file`."""

    url: str
    server: MockServer
    ca_file: Path | None = None


@contextmanager
def running_mock(*, tls: bool = False, **options: Any) -> Iterator[RunningMock]:
    """Run a `MockServer` with these options on a free loopback port for as long as the context lasts.

    With `tls` it is served over HTTPS.
    """
    server = MockServer(**options)
    with certificates(HOST) if tls else nullcontext() as certified, serving(server, certified) as url:
        yield RunningMock(url, server, None if certified is None else certified.ca_file)
