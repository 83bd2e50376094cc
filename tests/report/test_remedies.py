"""What would let a run decide more is told everywhere with its price; what is undecided is grouped by it."""

from __future__ import annotations

import html as markup
import json
import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.report import html, junit, markdown, sarif, summary
from mlconform.conformance.report.remedies import TAKES, more_with, offers, untestable
from mlconform.conformance.report.terminal import summary_lines
from mlconform.conformance.report.verdicts import Judgement, judge

WAITING = (
    "the time to live needs 105 s of real time, and --max-wait allows 0 s; run with --max-wait 105 or more"
)
MORE = (
    "further users (+2: --user or --create-users), a restart command (+1: --restart-command), "
    "105 s of waiting (+1: --max-wait 105)"
)


@pytest.fixture
def judgement(build: Any) -> Judgement:
    undecided = {
        "osml.a": ("nobody plays the stranger", "users"),
        "osml.b": ("nobody plays the peer", "users"),
        "osml.c": ("it cannot be restarted", "restart"),
        "osml.d": (WAITING, "waiting"),
        "osml.e": ("nobody knows", None),
    }
    decisions = [
        replace(build.decide("untestable", name, reason=reason), remedy=remedy)
        for name, (reason, remedy) in undecided.items()
    ]
    return judge(build.run(*(build.requirement(name) for name in undecided), build.check(*decisions)))


def test_the_price_says_what_it_takes_and_how_many_more(judgement: Judgement) -> None:
    assert more_with(judgement) == MORE


def test_of_waiting_the_longest_is_the_price(build: Any) -> None:
    decisions = [
        replace(
            build.decide("untestable", name, reason=f"run with --max-wait {seconds} or more"),
            remedy="waiting",
        )
        for name, seconds in (("osml.a", 61), ("osml.b", 180), ("osml.c", 9))
    ]
    run = build.run(*(build.requirement(each.requirement) for each in decisions), build.check(*decisions))
    assert more_with(judge(run)) == "180 s of waiting (+3: --max-wait 180)"


def test_each_remedy_can_be_offered(build: Any) -> None:
    assert set(TAKES) == set(Remedy)
    for remedy in Remedy:
        undecided = replace(build.decide("untestable", reason="why"), remedy=remedy)
        (offer,) = offers(judge(build.run(build.requirement(), build.check(undecided))))
        assert re.fullmatch(r"[\w' ]+ \(\+1.*\)", offer.price)


def test_nothing_is_offered_where_all_is_decided(build: Any) -> None:
    assert more_with(judge(build.decided("pass"))) == ""


def test_a_reason_goes_with_what_it_takes() -> None:
    assert untestable("why", "nodes") == "untestable (a second node): why"
    assert untestable("why", None) == "untestable: why"


class TestEverywhere:
    def test_at_a_terminal(self, judgement: Judgement) -> None:
        assert f"decides more with {MORE}" in summary_lines(judgement, None, colours=False)

    def test_in_markdown(self, judgement: Judgement) -> None:
        lines = re.sub(r"\\(.)", r"\1", markdown.render(judgement, {})).splitlines()
        at = lines.index(
            "- **further users (+2: --user or --create-users)**: Several users with different roles, "
            "and security: `--user` or `--create-users`."
        )
        assert lines[at + 1].startswith("  - nobody plays the stranger (`osml.a`)")

    def test_in_html(self, judgement: Judgement) -> None:
        document = markup.unescape(html.render(judgement, {}))
        assert "<b>105 s of waiting (+1: --max-wait 105)</b> More time for checks that wait" in document

    def test_in_json(self, judgement: Judgement) -> None:
        more = json.loads(summary.render(judgement))["more"]
        assert [each["price"] for each in more][1:] == [
            "a restart command (+1: --restart-command)",
            "105 s of waiting (+1: --max-wait 105)",
            "1",
        ]

    def test_in_junit(self, judgement: Judgement) -> None:
        root = ET.fromstring(junit.render(judgement, {}).encode())
        assert f"decides more with {MORE}" in [each.text for each in root.iter("system-out")]
        told = [each.get("message") for each in root.iter("skipped")]
        assert told[:3] == [
            "untestable (further users): nobody plays the stranger",
            "untestable (further users): nobody plays the peer",
            "untestable (a restart command): it cannot be restarted",
        ]

    def test_in_sarif(self, judgement: Judgement) -> None:
        (run,) = json.loads(sarif.render(judgement))["runs"]
        (told,) = run["invocations"][0]["toolExecutionNotifications"]
        assert told == {"level": "note", "message": {"text": f"decides more with {MORE}"}}
