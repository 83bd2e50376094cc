from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mlconform.conformance.report.script import commands

FIRST, SECOND = "AAAAAAAAAAAAAAAAAAA1", "AAAAAAAAAAAAAAAAAA-2"
# In the place of curl: the first answers tell new ids, and every call tells what it was given.
CURL = """
curl() {
  printf '%s\\n' "$*" >&2
  count=$(cat count); echo $((count + 1)) > count
  sed -n "${count}p" answers
}
"""


@pytest.fixture
def replay(tmp_path: Any) -> Callable[..., list[str]]:
    """Runs the commands of exchanges with a curl that gives these answers; what each was called with."""

    def run(exchanges: list[Any], *answers: Any) -> list[str]:
        (tmp_path / "answers").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
        (tmp_path / "count").write_text("1")
        script = CURL + "\n".join(commands(exchanges))
        ended = subprocess.run(
            ["sh", "-eu"], input=script, capture_output=True, text=True, cwd=tmp_path, check=True
        )
        return ended.stderr.splitlines()

    return run


def _register(build: Any, **ids: str) -> Any:
    return build.exchange(path="/register", response_body=json.dumps(ids))


def test_an_id_is_carried_into_path_and_body(build: Any, replay: Any) -> None:
    exchanges = [
        _register(build, task_id=SECOND, model_id=FIRST, status="CREATED"),
        build.exchange(path=f"/models/{FIRST}/_deploy"),
        build.exchange(path="/x", request_body=json.dumps({"models": [FIRST], "task": SECOND, "q": "it is"})),
    ]
    sent = replay(exchanges, {"model_id": "anew", "task_id": "again", "status": "CREATED"}, {}, {})
    assert sent[1].endswith("/models/anew/_deploy")
    assert sent[2].endswith('{"models": ["anew"], "task": "again", "q": "it is"}')


def test_two_ids_of_one_name_have_variables_of_their_own(build: Any, replay: Any) -> None:
    exchanges = [
        _register(build, model_id=FIRST),
        _register(build, model_id=SECOND),
        build.exchange(path=f"/{SECOND}/{FIRST}"),
    ]
    assert replay(exchanges, {"model_id": "anew"}, {"model_id": "again"}, {})[2].endswith("/again/anew")


@pytest.mark.parametrize(
    ("answer", "later"),
    [
        pytest.param({"model_id": FIRST}, "/no/id", id="not used later"),
        pytest.param({"model_id": "short"}, "/short", id="a word, not an id"),
        pytest.param({"name": FIRST}, f"/{FIRST}", id="not an id's name"),
        pytest.param({"hits": [{"_id": FIRST}]}, f"/{FIRST}", id="inside of the answer"),
        pytest.param([FIRST], f"/{FIRST}", id="no object"),
    ],
)
def test_what_makes_nothing_stays_as_it_is(build: Any, answer: Any, later: str) -> None:
    exchanges = [build.exchange(response_body=json.dumps(answer)), build.exchange(path=later)]
    assert commands(exchanges) == [exchange.curl for exchange in exchanges]


def test_an_id_that_was_there_before_stays(build: Any) -> None:
    read = build.exchange("GET", f"/models/{FIRST}", response_body=json.dumps({"model_id": FIRST}))
    assert commands([read, read]) == [read.curl, read.curl]


def test_a_secret_stays_a_variable(build: Any) -> None:
    secret = '-H "Authorization: $MLCONFORM_AUTHORIZATION"'
    later = replace(build.exchange(), curl=f"curl -X POST 'http://host/{FIRST}' {secret}")
    assert commands([_register(build, model_id=FIRST), later])[1] == (
        f'curl -X POST http://host/"$model_id" {secret}'
    )


@pytest.mark.parametrize("body", ["no JSON", "", None, "[" * 100_000])
def test_an_answer_that_is_not_json_makes_nothing(build: Any, body: str | None) -> None:
    exchange = build.exchange(response_body=body)
    assert commands([exchange]) == [exchange.curl]


def test_a_command_that_no_shell_understands_is_shown_as_it_is(build: Any) -> None:
    broken = build.exchange(path=f"/{FIRST}'")
    assert commands([_register(build, model_id=FIRST), broken])[1] == broken.curl
