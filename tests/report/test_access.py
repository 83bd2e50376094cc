"""The table of operations by user."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mlconform.conformance.report import html, markdown
from mlconform.conformance.report.access import access_table
from mlconform.conformance.report.events import AccessSeen
from mlconform.conformance.report.verdicts import Judgement, judge

GET = "GET /_plugins/_ml/models/{model_id}"
DELETE = "DELETE /_plugins/_ml/models/{model_id}"


def judged(build: Any, *seen: AccessSeen) -> Judgement:
    return judge(build.run(build.requirement(), replace(build.check(build.decide("pass")), access=seen)))


def test_a_row_is_an_operation_on_a_kind_of_thing(build: Any) -> None:
    table = access_table(
        judged(
            build,
            AccessSeen(GET, "private", "stranger", 403, False),
            AccessSeen(GET, "public", "stranger", 200, False),
            AccessSeen(DELETE, "private", "stranger", 403, False),
        )
    )
    assert [(row.operation, row.thing) for row in table.rows] == [
        (DELETE, "private"),
        (GET, "private"),
        (GET, "public"),
    ]


def test_who_may_least_comes_first_and_others_last(build: Any) -> None:
    users = ("somebody", "admin", "nobody", "no credentials")
    table = access_table(judged(build, *(AccessSeen(GET, "", user, 200, False) for user in users)))
    assert table.users == ("no credentials", "nobody", "admin", "somebody")


def test_of_several_answers_the_wrong_one_is_shown(build: Any) -> None:
    answers = [AccessSeen(GET, "", "stranger", status, status == 200) for status in (403, 200, 403)]
    (row,) = access_table(judged(build, *answers)).rows
    assert row.wrong
    assert (row.told("stranger"), row.told("admin")) == ("200 ✕", "")


def test_what_an_answer_means_comes_before_its_status(build: Any) -> None:
    (row,) = access_table(judged(build, AccessSeen(GET, "", "stranger", 200, False, "hidden"))).rows
    assert row.told("stranger") == "hidden"


def test_the_reports_have_it_where_anybody_was_asked_for(build: Any) -> None:
    with_users = judged(build, AccessSeen(DELETE, "a private group", "stranger", 200, True))
    page, text = html.render(with_users, {}), markdown.render(with_users, {})
    for report in (page, text):
        assert "Who may do what" in report
        assert "stranger" in report and "a private group" in report
    assert "Who may do what" not in html.render(judged(build), {})
    assert "Who may do what" not in markdown.render(judged(build), {})
