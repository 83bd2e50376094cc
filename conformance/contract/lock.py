"""`sources.lock`: the hashes of what a contract was built from and of what was built."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.files import dump, parse

NAME = "sources.lock"


@dataclass(frozen=True, slots=True)
class LockedPage:
    """A page as it was read: its file's name and the SHA-256 of the file's bytes."""

    profile: str
    page: str
    version: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Lock:
    """Pages, and the SHA-256 of each overlay and each generated file by its path below `schemas`."""

    pages: tuple[LockedPage, ...]
    overlays: Mapping[str, str]
    generated: Mapping[str, str]


def sha256(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def write(lock: Lock) -> bytes:
    """The lock as the bytes of its file."""
    return dump(
        {
            "pages": [asdict(page) for page in lock.pages],
            "overlays": dict(sorted(lock.overlays.items())),
            "generated": dict(sorted(lock.generated.items())),
        }
    )


def read(root: Path) -> Lock:
    """The lock below `root`. Raises ContractError where there is none or it is not as written."""
    path = root / NAME
    try:
        values: dict[str, Any] = parse(path.read_bytes(), NAME)
        pages = tuple(LockedPage(**page) for page in values["pages"])
        return Lock(pages, values["overlays"], values["generated"])
    except FileNotFoundError:
        raise ContractError(f"{NAME} is missing; run `mlconform contract build --docs FOLDER`") from None
    except (KeyError, TypeError) as error:
        raise ContractError(
            f"{NAME} is not as it was written ({error}); run `mlconform contract build`"
        ) from None


def verify(lock: Lock, root: Path) -> list[str]:
    """What below `root` is not as the lock has it, one message a file; empty where all is as built."""
    found = []
    for kind, locked in (("overlay", lock.overlays), ("generated file", lock.generated)):
        for name, expected in sorted(locked.items()):
            path = root / name
            came = sha256(path.read_bytes()) if path.is_file() else "no file"
            if came != expected:
                found.append(
                    f"{name}: expected the {kind} with SHA-256 {expected}, found {came}; "
                    "run `mlconform contract build --docs FOLDER`"
                )
    return found


def changed(lock: Lock, read_pages: Iterable[LockedPage]) -> list[str]:
    """Which pages are not those that the contract was built from, one message a page."""
    before = {(page.profile, page.version, page.page): page for page in lock.pages}
    found = []
    for page in read_pages:
        locked = before.get((page.profile, page.version, page.page))
        if locked is None:
            found.append(f"{page.page} ({page.version}): not in {NAME}; run `mlconform contract build`")
        elif locked.sha256 != page.sha256:
            found.append(
                f"{page.page} ({page.version}, {page.file}): the page has changed: expected SHA-256 "
                f"{locked.sha256}, found {page.sha256}; read it again, correct the overlay and run "
                "`mlconform contract build`"
            )
    return found
