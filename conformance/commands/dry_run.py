"""`mlconform run --dry-run`: what a run would send, make, change, wait for and leave out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlconform.conformance.outcomes import UsageError
from mlconform.conformance.running.options import ALL_PROFILES, RunOptions
from mlconform.conformance.running.preview import PROFILE, Preview, preview
from mlconform.conformance.running.rehearsal import PREPARING, Rehearsal, read_back, rehearse
from mlconform.conformance.targets.turns import PREFIX

_HOW: Final = (
    "counted with these checks on the mock in this process, which answers at once. Not known beforehand: how "
    "often a target that works for longer is asked again, and how many generated requests fit its pace"
)
_MOST_NAMED: Final = 3
_MOST_OPERATIONS: Final = 6


@dataclass(frozen=True, slots=True)
class Change:
    """A cluster setting that a run would change: the values, as a node reads them, and what for."""

    setting: str
    values: tuple[str, ...]
    why: tuple[str, ...]


def dry_run(options: RunOptions, *, as_json: bool) -> str:
    """What is to be said of such a run; nothing but what `mlconform doctor` asks is sent to the target.

    Raises `UsageError` where the run is of another profile, and what `connect` raises.
    """
    if options.profile not in (PROFILE, ALL_PROFILES):
        raise UsageError(
            f"expected --dry-run with the profile {PROFILE}, but got {options.profile}: of other profiles "
            "nothing is known before a run"
        )
    found = preview(options)
    rehearsal = rehearse(options, found)
    changes = tuple(_changes(found, rehearsal))
    return _as_json(found, rehearsal, changes) if as_json else "\n".join(_lines(found, rehearsal, changes))


def _changes(found: Preview, rehearsal: Rehearsal) -> Iterator[Change]:
    """What this target lacks for connectors, and what single checks set."""
    for name, value in ((found.for_endpoint or {}) if found.settings is not False else {}).items():
        yield Change(name, (read_back(value),), ("connectors reach the run's own endpoint",))
    for name, values in sorted(rehearsal.changed.items()):
        checks = {value: names - {PREPARING} for value, names in values.items()}
        used = tuple(value for value, names in checks.items() if names)
        if used:
            yield Change(name, used, tuple(sorted({each for names in checks.values() for each in names})))


def _lines(found: Preview, rehearsal: Rehearsal, changes: Sequence[Change]) -> Iterator[str]:
    facts = found.facts
    yield f"{facts.product} {facts.version}, judged by {PROFILE} {found.documentation}"
    for mark in found.others:
        yield f"another run is at work, and this one would wait for it or end: {mark}"
    yield f"runs {len(found.chosen)} of the {found.checks} selected checks, for {found.judged} requirements"
    total = sum(map(Counter.total, rehearsal.sent.values()))
    yield f"sends about {total} requests ({_HOW}):"
    for area, operations in sorted(rehearsal.sent.items(), key=lambda each: -each[1].total()):
        yield f"  {area}, {operations.total()}: {_operations(operations)}"
    yield f"makes, each named {PREFIX}… or of such a thing, and removes: {_made(rehearsal.made)}"
    yield from _changed(found, changes)
    if rehearsal.restarts:
        yield f"restarts the target {rehearsal.restarts} times"
    yield found.plan
    left_out = sum(map(len, found.left_out.values()))
    yield f"leaves out of them {left_out}:" if left_out else "leaves out none of them"
    for reason, names in found.left_out.items():
        yield f"  {len(names)}, {reason}: {', '.join(dict.fromkeys(names))}"
    if found.dropped:
        yield f"{found.dropped} checks are not selected, or decide nothing that applies to this target"


def _operations(sent: Counter[str]) -> str:
    named = [f"{name} {count}" for name, count in sent.most_common(_MOST_OPERATIONS)]
    more = len(sent) - len(named)
    return ", ".join([*named, *([f"{more} other operations"] if more else [])])


def _made(made: Counter[str]) -> str:
    kinds = {kind: count for kind, count in made.most_common() if kind != "settings"}
    return ", ".join(f"{count} × {kind}" for kind, count in kinds.items()) or "nothing"


def _changed(found: Preview, changes: Sequence[Change]) -> Iterator[str]:
    doubt = "" if found.settings else ", where the account may, which is not known before,"
    if changes:
        yield f"changes these cluster settings{doubt} and puts each back:"
    else:
        yield "changes no cluster setting"
    for change in changes:
        more = len(change.why) - _MOST_NAMED
        why = ", ".join(change.why[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        yield f"  {change.setting} = {' or '.join(change.values)}: {why}"
    if found.for_endpoint is None:
        yield "  whether connectors may reach the run's own endpoint is not known before"
    elif found.for_endpoint and found.settings is not False:
        yield "  the port of that endpoint is chosen when the run begins"


def _as_json(found: Preview, rehearsal: Rehearsal, changes: Sequence[Change]) -> str:
    values: Mapping[str, Any] = {
        "product": found.facts.product,
        "version": found.facts.version,
        "documentation": found.documentation,
        "runs_at_work": list(found.others),
        "checks": found.checks,
        "runs": len(found.chosen),
        "requirements": found.judged,
        "counted": _HOW,
        "sends": {area: dict(operations.most_common()) for area, operations in rehearsal.sent.items()},
        "makes": {kind: count for kind, count in rehearsal.made.most_common() if kind != "settings"},
        "prefix": PREFIX,
        "may_change_settings": found.settings,
        "changes": [{"setting": each.setting, "values": each.values, "why": each.why} for each in changes],
        "restarts": rehearsal.restarts,
        "waits": found.plan,
        "leaves_out": found.left_out,
        "not_selected": found.dropped,
    }
    return json.dumps(values, indent=2)
