"""From decisions to verdicts, and from verdicts to the headline and the exit code."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from mlconform.conformance.report.events import Outcome, Problem, Waiver
from mlconform.conformance.report.exit_code import ExitCode
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.verdicts import Conclusion, Kind, footer, judge

WORST_FIRST = [
    Outcome.FAIL,
    Outcome.ERROR,
    Outcome.FLAKY,
    Outcome.UNTESTABLE,
    Outcome.PASS,
    Outcome.INAPPLICABLE,
]


@pytest.mark.parametrize(("one", "other"), list(permutations(WORST_FIRST, 2)))
def test_the_worst_of_two_decisions_wins(build: Any, one: Outcome, other: Outcome) -> None:
    worst = min(one, other, key=WORST_FIRST.index)
    assert judge(build.decided(one, other)).verdicts[0].kind == worst.value


@pytest.mark.parametrize("outcome", WORST_FIRST)
def test_decisions_that_agree_give_their_own_kind(build: Any, outcome: Outcome) -> None:
    assert judge(build.decided(outcome, outcome)).verdicts[0].kind == outcome.value


def test_a_verdict_tells_the_reasons_of_its_own_kind_once(build: Any) -> None:
    check = build.check(
        build.decide("fail", reason="it stayed"),
        build.decide("fail", reason="it stayed"),
        build.decide("fail", reason="it came back"),
        build.decide("untestable", reason="no second node"),
    )
    verdict = judge(build.run(build.requirement(), check)).verdicts[0]
    assert verdict.reason == "it stayed; it came back"
    assert len(verdict.telling) == 3
    assert len(verdict.evidence) == 4


@pytest.mark.parametrize(
    ("run_level", "failing"),
    [
        ("documented", {"documented"}),
        ("example", {"documented", "example"}),
        ("observed", {"documented", "example", "observed"}),
    ],
)
def test_a_failure_weaker_than_the_runs_level_warns(build: Any, run_level: str, failing: set[str]) -> None:
    levels = ["documented", "example", "observed"]
    run = build.run(
        *(build.requirement(f"osml.a.{level}", level=level) for level in levels),
        build.check(*(build.decide("fail", f"osml.a.{level}") for level in levels)),
        header=build.header(level=run_level),
    )
    kinds = {verdict.requirement.level: verdict.kind for verdict in judge(run).verdicts}
    assert kinds == {level: Kind.FAIL if level in failing else Kind.WARN for level in levels}


def test_an_unspecified_requirement_is_noted_and_not_judged(build: Any) -> None:
    judgement = judge(build.decided("fail", level="unspecified"))
    assert judgement.verdicts == ()
    assert judgement.noted[0].evidence[0].decision.outcome is Outcome.FAIL
    assert judgement.summary.exit_code is ExitCode.NOT_CONFORMANT
    assert judgement.summary.because == ("no requirement was decided",)


def test_a_requirement_not_in_force_is_inapplicable_whatever_a_check_says(build: Any) -> None:
    run = build.run(
        build.requirement(inapplicable="since 3.0"), build.check(build.decide("fail", reason="no"))
    )
    verdict = judge(run).verdicts[0]
    assert (verdict.kind, verdict.reason) == (Kind.INAPPLICABLE, "since 3.0")


@pytest.mark.parametrize(
    ("requirement", "reason"),
    [
        ({"unchecked": "nothing can restart it"}, "nothing can restart it"),
        ({"checks": []}, "no check decided it: it has none"),
        ({"checks": ["a::b", "c::d"]}, "no check decided it: a::b, c::d did not run"),
        ({"checks": ["ran::it"]}, "no check decided it: ran::it ended without a decision"),
    ],
)
def test_without_a_decision_it_is_untestable_and_says_why(
    build: Any, requirement: dict[str, Any], reason: str
) -> None:
    run = build.run(build.requirement(**requirement), build.check(check="ran::it"))
    verdict = judge(run).verdicts[0]
    assert (verdict.kind, verdict.reason) == (Kind.UNTESTABLE, reason)


def test_what_a_selection_leaves_out_is_not_run_and_not_counted(build: Any) -> None:
    run = build.run(
        build.requirement("osml.a.in"),
        build.requirement("osml.a.out", selected=False),
        build.requirement("osml.a.later", selected=False, inapplicable="since 3.0"),
        build.requirement("osml.a.undecided", checks=["other::test"]),
        build.check(build.decide("pass", "osml.a.in"), build.decide("fail", "osml.a.out")),
        header=build.header(selection="deploy"),
    )
    judgement = judge(run)
    assert [requirement.id for requirement in judgement.not_run] == ["osml.a.out", "osml.a.later"]
    assert judgement.summary.in_force == 2
    assert judgement.summary.counts[Kind.UNTESTABLE] == 1
    assert judgement.summary.exit_code == 0


@pytest.mark.parametrize(
    "early", [{"footer": None}, {"cut_off": True}, {"problems": (Problem("interrupted", "by the user"),)}]
)
def test_what_a_run_that_ended_early_did_not_reach_is_not_run_but_counted(
    build: Any, early: dict[str, Any]
) -> None:
    run = build.run(
        build.requirement("osml.a.in"),
        build.requirement("osml.a.missed", checks=["test_deploy.py::test_it", "other::test"]),
        build.requirement("osml.a.undecided", checks=["test_deploy.py::test_it"]),
        build.requirement("osml.a.unchecked", checks=[], unchecked="nothing can restart it"),
        build.check(build.decide("pass", "osml.a.in")),
    )
    judgement = judge(replace(run, **early))
    assert [requirement.id for requirement in judgement.not_run] == ["osml.a.missed"]
    assert judgement.summary.counts[Kind.UNTESTABLE] == 2
    assert (judgement.summary.decided, judgement.summary.in_force) == (1, 4)


def test_percent_is_of_the_requirements_in_force(build: Any) -> None:
    outcomes = ["pass", "fail", "flaky", "error", "untestable", "inapplicable"]
    run = build.run(
        *(build.requirement(f"osml.a.{outcome}") for outcome in outcomes),
        build.requirement("osml.a.warn", level="example"),
        build.requirement("osml.a.known"),
        build.requirement("osml.a.noted", level="unspecified"),
        build.check(*(build.decide(outcome, f"osml.a.{outcome}") for outcome in outcomes)),
        build.check(build.decide("fail", "osml.a.warn"), build.decide("fail", "osml.a.known")),
        Waiver("osml.a.known", "accepted"),
    )
    summary = judge(run).summary
    assert dict(summary.counts) == dict.fromkeys(Kind, 1)
    assert (summary.decided, summary.in_force) == (4, 7)
    assert summary.percent == pytest.approx(400 / 7)


def test_a_decision_of_an_unlisted_requirement_is_our_error(build: Any) -> None:
    run = build.run(build.requirement(), build.check(build.decide("pass"), build.decide("fail", "osml.x.y")))
    judgement = judge(run)
    assert judgement.summary.exit_code is ExitCode.OWN_ERROR
    assert "osml.x.y (fail), which the run does not list" in judgement.problems[0].message


@pytest.mark.parametrize(
    ("outcomes", "conclusion", "code"),
    [
        (["pass"], Conclusion.CONFORMANT, 0),
        (["pass", "inapplicable"], Conclusion.CONFORMANT, 0),
        (["fail"], Conclusion.NOT_CONFORMANT, 1),
        (["fail", "error"], Conclusion.NOT_CONFORMANT, 1),
        (["pass", "error"], Conclusion.UNDECIDED, 4),
        (["pass", "flaky"], Conclusion.UNDECIDED, 1),
        (["untestable"], Conclusion.UNDECIDED, 1),
        (["inapplicable"], Conclusion.UNDECIDED, 1),
    ],
)
def test_conclusion_and_exit_code(build: Any, outcomes: list[str], conclusion: Conclusion, code: int) -> None:
    summary = judge(build.decided(*outcomes)).summary
    assert (summary.conclusion, summary.exit_code) == (conclusion, code)


def test_an_untestable_requirement_beside_a_pass_leaves_the_run_conformant(build: Any) -> None:
    run = build.run(
        build.requirement("osml.a.b"),
        build.requirement("osml.a.c"),
        build.check(build.decide("pass", "osml.a.b"), build.decide("untestable", "osml.a.c")),
    )
    summary = judge(run).summary
    assert summary.exit_code is ExitCode.CONFORMANT
    assert summary.percent == 50


def test_warnings_leave_the_run_conformant(build: Any) -> None:
    summary = judge(build.decided("fail", level="example")).summary
    assert summary.counts[Kind.WARN] == 1
    assert summary.conclusion is Conclusion.CONFORMANT


def test_a_flaky_verdict_weaker_than_the_runs_level_does_not_bind(build: Any) -> None:
    run = build.run(
        build.requirement("osml.a.b"),
        build.requirement("osml.a.c", level="example"),
        build.check(build.decide("pass", "osml.a.b"), build.decide("flaky", "osml.a.c")),
    )
    assert judge(run).summary.exit_code is ExitCode.CONFORMANT


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("usage", 2),
        ("unreachable", 3),
        ("prerequisite", 3),
        ("internal", 4),
        ("interrupted", 5),
        ("cleanup", 0),
    ],
)
def test_a_problem_of_the_run_sets_the_exit_code(build: Any, kind: str, code: int) -> None:
    run = build.decided("pass")
    summary = judge(replace(run, problems=(Problem(kind, "it broke"),))).summary
    assert summary.exit_code == code
    assert ("it broke" in summary.because) is (code != 0)


@pytest.mark.parametrize(("kind", "code"), [("unreachable", 3), ("interrupted", 5), ("internal", 1)])
def test_what_kept_a_run_from_its_end_goes_before_its_failures(build: Any, kind: str, code: int) -> None:
    run = replace(build.decided("fail"), problems=(Problem(kind, "it broke"),))
    summary = judge(run).summary
    assert summary.exit_code == code
    assert summary.conclusion is Conclusion.NOT_CONFORMANT


@pytest.mark.parametrize("incomplete", [{"footer": None}, {"cut_off": True}])
def test_an_incomplete_run_is_not_conformant(build: Any, incomplete: dict[str, Any]) -> None:
    summary = judge(replace(build.decided("pass"), **incomplete)).summary
    assert summary.exit_code is ExitCode.INCOMPLETE
    assert summary.conclusion is Conclusion.UNDECIDED


@pytest.mark.parametrize(("required", "code"), [(50.0, 0), (50.1, 1), (None, 0)])
def test_too_few_decided_is_not_conformant(build: Any, required: float | None, code: int) -> None:
    run = build.run(
        build.requirement("osml.a.b"),
        build.requirement("osml.a.c"),
        build.check(build.decide("pass", "osml.a.b")),
        header=build.header(require_decided=required),
    )
    summary = judge(run).summary
    assert summary.exit_code == code
    if code:
        assert summary.because == ("1 of 2 requirements decided, 50.1 % required",)


def test_a_waived_failure_is_known_and_the_run_conformant(build: Any) -> None:
    run = replace(build.decided("fail"), waivers=(Waiver("osml.deploy.answer", "agreed with the vendor"),))
    judgement = judge(run)
    assert judgement.verdicts[0].kind is Kind.KNOWN
    assert judgement.verdicts[0].reason == "agreed with the vendor"
    assert judgement.summary.exit_code is ExitCode.CONFORMANT


def test_a_waiver_goes_before_the_level(build: Any) -> None:
    run = build.decided("fail", level="example")
    assert judge(run, [Waiver("osml.deploy.answer", "known")]).verdicts[0].kind is Kind.KNOWN


@pytest.mark.parametrize("hidden", ["error", "flaky"])
def test_a_waiver_hides_nothing_but_the_failure(build: Any, hidden: str) -> None:
    run = build.decided("fail", hidden)
    assert judge(run, [Waiver("osml.deploy.answer", "known")]).verdicts[0].kind == hidden


@pytest.mark.parametrize("beside", ["pass", "untestable", "inapplicable"])
def test_a_known_failure_is_not_hidden_by_what_is_less(build: Any, beside: str) -> None:
    run = build.decided("fail", beside)
    assert judge(run, [Waiver("osml.deploy.answer", "known")]).verdicts[0].kind is Kind.KNOWN


def test_a_waiver_of_one_check_leaves_the_failures_of_others(build: Any) -> None:
    run = build.decided("fail", "fail")
    waivers = [Waiver("osml.deploy.answer", "known", check="test_deploy.py::test_0")]
    assert judge(run, waivers).verdicts[0].kind is Kind.FAIL
    waivers.append(Waiver("osml.deploy.answer", "known", check="test_deploy.py::test_1"))
    assert judge(run, waivers).verdicts[0].kind is Kind.KNOWN


def test_a_waiver_of_one_finding_leaves_the_others_of_its_requirement(build: Any) -> None:
    failed = [
        replace(build.decide("fail"), signature=signature) for signature in ("GET /x: 500", "GET /y: 500")
    ]
    run = build.run(build.requirement(), build.check(*failed))
    waivers = [Waiver("osml.deploy.answer", "known", signature="GET /x: 500")]
    assert judge(run, waivers).verdicts[0].kind is Kind.FAIL
    waivers.append(Waiver("osml.deploy.answer", "known", signature="GET /y: 500"))
    assert judge(run, waivers).verdicts[0].kind is Kind.KNOWN


@pytest.mark.parametrize(("until", "kind"), [("2025-06-02", Kind.FAIL), ("2025-06-03", Kind.KNOWN)])
def test_a_waiver_holds_through_its_last_day(build: Any, until: str, kind: Kind) -> None:
    run = build.decided("fail")
    assert judge(run, [Waiver("osml.deploy.answer", "known", until=until)]).verdicts[0].kind is kind


class TestStaleWaivers:
    """On a whole run, a waiver that matches nothing is an error, and is named."""

    waiver = Waiver("osml.deploy.answer", "known", origin="waivers.yaml")

    def test_of_a_requirement_that_passes(self, build: Any) -> None:
        judgement = judge(build.decided("pass"), [self.waiver])
        assert judgement.stale_waivers == (self.waiver,)
        assert judgement.summary.exit_code is ExitCode.USAGE
        assert judgement.summary.conclusion is Conclusion.CONFORMANT
        assert judgement.summary.because == (
            "the waiver of osml.deploy.answer (waivers.yaml) matches no failure: remove it",
        )

    def test_of_a_requirement_that_does_not_exist(self, build: Any) -> None:
        waiver = replace(self.waiver, requirement="osml.deploy.anwser")
        assert judge(build.decided("pass"), [waiver]).stale_waivers == (waiver,)

    def test_of_another_check_than_the_failing(self, build: Any) -> None:
        waiver = replace(self.waiver, check="test_deploy.py::test_9")
        judgement = judge(build.decided("fail"), [waiver])
        assert judgement.stale_waivers == (waiver,)
        assert judgement.summary.exit_code is ExitCode.NOT_CONFORMANT

    def test_not_where_it_matches(self, build: Any) -> None:
        assert judge(build.decided("fail"), [self.waiver]).stale_waivers == ()

    @pytest.mark.parametrize("outcome", ["untestable", "error", "flaky", "inapplicable"])
    def test_not_where_nothing_was_decided(self, build: Any, outcome: str) -> None:
        assert judge(build.decided(outcome), [self.waiver]).stale_waivers == ()

    def test_not_when_expired(self, build: Any) -> None:
        waiver = replace(self.waiver, until="2025-01-01")
        assert judge(build.decided("pass"), [waiver]).stale_waivers == ()

    def test_not_of_another_profile(self, build: Any) -> None:
        waiver = replace(self.waiver, requirement="nugen.undeploy.answer")
        assert judge(build.decided("pass"), [waiver]).stale_waivers == ()

    @pytest.mark.parametrize(
        "part",
        [
            {"footer": None},
            {"problems": (Problem("interrupted", "by the user"),)},
            {"problems": (Problem("unreachable", "refused"),)},
        ],
    )
    def test_not_on_a_part_of_a_run(self, build: Any, part: dict[str, Any]) -> None:
        assert judge(replace(build.decided("pass"), **part), [self.waiver]).stale_waivers == ()

    def test_not_on_a_selection(self, build: Any) -> None:
        run = build.decided("pass")
        run = replace(run, header=build.header(selection="deploy"))
        assert judge(run, [self.waiver]).stale_waivers == ()


def test_the_footer_says_what_judging_the_finished_run_says(sample: Run) -> None:
    end = footer(replace(sample, footer=None), "2025-06-03T14:24:48+00:00", 221.4)
    assert end == sample.footer
    assert end.exit_code == judge(sample).summary.exit_code
    assert end.verdicts == {
        "fail": 2,
        "error": 1,
        "flaky": 1,
        "warn": 2,
        "known": 1,
        "untestable": 3,
        "inapplicable": 1,
        "pass": 46,
    }
