"""report.html: one file that needs nothing else, neither a network nor a script, to be read."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from conformance.report import presentation
from conformance.report.verdicts import Judgement, Kind

GLYPHS = {
    Kind.PASS: "✓",
    Kind.WARN: "!",
    Kind.FAIL: "✕",
    Kind.KNOWN: "≈",
    Kind.FLAKY: "↯",
    Kind.UNTESTABLE: "?",
    Kind.INAPPLICABLE: "–",
    Kind.ERROR: "E",
}
"""A sign for each verdict, so that none is told by its colour alone."""

_BAR_ORDER = (
    Kind.PASS,
    Kind.KNOWN,
    Kind.WARN,
    Kind.FAIL,
    Kind.FLAKY,
    Kind.ERROR,
    Kind.UNTESTABLE,
    Kind.INAPPLICABLE,
)
_FINDINGS = (Kind.FAIL, Kind.ERROR, Kind.FLAKY, Kind.WARN, Kind.KNOWN)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the bar; `start` and `width` in percent of it."""

    kind: Kind
    count: int
    start: float
    width: float


def render(judgement: Judgement) -> str:
    """The document. Whatever a target sent appears in it as text and can't become markup or code."""
    environment = _environment()
    style, script = _raw(environment, "report.css"), _raw(environment, "report.js")
    return environment.get_template("report.html.j2").render(
        judgement=judgement,
        run=judgement.run,
        header=judgement.run.header,
        summary=judgement.summary,
        areas=presentation.areas(judgement),
        findings=list(presentation.of_kinds(judgement, _FINDINGS)),
        finding_kinds=_FINDINGS,
        not_run_because=presentation.not_run_because(judgement),
        undecided=list(presentation.of_kinds(judgement, [Kind.UNTESTABLE])),
        inapplicable=list(presentation.of_kinds(judgement, [Kind.INAPPLICABLE])),
        segments=_segments(judgement.summary.counts),
        present=presentation,
        glyphs=GLYPHS,
        kinds=_BAR_ORDER,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("conformance.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _visible(value: object) -> object:
    """Every text on its way into the page; what is markup already comes from this package."""
    return presentation.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _raw(environment: Environment, name: str) -> Markup:
    assert environment.loader is not None  # set above
    return Markup(environment.loader.get_source(environment, name)[0])


def _hash(content: str) -> str:
    """What the page's content security policy knows its own style and script by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _segments(counts: Mapping[Kind, int]) -> list[Segment]:
    total = sum(counts.values())
    segments, start = [], 0.0
    for kind in _BAR_ORDER:
        if counts[kind]:
            width = 100 * counts[kind] / total
            segments.append(Segment(kind, counts[kind], round(start, 3), round(width, 3)))
            start += width
    return segments
