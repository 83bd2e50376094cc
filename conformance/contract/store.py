"""Where the contracts lie, and how one is loaded."""

from __future__ import annotations

import difflib
import json
import re
from functools import cache, lru_cache
from importlib.metadata import entry_points
from pathlib import Path

from mlconform.conformance.contract import files
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.model import Contract
from mlconform.conformance.contract.versions import nearest, number

# The profiles that are installed: each knows the folder of its contracts.
_GROUP = "mlconform.profiles"
_OURS = "mlconform"
_VERSION = re.compile(r"\d+(\.\d+)*")


def schemas_root() -> Path:
    """The folder of the contracts: in the installed package, else in the checkout around it.

    Raises ContractError where there is neither.
    """
    package = Path(__file__).resolve().parents[1]
    for root in (package / "schemas", package.parent / "schemas"):
        if any(root.glob("*/overlay.yaml")):
            return root
    raise ContractError(
        f"no contracts beside the package: expected {package / 'schemas'} (installed) or "
        f"{package.parent / 'schemas'} (a checkout); install the package again"
    )


@cache
def roots() -> tuple[Path, ...]:
    """The folders of contracts: our own, and those that other packages bring with their profiles."""
    others = (entry for entry in entry_points(group=_GROUP) if entry.dist and entry.dist.name != _OURS)
    brought = (entry.load().contracts for entry in others)
    return tuple(dict.fromkeys((schemas_root(), *brought)))


def profiles(root: Path | None = None) -> tuple[str, ...]:
    """The profiles that have a built contract, sorted."""
    folders = (path for each in ([root] if root else roots()) for path in each.iterdir() if path.is_dir())
    return tuple(sorted({path.name for path in folders if versions(path.name, path.parent)}))


def versions(profile: str, root: Path | None = None) -> tuple[str, ...]:
    """The documentation versions of a profile's contracts, oldest first; empty for an unknown profile."""
    folder = (root or _root_of(profile)) / profile
    found = [path.parent.name for path in folder.glob(f"*/{files.REQUIREMENTS}")]
    return tuple(sorted(found, key=number))


def default_version(profile: str, root: Path | None = None) -> str:
    """The version that is meant where none is named: the overlay's default, else the newest there is."""
    root = root or _root_of(profile)
    known = versions(profile, root)
    written = files.parse((root / profile / "overlay.yaml").read_bytes(), f"{profile}/overlay.yaml")
    named = written.get("default")
    return str(named) if named in known else known[-1]


def load(profile: str, version: str | None = None, root: Path | None = None) -> Contract:
    """The contract of a profile: of its default version, or of the newest that is not newer than `version`.

    Raises ContractError for an unknown profile, for a version that is not dotted numbers or older than
    all contracts, and for files that can't be read.
    """
    root = root or _root_of(profile)
    chosen = _choose(profile, version, root)
    folder = root / profile / chosen
    written = (folder / name for name in (files.REQUIREMENTS, files.OPENAPI, files.RECORDED))
    return _loaded(profile, chosen, root, tuple(_stamp(path) for path in written))


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file is written; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=8)
def _loaded(profile: str, chosen: str, root: Path, _stamps: tuple[tuple[int, int] | None, ...]) -> Contract:
    """Reading a contract takes a second: it is read once, as long as its files stay as they are."""
    folder = root / profile / chosen
    values = _read(folder / files.REQUIREMENTS, root)
    try:
        return Contract(
            profile=profile,
            version=chosen,
            requirements=files.read_requirements(values),
            openapi=_read(folder / files.OPENAPI, root),
            units=files.read_units(values),
            contradictions=files.read_contradictions(values),
            deviations=files.read_deviations(values),
            pages=files.read_pages(values),
            recorded=_recorded(folder / files.RECORDED, root),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ContractError(
            f"{profile}/{chosen}/{files.REQUIREMENTS} is not as it was generated ({error!r}); "
            "run `mlconform contract build`"
        ) from None


def _root_of(profile: str) -> Path:
    """Where a profile's contracts lie; our own folder for one that nobody has."""
    return next((root for root in roots() if (root / profile).is_dir()), schemas_root())


def _read(path: Path, root: Path) -> dict[str, object]:
    name = path.relative_to(root).as_posix()
    try:
        value: dict[str, object] = files.parse(path.read_bytes(), name)
    except OSError as error:
        raise ContractError(
            f"{name} can't be read: {error.strerror}; run `mlconform contract build`"
        ) from None
    return value


def _recorded(path: Path, root: Path) -> dict[str, dict[str, dict[str, object]]]:
    """The forms of recorded answers; none where no version was recorded."""
    if not path.is_file():
        return {}
    value = json.loads(path.read_bytes())
    return {version: dict(forms) for version, forms in value.items() if isinstance(forms, dict)}


def _choose(profile: str, version: str | None, root: Path) -> str:
    known = versions(profile, root)
    if not known:
        names = profiles(None if root in roots() else root)
        near = difflib.get_close_matches(profile, names, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ContractError(
            f"no contract for profile {profile!r}; known are {', '.join(names) or 'none'}{hint}"
        )
    if version is None:
        return default_version(profile, root)
    if not _VERSION.fullmatch(version):
        raise ContractError(f"expected a documentation version such as {known[-1]}, found {version!r}")
    fitting = nearest(version, known)
    if fitting is None:
        raise ContractError(
            f"{profile}: no contract for version {version} or older; there is {', '.join(known)}"
        )
    return fitting
