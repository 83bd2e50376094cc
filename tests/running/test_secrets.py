"""Secrets planted wherever a run meets them, and looked for in everything that it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from mlconform.conformance.report.events import Outcome
from mlconform.conformance.report.stream import read
from mlconform.mock_server import MockServer, Security
from mlconform.mock_server.asgi import serving
from mlconform.mock_server.core import Request, Response

PASSWORD = "planted-Password/1"
HEADER = "planted-header-2"
SETTING = "planted-setting-3"
SETTINGS = "/_cluster/settings"


class Talkative:
    """A secured server that wrongly answers with a fault, and tells in it what it was sent and has set."""

    def __init__(self) -> None:
        self._inner = MockServer(security=Security(PASSWORD))
        self.met: set[str] = set()

    def handle(self, request: Request) -> Response:
        answered = self._inner.handle(request)
        sent = {name.lower(): value for name, value in request.headers.items()}
        self.met |= {sent[name] for name in ("authorization", "x-key") if name in sent}
        if not (request.method == "POST" and request.path.endswith("/model_groups/_register")):
            return answered
        told = f"{sent.get('authorization')} {sent.get('x-key')} {PASSWORD}"
        fault = f'{{"error": "{told}", "mail.password": "{SETTING}", "status": 500}}'
        return replace(answered, status=500, body=fault.encode())


@pytest.fixture
def talkative() -> Iterator[tuple[Talkative, str]]:
    server = Talkative()
    with serving(server) as url:
        yield server, url


@pytest.mark.parametrize("given", ["file", "address", "environment"])
def test_nothing_that_a_run_leaves_has_a_secret(
    talkative: tuple[Talkative, str], command: Any, tmp_path: Path, given: str
) -> None:
    server, url = talkative
    (tmp_path / "me.yaml").write_text(f"username: admin\npassword: {PASSWORD}\n")
    (tmp_path / "key").write_text(HEADER)
    address = url.replace("://", "://admin:planted-Password%2F1@") if given == "address" else url
    more = ("--credentials", str(tmp_path / "me.yaml")) if given == "file" else ()
    own = {"MLCONFORM_USERNAME": "admin", "MLCONFORM_PASSWORD": PASSWORD}
    ended = command(
        "run",
        *("--target", address, "--profile", "opensearch-ml", "--select", "osml.group.*", "--max-wait", "0"),
        *("--header", f"X-Key: @{tmp_path / 'key'}", "--out", str(tmp_path / "out"), *more),
        env=own if given == "environment" else None,
    )
    assert HEADER in server.met, "the run did not get far enough to know a secret"
    assert ended.returncode == 1, ended.stdout + ended.stderr
    events = read(tmp_path / "out" / "run.ndjson")
    assert any(d.outcome is Outcome.FAIL for check in events.checks for d in check.decisions)
    left = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(left) >= 5
    texts = [ended.stdout, ended.stderr, *(path.read_text(encoding="utf-8") for path in left)]
    assert not [text[:200] for text in texts if "planted" in text]
    assert not [text[:200] for text in texts if any(met in text for met in server.met)]


def test_pytest_shows_none_either(talkative: tuple[Talkative, str], command: Any, tmp_path: Path) -> None:
    import subprocess  # noqa: PLC0415 - pytest as a user calls it
    import sys  # noqa: PLC0415

    _, url = talkative
    (tmp_path / "me.yaml").write_text(f"username: admin\npassword: {PASSWORD}\n")
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--pyargs", "mlconform.conformance", "-p", "no:cacheprovider"),
            *(f"--ml-target={url}", "--ml-profile=opensearch-ml", "--ml-select=osml.group.*"),
            *(f"--ml-credentials={tmp_path / 'me.yaml'}", "--ml-max-wait=0", "-x"),
        ],
        cwd=command.folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "failed" in ended.stdout
    assert "planted" not in ended.stdout + ended.stderr
