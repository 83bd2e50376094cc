"""The command: exit codes and one-line messages of what can be told without a run."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mlconform.conformance.cli import main
from mlconform.conformance.report.stream import read
from mlconform.conformance.report.verdicts import Judgement, judge
from mlconform.conformance.targets.connect import TargetOptions, connect, prepare
from mlconform.conformance.targets.session import Session

FEW = ("--profile", "opensearch-ml", "--select", "osml.deploy.answer*")


def judged() -> Judgement:
    """The run whose reports went where they go by default."""
    return judge(read(Path("reports/latest/run.ndjson")))


def kinds(judgement: Judgement) -> dict[str, str]:
    return {verdict.requirement.id: verdict.kind.value for verdict in judgement.verdicts}


@pytest.fixture
def mlconform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Calls the command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--profile", "nope"], "nope"),
        (["--level", "unspecified"], "unspecified"),
        (["--known", "nope"], "nope"),
        (["--known", ""], "opensearch-3.4"),
        (["--target", "http://me:secret@h", "--behaviour", "opensearch-3.4"], "--behaviour with the mock"),
        (["--target", "http://h", "--mutant", "delete-keeps-model"], "--mutant with the mock"),
        (["--target", "http://h", "--security"], "--security with the mock"),
        (["--select", ","], "','"),
        (["--select", "!"], "'!'"),
        (["--waivers", "nope.yaml"], "nope.yaml"),
        (["--docs-version", "1.0"], "1.0"),
        (["--target", "localhost:9200"], "'localhost:9200'"),
        (["--mutant", "nope"], "nope"),
        (["--behaviour", "nope"], "nope"),
        (["--max-wait", "nan"], "--max-wait"),
        (["--max-rate", "10"], "--max-rate with a server"),
        (["--target", "http://h", "--max-rate", "0.5"], "--max-rate in requests a second"),
        (["--target", "http://h", "--max-rate", "inf"], "--max-rate in requests a second"),
        (["--require-decided", "101"], "--require-decided"),
        (["--workers", "0"], "--workers"),
        (["--workers", "-1"], "--workers"),
        (["--workers", "999"], "from 1 to 64"),
        (["--endpoint-host", "http://x:80"], "--endpoint-host"),
        (["--out", "file/below"], "file/below"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_in_the_options_is_one_line(mlconform: Any, arguments: list[str], message: str) -> None:
    Path("file").touch()
    ended = mlconform("run", *arguments)
    assert ended.exit_code == 2
    assert ended.stderr.startswith("mlconform: ")
    assert len(ended.stderr.splitlines()) == 1
    assert message in ended.stderr
    assert "secret" not in ended.stderr


def test_an_option_that_there_is_not_is_shown_with_the_usage(mlconform: Any) -> None:
    ended = mlconform("run", "--no-such-option")
    assert ended.exit_code == 2
    assert "--no-such-option" in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["requirements", "list", "--profile", "nope"],
        ["requirements", "show", "osml.nope"],
        ["requirements", "coverage", "--profile", "nope"],
        ["contract", "show", "--contradictions", "--profile", "nope"],
        ["report", "render", "nope.ndjson"],
        ["report", "diff", "nope.ndjson", "nope.ndjson"],
        ["mutants", "nope"],
        ["mock", "--behaviour", "nope"],
        ["mock", "--nodes", "0"],
        ["mock", "--port", "99999"],
        ["mock", "--docs-version", "2.18"],
        ["mock", "--no-tls", "--ca-file", "ca.pem"],
        ["mock", "--ca-file", "no/such/folder/ca.pem"],
        ["mock", "--behaviour", "opensearch-2.19", "--docs-version", "3.4"],
        ["sweep", "--target", "nope"],
    ],
    ids=" ".join,
)
def test_a_mistake_of_the_user_is_one_line(mlconform: Any, arguments: list[str]) -> None:
    ended = mlconform(*arguments)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("mlconform: ")
    assert len(ended.stderr.splitlines()) == 1


def test_a_port_in_use_is_one_line(mlconform: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        ended = mlconform("mock", "--port", port)
    assert ended.exit_code == 2
    assert f"127.0.0.1 port {port}" in ended.stderr


def test_requirements_are_listed_as_json(mlconform: Any) -> None:
    listed = json.loads(mlconform("requirements", "list", "--profile", "nugen", "--json").stdout)
    assert {each["profile"] for each in listed} == {"nugen"}


def test_a_requirement_is_shown_with_its_source(mlconform: Any) -> None:
    shown = mlconform("requirements", "show", "osml.undeploy.ttl-window")
    assert shown.exit_code == 0
    assert "osml.undeploy.ttl-window" in shown.stdout
    assert "test_ttl.py" in shown.stdout


class TestOptions:
    """Options that change what a run does."""

    def test_the_selection_leaves_the_rest_out(self, mlconform: Any) -> None:
        mlconform("run", *FEW)
        judgement = judged()
        assert {name.split(".")[2] for name in kinds(judgement)} == {"answer"}
        assert len(judgement.not_run) > 100

    @pytest.mark.parametrize("part", ["osml.no-such.*", "test_no_such", "!osml.no-such"])
    def test_a_part_of_the_selection_that_matches_nothing_is_named(self, mlconform: Any, part: str) -> None:
        ended = mlconform("run", *FEW[:-1], f"osml.deploy.answer*, {part}")
        assert ended.exit_code == 2
        (problem,) = judged().problems
        found = f"{part!r} in --select matches no requirement and no check of opensearch-ml 3.4; "
        assert problem.message.startswith(found)
        assert judged().run.checks == ()

    def test_what_can_be_selected_is_told_where_all_profiles_are_run(self, mlconform: Any) -> None:
        mlconform("run", "--select", "osml.no-such.*")
        (problem,) = judged().problems
        assert problem.message.endswith("; `mlconform requirements list` has them")

    @pytest.mark.parametrize(("percent", "code"), [("50", 0), ("100", 1)])
    def test_too_few_decided_fails(self, mlconform: Any, serve_mock: Any, percent: str, code: int) -> None:
        # Without a second node one of the two cannot be decided.
        few = ("--select", "*test_node_ids_limit_the_deployment,osml.deploy.answer", "--level", "example")
        url = serve_mock(profiles=["opensearch-ml"], nodes=1).url
        assert mlconform("run", "--target", url, *few, "--require-decided", percent).exit_code == code
        assert sorted(kinds(judged()).values()) == ["pass", "untestable"]

    def test_a_waived_failure_is_known_and_passes(self, mlconform: Any) -> None:
        waivers = Path("waivers.yaml")
        waivers.write_text("- {requirement: osml.deploy.answer.status, reason: agreed}", encoding="utf-8")
        faulty = (*FEW, "--level", "example", "--mutant", "deploy-answers-started")
        assert mlconform("run", *faulty, "--waivers", str(waivers)).exit_code == 0
        assert kinds(judged())["osml.deploy.answer.status"] == "known"

    @pytest.mark.parametrize("more", [(), FEW])
    def test_a_waiver_of_no_requirement_is_refused_before_anything_is_sent(
        self, mlconform: Any, more: tuple[str, ...]
    ) -> None:
        Path("waivers.yaml").write_text("- {requirement: osml.deploy.anwser.status, reason: agreed}")
        ended = mlconform("run", *more, "--waivers", "waivers.yaml", "--target", "http://127.0.0.1:9")
        assert ended.exit_code == 2
        (line,) = ended.stderr.splitlines()
        assert "waivers.yaml" in line
        assert "'osml.deploy.anwser.status'" in line
        assert "osml.deploy.answer.status" in line.partition("nearest")[2]

    def test_a_waiver_that_is_over_does_not_help(self, mlconform: Any) -> None:
        waivers = Path("waivers.yaml")
        waivers.write_text(
            "- {requirement: osml.deploy.answer.status, reason: agreed, until: 2020-01-01}", encoding="utf-8"
        )
        faulty = (*FEW, "--level", "example", "--mutant", "deploy-answers-started")
        ended = mlconform("run", *faulty, "--waivers", str(waivers))
        assert ended.exit_code == 1
        assert "ended on 2020-01-01" in ended.stdout

    @pytest.mark.parametrize(("known", "notes"), [("opensearch-2.19", 1), ("opensearch-3.4", 0)])
    def test_a_known_set_of_another_version_is_told(self, mlconform: Any, known: str, notes: int) -> None:
        ended = mlconform("run", *FEW, "--behaviour", "opensearch-3.4", "--known", known)
        assert ended.exit_code == 0
        assert ended.stdout.count(f"note: the known set {known} was recorded on another version") == notes


class TestReports:
    @pytest.fixture
    def runs(self, mlconform: Any) -> Callable[..., str]:
        """A finished run of few checks, and where its stream is."""

        def finish(name: str, *options: str) -> str:
            few = ("--profile", "opensearch-ml", "--select", "osml.deploy.answer*", "--level", "example")
            mlconform("run", "--out", name, *few, *options)
            return f"{name}/run.ndjson"

        return finish

    def test_are_rendered_again_from_the_stream(self, mlconform: Any, runs: Any) -> None:
        stream = runs("first")
        ended = mlconform("report", "render", stream, "--out", "again")
        assert ended.exit_code == 0
        for name in ("report.html", "report.md", "junit.xml"):
            assert Path("again", name).read_bytes() == Path("first", name).read_bytes()

    def test_are_found_in_the_folder_of_their_run(self, mlconform: Any, runs: Any) -> None:
        runs("first")
        assert mlconform("report", "render", "first").exit_code == 0
        assert mlconform("report", "diff", "first", "first").exit_code == 0

    def test_that_got_worse_are_told_by_the_exit_code(self, mlconform: Any, runs: Any) -> None:
        good, bad = runs("good"), runs("bad", "--mutant", "deploy-answers-started")
        assert mlconform("report", "diff", good, bad).exit_code == 1
        assert mlconform("report", "diff", bad, good).exit_code == 0

    @pytest.mark.parametrize("form", ["text", "json", "html"])
    def test_of_a_killed_run_what_it_no_longer_decides_is_a_regression(
        self, mlconform: Any, runs: Any, form: str
    ) -> None:
        whole = runs("whole")
        events = Path(whole).read_text(encoding="utf-8").splitlines(keepends=True)
        first = next(number for number, event in enumerate(events) if '"event":"check_finished"' in event)
        Path("killed.ndjson").write_text("".join(events[:first]), encoding="utf-8")
        diff = ("report", "diff", whole, "killed.ndjson", "--format", form)
        ended = mlconform(*diff)
        assert (ended.exit_code, "regressions" in ended.stderr) == (1, True)
        assert mlconform(*diff, "--allow-undecided").exit_code == 0


def test_the_sweep_removes_what_a_dead_run_left(mlconform: Any, serve_mock: Any) -> None:
    url = serve_mock().url
    dead = connect("opensearch-ml", TargetOptions(target=url))
    prepare(dead)
    group = {"name": dead.new_name("group"), "description": "x"}
    made = dead.request("POST", "/_plugins/_ml/model_groups/_register", group).member("model_group_id")
    _let_its_mark_run_out(dead)
    ended = mlconform("sweep", "--target", url)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        f"removed ingest pipeline {dead.options.prefix}mark",
        f"removed ingest pipeline {dead.options.prefix}settings",
        f"removed model group {made}",
        "3 removed, 0 left",
    ]
    assert dead.request("GET", "/_cluster/settings").json == {"persistent": {}, "transient": {}}
    dead.close()


def _let_its_mark_run_out(dead: Session) -> None:
    path = f"/_ingest/pipeline/{dead.options.prefix}mark"
    (kept,) = dead.request("GET", path).json.values()
    mark = json.loads(kept["description"])
    for told in mark.values():
        told["until"] = "2020-01-01T00:00:00+00:00"
    dead.request("PUT", path, {**kept, "description": json.dumps(mark)})


def test_a_sweep_of_nobody_is_unreachable(mlconform: Any, free_port: int) -> None:
    ended = mlconform("sweep", "--target", f"http://127.0.0.1:{free_port}")
    assert ended.exit_code == 3
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "version", "nodes", "notice"),
    [
        ((), "3.4.0", 2, ""),
        (("--behaviour", "opensearch-2.19", "--nodes", "3"), "2.19.0", 3, ""),
        (("--docs-version", "9.9"), "9.9.0", 2, "follows those of 3.8"),
    ],
)
def test_the_mock_serves_until_it_is_interrupted(
    command: Any, options: tuple[str, ...], version: str, nodes: int, notice: str
) -> None:
    with command.start("mock", "--port", "0", *options) as process:
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/_nodes", timeout=10) as answer:
            found = json.load(answer)["nodes"].values()
        process.send_signal(signal.SIGINT)
        rest, stderr = process.communicate(timeout=20)
    assert (process.returncode, rest) == (0, "")
    assert [node["version"] for node in found] == [version] * nodes
    assert len(stderr.splitlines()) == 1 + bool(notice)
    assert notice in stderr


def test_a_secured_mock_tells_its_users_and_its_authority(command: Any, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    with command.start("mock", "--port", "0", "--security", "--ca-file", str(ca_file)) as process:
        url = process.stdout.readline().strip()
        context = ssl.create_default_context(cafile=str(ca_file))
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(url, timeout=10, context=context)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert "admin, ml_full, ml_read, nobody, alice, bob; password" in said
    assert str(ca_file) in said


def test_a_mistake_ends_the_process_without_a_traceback(command: Any) -> None:
    ended = command("run", "--level", "nope")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)


def test_a_run_as_json_says_nothing_else_on_stdout(mlconform: Callable[..., Result]) -> None:
    ended = mlconform("run", "--profile", "nugen", "--out", "here", "--json")
    assert json.loads(ended.stdout)["exit_code"] == ended.exit_code == 0
    assert "runs 30 checks" in ended.stderr


def test_a_quiet_run_says_how_it_ended(mlconform: Callable[..., Result]) -> None:
    ended = mlconform("run", "--profile", "nugen", "--out", "here", "-q")
    assert ended.stdout.startswith("Conformant")
    assert "checks" not in ended.stdout
