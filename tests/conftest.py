"""What the tests of the judging half share: targets that answer in every way, and runs of the command."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mlconform.conformance.targets import credentials
from mlconform.mock_server.fixture import RunningMock, running_mock

_VARIABLES = (
    "MLCONFORM_TOKEN",
    "MLCONFORM_USERNAME",
    "MLCONFORM_PASSWORD",
    "MLCONFORM_CREDENTIALS",
    "MLCONFORM_CLUSTER_TOKEN",
)


@dataclass
class RawServer:
    """Answers every connection with the same bytes, and then closes or resets it."""

    answer: bytes
    reset: bool = False
    requests: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    self.requests.append(connection.recv(65536))
                    connection.sendall(self.answer)
                    if self.reset:
                        # Zero seconds of lingering: closing sends a reset.
                        linger = struct.pack("ii", 1, 0)
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    else:
                        connection.shutdown(socket.SHUT_WR)
                        connection.recv(65536)
                except OSError:
                    continue


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer's own environment says of a target is nobody's business here."""
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    # Nor do the secrets of one test hide words in another.
    monkeypatch.setattr(credentials, "_held", set())


@pytest.fixture(autouse=True, scope="session")
def _own_cache(pytestconfig: pytest.Config) -> Iterator[None]:
    """Runs keep their tables of characters with pytest's cache, and not with the developer's things."""
    assert pytestconfig.cache is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(pytestconfig.cache.mkdir("mlconform")))
        yield


@pytest.fixture
def raw_server() -> Iterator[Callable[..., RawServer]]:
    servers: list[RawServer] = []

    def start(answer: bytes, *, reset: bool = False) -> RawServer:
        servers.append(RawServer(answer, reset))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def free_port() -> int:
    """A loopback port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def serve_mock() -> Iterator[Callable[..., RunningMock]]:
    """Starts mocks with options of their own on loopback ports."""
    with ExitStack() as running:
        yield lambda **options: running.enter_context(running_mock(**options))


def _hears_interruptions() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True)
class Command:
    """Runs `python -m mlconform` as a user does."""

    folder: Path

    def __call__(self, *arguments: str, env: Mapping[str, str] | None = None) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "mlconform", *arguments],
            cwd=self.folder,
            env=self.environment(env),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts it in a group of its own, as a terminal does, where it hears Ctrl-C."""
        return subprocess.Popen(
            [sys.executable, "-m", "mlconform", *arguments],
            cwd=self.folder,
            env=self.environment(None),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # Whoever is started in the background is deaf to it, and so are those that it starts.
            preexec_fn=_hears_interruptions,  # noqa: PLW1509 - no thread forks here
        )

    def environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        return {**kept, **(more or {})}


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """The command, in an empty folder of the caller's."""
    folder = tmp_path / "caller"
    folder.mkdir()
    return Command(folder)
