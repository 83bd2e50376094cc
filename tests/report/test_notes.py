"""What is said of waivers beside verdicts and exit code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mlconform.conformance.report import html, markdown
from mlconform.conformance.report.events import TargetDiscovered, Waiver
from mlconform.conformance.report.exit_code import ExitCode
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.verdicts import judge

KNOWN = Waiver("osml.deploy.answer", "recorded", origin="opensearch-2.19.yaml")
MINE = Waiver("osml.deploy.answer", "agreed", origin="waivers.yaml")


def of_version(build: Any, version: str, profile: str = "opensearch-ml") -> Run:
    """A run with a failure that a known set accepts, on a target of this version."""
    header = replace(build.header(), options=("--insecure", "--known", "opensearch-2.19"))
    target = TargetDiscovered(profile, "opensearch", version, ("n",), {})
    failed = build.check(build.decide("fail"))
    run: Run = build.run(target, build.requirement(), KNOWN, failed, header=header)
    return run


@pytest.mark.parametrize("version", ["3.4.0", "2.190", "2.1.9", "unknown"])
def test_a_known_set_of_another_version_is_named_and_refuses_nothing(build: Any, version: str) -> None:
    judgement = judge(of_version(build, version))
    (note,) = judgement.notes
    assert note.startswith("the known set opensearch-2.19 was recorded on another version")
    assert version in note
    assert judgement.summary.exit_code is ExitCode.CONFORMANT


@pytest.mark.parametrize("version", ["2.19", "2.19.0", "2.19.3-SNAPSHOT"])
def test_of_the_same_version_nothing_is_said(build: Any, version: str) -> None:
    assert judge(of_version(build, version)).notes == ()


def test_the_version_of_another_profile_is_its_own(build: Any) -> None:
    assert judge(of_version(build, "25.4.20", profile="nugen")).notes == ()


@pytest.mark.parametrize("selection", ["", "deploy"])
class TestWaivers:
    def judged(self, build: Any, selection: str, waiver: Waiver, outcome: str = "fail") -> Any:
        return judge(replace(build.decided(outcome), header=build.header(selection=selection)), [waiver])

    def test_an_expired_one_is_told(self, build: Any, selection: str) -> None:
        judgement = self.judged(build, selection, replace(MINE, until="2025-06-02"))
        assert judgement.notes == (
            "the waiver of osml.deploy.answer (waivers.yaml) ended on 2025-06-02 and accepts nothing: "
            "renew it or remove it",
        )

    def test_one_that_holds_is_not(self, build: Any, selection: str) -> None:
        waiver = replace(MINE, until="2025-06-03", check="test_deploy.py::test_0")
        assert self.judged(build, selection, waiver).notes == ()

    def test_one_of_a_check_that_there_is_not_is_told(self, build: Any, selection: str) -> None:
        judgement = self.judged(
            build, selection, replace(MINE, check="test_deploy.py::tset_it"), "untestable"
        )
        assert judgement.notes == (
            "the waiver of osml.deploy.answer (waivers.yaml) names test_deploy.py::tset_it, which is none "
            "of its checks (test_deploy.py::test_0, test_deploy.py::test_it): correct it",
        )

    def test_one_of_a_check_that_did_not_run_is_not(self, build: Any, selection: str) -> None:
        waiver = replace(MINE, check="test_deploy.py::test_it")
        assert self.judged(build, selection, waiver, "untestable").notes == ()


def test_a_note_is_in_the_head_of_each_report(build: Any) -> None:
    judgement = judge(of_version(build, "3.4.0"))
    assert (
        "> **note:** the known set opensearch-2.19 was" in markdown.render(judgement, {}).partition("## ")[0]
    )
    assert "<dt>note</dt><dd>the known set opensearch-2.19 was" in html.render(judgement, {})
