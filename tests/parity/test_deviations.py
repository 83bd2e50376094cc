"""The suite, run on the mock of a recorded version, fails at its deviations and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.report.stream import read
from conformance.report.verdicts import Kind, judge
from mock_server.opensearch_ml.behaviours import deviations_of

RUN = [sys.executable, "-m", "conformance", "run", "--profile", "opensearch-ml", "--docs-version", "2.19"]


@pytest.fixture(params=["opensearch-2.19", "opensearch-3.4"])
def behaviour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(behaviour: str) -> Iterator[str]:
    serve = (
        "from mock_server import MockServer; from mock_server.asgi import serve; "
        f"serve(MockServer(behaviour={behaviour!r}), '127.0.0.1', 0, lambda url: print(url, flush=True))"
    )
    with subprocess.Popen([sys.executable, "-c", serve], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


def test_the_suite_names_the_deviations_each_at_its_requirement(
    behaviour: str, url: str, tmp_path: Path
) -> None:
    command = [*RUN, "--level", "observed", "--target", url, "--out", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    verdicts = judge(read(tmp_path / "run.ndjson")).verdicts
    failed = {verdict.requirement.id for verdict in verdicts if verdict.kind is Kind.FAIL}
    assert failed == {deviation.requirement for deviation in deviations_of(behaviour)} - {None}
