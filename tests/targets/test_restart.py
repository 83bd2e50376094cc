"""A target is restarted by a command of the user's."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mlconform.conformance.errors import TargetUnreachable
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.exchange import Answer, Exchange, OutgoingRequest
from mlconform.conformance.targets.restart import by_command
from mlconform.conformance.targets.session import Session, SessionOptions
from mlconform.conformance.targets.transport import HttpTransport
from mlconform.mock_server.fixture import running_mock


def health(method: str, path: str) -> Exchange:
    answer = Answer(200, {}, b'{"timed_out": false}')
    return Exchange(OutgoingRequest(method, path), answer, 0.0, "http://h", "osml.wire.json")


def python(script: str) -> str:
    return shlex.join([sys.executable, "-c", script])


def test_the_command_is_carried_out(tmp_path: Path) -> None:
    told = by_command(python(f"open({str(tmp_path / 'done')!r}, 'w')"), health)
    assert (tmp_path / "done").exists()
    assert "served again after" in told


def test_it_waits_until_the_cluster_is_back() -> None:
    gone = [TargetUnreachable("no"), TargetUnreachable("no")]

    def ask(method: str, path: str) -> Exchange:
        if gone:
            raise gone.pop()
        return health(method, path)

    by_command(python("pass"), ask)
    assert not gone


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (python("import sys; sys.exit('no such node')"), "exit code 1: no such node"),
        ("/no/such/command", "could not be carried out"),
        ("'", "could not be carried out"),
    ],
    ids=["fails", "is not there", "is no command"],
)
def test_a_command_that_fails_decides_nothing(command: str, told: str) -> None:
    with pytest.raises(Untestable, match=told):
        by_command(command, health)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs the kernel's list of connections")
def test_no_connection_of_the_run_holds_the_port_meanwhile() -> None:
    with running_mock() as mock:
        established = f"{urlsplit(mock.url).port:04X} 01"
        looks = (
            "import sys; rows = [row.split() for row in open('/proc/net/tcp')];"
            f"sys.exit({established!r} in [row[2][-4:] + ' ' + row[3] for row in rows])"
        )
        options = SessionOptions(prefix="mlconform-test-", restart_command=python(looks))
        session = Session(HttpTransport(mock.url), options, "osml.wire.json")
        session.request("GET", "/")
        try:
            session.restart()
        except Untestable as held:
            pytest.fail(str(held))
        finally:
            session.close()
