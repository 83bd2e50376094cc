"""The contradictions of the pages: what the rules find, and how the overlay settles it.

A finding has the id `<page>/<rule>/<subject>`; an entry of the overlay settles it by naming that id.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from mlconform.conformance.contract.across_rules import across
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.facts import Facts
from mlconform.conformance.contract.model import Contradiction
from mlconform.conformance.contract.overlay import Overlay
from mlconform.conformance.contract.page_rules import RULES, Finding


def findings(facts: Facts) -> dict[str, Finding]:
    """What the rules find on all pages, by id; units of findings with the same id are joined."""
    found: dict[str, Finding] = {}
    made = [finding for page in facts.pages.values() for rule in RULES for finding in rule(page, facts)]
    for finding in (*made, *across(facts)):
        before = found.get(finding.id)
        units = tuple(dict.fromkeys((*(before.units if before else ()), *finding.units)))
        found[finding.id] = Finding(finding.id, finding.text, units)
    return found


def contradictions(facts: Facts, found: Mapping[str, Finding]) -> tuple[Contradiction, ...]:
    """The settled contradictions of this version, then the findings that nobody has settled."""
    settled = [
        Contradiction(
            entry.id, entry.finding, entry.settled, facts.sources(entry.cites, f"contradiction {entry.id}")
        )
        for entry in facts.overlay.contradictions
        if facts.has(entry.cites, f"contradiction {entry.id}")
    ]
    answered = {name for entry in facts.overlay.contradictions for name in entry.settles}
    open_findings = [
        Contradiction(finding.id, finding.text, None, tuple(facts.source(unit) for unit in finding.units))
        for name, finding in sorted(found.items())
        if name not in answered
    ]
    return (*settled, *open_findings)


def forbid_settling_nothing(overlay: Overlay, found: Container[str]) -> None:
    """Raises ContractError where an entry settles a finding that no rule makes in any version."""
    for entry in overlay.contradictions:
        for name in entry.settles:
            if name not in found:
                raise ContractError(
                    f"overlay of {overlay.profile}, contradiction {entry.id}: it settles {name}, "
                    "which no rule finds any more; correct or remove the entry"
                )
