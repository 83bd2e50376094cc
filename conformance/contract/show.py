"""The contract as text for a terminal: requirements, one requirement, contradictions, deviations."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable

from mlconform.conformance.contract import files
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.model import Contract, Requirement


def requirements(contracts: Iterable[Contract]) -> str:
    """A line a requirement: id, level, statement."""
    every = [requirement for contract in contracts for requirement in contract.requirements.values()]
    width = max((len(requirement.id) for requirement in every), default=0)
    return "\n".join(
        f"{requirement.id.ljust(width)}  {str(requirement.level).ljust(11)}  {requirement.statement}"
        for requirement in every
    )


def requirements_json(contracts: Iterable[Contract]) -> str:
    """All requirements as JSON, with sources and checks."""
    values = [
        {"profile": requirement.profile, **files.requirement_value(requirement)}
        for contract in contracts
        for requirement in contract.requirements.values()
    ]
    return json.dumps(values, indent=2)


def requirement(contracts: Iterable[Contract], name: str) -> str:
    """Everything about one requirement. Raises ContractError for an unknown id, with those near it."""
    known: dict[str, Requirement] = {}
    for contract in contracts:
        known |= contract.requirements
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3)
        hint = (
            f"; did you mean {', '.join(near)}?" if near else "; `mlconform requirements list` names them all"
        )
        raise ContractError(f"no requirement {name!r}{hint}")
    found = known[name]
    lines = [found.id, f"  {found.statement}", f"  level: {found.level}"]
    lines += [
        f"  {label}: {value}"
        for label, value in (
            ("operation", found.operation),
            ("since", found.since),
            ("until", found.until),
        )
        if value
    ]
    if found.recorded:
        lines.append(f"  recorded on: {', '.join(found.recorded)}")
    lines += [f"  source: {source}" for source in found.sources]
    lines += [f"  check: {check}" for check in found.checks]
    if found.unchecked:
        lines.append(f"  unchecked: {found.unchecked}")
    elif not found.checks:
        lines.append("  undecided: no check decides it")
    return "\n".join(lines)


def contradictions(contracts: Iterable[Contract]) -> str:
    """Each contradiction with its citations and how it was settled; those that nobody settled say so."""
    blocks = []
    for contract in contracts:
        for entry in contract.contradictions:
            lines = [f"{entry.id} ({contract.profile} {contract.version})", f"  found: {entry.finding}"]
            lines += [f"  source: {source}" for source in entry.sources]
            lines.append(f"  settled: {entry.settled}" if entry.settled else "  not settled")
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def deviations(contracts: Iterable[Contract]) -> str:
    """Each place where a recorded version does not do what is required, with the exchanges that show it."""
    blocks = []
    for contract in contracts:
        for entry in contract.deviations:
            lines = [f"{entry.requirement} ({contract.profile}, recorded on {entry.version})"]
            lines.append(f"  found: {entry.finding}")
            lines += [f"  source: {source}" for source in entry.sources]
            lines += [f"  answer: {answer}" for answer in entry.answers]
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks)
