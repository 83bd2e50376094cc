"""report.html says everything, needs nothing else, and takes nothing a target sent for markup."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any

import pytest

from mlconform.conformance.report.events import KnownDeviation, Link, Waiver
from mlconform.conformance.report.html import DETAILED_LIMIT, FINDING_LIMIT
from mlconform.conformance.report.html import render as render_judged
from mlconform.conformance.report.reproduction import reproductions
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.verdicts import Judgement, Kind, judge

VOID = {"meta", "link", "br", "hr", "img", "input", "wbr", "rect", "col"}
FETCHING = {"src", "srcset", "action", "formaction", "data", "poster", "background", "xlink:href", "ping"}


def render(judgement: Judgement) -> str:
    return render_judged(judgement, reproductions(judgement))


@dataclass
class Page(HTMLParser):
    """A strict reading of the document: its elements, its text, and every mistake in nesting."""

    markup: str
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    text: str = ""
    raw: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.feed(self.markup)
        self.close()
        self.mistakes += [f"{tag} is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.mistakes.append(f"{tag} is closed at {self.getpos()} and was not open")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"script", "style"}:
            self.raw[self.open[-1]] = data
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page(sample: Run) -> Page:
    return Page(render(judge(sample)))


def test_is_well_formed(page: Page, hostile_run: Run) -> None:
    assert page.mistakes == []
    assert Page(render(judge(hostile_run))).mistakes == []


def test_ids_are_unique_and_links_lead_somewhere(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    within = {str(link["href"]) for link in page.all("a") if str(link["href"]).startswith("#")}
    assert within <= {f"#{name}" for name in ids} | {f"#verdict={kind}" for kind in Kind}


def test_refers_to_nothing_outside(page: Page) -> None:
    names = {name for _, attributes in page.elements for name in attributes}
    assert not names & FETCHING
    assert page.all("link") == []
    assert all(str(link["href"]).startswith(("#", "https://")) for link in page.all("a"))
    assert not re.search(r"url\(|@import|https?:", page.raw["style"])
    assert not re.search(r"fetch|XMLHttpRequest|import|https?:", page.raw["script"])


def test_the_policy_lets_only_the_pages_own_style_and_script_run(page: Page) -> None:
    policy = next(
        str(meta["content"])
        for meta in page.all("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    )
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.raw[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not [attributes for _, attributes in page.elements if "style" in attributes]


def test_hostile_text_stays_text(hostile_run: Run, hostile: str) -> None:
    markup = render(judge(hostile_run))
    page = Page(markup)
    assert len(page.all("script")) == 1
    assert page.all("img") == []
    assert page.text.count("</pre><script>document.title='owned'</script>") > 10
    assert "\\x1b[31mred\\x1b[0m \\x00 \\x85 \\u202eback \\u2028 \\ud800 \\uffff" in page.text
    assert not set(markup) & set("\x00\x1b\x85\u202e\u2028\ud800\uffff")


def test_a_huge_body_is_cut(hostile_run: Run) -> None:
    markup = render(judge(hostile_run))
    assert re.search(r"\[cut: 4,000 of \d{3},000 characters are shown; run\.ndjson has them all\]", markup)
    assert len(markup) < 200_000


def test_the_headline_says_what_was_decided(page: Page) -> None:
    text = " ".join(page.text.split())
    assert "Not conformant 91 % decided (51 of 56 requirements)" in text
    assert "2 of 32 documented requirements failed" in text


@pytest.mark.parametrize(
    ("outcome", "headline"),
    [("pass", "Conformant"), ("fail", "Not conformant"), ("untestable", "Undecided")],
)
def test_there_are_three_headlines(build: Any, outcome: str, headline: str) -> None:
    assert f"<h1>{headline}</h1>" in render(judge(build.decided(outcome)))


def test_says_who_what_and_when(page: Page) -> None:
    text = " ".join(page.text.split())
    for fact in (
        "http://127.0.0.1:9200",
        "opensearch 2.19.0, 1 node (qTgKdC1nS5ub5Jw0W0rLsA)",
        "opensearch-ml 2.19",
        "2025-06-03 14:21:07 UTC",
        "3 min 41 s",
        "Seed20250603",
        "move-time, second-node",
        "mlconform run --target http://127.0.0.1:9200 --profile opensearch-ml",
    ):
        assert fact in text


def test_has_a_row_for_each_requirement(page: Page, sample: Run) -> None:
    rows = {str(row["id"]): str(row["class"])[4:] for row in page.all("tr") if "id" in row}
    expected = {f"row-{verdict.requirement.id}": verdict.kind for verdict in judge(sample).verdicts}
    assert rows == expected


def test_findings_come_first_and_the_gravest_before_the_others(page: Page) -> None:
    kinds = [str(article["class"]).removeprefix("finding ") for article in page.all("article")]
    assert kinds == ["fail", "fail", "flaky", "warn", "warn", "error", "known"]
    order = [str(attributes.get("id")) for tag, attributes in page.elements if tag == "section"]
    assert order.index("findings") < order.index("undecided") < order.index("requirements")


def test_a_finding_shows_both_sides_and_how_to_repeat_it(page: Page) -> None:
    finding = page.text[page.text.index("osml.undeploy.answer.value\n") :]
    for part in (
        "For each model an undeploy answers UNDEPLOYED.",
        "An example of the documentation shows it",
        "000.md:64 (2.19)",
        "opensearch_ml/test_undeploy.py::test_answer_value",
        '"UNDEPLOYED"',
        '"undeployed"',
        "bash findings/osml.undeploy.answer.value.sh",
        'ask -X POST "$TARGET"/_plugins/_ml/models/_register',
        "sleep 4.3",
        "3 exchanges, requests and answers",
        "200 application/json; charset=UTF-8",
        '{"task_id":"t2","task_type":"DEPLOY_MODEL","status":"COMPLETED"}',
        "seed 20250603",
    ):
        assert part in finding


def test_a_finding_says_how_often_it_came_and_what_would_accept_it(build: Any) -> None:
    failed = replace(build.decide("fail", expected="a", came="b"), signature="POST: 500", seen=3, tries=12)
    known = KnownDeviation("osml.deploy.answer", "opensearch-2.19", "POST: 500")
    text = Page(render(judge(build.run(build.requirement(), known, build.check(failed))))).text
    assert "POST: 500" in text
    assert "seen in 3 of 12 tries" in text
    assert "--known opensearch-2.19" in text


def test_sources_are_links_to_the_page_and_to_its_lines(build: Any) -> None:
    link = Link(
        "001.md:83-90 (2.19)", "https://docs.example/deploy/#answer", "https://code.example/deploy#L8"
    )
    failed = build.check(build.decide("fail", expected="a"))
    run = build.run(replace(build.requirement(), links=(link,)), failed)
    page = Page(render(judge(run)))
    assert {str(each["href"]) for each in page.all("a")} >= {link.published, link.repository}


def test_backticks_are_code(build: Any) -> None:
    run = build.run(build.requirement(statement="The `status` is <b>."), build.check(build.decide("pass")))
    assert "The <code>status</code> is &lt;b&gt;." in render(judge(run))


def test_what_was_not_decided_is_grouped_by_what_would_help(build: Any) -> None:
    listed = [build.requirement(f"osml.a.{n}", unchecked="needs two", checks=()) for n in range(3)]
    run = build.run(*(replace(each, remedy="users") for each in listed))
    text = " ".join(Page(render(judge(run))).text.split())
    assert "further users (+3: --user or --create-users) Several users with different roles" in text
    assert text.count("needs two") == 1


def test_ten_thousand_verdicts_are_a_page_of_three_megabytes_within_three_seconds(build: Any) -> None:
    many = 10_000
    listed, decided = [], []
    for number in range(many):
        name = f"osml.area-{number % 40}.requirement-{number:05}"
        link = Link(f"undeploy-model:{number} (3.4)", f"https://docs.example/{number}/", "https://code/")
        statement = "An answer to `undeploy_model` with the status 200 has the members and types shown."
        made = build.requirement(name, statement=statement, sources=[link.source])
        listed.append(replace(made, links=(link,)))
        outcome = ("pass", "pass", "pass", "untestable", "fail")[number % 5 if number < 1000 else 0]
        decided.append(build.decide(outcome, name, reason=f"why {number % 7}", expected="this", came="that"))
    exchanges = [build.exchange(request_body="{}", at=float(number)) for number in range(5)]
    checks = [
        build.check(*decided[start : start + 10], check=f"a.py::test_{start}", exchanges=exchanges)
        for start in range(0, many, 10)
    ]
    judgement = judge(build.run(*listed, *checks))
    started = time.process_time()
    markup = render(judgement)
    assert time.process_time() - started < 3
    assert len(markup.encode()) < 3_000_000
    assert len(judgement.verdicts) > DETAILED_LIMIT
    assert markup.count("<article") == FINDING_LIMIT < judgement.summary.counts[Kind.FAIL]


def test_says_why_something_was_not_decided_or_not_in_force(page: Page) -> None:
    for reason in (
        "needs two nodes, the target has one",
        "no session can restart a target",
        "recorded on 3.4.0, this target is 2.19.0",
        "200, and the model ends UNDEPLOYED",
    ):
        assert reason in page.text


def test_a_known_failure_shows_its_waiver(page: Page) -> None:
    text = " ".join(page.text.split())
    assert "Accepted 2.19 drops the limiter when null is sent; reported upstream until 2025-12-31" in text


def test_counts_are_links_that_filter(page: Page) -> None:
    links = {str(link["href"]) for link in page.all("a")}
    assert {f"#verdict={kind}" for kind in Kind} <= links


def test_every_kind_has_a_sign_of_its_own_and_a_meaning(page: Page) -> None:
    signs = dict(re.findall(r"\.chip\.(\w+)::before \{ content: (\S+) /", page.raw["style"]))
    assert set(signs) == set(Kind)
    assert len(set(signs.values())) == len(Kind)
    legend = page.text[page.text.index("What the words mean") :]
    assert all(kind in legend for kind in Kind)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"footer": None}, "It has no footer."), ({"cut_off": True}, "Its last line is cut off.")],
)
def test_an_incomplete_run_says_so_loudly(sample: Run, change: dict[str, Any], sentence: str) -> None:
    page = Page(render(judge(replace(sample, **change))))
    assert "Not conformant, and incomplete" in page.text
    assert "This run is incomplete" in page.text
    assert sentence in page.text


def test_a_complete_run_raises_no_alarm(page: Page) -> None:
    assert "This run is incomplete" not in page.text


def test_a_stale_waiver_is_named(build: Any) -> None:
    waiver = Waiver("osml.deploy.answer", "agreed", check="a.py::b", origin="waivers.yaml")
    page = Page(render(judge(build.decided("pass"), [waiver])))
    assert "The waiver of osml.deploy.answer in a.py::b (waivers.yaml) matches no failure." in page.text


def test_a_run_without_requirements_is_still_a_page(build: Any) -> None:
    page = Page(render(judge(build.run(ended=False))))
    assert page.mistakes == []
    assert "Undecided" in page.text


def test_a_selection_lists_what_was_left_out(build: Any) -> None:
    run = build.run(
        build.requirement("osml.a.in"),
        build.requirement("osml.a.out", selected=False),
        build.check(build.decide("pass", "osml.a.in")),
        header=build.header(selection="deploy"),
    )
    text = " ".join(Page(render(judge(run))).text.split())
    assert "Not run 1" in text
    assert "osml.a.out" in text
    assert "Selection deploy" in text or "Selectiondeploy" in text
