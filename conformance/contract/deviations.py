"""Where the recorded versions do not do what the documentation says: their deviations and known sets."""

from __future__ import annotations

from mlconform.conformance.contract.facts import Facts
from mlconform.conformance.contract.model import Contract, Deviation
from mlconform.conformance.contract.overlay import recordings
from mlconform.conformance.contract.versions import nearest


def deviations(facts: Facts) -> tuple[Deviation, ...]:
    """The deviations of the recorded versions whose nearest documentation is this version."""
    return tuple(
        Deviation(
            requirement=entry.requirement,
            version=recorded,
            finding=entry.finding,
            sources=tuple(s for s in recordings(entry.cites, facts.overlay) if s.version == recorded),
            answers=entry.answers,
            signature=entry.signature,
            chance=entry.chance,
        )
        for entry in facts.overlay.deviations
        for recorded in entry.cites.recorded
        if nearest(recorded, facts.overlay.versions) == facts.version
    )


def known_sets(contract: Contract) -> dict[str, list[Deviation]]:
    """The deviations by the name of the known set they belong to, such as `opensearch-2.19`."""
    found: dict[str, list[Deviation]] = {}
    for deviation in contract.deviations:
        product = contract.profile.partition("-")[0]
        found.setdefault(f"{product}-{contract.version}", []).append(deviation)
    return found
