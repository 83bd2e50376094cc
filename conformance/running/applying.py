"""Which contract a target is judged by, and what of it applies to the target's version."""

from __future__ import annotations

import re
from functools import cache

from mlconform.conformance.contract import store
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.model import Contract, Requirement
from mlconform.conformance.errors import PrerequisiteMissing
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.targets.session import Facts


def contract_of(options: RunOptions, profile: str, target_version: str | None = None) -> Contract:
    """The contract of the version asked for, else of the target's, else the newest.

    With all profiles asked for, a profile whose versions are counted in another way keeps its own. Raises
    `PrerequisiteMissing` where the target's version has no documentation.
    """
    asked = options.docs_version
    if asked is not None:
        fits = options.profile == profile or _fits(profile, asked)
        return store.load(profile, asked if fits else None)
    if target_version is None:
        return store.load(profile)
    try:
        return store.load(profile, ".".join(str(n) for n in _numbers(target_version)))
    except ContractError as error:
        raise PrerequisiteMissing(
            f"no documentation for the target's version {target_version!r}: {error}; "
            "choose one with --docs-version"
        ) from None


def check_docs_version(options: RunOptions) -> None:
    """Raise `ContractError` where no profile that is asked for has the version that is asked for."""
    asked = options.docs_version
    if asked is not None and not any(_fits(profile, asked) for profile in options.profiles):
        store.load(options.profiles[0], asked)


def inapplicable(requirement: Requirement, facts: Facts) -> str | None:
    """Why this requirement does not apply to such a target, or None where it does."""
    version = facts.version
    if requirement.since and _numbers(version) < _numbers(requirement.since):
        return f"since {requirement.since}; the target is {version}"
    if requirement.recorded and version not in requirement.recorded:
        return f"recorded on {', '.join(requirement.recorded)} alone; the target is {version}"
    if requirement.when in facts.unmet:
        return f"only where {requirement.when}, which is not so on this target"
    return None


def _fits(profile: str, version: str) -> bool:
    try:
        store.load(profile, version)
    except ContractError:
        return False
    return True


@cache
def _numbers(version: str) -> tuple[int, ...]:
    """2.19.0-SNAPSHOT as (2, 19, 0); what is no version is older than every one."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found.group().split(".")) if found else ()
