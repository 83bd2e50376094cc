"""`mlconform run --dry-run`: what a run would send, make, change, wait for and leave out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlconform.conformance.errors import PrerequisiteMissing, TargetUnreachable
from mlconform.conformance.outcomes import BrokenAnswer
from mlconform.conformance.running.options import ALL_PROFILES, RunOptions
from mlconform.conformance.running.preview import PROFILE, Outlook, outlook, preview
from mlconform.conformance.running.rehearsal import PREPARING, Rehearsal, read_back, rehearse
from mlconform.conformance.targets.profiles import profiles
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

    Of all profiles, those that the target does not offer are left out. Raises what `connect` raises.
    """
    looked = []
    problems: list[Exception] = []
    for profile in options.profiles:
        try:
            looked.append(_looked_at(options, profile))
        except (TargetUnreachable, PrerequisiteMissing, BrokenAnswer) as error:
            problems.append(error)
    if not looked:
        raise problems[0]
    if not as_json:
        return "\n\n".join("\n".join(_lines(*each)) for each in looked)
    told = [_values(*each) for each in looked]
    return json.dumps({"profiles": told} if options.profile == ALL_PROFILES else told[0], indent=2)


def _looked_at(options: RunOptions, profile: str) -> tuple[Outlook, Rehearsal, Sequence[Change]]:
    found = preview(options) if profile == PROFILE else outlook(options, profile)
    rehearsal = rehearse(options, found)
    return found, rehearsal, tuple(_changes(found, rehearsal))


def _changes(found: Outlook, rehearsal: Rehearsal) -> Iterator[Change]:
    """What this target lacks for connectors, and what single checks set."""
    for name, value in ((found.for_endpoint or {}) if found.settings is not False else {}).items():
        yield Change(name, (read_back(value),), ("connectors reach the run's own endpoint",))
    for name, values in sorted(rehearsal.changed.items()):
        checks = {value: names - {PREPARING} for value, names in values.items()}
        used = tuple(value for value, names in checks.items() if names)
        if used:
            yield Change(name, used, tuple(sorted({each for names in checks.values() for each in names})))


def _lines(found: Outlook, rehearsal: Rehearsal, changes: Sequence[Change]) -> Iterator[str]:
    facts = found.facts
    yield f"{facts.product} {facts.version}, judged by {found.profile} {found.documentation}"
    for mark in found.others:
        yield f"another run is at work, and this one would wait for it or end: {mark}"
    yield f"runs {len(found.chosen)} of the {found.checks} selected checks, for {found.judged} requirements"
    total = sum(map(Counter.total, rehearsal.sent.values()))
    yield f"sends about {total} requests ({_HOW}):"
    for area, operations in sorted(rehearsal.sent.items(), key=lambda each: -each[1].total()):
        yield f"  {area}, {operations.total()}: {_operations(operations)}"
    if profiles()[found.profile].sweep is None:
        yield _used(found)
    else:
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


def _used(found: Outlook) -> str:
    """The models of an API that makes none, which a run brings back to the state in which they were."""
    if found.models is None:
        return "makes nothing; uses the models of the target, whose time can be moved, as its own"
    if not found.models:
        return "makes nothing, and leaves undecided what needs a model: none is named with --model-id"
    return f"makes nothing; uses {', '.join(found.models)}, and leaves each in the state in which it was"


def _operations(sent: Counter[str]) -> str:
    named = [f"{name} {count}" for name, count in sent.most_common(_MOST_OPERATIONS)]
    more = len(sent) - len(named)
    return ", ".join([*named, *([f"{more} other operations"] if more else [])])


def _made(made: Counter[str]) -> str:
    kinds = {kind: count for kind, count in made.most_common() if kind != "settings"}
    return ", ".join(f"{count} × {kind}" for kind, count in kinds.items()) or "nothing"


def _changed(found: Outlook, changes: Sequence[Change]) -> Iterator[str]:
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


def _values(found: Outlook, rehearsal: Rehearsal, changes: Sequence[Change]) -> Mapping[str, Any]:
    return {
        "profile": found.profile,
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
        "models": None if found.models is None else list(found.models),
        "may_change_settings": found.settings,
        "changes": [{"setting": each.setting, "values": each.values, "why": each.why} for each in changes],
        "restarts": rehearsal.restarts,
        "waits": found.plan,
        "leaves_out": found.left_out,
        "not_selected": found.dropped,
    }
