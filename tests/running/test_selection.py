"""What a run was asked to judge, and that it says nothing of anything else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from rich.console import Console

from mlconform.conformance.contract import store
from mlconform.conformance.contract.model import Level, Requirement
from mlconform.conformance.report.stream import read
from mlconform.conformance.report.verdicts import Judgement, Kind, judge
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.running.record import STREAM
from mlconform.conformance.running.run import run
from mlconform.conformance.running.selection import Selection
from mlconform.conformance.targets.connect import TargetOptions
from mlconform.mock_server import MockServer
from mlconform.mock_server.httpserver import serve_on

STATUS = "osml.remote.example.deploy-answer"
MACHINE = "opensearch_ml/test_stateful.py::test_any_sequence"
GROUP = "opensearch_ml/test_answers.py::test_a_group"


def requirement(name: str, *checks: str) -> Requirement:
    return Requirement(name, "opensearch-ml", Level.DOCUMENTED, "It holds.", (), checks=checks)


class TestSelection:
    def test_an_empty_one_has_everything(self) -> None:
        assert Selection().has(requirement("a.b"))
        assert Selection().through("test_x.py::test_it", "a.b")

    @pytest.mark.parametrize("expression", ["a.b", "a.*", "c.d, a.b", "*test_it", "test_x.py", "a.[bc]"])
    def test_a_requirement_is_named_by_its_id_or_by_a_check_of_it(self, expression: str) -> None:
        assert Selection(expression).has(requirement("a.b", "suite/test_x.py::test_it"))

    @pytest.mark.parametrize("expression", ["a", "a.b.c", "test_y.py", "!a.b", "a.*,!a.b", "!test_it"])
    def test_what_is_not_named_is_not_selected(self, expression: str) -> None:
        assert not Selection(expression).has(requirement("a.b", "suite/test_x.py::test_it"))

    def test_a_check_that_is_named_decides_all_of_its_requirements_and_others_none(self) -> None:
        chosen = Selection("test_one")
        assert chosen.through("suite/test_one", "a.b")
        assert not chosen.through("suite/test_two", "a.b")

    def test_what_is_left_out_leaves_the_rest_of_a_check(self) -> None:
        chosen = Selection("test_one,!a.b")
        assert not chosen.through("suite/test_one", "a.b")
        assert chosen.through("suite/test_one", "a.c")

    @pytest.mark.parametrize(
        ("expression", "spared"),
        [
            ("", set()),
            ("a.b", {"s/test_y.py"}),
            ("a.c", set()),
            ("!a.b", set()),
            ("!a.*", {"s/test_x.py", "s/test_y.py"}),
            ("a.*,!*test_y*", {"s/test_y.py"}),
            ("!test_x", {"s/test_x.py"}),
            ("test_two", {"s/test_y.py"}),
            ("*test_*", set()),
        ],
    )
    def test_a_file_is_spared_where_none_of_its_checks_is_asked_to_decide_anything(
        self, expression: str, spared: set[str]
    ) -> None:
        every = (
            requirement("a.b", "s/test_x.py::test_one"),
            requirement("a.c", "s/test_x.py::test_two", "s/test_y.py::TestIt::test_three"),
            requirement("a.d"),
        )
        assert Selection(expression).spared(every) == spared

    def test_a_check_that_is_left_out_leaves_the_requirement_to_the_others(self) -> None:
        assert Selection("a.b,!test_one").has(requirement("a.b", "suite/test_one", "suite/test_two"))
        assert not Selection("a.b,!test_one").has(requirement("a.b", "suite/test_one"))

    def test_parts_that_match_nothing_are_named(self) -> None:
        chosen = Selection("a.*, !a.c, test_two, x")
        assert chosen.unmatched([requirement("a.b", "suite/test_one")]) == ["!a.c", "test_two", "x"]


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., Judgement]:
    """Runs what is selected in this process, and reads the run from disk."""

    def run_checks(select: str, *, seed: int = 0, **target: Any) -> Judgement:
        options = RunOptions(
            target=TargetOptions(**target),
            profile="opensearch-ml",
            level=Level.OBSERVED,
            select=select,
            seed=seed,
            out=tmp_path / "out",
        )
        run(options, Console(quiet=True))
        return judge(read(tmp_path / "out" / STREAM))

    return run_checks


def kinds(judgement: Judgement) -> dict[str, Kind]:
    return {verdict.requirement.id: verdict.kind for verdict in judgement.verdicts}


def told_of(judgement: Judgement) -> set[str]:
    """Every requirement that the stream decides."""
    return {decision.requirement for check in judgement.run.checks for decision in check.decisions}


def matching(pattern: str) -> set[str]:
    listed = store.load("opensearch-ml").requirements.values()
    return {each.id for each in listed if re.fullmatch(pattern, each.id) and each.level != Level.UNSPECIFIED}


_LOADED = """
import sys
from mlconform.conformance.cli import main
try:
    main()
finally:
    print(*sorted(name.rpartition(".")[2] for name in sys.modules if ".suites.nugen.test_" in name))
"""


def test_only_the_files_of_selected_checks_are_imported(tmp_path: Path) -> None:
    select = "nugen.undeploy.unknown,!*generated*,!*sequences*"
    options = ["run", "--profile", "nugen", "--select", select, "--out", str(tmp_path)]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    ran = subprocess.run(
        [sys.executable, "-c", _LOADED, *options], capture_output=True, text=True, check=True, env=alone
    )
    named = store.load("nugen").requirements["nugen.undeploy.unknown"].checks
    files = {check.partition("::")[0].rpartition("/")[2].removesuffix(".py") for check in named}
    assert set(ran.stdout.splitlines()[-1].split()) == files - {"test_generated", "test_sequences"} != set()


class TestOnlyWhatIsSelectedIsJudged:
    @pytest.mark.parametrize("seed", range(5))
    def test_whatever_the_state_machine_meets(self, judged: Any, seed: int) -> None:
        """A model that answers though an update disabled it: the machine goes on past that."""
        judgement = judged("osml.delete.*", seed=seed, mutant="disabled-still-predicts")
        assert kinds(judgement) == dict.fromkeys(matching(r"osml\.delete\..*"), Kind.PASS)
        assert told_of(judgement) == set(kinds(judgement))
        assert MACHINE in {check.check for check in judgement.run.checks}
        assert judgement.summary.exit_code == 0

    def test_the_same_fault_fails_where_it_is_selected(self, judged: Any) -> None:
        judgement = judged("osml.update.disabled", mutant="disabled-still-predicts")
        assert kinds(judgement)["osml.update.disabled"] is Kind.FAIL

    def test_what_the_watch_sees(self, judged: Any) -> None:
        judgement = judged("osml.group.register.*", mutant="wrong-content-type")
        assert told_of(judgement) == matching(r"osml\.group\.register\..*") & told_of(judgement)
        assert judgement.summary.exit_code == 0

    def test_what_the_watch_sees_of_what_is_selected_fails(self, judged: Any) -> None:
        name = "osml.wire.content-type"
        judgement = judged(f"osml.group.register.field.name,{name}", mutant="wrong-content-type")
        (found,) = (each for each in judgement.verdicts if each.requirement.id == name)
        assert found.kind is Kind.FAIL
        assert any("test_wire.py" not in each.check.check for each in found.telling)

    def test_what_is_selected_after_the_difference_is_untestable(
        self, judged: Any, httpserver: HTTPServer
    ) -> None:
        serve_on(httpserver, MockServer())
        httpserver.expect_oneshot_request(re.compile(r".*/_deploy"), "POST").respond_with_data("{")
        judgement = judged(STATUS, target=httpserver.url_for(""))
        assert kinds(judgement) == {STATUS: Kind.UNTESTABLE}
        (verdict,) = judgement.verdicts
        assert verdict.reason == "a difference from osml.wire.json, which is not selected, was in the way"

    def test_a_target_that_cannot_be_discovered_for_it_is_a_missing_prerequisite(
        self, judged: Any, raw_server: Any
    ) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n"
        judgement = judged(STATUS, target=raw_server(head + b"{").url)
        assert (judgement.verdicts, int(judgement.summary.exit_code)) == ((), 3)
        assert "osml.wire.json, which is not selected" in judgement.problems[0].message


class TestWhichChecksRun:
    def test_one_that_decides_only_what_is_left_out_does_not(self, judged: Any) -> None:
        judgement = judged(f"*{GROUP},*test_any_sequence,!osml.relation.*,!osml.group.*")
        assert [check.check for check in judgement.run.checks] == [MACHINE]

    def test_one_that_is_named_decides_all_of_its_requirements(self, judged: Any) -> None:
        judgement = judged(GROUP)
        listed = store.load("opensearch-ml").requirements.values()
        assert set(kinds(judgement)) == {each.id for each in listed if GROUP in each.checks}
        assert {check.check for check in judgement.run.checks} == {GROUP}

    def test_one_that_is_named_keeps_what_is_not_left_out(self, judged: Any) -> None:
        judgement = judged(f"{GROUP},!osml.relation.*")
        assert {name.split(".")[1] for name in kinds(judgement)} == {"group"}


def test_a_selected_requirement_without_a_check_is_untestable_and_says_why(judged: Any) -> None:
    unchecked = next(
        each for each in store.load("opensearch-ml").requirements.values() if each.unchecked and not each.when
    )
    judgement = judged(f"{unchecked.id},{STATUS}")
    found = {verdict.requirement.id: verdict.reason for verdict in judgement.verdicts}
    assert found == {unchecked.id: unchecked.unchecked, STATUS: ""}
