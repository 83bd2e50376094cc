"""report.html: one file that needs nothing else, neither a network nor a script, to be read."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from mlconform.conformance.report import presentation
from mlconform.conformance.report.access import access_table
from mlconform.conformance.report.findings import findings, groups, known_set
from mlconform.conformance.report.remedies import offers
from mlconform.conformance.report.verdicts import Judgement, Kind

FINDING_LIMIT = 100
"""Findings of one heading that the page shows in full; the others are in its table."""

DETAILED_LIMIT = 2000
"""Requirements up to which the table has links to each source and the names of checks."""

_KINDS = (
    Kind.FAIL,
    Kind.FLAKY,
    Kind.ERROR,
    Kind.WARN,
    Kind.KNOWN,
    Kind.UNTESTABLE,
    Kind.PASS,
    Kind.INAPPLICABLE,
)
_CODE = re.compile(r"`([^`\n]+)`")


def render(judgement: Judgement, scripts: Mapping[str, str]) -> str:
    """The document; `scripts` are those of its findings, by name.

    Whatever a target sent appears in it as text and can't become markup or code.
    """
    found = findings(judgement)
    return document(
        "report.html.j2",
        judgement=judgement,
        run=judgement.run,
        header=judgement.run.header,
        summary=judgement.summary,
        areas=presentation.areas(judgement),
        findings=found,
        groups=groups(found),
        known=known_set(found),
        carded={
            finding.requirement.id: finding.name
            for group in groups(found)
            for finding in reversed(group.findings[:FINDING_LIMIT])
        },
        limit=FINDING_LIMIT,
        scripts=scripts,
        offers=offers(judgement),
        access=access_table(judgement),
        links={each.id: {link.source: link for link in each.links} for each in judgement.run.requirements},
        detailed=len(judgement.verdicts) <= DETAILED_LIMIT,
        not_run_because=presentation.not_run_because(judgement),
    )


def document(template: str, **values: object) -> str:
    """A page made of a template, with the style and the script that all pages have."""
    style, script = _raw("report.css"), _raw("report.js")
    hashes = {"style_hash": _hash(style), "script_hash": _hash(script)}
    made: str = (
        _environment()
        .get_template(template)
        .render(values | hashes, kinds=_KINDS, style=style, script=script)
    )
    return made


@cache
def _environment() -> Environment:
    """What makes pages of templates: every text that goes into one is escaped and visible."""
    made = Environment(
        loader=PackageLoader("mlconform.conformance.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(present=presentation, marked=_marked)
    return made


def _visible(value: object) -> object:
    """Every text on its way into the page; what is markup already comes from this package."""
    return presentation.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _marked(text: str) -> Markup:
    """The text with what stands in backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(presentation.visible(text)))))


def _raw(name: str) -> Markup:
    loader = _environment().loader
    assert loader is not None  # set above
    return Markup(loader.get_source(_environment(), name)[0])


def _hash(content: str) -> str:
    """What the page's content security policy knows its own style and script by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
