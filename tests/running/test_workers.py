"""The end of pytest-xdist's workers when a run is interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
CONFTEST = """
import time
from pathlib import Path

import pytest
from mlconform.conformance.running import workers

# However busy this machine is; a worker that is not told waits twice as long.
workers.GRACE_SECONDS = 30


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Waiting(config))


class Waiting:
    # Is interrupted while it looks at the first report, when both workers have more to tell.
    def __init__(self, config):
        self.config, self.nodes, self.heard = config, [], []

    def pytest_configure_node(self, node):
        self.nodes.append(node)

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.heard.append(report.nodeid)
        if len(self.heard) == 1 and report.when == "call":
            while not (Path("one-begun").exists() and Path("two-begun").exists()):
                time.sleep(0.01)
            raise KeyboardInterrupt

    @pytest.hookimpl(trylast=True)
    def pytest_keyboard_interrupt(self):
        workers.end(self.config, self.nodes)

    def pytest_sessionfinish(self):
        Path("heard").write_text(" ".join(sorted(self.heard)))
"""
TESTS = """
import threading
from pathlib import Path

import pytest


@pytest.fixture
def made(request):
    yield
    Path(f"{request.cls.name}-removed").touch()


class Checks:
    def test_ends(self):
        pass

    def test_waits(self, made):
        Path(f"{self.name}-begun").touch()
        threading.Event().wait(60)


class TestOne(Checks):
    name = "one"


class TestTwo(Checks):
    name = "two"
"""


@pytest.fixture
def interrupted(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a pytest that was interrupted while two workers waited in a test."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TESTS)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    ended = pytester.runpytest_subprocess("-pxdist", "-n2", "--dist=loadscope", "-pno:cacheprovider")
    assert ended.ret == pytest.ExitCode.INTERRUPTED
    return pytester.path


def test_they_are_told_at_once_and_clean_up(interrupted: Path) -> None:
    assert {path.name for path in interrupted.glob("*-removed")} == {"one-removed", "two-removed"}


def test_what_they_have_told_is_heard(interrupted: Path) -> None:
    heard = (interrupted / "heard").read_text(encoding="utf-8").split()
    assert [name.partition("::")[2] for name in heard] == ["TestOne::test_ends", "TestTwo::test_ends"]
