"""The pytest plugin inside other people's pytest runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

# Imported here, it need not be imported again by each pytest inside this one.
import mlconform.conformance.running.run  # noqa: F401
from mlconform.conformance.cli import main
from mlconform.conformance.commands.run import command as run_command
from mlconform.conformance.contract import store
from mlconform.conformance.report.stream import read
from mlconform.conformance.report.verdicts import Judgement, judge
from mlconform.conformance.running.options import options_from
from mlconform.mock_server import Request

FEW = ("--pyargs", "mlconform.conformance.suites.opensearch_ml", "--ml-select", "osml.deploy.answer*")
pytest_plugins = ["pytester"]
REPORTS = {"run.ndjson", "report.html", "report.md", "report.sarif", "summary.json", "junit.xml", "findings"}


@dataclass(frozen=True)
class Project:
    """A folder with tests of somebody else's."""

    pytester: pytest.Pytester

    @property
    def folder(self) -> Path:
        return self.pytester.path

    def write(self, name: str, content: str) -> None:
        (self.folder / name).write_text(content, encoding="utf-8")

    def pytest(self, *arguments: str, expect: Sequence[int] = (0,), apart: bool = False) -> str:
        """Runs pytest in the folder, `apart` in a process of its own; gives what it said."""
        run = self.pytester.runpytest_subprocess if apart else self.pytester.runpytest_inprocess
        ended = run("-rA", "-p", "no:cacheprovider", *arguments)
        said = ended.stdout.str() + ended.stderr.str()
        assert ended.ret in expect, said
        assert "INTERNALERROR" not in said
        return said

    def judged(self, out: str) -> Judgement:
        return judge(read(self.folder / out / "run.ndjson"))


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    pytester.makeini("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    return Project(pytester)


def counts(said: str) -> dict[str, int]:
    """`1 passed, 2 deselected` as a mapping."""
    return {kind: int(count) for count, kind in re.findall(r"(\d+) (\w+)", said.strip().splitlines()[-1])}


class TestOtherPeoplesTests:
    def test_stay_as_light_as_they_were(self, project: Project) -> None:
        project.write(
            "test_own.py",
            "import sys\n"
            "def test_own(request):\n"
            "    assert request.config.pluginmanager.hasplugin('mlconform')\n"
            "    assert 'mlconform.mock_server' not in sys.modules\n"
            "    loaded = {name.partition('.')[0] for name in sys.modules}\n"
            "    assert not loaded & {'schemathesis', 'hypothesis', 'urllib3', 'rich'}\n",
        )
        # Without the plugins of those libraries, what is loaded is what ours loads.
        project.pytest(
            "-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:pytest_httpserver", apart=True
        )

    def test_may_have_packages_that_are_named_as_folders_of_ours(self, project: Project) -> None:
        (project.folder / "conformance").mkdir()
        project.write("conformance/__init__.py", "OURS = False\n")
        project.write("mock_server.py", "OURS = False\n")
        project.write(
            "test_own.py",
            "import conformance, mock_server, urllib3\n"
            "def test_own(ml_mock):\n"
            "    assert not conformance.OURS and not mock_server.OURS\n"
            "    assert urllib3.request('GET', ml_mock.url).status == 200\n",
        )
        project.pytest(apart=True)

    def test_are_checked_against_our_types(self, project: Project) -> None:
        project.write(
            "test_own.py",
            "from mlconform.mock_server.fixture import RunningMock\n"
            "def test_own(ml_mock: RunningMock) -> str:\n"
            "    return ml_mock.url\n",
        )
        checked = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--config-file=", "test_own.py"],
            cwd=project.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stdout
        assert "Success" in checked.stdout

    def test_keep_their_outcomes_though_they_have_a_requirement_mark_too(self, project: Project) -> None:
        project.write(
            "conftest.py",
            "def pytest_runtest_logreport(report):\n    assert report.user_properties == []\n",
        )
        project.write(
            "test_own.py",
            "import pytest\n"
            "@pytest.mark.requirement('REQ-1')\n"
            "def test_fails():\n"
            "    assert False\n"
            "@pytest.mark.requirement('REQ-2')\n"
            "def test_passes():\n"
            "    pass\n"
            "@pytest.mark.requirement('REQ-3')\n"
            "def test_skips():\n"
            "    pytest.skip()\n",
        )
        said = project.pytest(expect=[1])
        assert {"failed": 1, "passed": 1, "skipped": 1}.items() <= counts(said).items()

    def test_are_not_deselected_with_checks_beside_them(self, project: Project) -> None:
        project.write("test_own.py", "def test_own(): pass\n")
        assert "PASSED test_own.py::test_own" in project.pytest("test_own.py", *FEW)


class TestFixtures:
    def test_a_running_mock_and_a_session_with_it(self, project: Project) -> None:
        project.write(
            "test_own.py",
            "import json, urllib.request\n"
            "def test_mock(ml_mock):\n"
            "    with urllib.request.urlopen(ml_mock.url, timeout=10) as answer:\n"
            "        assert json.load(answer)['version']['distribution'] == 'opensearch'\n"
            "    assert ml_mock.server.clock.offset == 0\n"
            "def test_session(ml_session):\n"
            "    assert ml_session.facts.profile == 'opensearch-ml'\n"
            "    assert ml_session.request('GET', '/').status == 200\n"
            "def test_the_session_is_the_same(ml_session):\n"
            "    assert len(ml_session.journal) > 1\n",
        )
        assert counts(project.pytest("test_own.py"))["passed"] == 3

    def test_the_mock_is_the_one_of_the_command(self, project: Project) -> None:
        version = store.default_version("opensearch-ml")
        project.write(
            "test_own.py",
            "import json, urllib.request\n"
            "def test_mock(ml_mock):\n"
            "    with urllib.request.urlopen(ml_mock.url + '/_nodes', timeout=10) as answer:\n"
            "        nodes = json.load(answer)['nodes'].values()\n"
            f"    assert [node['version'] for node in nodes] == ['{version}.0'] * 2\n",
        )
        assert counts(project.pytest("test_own.py"))["passed"] == 1

    def test_a_marker_gives_the_mock_its_options(self, project: Project) -> None:
        project.write(
            "test_own.py",
            "import json, urllib.request, pytest\n"
            "pytestmark = pytest.mark.ml_mock(behaviour='opensearch-2.19', nodes=3)\n"
            "def versions(ml_mock):\n"
            "    with urllib.request.urlopen(ml_mock.url + '/_nodes', timeout=10) as answer:\n"
            "        return [node['version'] for node in json.load(answer)['nodes'].values()]\n"
            "def test_of_the_module(ml_mock):\n"
            "    assert versions(ml_mock) == ['2.19.0'] * 3\n"
            "@pytest.mark.ml_mock(behaviour='opensearch-3.4', progress='immediate')\n"
            "def test_of_its_own(ml_mock):\n"
            "    assert versions(ml_mock) == ['3.4.0'] * 3\n",
        )
        assert counts(project.pytest("test_own.py"))["passed"] == 2

    @pytest.mark.parametrize(
        ("options", "error"),
        [
            (
                "node=3",
                "ml_mock has no option node: there are the keyword arguments profiles, docs_version, b",
            ),
            ("'opensearch-3.4'", "ml_mock has no option 'opensearch-3.4': there are the keyword arguments"),
            (
                "behaviour='nope'",
                "ml_mock: unknown behaviour 'nope': expected one of documented, opensearch-2",
            ),
            ("nodes='3'", "ml_mock: "),
        ],
    )
    def test_a_wrong_marker_is_told_without_a_traceback(
        self, project: Project, options: str, error: str
    ) -> None:
        project.write(
            "test_own.py",
            f"import pytest\n@pytest.mark.ml_mock({options})\ndef test_mock(ml_mock): pass\n",
        )
        said = project.pytest("test_own.py", expect=[1])
        assert counts(said)["error"] == 1
        assert error in said
        assert "Traceback" not in said
        assert ".py:" not in said.partition(" ERRORS ")[2].partition(" short test summary ")[0]

    def test_a_target_of_ones_own(self, project: Project, serve_mock: Any) -> None:
        url = serve_mock().url
        project.write(
            "test_own.py",
            f"def test_session(ml_session):\n    assert ml_session.transport.base_url == {url!r}\n",
        )
        project.pytest("test_own.py", "--ml-target", url)


class TestChecks:
    def test_are_selected_and_run(self, project: Project) -> None:
        said = project.pytest(*FEW)
        assert counts(said)["passed"] >= 2
        assert counts(said)["deselected"] > 100

    def test_a_difference_fails(self, project: Project) -> None:
        faulty = ("--ml-level", "example", "--ml-mutant", "deploy-answers-started")
        said = project.pytest(*FEW, *faulty, expect=[1])
        assert counts(said)["failed"] == 1
        assert "osml.deploy.answer.status" in said

    def test_a_failure_is_told_as_the_reports_tell_it_without_our_frames(self, project: Project) -> None:
        faulty = ("--ml-level", "example", "--ml-mutant", "deploy-answers-started")
        said = project.pytest(*FEW, *faulty, "--ml-out", "out", "-n", "2", expect=[1], apart=True)
        told = said.partition(" FAILURES ")[2].partition("= mlconform =")[0]
        cases = ElementTree.parse(project.folder / "out" / "junit.xml").iter("failure")
        (failure,) = [case.text or "" for case in cases]
        # Ids, names and profiles are those of a worker, and stand in commands alone.
        commands = ("answer=", "ask ", "printf ", "start ")
        facts = [line for line in failure.splitlines() if not line.startswith(commands)]
        assert [line for line in facts if f"{line}\n" not in told] == []
        for line in ("\nexpected: status = 'CREATED'\n", "\ncame: 'STARTED'\n", "{ curl -sS"):
            assert told.count(line) == 1, told
        assert "expect.py" not in told
        assert "def test_" not in told

    def test_the_end_is_that_of_a_run(self, project: Project) -> None:
        faulty = ("--ml-level", "example", "--ml-mutant", "deploy-answers-started")
        alone = project.pytest(*FEW, *faulty, expect=[1])
        two = project.pytest(*FEW, *faulty, "-n", "2", expect=[1], apart=True)
        options = (
            "-q",
            "--profile",
            "all",
            "--select",
            FEW[-1],
            *(word.replace("--ml-", "--") for word in faulty),
        )
        ran = CliRunner().invoke(main, ["run", *options, "--out", str(project.folder / "run")])
        assert ran.exit_code == 1
        lines = [line for line in ran.output.splitlines() if not line.startswith("report: ")]
        assert lines[0].startswith("Not conformant: 100 % decided (")
        for said in (alone, two):
            assert "\n".join(lines) in said

    def test_enough_must_be_decided_without_a_report_too(self, project: Project, serve_mock: Any) -> None:
        target = ("--ml-target", serve_mock(nodes=1).url, "--ml-profile", "opensearch-ml")
        chosen = ("--ml-select", "osml.deploy.answer,*test_node_ids_limit_the_deployment")
        select = ("--pyargs", "mlconform.conformance.suites.opensearch_ml", *chosen, *target)
        project.pytest(*select)
        said = project.pytest(*select, "--ml-require-decided", "100", expect=[1])
        assert "100 % required" in said

    def test_a_failure_of_somebody_elses_is_pytests_own(self, project: Project) -> None:
        project.write("test_own.py", "def test_own():\n    assert not 'mine'\n")
        said = project.pytest("test_own.py", *FEW, expect=[1])
        assert "Conformant: " in said
        assert "assert not 'mine'" in said

    def test_help_names_the_defaults_that_hold(self, pytestconfig: pytest.Config) -> None:
        command = {option.name: option for option in run_command.params}
        told = 0
        for option in pytestconfig._parser._groups:
            for each in option.options if option.name == "mlconform" else ():
                name, default = each.names()[0].removeprefix("--ml-"), each.attrs().get("default")
                if not default:
                    continue
                told += 1
                shown = f"{default:g}" if isinstance(default, float) else default
                assert f"(default: {shown})" in each.attrs()["help"], name
                assert command[name.replace("-", "_")].default == default
        assert told >= 4

    def test_a_difference_below_the_level_is_an_expected_failure(self, project: Project) -> None:
        said = project.pytest(*FEW, "--ml-mutant", "deploy-answers-started")
        assert counts(said)["xfailed"] == 1
        assert "does not fail the run: osml.deploy.answer.status" in said

    def test_what_could_not_be_tested_says_why_and_what_it_takes(self, project: Project) -> None:
        suite = "mlconform.conformance.suites.opensearch_ml"
        said = project.pytest("--pyargs", suite, "--ml-select", "osml.access.role.full", expect=[1])
        assert counts(said)["skipped"] == 1
        assert "untestable (further users): the target knows no users; it takes a cluster" in said
        assert "decides more with further users (+1: --user or --create-users)" in said

    def test_a_waived_difference_is_an_expected_failure(self, project: Project) -> None:
        project.write("waivers.yaml", "- {requirement: osml.deploy.answer.status, reason: agreed}")
        faulty = ("--ml-level", "example", "--ml-mutant", "deploy-answers-started")
        assert counts(project.pytest(*FEW, *faulty, "--ml-waivers", "waivers.yaml"))["xfailed"] == 1

    def test_bad_options_are_a_usage_error(self, project: Project) -> None:
        said = project.pytest(*FEW, "--ml-level", "nope", expect=[4])
        assert "ERROR: expected a level" in said

    @pytest.mark.parametrize("option", ["--ml-behaviour=opensearch-3.4", "--ml-mutant=delete-keeps-model"])
    def test_what_steers_the_mock_is_refused_with_a_server(self, project: Project, option: str) -> None:
        said = project.pytest(*FEW, "--ml-target", "http://127.0.0.1:9", option, expect=[4])
        assert "with the mock in this process alone" in said

    def test_a_part_of_the_selection_that_matches_nothing_is_named(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
        said = project.pytest(*FEW[:-1], "osml.deploy.answer*,osml.no-such.*", expect=[4])
        assert "'osml.no-such.*' in --select matches no requirement" in said

    def test_an_unreachable_target_ends_pytest(self, project: Project, free_port: int) -> None:
        said = project.pytest(*FEW, "--ml-target", f"http://127.0.0.1:{free_port}", expect=[3])
        assert "Check the address" in said


class TestOut:
    def test_the_reports_are_those_of_a_run(self, project: Project) -> None:
        faulty = ("--ml-level", "example", "--ml-mutant", "deploy-answers-started")
        said = project.pytest(*FEW, *faulty, "--ml-out", "out", expect=[1])
        assert "report: out/report.html" in said
        assert {path.name for path in (project.folder / "out").iterdir()} == REPORTS
        judgement = project.judged("out")
        assert judgement.run.complete
        assert judgement.run.header.selection == "osml.deploy.answer*"
        assert [target.profile for target in judgement.run.targets] == ["opensearch-ml", "nugen"]
        assert self.kinds(judgement) == {"osml.deploy.answer": "pass", "osml.deploy.answer.status": "fail"}
        assert judgement.summary.exit_code == 1

    def test_workers_share_one_report_and_leave_nothing(self, project: Project, serve_mock: Any) -> None:
        mock = serve_mock(mutant="deploy-answers-started")
        chosen = "osml.deploy.answer,osml.remote.example.deploy-answer,nugen.aligned.answer"
        select = ("--ml-select", chosen, "--ml-level", "example")
        two = ("-n", "2", "--ml-target", mock.url, "--ml-out", "out")
        project.pytest("--pyargs", "mlconform.conformance.suites", *select, *two, expect=[1], apart=True)
        judgement = project.judged("out")
        assert self.kinds(judgement) == {
            "osml.deploy.answer": "pass",
            "osml.remote.example.deploy-answer": "fail",
            # It may move the clock, and there is another worker beside it.
            "nugen.aligned.answer": "untestable",
        }
        assert judgement.problems == ()
        state = json.loads(mock.server.handle(Request("GET", "/_mock/state")).body)
        cluster = state["profiles"]["opensearch-ml"]
        assert cluster["settings"]["persistent"] == {}
        assert {name for name, held in cluster["indices"].items() if held} <= {".plugins-ml-task"}

    def kinds(self, judgement: Judgement) -> dict[str, str]:
        return {verdict.requirement.id: verdict.kind.value for verdict in judgement.verdicts}

    def test_what_pytest_lets_pass_may_still_not_be_enough(self, project: Project, serve_mock: Any) -> None:
        # Without a second node it cannot be decided, which pytest calls a skip.
        select = (
            "--pyargs",
            "mlconform.conformance.suites",
            "--ml-select",
            "*test_node_ids_limit_the_deployment",
        )
        target = ("--ml-target", serve_mock(nodes=1).url, "--ml-profile", "opensearch-ml")
        assert counts(project.pytest(*select, *target, expect=[1]))["skipped"] == 1
        project.pytest(*select, *target, "--ml-out", "out", expect=[1])

    def test_an_unreachable_target_is_reported(self, project: Project, free_port: int) -> None:
        gone = ("--ml-target", f"http://127.0.0.1:{free_port}", "--ml-out", "out")
        assert "Check the address" in project.pytest(*FEW, *gone, expect=[3])
        assert {path.name for path in (project.folder / "out").iterdir()} == REPORTS - {"findings"}
        assert project.judged("out").summary.exit_code == 3

    def test_a_folder_that_cannot_be_written_is_a_usage_error(self, project: Project) -> None:
        said = project.pytest(*FEW, "--ml-out", "tox.ini/below", expect=[4])
        assert "tox.ini/below" in said


def test_workers_share_the_pace_with_the_process_that_keeps_the_mark(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: Any
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    assert options_from(pytestconfig).target.processes == 1
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    assert options_from(pytestconfig).target.processes == 3


def test_the_names_of_two_workers_never_meet(monkeypatch: pytest.MonkeyPatch, pytestconfig: Any) -> None:
    def prefix(worker: str) -> str:
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
        return options_from(pytestconfig).target.run_id

    monkeypatch.setattr(pytestconfig.option, "ml_run_id", "run")
    assert len({prefix("gw0"), prefix("gw1"), "run"}) == 3
