"""The model APIs that can be judged. Each brings what is its own as one value, found by its entry point.

A package offers one under the group `mlconform.profiles`, as this one does for those it ships:

    [project.entry-points."mlconform.profiles"]
    open-inference = "open_inference.profile:PROFILE"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from mlconform.conformance.errors import UsageError
from mlconform.conformance.targets.credentials import Credentials
from mlconform.conformance.targets.session import Facts, Session
from mlconform.conformance.targets.transport import Transport
from mlconform.conformance.targets.turns import Tell

GROUP = "mlconform.profiles"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a model API brings: its name, what its requirement ids start with, and where its things lie.

    `checks` is the folder of its checks, `contracts` the one that holds `<name>/overlay.yaml` and the
    generated versions beside it. `discover` learns what the target is, `prepare` makes it ready and
    tells whom it waits for, `join` stands on what another process of the run, by its id, has prepared,
    and `sweep` removes what names begin with a prefix (None where nothing can be made). `reach` finds the
    ways to the other nodes of a target, at the addresses given or at those that it tells (None where it
    shows no nodes). `account` is what a run shows of itself, told whether the target is on this machine (None
    where that is what the user names). Where several are judged, they come in the order of their `rank`, then
    of their names.
    """

    name: str
    id_prefix: str
    checks: Path
    contracts: Path
    discover: Callable[[Session], Facts]
    prepare: Callable[[Session, Tell], None]
    join: Callable[[Session, str], None]
    sweep: Callable[[Session, str], tuple[list[str], list[str]]] | None = None
    rank: int = 100
    reach: Callable[[Session, Sequence[str]], tuple[Transport, ...]] | None = None
    account: Callable[[bool], Credentials | None] | None = None


@cache
def profiles() -> Mapping[str, Profile]:
    """The profiles that are installed, by name.

    Raises `UsageError` for one that cannot be loaded, or that two packages offer.
    """
    found: dict[str, Profile] = {}
    for entry in entry_points(group=GROUP):
        try:
            profile = entry.load()
        except Exception as error:  # it is somebody else's code, and anything may go wrong in it
            raise UsageError(f"the profile {entry.name} ({entry.value}) cannot be loaded: {error}") from error
        if not isinstance(profile, Profile) or profile.name != entry.name:
            raise UsageError(
                f"expected {entry.value} to be the Profile {entry.name!r}, but it is {profile!r}; "
                "correct the entry point"
            )
        if found.setdefault(profile.name, profile) is not profile:
            raise UsageError(f"two packages offer the profile {profile.name}; uninstall one of them")
    if not found:
        raise UsageError("no profile is installed: install mlconform again (in a checkout: make install)")
    return dict(sorted(found.items(), key=lambda each: (each[1].rank, each[0])))


@cache
def profile_of(folder: Path) -> Profile | None:
    """The profile whose checks lie in this folder, or None."""
    folder = folder.resolve()
    return next((each for each in profiles().values() if each.checks.resolve() == folder), None)
