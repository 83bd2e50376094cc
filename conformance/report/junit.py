"""junit.xml, for CI systems: one testsuite a profile, one testcase a requirement."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree as ET

from mlconform.conformance.report.account import account
from mlconform.conformance.report.presentation import (
    clip,
    not_run_because,
    one_line,
    visible,
)
from mlconform.conformance.report.remedies import more_with, remedy_of, untestable
from mlconform.conformance.report.verdicts import Judgement, Kind, Verdict


def render(judgement: Judgement, scripts: Mapping[str, str]) -> str:
    """The document; `scripts` are those of its findings, by name.

    A fail is a failure; so is a flaky verdict if it is binding; an error is an
    error; what was not decided, does not apply or is waived is skipped, with the reason.

    What touches the run as a whole, its missing end included, is in the suite `run`.
    """
    root = ET.Element("testsuites", name="mlconform")
    for profile in dict.fromkeys(requirement.profile for requirement in judgement.run.requirements):
        suite = ET.SubElement(root, "testsuite", name=visible(profile))
        suite.set("timestamp", visible(judgement.run.header.started_at))
        for verdict in judgement.verdicts:
            if verdict.requirement.profile == profile:
                _case(suite, verdict, scripts)
        for requirement in judgement.not_run:
            if requirement.profile == profile:
                case = _named(suite, requirement.profile, requirement.id)
                ET.SubElement(case, "skipped", message=f"not run: {not_run_because(judgement)}")
    _run_suite(root, judgement)
    for suite in root:
        _count(suite)
    _count(root)
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _run_suite(root: ET.Element, judgement: Judgement) -> None:
    suite = ET.SubElement(root, "testsuite", name="run")
    ending = _named(suite, "run", "comes to its end")
    if not judgement.run.complete:
        message = "the run did not come to its end: what it did not reach is not decided"
        ET.SubElement(ending, "error", type="incomplete", message=message)
    for number, problem in enumerate(judgement.problems, start=1):
        case = _named(suite, "run", f"problem {number}: {problem.kind}")
        if problem.kind == "cleanup":  # says nothing of the target, and does not change the exit code
            ET.SubElement(case, "system-out").text = clip(problem.message)
        else:
            ET.SubElement(case, "error", type=visible(problem.kind), message=one_line(problem.message))
    more = more_with(judgement)
    if more:
        case = _named(suite, "run", "decides what it can")
        ET.SubElement(case, "system-out").text = f"decides more with {visible(more)}"
    for waiver in judgement.stale_waivers:
        case = _named(suite, "run", f"waiver of {waiver.requirement}")
        ET.SubElement(case, "error", type="waiver", message="matches no failure: remove it")


def _case(suite: ET.Element, verdict: Verdict, scripts: Mapping[str, str]) -> None:
    requirement = verdict.requirement
    case = _named(suite, requirement.profile, requirement.id)
    durations = {each.check.check: each.check.duration for each in verdict.evidence}
    case.set("time", f"{sum(durations.values()):.3f}")
    message = one_line(verdict.reason or requirement.statement)
    if verdict.kind is Kind.FAIL or (verdict.kind is Kind.FLAKY and verdict.binding):
        ET.SubElement(case, "failure", type=verdict.kind, message=message).text = account(verdict, scripts)
    elif verdict.kind is Kind.ERROR:
        ET.SubElement(case, "error", type=verdict.kind, message=message).text = account(verdict, scripts)
    elif verdict.kind is Kind.WARN:
        ET.SubElement(case, "system-out").text = f"warning: {account(verdict, scripts)}"
    elif verdict.kind is Kind.UNTESTABLE:
        ET.SubElement(case, "skipped", message=untestable(message, remedy_of(verdict)))
    elif verdict.kind is not Kind.PASS:
        ET.SubElement(case, "skipped", message=f"{verdict.kind}: {message}")


def _named(suite: ET.Element, classname: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=visible(classname), name=visible(name))


def _count(element: ET.Element) -> None:
    element.set("tests", str(len(list(element.iter("testcase")))))
    tags = {"failures": "failure", "errors": "error"}
    if element.tag == "testsuite":  # the schema that Jenkins publishes has it on no other
        tags["skipped"] = "skipped"
    for name, tag in tags.items():
        element.set(name, str(len(list(element.iter(tag)))))
