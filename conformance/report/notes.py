"""What a reader should know of the waivers of a run, though it changes neither verdict nor exit code."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from mlconform.conformance.report.events import Waiver
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.waivers import expired


def notes(run: Run, waivers: Sequence[Waiver], stale: Collection[Waiver]) -> tuple[str, ...]:
    """The sentences, for a part of a run too; what is said of a stale waiver is not said again."""
    told = [waiver for waiver in waivers if waiver not in stale]
    return (*_of_another_version(run, waivers), *_over(run, told), *_without_check(run, told))


def _of_another_version(run: Run, waivers: Sequence[Waiver]) -> Iterator[str]:
    """That a known set is of another version than the target: it may accept too much or too little."""
    for option, name in pairwise(run.header.options):
        if option != "--known":
            continue
        waived = {waiver.requirement for waiver in waivers if waiver.origin == f"{name}.yaml"}
        profiles = {requirement.profile for requirement in run.requirements if requirement.id in waived}
        version = name.rpartition("-")[2]
        for target in run.targets:
            if target.profile in profiles and not is_of(target.version, version):
                yield (
                    f"the known set {name} was recorded on another version than the target's, "
                    f"{target.version}: what it accepts may differ there"
                )


def is_of(version: str, line: str) -> bool:
    """Whether 2.19.0 is of the line 2.19."""
    return re.match(rf"{re.escape(line)}(?!\d)", version) is not None


def _over(run: Run, waivers: Sequence[Waiver]) -> Iterator[str]:
    for waiver in expired(waivers, run.day):
        yield f"{_named(waiver)} ended on {waiver.until} and accepts nothing: renew it or remove it"


def _without_check(run: Run, waivers: Sequence[Waiver]) -> Iterator[str]:
    checks = {requirement.id: set(requirement.checks) for requirement in run.requirements}
    for check in run.checks:
        for decision in check.decisions:
            checks.setdefault(decision.requirement, set()).add(check.check)
    for waiver in waivers:
        if waiver.check is not None and waiver.check not in checks.get(waiver.requirement, {waiver.check}):
            has = ", ".join(sorted(checks[waiver.requirement])) or "none"
            yield f"{_named(waiver)} names {waiver.check}, which is none of its checks ({has}): correct it"


def _named(waiver: Waiver) -> str:
    return f"the waiver of {waiver.requirement}" + (f" ({waiver.origin})" if waiver.origin else "")
