"""report.md: what a Markdown reader makes of it."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from mlconform.conformance.report.events import Link, Waiver
from mlconform.conformance.report.markdown import render as render_judged
from mlconform.conformance.report.reproduction import reproductions
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.verdicts import Judgement, judge


def render(judgement: Judgement) -> str:
    return render_judged(judgement, reproductions(judgement))


def tokens(run: Run) -> list[Token]:
    return MarkdownIt("gfm-like", {"linkify": False}).parse(render(judge(run)))


def texts(run: Run, kind: str) -> list[str]:
    """The visible text of all inline tokens that follow a token of this kind."""
    parsed = tokens(run)
    return [
        "".join(child.content for child in after.children or [])
        for token, after in pairwise(parsed)
        if token.type == kind
    ]


def test_begins_with_the_headline(sample: Run) -> None:
    assert texts(sample, "heading_open")[0] == "Not conformant: http://127.0.0.1:9200"
    assert texts(sample, "paragraph_open")[0] == "91 % decided (51 of 56 requirements)"


def test_has_a_row_for_each_finding(sample: Run) -> None:
    cells = texts(sample, "td_open")
    at = cells.index("osml.undeploy.answer.value")
    assert cells[at - 1 : at + 3] == [
        "warn",
        "osml.undeploy.answer.value",
        "wrong answer",
        "For each model an undeploy answers UNDEPLOYED.",
    ]


def test_counts_verdicts_by_area(sample: Run) -> None:
    cells = texts(sample, "td_open")
    at = cells.index("opensearch-ml undeploy")
    assert cells[at + 1 : at + 9] == ["", "", "", "1", "", "1", "", "10"]


def test_shows_requests_and_both_sides_as_code(sample: Run) -> None:
    blocks = [token.content for token in tokens(sample) if token.type == "fence"]
    assert '"UNDEPLOYED"\n' in blocks
    assert '"undeployed"\n' in blocks
    assert any("models/_register" in block and "sleep 4.3\n" in block for block in blocks)


def test_says_why_something_was_not_decided(sample: Run) -> None:
    document = render(judge(sample))
    assert "## Not decided" in document
    assert "  - no session can restart a target (`osml.restart.redeploy`)" in document


def test_a_source_is_a_link(build: Any) -> None:
    link = Link("001.md:83-90 (2.19)", "https://docs.example/deploy/#answer")
    failed = build.check(build.decide("fail", expected="a"))
    document = render(judge(build.run(replace(build.requirement(), links=(link,)), failed)))
    assert f"[001.md:83-90 (2.19)]({link.published})" in document


def test_a_known_deviation_tells_what_is_asked_instead_and_where(build: Any) -> None:
    run = replace(build.decided("fail"), waivers=(Waiver("osml.deploy.answer", "It answers nothing."),))
    told = "\n".join(texts(run, "paragraph_open"))
    assert "osml.deploy.answer: It answers nothing." in told
    assert "001.md:83-90 (2.19)): A deploy answers with a task id and a status." in told


def test_a_long_list_of_what_was_left_out_is_a_number(build: Any) -> None:
    listed = [build.requirement(f"osml.a.{number}", selected=False) for number in range(500)]
    run = build.run(*listed, header=build.header(selection="deploy"))
    document = render(judge(run))
    assert "## Not run: 500" in document
    assert len(document) < 2000


def test_says_how_many_checks_can_fail(build: Any) -> None:
    requirement = build.requirement(broken_by="fault deploy-never-finishes")
    run = build.run(requirement, build.check(build.decide("pass")))
    assert "| Checks that can fail | 100 % of the documented requirements" in render(judge(run))


def test_an_incomplete_run_says_so(sample: Run) -> None:
    assert "**Incomplete:**" in render(judge(replace(sample, footer=None)))
    assert "**Incomplete:**" not in render(judge(sample))


def test_hostile_text_stays_text(hostile_run: Run) -> None:
    kinds = set()
    for token in tokens(hostile_run):
        kinds |= {token.type, *(child.type for child in token.children or [])}
    assert not kinds & {"html_block", "html_inline", "image", "link_open", "code_block"}
    assert not set(render(judge(hostile_run))) & set("\x00\x1b\x85\u202e\u2028\ud800\uffff")


@pytest.mark.parametrize(
    "text",
    [
        "# head",
        "- item",
        "1. item",
        "> quote",
        "| a | b |",
        "**b** _i_ ~~s~~ `c`",
        "[a](b)",
        "<b>x</b>",
        "&amp;",
        "back\\slash",
        "===",
    ],
)
def test_markup_in_a_reason_is_shown_as_it_came(sample: Run, text: str) -> None:
    check = sample.checks[-3]
    decision = replace(check.decisions[0], reason=text)
    checks = (*sample.checks[:-3], replace(check, decisions=(decision,)), *sample.checks[-2:])
    assert text in texts(replace(sample, checks=checks), "paragraph_open")


def test_a_bar_stays_in_its_cell(build: Any) -> None:
    run = build.run(build.requirement(statement="a | b"), build.check(build.decide("fail")))
    assert "a | b" in texts(run, "td_open")


def test_a_fence_is_longer_than_any_in_its_content(hostile_run: Run) -> None:
    fences = re.findall(r"^(`{3,})(?:sh)?$", render(judge(hostile_run)), re.MULTILINE)
    assert "````" in fences
