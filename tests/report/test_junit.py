"""junit.xml is well-formed whatever came, and counts as CI systems count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from mlconform.conformance.report.events import Problem, Waiver
from mlconform.conformance.report.junit import render as render_judged
from mlconform.conformance.report.reproduction import reproductions
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.verdicts import Judgement, judge


def render(judgement: Judgement) -> str:
    return render_judged(judgement, reproductions(judgement))


def parse(judgement: Judgement) -> ET.Element:
    return ET.fromstring(render(judgement).encode())


def case(root: ET.Element, name: str) -> ET.Element:
    return next(case for case in root.iter("testcase") if case.get("name") == name)


def test_a_suite_a_profile_and_a_case_a_requirement(sample: Run) -> None:
    root = parse(judge(sample))
    assert [suite.get("name") for suite in root] == ["opensearch-ml", "run"]
    assert {key: root[0].get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "57",
        "failures": "3",
        "errors": "1",
        "skipped": "5",
    }
    assert root.get("tests") == "59"


@pytest.mark.parametrize(
    ("outcome", "level", "tags"),
    [
        ("pass", "documented", []),
        ("fail", "documented", ["failure"]),
        ("fail", "example", ["system-out"]),
        ("flaky", "documented", ["failure"]),
        ("flaky", "example", ["skipped"]),
        ("error", "documented", ["error"]),
        ("untestable", "documented", ["skipped"]),
        ("inapplicable", "documented", ["skipped"]),
    ],
)
def test_what_a_verdict_becomes(build: Any, outcome: str, level: str, tags: list[str]) -> None:
    root = parse(judge(build.decided(outcome, level=level)))
    assert [element.tag for element in case(root, "osml.deploy.answer")] == tags


def test_a_known_failure_is_skipped_with_its_reason(build: Any) -> None:
    root = parse(judge(build.decided("fail"), [Waiver("osml.deploy.answer", "agreed")]))
    assert case(root, "osml.deploy.answer")[0].get("message") == "known: agreed"


def test_a_failure_carries_all_that_repeats_it(sample: Run) -> None:
    failure = case(parse(judge(sample)), "osml.delete.group").find("failure")
    assert failure is not None
    text = failure.text or ""
    for part in ("source: 002.md:12 (draft)", "expected: GET of the group answers 404", "ask -X DELETE"):
        assert part in text


def test_hostile_text_is_well_formed(hostile_run: Run) -> None:
    root = parse(judge(hostile_run))
    failure = case(root, "osml.deploy.fail").find("failure")
    assert failure is not None
    assert "\\x1b[31mred\\x1b[0m \\x00" in (failure.text or "")


def test_every_character_is_well_formed(build: Any) -> None:
    every = "".join(map(chr, range(0x11000)))
    decisions = [
        build.decide("fail", reason=every[at : at + 1000], came=every[at : at + 1000])
        for at in range(0, len(every), 1000)
    ]
    ET.fromstring(render(judge(build.run(build.requirement(), build.check(*decisions)))).encode())


def test_an_incomplete_run_is_an_error(build: Any) -> None:
    root = parse(judge(replace(build.decided("pass"), footer=None)))
    assert [element.tag for element in case(root, "comes to its end")] == ["error"]
    assert root.get("errors") == "1"


@pytest.mark.parametrize(
    ("selected", "also", "because"),
    [
        (False, [], "left out by the selection"),
        (True, [], "the run ended before it reached them"),
        (True, ["osml.a.out"], "left out by the selection, or the run ended before it reached them"),
    ],
)
def test_what_was_not_run_is_skipped_with_the_reason(
    build: Any, selected: bool, also: list[str], because: str
) -> None:
    missed = build.requirement("osml.a.missed", checks=["other::test"], selected=selected)
    more = [build.requirement(name, selected=False) for name in also]
    run = build.run(missed, *more, build.check(), header=build.header(selection="deploy"))
    root = parse(judge(replace(run, footer=None)))
    skipped = case(root, "osml.a.missed").find("skipped")
    assert skipped is not None
    assert skipped.get("message") == f"not run: {because}"


def test_a_complete_conformant_run_has_neither_failure_nor_error(build: Any) -> None:
    root = parse(judge(build.decided("pass")))
    assert (root.get("failures"), root.get("errors")) == ("0", "0")


@pytest.mark.parametrize(("kind", "errors"), [("internal", "1"), ("unreachable", "1"), ("cleanup", "0")])
def test_a_problem_of_the_run_is_an_error_where_it_sets_the_exit_code(
    build: Any, kind: str, errors: str
) -> None:
    run = replace(build.decided("pass"), problems=(Problem(kind, "it broke"),))
    assert parse(judge(run)).get("errors") == errors


def test_a_stale_waiver_is_an_error(build: Any) -> None:
    root = parse(judge(build.decided("pass"), [Waiver("osml.deploy.answer", "agreed")]))
    assert root.get("errors") == "1"


def test_what_a_selection_leaves_out_is_skipped(build: Any) -> None:
    run = build.run(build.requirement(selected=False), header=build.header(selection="something else"))
    assert case(parse(judge(run)), "osml.deploy.answer")[0].tag == "skipped"


@pytest.mark.parametrize("name", ["sample", "hostile_run"])
def test_is_valid_by_the_schema_of_jenkins(name: str, request: pytest.FixtureRequest) -> None:
    schema = xmlschema.XMLSchema(Path(__file__).parent / "schemas/junit-10.xsd")
    schema.validate(render(judge(request.getfixturevalue(name))))
