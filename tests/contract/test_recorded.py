"""The form of answers as recordings show it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.recorded import forms
from mlconform.conformance.contract.routes import Route

ROUTES = {"get_task": Route("GET", "/tasks/{task_id}"), "get_model": Route("GET", "/models/{model_id}")}
TASK = {"task_id": "t", "model_id": "m", "state": "COMPLETED", "is_async": True}


def recording(folder: Path, *answers: Any, path: str = "/models/m", status: int = 200) -> None:
    common = {"method": "GET", "path": path, "status": status, "content_type": "application/json"}
    exchanges = [{"i": i, **common, "response": answer} for i, answer in enumerate(answers)]
    (folder / "opensearch-3.4.0").mkdir(exist_ok=True)
    lines = "\n".join(json.dumps(each) for each in ({"scenario": "s"}, *exchanges))
    (folder / "opensearch-3.4.0" / "s.jsonl").write_text(lines, encoding="utf-8")


def form(folder: Path, operation: str = "get_model", status: str = "200") -> Mapping[str, Any]:
    return forms(folder, "3.4.0", ROUTES)[operation][status]


def test_what_every_answer_has_is_asked_for(tmp_path: Path) -> None:
    recording(tmp_path, {"name": "a", "size": 1}, {"name": "b"})
    assert form(tmp_path)["required"] == ["name"]


def test_what_a_client_may_leave_out_is_not_asked_for(tmp_path: Path) -> None:
    recording(tmp_path, {"name": "a", "description": "x"})
    assert form(tmp_path)["required"] == ["name"]


def test_a_task_is_not_asked_for_what_it_tells_at_its_end(tmp_path: Path) -> None:
    recording(tmp_path, TASK, TASK, path="/tasks/t")
    assert "model_id" not in form(tmp_path, "get_task")["required"]
    assert {"task_id", "state"} <= set(form(tmp_path, "get_task")["required"])


def test_a_word_of_the_server_is_one_that_was_recorded(tmp_path: Path) -> None:
    recording(tmp_path, {"result": "noop"}, {"result": "updated"})
    assert form(tmp_path)["properties"]["result"]["enum"] == ["noop", "updated"]


def test_the_words_of_an_error_are_its_own(tmp_path: Path) -> None:
    recording(tmp_path, {"result": "noop"}, status=404)
    assert "enum" not in form(tmp_path, status="404")["properties"]["result"]


def test_what_a_client_chose_is_open(tmp_path: Path) -> None:
    recording(tmp_path, {"parameters": {"model": "x"}}, {"parameters": {"model": "y"}})
    assert "required" not in form(tmp_path)["properties"]["parameters"]


def test_another_version_shows_nothing(tmp_path: Path) -> None:
    recording(tmp_path, {"name": "a"})
    assert forms(tmp_path, "2.19.0", ROUTES) == {}


def test_a_filter_in_the_query_shows_nothing(tmp_path: Path) -> None:
    recording(tmp_path, {"name": "a"}, path="/models/m?filter_path=name")
    assert forms(tmp_path, "3.4.0", ROUTES) == {}


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    recording(tmp_path, {})
    (tmp_path / "opensearch-3.4.0" / "s.jsonl").write_text("{}\nnothing", encoding="utf-8")
    with pytest.raises(ContractError, match=r"s\.jsonl is no recording"):
        form(tmp_path)
