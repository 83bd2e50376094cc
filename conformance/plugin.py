"""The pytest plugin: options, fixtures, and the way from a check's ending to an event.

It is loaded in every pytest run of an environment that has mlconform, so it imports little until
a check of the suite is collected or a fixture is asked for.
"""

from __future__ import annotations

import inspect
import time
from typing import TYPE_CHECKING, Any

import pytest

from mlconform.conformance.running.attached import EVENT_PROPERTY
from mlconform.conformance.targets.access_options import HELP, REPEATABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlconform.conformance.report.verdicts import Judgement
    from mlconform.conformance.running.judging import Judging
    from mlconform.conformance.running.record import RunRecord
    from mlconform.conformance.targets.session import Session
    from mlconform.mock_server.fixture import RunningMock

_COMPLAINTS = "mlconform_complaints"
_JUDGING: pytest.StashKey[Judging] = pytest.StashKey()
_OWN: pytest.StashKey[Judging] = pytest.StashKey()
_KEEPER: pytest.StashKey[Keeper] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mlconform", "mlconform: conformance of model APIs")
    option = group.addoption
    option(
        "--ml-target",
        action="append",
        default=[],
        metavar="mock|URL",
        help="what to judge, again for further nodes of the same cluster (default: mock)",
    )
    option("--ml-profile", default="all", metavar="NAME|all", help="name of a profile (default: all)")
    option("--ml-docs-version", metavar="V", help="documentation to judge by (default: the target's version)")
    option(
        "--ml-level",
        default="documented",
        help="weakest level that fails: documented, example, observed (default: documented)",
    )
    option(
        "--ml-select",
        default="",
        metavar="EXPR",
        help="judge these alone: globs over requirement ids and check names, comma-separated; ! leaves out "
        "(default: all)",
    )
    option(
        "--ml-max-wait",
        type=float,
        default=120.0,
        metavar="SECONDS",
        help="real time that one check may wait (default: 120)",
    )
    option(
        "--ml-max-rate",
        type=float,
        metavar="N",
        help="requests a second to the target, at most, of all workers together (default: any number)",
    )
    option("--ml-seed", type=int, default=0, metavar="N", help="seed of everything generated (default: 0)")
    option(
        "--ml-out", metavar="DIR", help="folder for run.ndjson and the reports (default: none are written)"
    )
    option("--ml-allow-settings", action="store_true", help="allow changes of cluster settings off loopback")
    option(
        "--ml-endpoint-host",
        default="127.0.0.1",
        help="address under which the target reaches this machine (default: 127.0.0.1)",
    )
    option("--ml-restart-command", metavar="COMMAND", help="restarts the server")
    option(
        "--ml-stop-node-command", metavar="COMMAND", help="stops one node of the cluster, not the target's"
    )
    option("--ml-start-node-command", metavar="COMMAND", help="starts it again")
    option(
        "--ml-wait-for-turn",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="how long to wait for another run to leave the cluster (default: 0)",
    )
    option("--ml-model-id", action="append", default=[], help="model that may be used (Nugen); repeatable")
    for name, text in HELP.items():
        action, default = ("append", list[str]()) if name in REPEATABLE else ("store", None)
        option(f"--ml-{name.replace('_', '-')}", action=action, help=text, default=default)
    option(
        "--ml-user",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="credentials of a further user whom the run may act as; repeatable",
    )
    option("--ml-create-users", action="store_true", help="allow users of the run's own")
    option("--ml-insecure", action="store_true", help="do not verify TLS certificates")
    option(
        "--ml-known", metavar="VERSION", help="known deviations of a recorded version, e.g. opensearch-2.19"
    )
    option("--ml-waivers", metavar="FILE", help="waivers, a YAML list")
    option(
        "--ml-require-decided",
        type=float,
        metavar="PERCENT",
        help="fail when fewer requirements were decided (default: no bound)",
    )
    option("--ml-behaviour", help="let the mock in this process follow a recorded version")
    option("--ml-mutant", help="put this fault into the mock in this process")
    option(
        "--ml-security", action="store_true", help="the mock in this process has users; the run is its admin"
    )
    option("--ml-run-id", default="", help="part of the names of all that is made (default: a new one)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "requirement(*ids): the requirements that a check decides")
    config.addinivalue_line("markers", "exclusive: changes a setting or moves time, so it runs alone")
    config.addinivalue_line("markers", "first: runs before all checks that make something")
    config.addinivalue_line("markers", "waits(seconds): lets so many seconds pass, together with others")
    config.addinivalue_line("markers", "needs(*capabilities): what the target must have, such as more nodes")
    config.addinivalue_line("markers", "ml_mock(**options): what the fixture ml_mock gives to MockServer")
    if not hasattr(config, "workerinput"):
        config.stash[_KEEPER] = Keeper(config)
        config.pluginmanager.register(config.stash[_KEEPER])


class Keeper:
    """Keeps the record of the checks, in the process that hears of all workers.

    It begins before everything with `--ml-out`, else with the first report of a check, so that tests which
    are not ours cost nothing.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._record: RunRecord | None = None
        self._others_failed = False
        self.workers: list[Any] = []
        self.judgement: Judgement | None = None
        self.report: Path | None = None

    def begin(self) -> RunRecord:
        """The record, which is to be opened."""
        from rich.console import Console  # noqa: PLC0415 - keeps other people's runs light

        from mlconform.conformance.errors import UsageError  # noqa: PLC0415
        from mlconform.conformance.report.exit_code import ReportError  # noqa: PLC0415
        from mlconform.conformance.running.record import RunRecord  # noqa: PLC0415

        judging = judging_of(self._config)
        try:
            record = self._record = RunRecord(judging, Console(quiet=True))
        except (UsageError, ReportError) as error:
            raise pytest.UsageError(str(error)) from None
        self._config.pluginmanager.register(record.recorder)
        return record

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not any(name == EVENT_PROPERTY for name, _ in report.user_properties):
            self._others_failed |= report.failed
        elif self._record is None and (_JUDGING not in self._config.stash or _OWN in self._config.stash):
            record = self.begin()
            record.open()
            # Pytest has chosen already whom it tells of this report.
            record.recorder.pytest_runtest_logreport(report)

    @pytest.hookimpl(trylast=True)
    def pytest_keyboard_interrupt(self) -> None:
        if self.workers and _JUDGING in self._config.stash:
            from mlconform.conformance.running import workers  # noqa: PLC0415 - keeps other people's runs light

            workers.end(self._config, self.workers)

    def end(self) -> int | None:
        """Clean the target and judge; the exit code of `mlconform run`, None where nothing was judged."""
        if self._record is None:
            return None
        self.judgement, paths = self._record.close()
        self.report = paths.html if paths is not None else None
        return None if self._others_failed else int(self.judgement.summary.exit_code)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin the record that `--ml-out` asks for."""
    config = session.config
    if not config.getoption("--ml-out") or _KEEPER not in config.stash:
        return
    keeper = config.stash[_KEEPER]
    if not keeper.begin().open():
        code = keeper.end()
        assert keeper.judgement is not None  # ended
        told = "; ".join(problem.message for problem in keeper.judgement.problems) or "nothing can be checked"
        pytest.exit(f"mlconform: {told}", returncode=code)


# What pytest says of checks alone; its other exit codes are of itself.
_OF_CHECKS = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Clean the target and end the record, after all workers have ended.

    The exit code is that of `mlconform run`, unless a test of somebody else's failed.
    """
    config = session.config
    if _KEEPER in config.stash and (code := config.stash[_KEEPER].end()) is not None:
        if code and session.exitstatus in _OF_CHECKS:
            session.exitstatus = code
    elif _OWN in config.stash:
        judging = config.stash[_OWN]
        if hasattr(config, "workeroutput"):
            # What an interrupted check could not remember is removed once, by whoever started the workers.
            judging.close()
            config.workeroutput[_COMPLAINTS] = judging.complaints
            return
        interrupted = session.exitstatus == pytest.ExitCode.INTERRUPTED
        judging.close(interrupted_at=time.monotonic() if interrupted else None)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Prepare a target that others use once, for all workers of pytest-xdist, which start after this."""
    config = node.config
    config.stash[_KEEPER].workers.append(node)
    if config.getoption("--ml-target") in ([], ["mock"]):
        # Each worker has a mock of its own.
        return
    from mlconform.conformance.running.options import HANDED  # noqa: PLC0415 - keeps other people's runs light

    judging = judging_of(config)
    told = judging.connect_all()
    if not judging.found():
        pytest.exit(f"mlconform: {told}", returncode=3)
    node.workerinput[HANDED] = judging.handed()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear what a worker of pytest-xdist could not clean."""
    complaints = getattr(node, "workeroutput", {}).get(_COMPLAINTS, [])
    if complaints:
        judging_of(node.config).complaints += complaints


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    judged = config.stash[_KEEPER].judgement if _KEEPER in config.stash else None
    if judged is not None:
        from mlconform.conformance.report.terminal import summary_lines  # noqa: PLC0415 - keeps others' runs light

        terminalreporter.section("mlconform")
        for line in summary_lines(judged, config.stash[_KEEPER].report, colours=terminalreporter.hasmarkup):
            terminalreporter.write_line(line)
    elif _JUDGING in config.stash:
        for complaint in config.stash[_JUDGING].complaints:
            terminalreporter.write_line(f"mlconform: {complaint}", yellow=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep of the suite's checks those that the options ask for; leave other tests alone."""
    if not any(_is_check(item) for item in items):
        return
    kept, dropped = judging_of(config).select(items)
    items[:] = kept
    if dropped:
        config.hook.pytest_deselected(items=dropped)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    if not _is_check(item):
        return (yield)
    from mlconform.conformance.targets import interruption  # noqa: PLC0415 - keeps other people's runs light

    with interruption.heard():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    # Pytest makes of a skip one of its own, which knows no remedy.
    error = call.excinfo.value if call.excinfo is not None else None
    report = yield
    if _is_check(item):
        from mlconform.conformance.running import endings, shown  # noqa: PLC0415 - keeps other people's runs light

        endings.conclude(judging_of(item.config), item, call, error, report)
        shown.hide_secrets(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """Repeat a check that met a difference: one that does not come again is flaky, not a failure."""
    if not _is_check(item):
        return (yield)
    from mlconform.conformance.running import endings  # noqa: PLC0415 - keeps other people's runs light

    return (yield from endings.call_and_repeat(judging_of(item.config), item))


def judging_of(config: pytest.Config) -> Judging:
    """The one `Judging` of this pytest run, made at the first use."""
    from mlconform.conformance.running.judging import Judging  # noqa: PLC0415 - keeps other people's runs light

    if _JUDGING not in config.stash:
        own = Judging.from_config(config)
        config.add_cleanup(own.close)
        config.stash[_OWN] = config.stash[_JUDGING] = own
        if hasattr(config, "workerinput"):
            from mlconform.conformance.running.workers import Deaf  # noqa: PLC0415

            config.pluginmanager.register(Deaf())
    return config.stash[_JUDGING]


def hand_over(config: pytest.Config, judging: Judging) -> None:
    """Let this pytest run use a judging that somebody else closes."""
    config.stash[_JUDGING] = judging


def _is_check(item: pytest.Item) -> bool:
    """Whether this is a check of the suite; other people's tests may have a `requirement` mark too."""
    if item.get_closest_marker("requirement") is None:
        return False
    from mlconform.conformance.running.checks import profile_of  # noqa: PLC0415 - keeps other people's runs light

    return profile_of(item) is not None


@pytest.fixture(scope="session")
def ml_session(pytestconfig: pytest.Config) -> Session:
    """A session with the target of `--ml-target` under the first profile of `--ml-profile`."""
    return judging_of(pytestconfig).any_session()


@pytest.fixture
def ml_mock(request: pytest.FixtureRequest) -> Iterator[RunningMock]:
    """A running mock on a real port, a new one for each test.

    The keyword arguments of `@pytest.mark.ml_mock` go to `MockServer`; those of a test come before those of
    its class, and those before its module's.
    """
    from mlconform.mock_server import MockServer  # noqa: PLC0415 - keeps other people's runs light
    from mlconform.mock_server.asgi import serving  # noqa: PLC0415
    from mlconform.mock_server.fixture import RunningMock  # noqa: PLC0415

    options: dict[str, Any] = {}
    known = list(inspect.signature(MockServer).parameters)
    for mark in request.node.iter_markers("ml_mock"):
        unknown = [*map(repr, mark.args), *(name for name in mark.kwargs if name not in known)]
        if unknown:
            pytest.fail(
                f"the marker ml_mock has no option {', '.join(unknown)}: "
                f"there are the keyword arguments {', '.join(known)}",
                pytrace=False,
            )
        options = {**mark.kwargs, **options}
    try:
        server = MockServer(**options)
    except (TypeError, ValueError) as error:
        pytest.fail(f"the marker ml_mock: {error}", pytrace=False)
    with serving(server) as url:
        yield RunningMock(url, server)
