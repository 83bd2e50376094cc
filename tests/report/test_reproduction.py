"""A finding as a script, pasted into bash: it shows on another target what the check met."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mlconform.conformance.report.findings import Finding, findings
from mlconform.conformance.report.reproduction import reproduction
from mlconform.conformance.report.stream import Run, read
from mlconform.conformance.report.verdicts import judge
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.running.run import run as run_suite
from mlconform.conformance.targets.access_options import AccessOptions
from mlconform.conformance.targets.connect import TargetOptions
from mlconform.mock_server import DEFAULT_PASSWORD, Security
from mlconform.mock_server.fixture import running_mock

pytestmark = pytest.mark.skipif(
    shutil.which("bash") is None or shutil.which("curl") is None, reason="needs bash and curl"
)


def paste(script: str, **variables: str) -> str:
    """What a bash shows that is given the script on its standard input."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash"],
        input=script,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": path, "HOME": os.environ.get("HOME", "/"), **variables},
        check=True,
    )
    assert [line for line in ended.stderr.splitlines() if not line.startswith("mlconform: mock of")] == []
    return ended.stdout


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., Run]:
    """A run of a selection, as its stream has it."""

    def run(select: str, **target: Any) -> Run:
        options = RunOptions(
            target=TargetOptions(**target), profile="opensearch-ml", select=select, out=tmp_path
        )
        run_suite(options, Console(quiet=True))
        return read(tmp_path / "run.ndjson")

    return run


def settings(url: str, wanted: Any = None) -> Any:
    """The cluster settings that somebody set; with `wanted`, these are set before."""
    if wanted is not None:
        body, headers = json.dumps(wanted).encode(), {"content-type": "application/json"}
        put = urllib.request.Request(f"{url}/_cluster/settings", body, headers, method="PUT")
        urllib.request.urlopen(put, timeout=10).close()
    with urllib.request.urlopen(f"{url}/_cluster/settings?flat_settings=true", timeout=10) as answer:
        return json.load(answer)


def first(run: Run) -> Finding:
    return findings(judge(run))[0]


def test_a_finding_of_the_mock_in_process_starts_the_mock_and_the_model(judged: Any) -> None:
    run = judged("osml.undeploy.answer.value", behaviour="opensearch-2.19")
    shown = paste(reproduction(first(run), run))
    assert '"undeployed"' in shown
    assert "=> 4" not in shown


def test_a_fault_of_the_mock_is_put_into_the_one_that_is_started(judged: Any) -> None:
    run = judged("*::test_a_deleted_model_is_gone", mutant="delete-keeps-model")
    deleted = paste(reproduction(first(run), run)).partition('"result":"deleted"')[2]
    assert '"model_state"' in deleted


def test_a_check_of_local_models_sets_what_it_had_set_and_puts_it_back(judged: Any) -> None:
    by_url = "plugins.ml_commons.allow_registering_model_via_url"
    with running_mock(mutant="no-texts-answered") as mock:
        own = {"persistent": {by_url: "false"}}
        settings(mock.url, own)
        run = judged("osml.predict.local.no-texts", target=mock.url)
        shown = paste(reproduction(first(run), run))
        left = settings(mock.url)
    # Nothing is refused, the model is deployed by then, and the finding is what should have been.
    assert "=> 4" not in shown
    assert '{"inference_results":[]}' in shown
    assert '"allow_registering_model_via_url":"true"' in shown
    assert left == {**own, "transient": {}}


def test_a_body_that_is_no_text_is_piped_into_the_request(build: Any) -> None:
    piped = "printf %s AAE= | base64 -d | curl -sS -X POST http://127.0.0.1:9200/x --data-binary @-"
    run, finding = of_curl(build, piped)
    called = 'printf %s AAE= | base64 -d | ask -X POST "$TARGET"/x --data-binary @-'
    assert called in reproduction(finding, run).splitlines()


def test_a_finding_of_a_server_is_shown_on_that_server(judged: Any) -> None:
    with running_mock(behaviour="opensearch-2.19") as mock:
        # Without the requests that nobody wrote, which take half a minute and meet the same.
        run = judged("osml.wire.no-server-error,!*test_generated*", target=mock.url)
        told = [each for each in findings(judge(run)) if each.requirement.id == "osml.wire.no-server-error"]
        assert told
        for finding in told:
            shown = paste(reproduction(finding, run))
            assert "=> 500" in shown, finding.name


def test_a_finding_over_tls_is_shown_with_the_authority_and_the_account_of_the_run(
    judged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCONFORM_USERNAME", "admin")
    monkeypatch.setenv("MLCONFORM_PASSWORD", DEFAULT_PASSWORD)
    with running_mock(behaviour="opensearch-2.19", tls=True, security=Security()) as mock:
        access = AccessOptions(ca_file=str(mock.ca_file))
        run = judged("osml.delete.group", target=mock.url, access=access)
        script = reproduction(first(run), run)
        account = "Basic " + base64.b64encode(f"admin:{DEFAULT_PASSWORD}".encode()).decode()
        (asked,) = set(re.findall(r"\{(MLCONFORM_\w+):\?", script))
        shown = paste(script, **{asked: account})
    assert DEFAULT_PASSWORD not in script
    assert '"latest_version":2' in shown.rpartition('"result":"deleted"')[2]
    assert "=> 4" not in shown


def test_credentials_are_asked_for_by_the_name_of_their_variable(build: Any) -> None:
    run, finding = of_curl(
        build, 'curl -sS -X GET http://127.0.0.1:9200/x -H "Authorization: $MLCONFORM_AUTHORIZATION"'
    )
    script = reproduction(finding, run)
    assert ': "${MLCONFORM_AUTHORIZATION:?set it first}"' in script
    assert 'ask -X GET "$TARGET"/x -H "Authorization: $MLCONFORM_AUTHORIZATION"' in script


@pytest.mark.parametrize(
    ("options", "expected"),
    [(("--insecure",), "curl -sS -k -w"), (("--ca-file=my ca.pem",), "curl -sS --cacert 'my ca.pem' -w")],
)
def test_certificates_are_handled_as_the_run_did(build: Any, options: tuple[str, ...], expected: str) -> None:
    run, finding = of_curl(build, "curl -sS -X GET http://127.0.0.1:9200/x", options=options)
    assert expected in reproduction(finding, run)


def test_a_text_of_the_server_is_never_carried_out(build: Any, tmp_path: Path) -> None:
    evil = "$MLCONFORM_X$(touch owned)`touch owned`"
    run, finding = of_curl(build, shlex.join(["curl", "-sS", "-X", "GET", f"http://127.0.0.1:9200/{evil}"]))
    script = reproduction(finding, run).replace("ask()", "ask() { printf '%s ' \"$@\"; }; was()")
    ended = subprocess.run(["bash"], input=script, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert evil in ended.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_pause_of_the_check_is_a_pause_of_the_script(build: Any) -> None:
    failed = build.decide("fail", expected="gone", came="there")
    exchanges = [build.exchange(at=0.0), build.exchange(at=0.1), build.exchange(at=4.6)]
    run = build.run(build.requirement(), build.check(failed, exchanges=exchanges))
    lines = reproduction(first(run), run).splitlines()
    assert [line for line in lines if line.startswith("sleep")] == ["sleep 4.5"]


def test_what_a_check_waited_for_has_a_second_to_come(build: Any) -> None:
    failed = build.decide("fail", expected="gone", came="there")
    read = replace(build.exchange(), method="GET", curl="curl -sS -X GET http://127.0.0.1:9200/x")
    exchanges = [replace(read, at=at) for at in (0.0, 0.1, 0.2)]
    run = build.run(build.requirement(), build.check(failed, exchanges=exchanges))
    lines = reproduction(first(run), run).splitlines()
    assert [line for line in lines if line.startswith("sleep")] == ["sleep 1.0"]


def of_curl(build: Any, curl: str, options: tuple[str, ...] = ()) -> tuple[Run, Finding]:
    """A run with one finding, of one request."""
    exchange = replace(build.exchange("GET", "/x"), curl=curl)
    failed = build.decide("fail", expected="gone", came="there")
    header = replace(build.header(), options=options)
    run = build.run(build.requirement(), build.check(failed, exchanges=[exchange]), header=header)
    return run, first(run)
