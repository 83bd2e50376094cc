"""Whatever a page holds, everything that is made of it is made, or an error says why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from mlconform.conformance.contract import contradictions, openapi, overlay_files, requirements
from mlconform.conformance.contract.facts import Facts
from mlconform.conformance.contract.overlay import Overlay
from mlconform.conformance.contract.pages import read_page

from .conftest import OVERLAY, PAGE

OPENAPI = """```yaml
openapi: 3.1.0
paths:
  /things/{thing_id}/_start:
    post:
      summary: S
      security: [{Token: []}]
      parameters: [{name: a, in: path, schema: {type: string}}]
      responses:
        200:
          content: {application/json: {schema: {type: string}}}
        '422':
components:
  schemas:
    A: {type: string}
```"""
LINES = st.sampled_from(
    [*PAGE.split("\n"), *OPENAPI.split("\n"), "{", "}", "null", '{"error": {}, "status": 1}']
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Overlay:
    path = Path(tmp_path_factory.mktemp("things")) / "overlay.yaml"
    path.write_text(yaml.safe_dump(OVERLAY | {"requirements": []}), encoding="utf-8")
    return overlay_files.load(path)


def make(written: Overlay, text: str) -> dict[str, Any]:
    (version,) = written.versions
    facts = Facts(written, version, {"start": read_page("start", version, text)})
    founded = requirements.requirements(facts, {})
    records = requirements.account(facts, founded)
    assert {record.key for record in records} == set(facts.units)
    assert contradictions.contradictions(facts, contradictions.findings(facts)) is not None
    document = openapi.document(facts)
    assert list(openapi.schemas(document)) is not None
    return document


@settings(deadline=None)
@given(lines=st.lists(LINES, max_size=30))
def test_any_lines(written: Overlay, lines: list[str]) -> None:
    make(written, "\n".join(lines))


def test_an_endpoint_that_is_listed_again_and_again(written: Overlay) -> None:
    make(written, "\n".join([PAGE] * 3))


@settings(deadline=None)
@given(cut=st.integers(0, len(OPENAPI)), junk=st.sampled_from(["", " ", ":", "- ", "\n", "x: [", "null"]))
def test_a_cut_openapi_document(written: Overlay, cut: int, junk: str) -> None:
    make(written, f"{PAGE}\n{OPENAPI[:cut]}{junk}\n{OPENAPI[cut:]}")


@pytest.mark.parametrize(
    "empty", ["paths: {}", "paths: {'/things/{thing_id}/_start': {post: {responses: {}}}}", "paths:"]
)
def test_an_openapi_document_with_empty_parts(written: Overlay, empty: str) -> None:
    make(written, f"```yaml\nopenapi: 3.1.0\n{empty}\n```")


def test_two_openapi_documents_of_one_page_are_merged(written: Overlay) -> None:
    other = "```yaml\nopenapi: 3.1.0\ncomponents:\n  schemas:\n    B: {type: integer}\n```"
    document = make(written, f"{OPENAPI}\n\n{other}\n")
    assert set(document["components"]["schemas"]) == {"A", "B"}


def test_a_whole_openapi_document(written: Overlay) -> None:
    document = make(written, OPENAPI)
    validate(document)
