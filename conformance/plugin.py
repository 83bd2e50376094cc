"""The pytest plugin: options, fixtures, and the way from a check's ending to an event.

It is loaded in every pytest run of an environment that has mlconform, so it imports little until
a check of the suite is collected or a fixture is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.judging import Judging
    from conformance.target.session import Session
    from mock_server.fixture import RunningMock


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mlconform", "mlconform: conformance of model APIs")
    option = group.addoption
    option("--ml-target", default="mock", metavar="mock|URL", help="what to judge (default: the mock)")
    option("--ml-profile", default="all", metavar="NAME|all", help="opensearch-ml, nugen or all")
    option("--ml-docs-version", metavar="V", help="documentation version to judge by (default: the newest)")
    option("--ml-level", default="documented", help="weakest level that fails: documented, example, observed")
    option(
        "--ml-select",
        default="",
        metavar="EXPR",
        help="requirement ids or check names, globs, comma-separated",
    )
    option("--ml-max-wait", type=float, default=120.0, metavar="SECONDS", help="real time one check may wait")
    option("--ml-seed", type=int, default=0, metavar="N", help="seed of everything generated")
    option("--ml-out", metavar="DIR", help="write run.ndjson and the reports there")
    option("--ml-allow-settings", action="store_true", help="allow changes of cluster settings off loopback")
    option(
        "--ml-endpoint-host", default="127.0.0.1", help="address under which the target reaches this machine"
    )
    option("--ml-model-id", action="append", default=[], help="model that may be used (Nugen); repeatable")
    option("--ml-insecure", action="store_true", help="do not verify TLS certificates")
    option(
        "--ml-known", metavar="VERSION", help="known deviations of a recorded version, e.g. opensearch-2.19"
    )
    option("--ml-waivers", metavar="FILE", help="waivers, a YAML list")
    option("--ml-require-decided", type=float, metavar="PERCENT", help="fail when fewer were decided")
    option("--ml-mutant", help="put this fault into the mock in this process")
    option("--ml-run-id", default="", help="what the names of everything created start with")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "requirement(*ids): the requirements that a check decides")
    config.addinivalue_line("markers", "exclusive: changes a setting or moves time, so it runs alone")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep of the suite's checks those that the options ask for; leave other tests alone."""
    if not any(item.get_closest_marker("requirement") for item in items):
        return
    kept, dropped = judging_of(config).select(items)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if item.get_closest_marker("requirement") is not None:
        judging_of(item.config).conclude(item, call, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """Repeat a check that met a difference: one that does not come again is flaky, not a failure."""
    if item.get_closest_marker("requirement") is None:
        return (yield)
    return (yield from judging_of(item.config).call_and_repeat(item))


def judging_of(config: pytest.Config) -> Judging:
    """The one `Judging` of this pytest run, made at the first use."""
    from conformance.judging import Judging, key  # noqa: PLC0415 - keeps other people's runs light

    if key not in config.stash:
        config.stash[key] = Judging.from_config(config)
        config.add_cleanup(config.stash[key].close)
    return config.stash[key]


@pytest.fixture(scope="session")
def ml_session(pytestconfig: pytest.Config) -> Session:
    """A session with the target of `--ml-target` under the first profile of `--ml-profile`."""
    return judging_of(pytestconfig).any_session()


@pytest.fixture
def ml_mock(httpserver: Any) -> RunningMock:
    """A running mock on a real port (pytest-httpserver), with every profile; stopped after the test."""
    from mock_server import MockServer  # noqa: PLC0415 - keeps other people's runs light
    from mock_server.fixture import RunningMock, serve_on  # noqa: PLC0415

    server = MockServer()
    serve_on(httpserver, server)
    return RunningMock(httpserver.url_for("").rstrip("/"), server)
