"""Documentation pages out of a checkout of the repository that they are published from."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from mlconform.conformance.contract import lock, overlay_files
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.overlay import Overlay


def copy_pages(checkout: Path, docs: Path, root: Path) -> Iterator[str]:
    """Write the pages of the overlays below `root` into the folder `docs`, each as of its version's commit.

    Gives a line for each: where it was written, or that it is from elsewhere and must be put there by hand.
    Raises ContractError for a commit or a file that the checkout does not have, and for a page that is not
    the one that the lock names.
    """
    locked = {(page.profile, page.page, page.version): page for page in lock.read(root).pages}
    for path in sorted(root.glob("*/overlay.yaml")):
        written = overlay_files.load(path)
        for version in written.versions:
            for entry in written.pages:
                page = locked.get((written.profile, entry.id, version))
                if page is None:
                    raise ContractError(
                        f"page {entry.id} of {written.profile} {version}: expected it in {lock.NAME}; "
                        "run `mlconform contract build`"
                    )
                origin = _origin(written, version, page.file)
                if origin is None:
                    yield f"{page.file}: not from the repository, put it below {docs} by hand"
                    continue
                data = _show(checkout, *origin)
                if lock.sha256(data) != page.sha256:
                    raise ContractError(
                        f"{page.file}: expected SHA-256 {page.sha256}, got {lock.sha256(data)} "
                        f"from {origin[1]} of commit {origin[0]}"
                    )
                target = docs / page.file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
                yield f"{page.file}: as of {origin[0][:12]}"


def _origin(written: Overlay, version: str, file: str) -> tuple[str, str] | None:
    """Commit and path in the repository; None for a page that is from elsewhere."""
    commit, folder = written.commits.get(version), f"{written.folders.get(version)}/"
    return (commit, file.removeprefix(folder)) if commit and file.startswith(folder) else None


def _show(checkout: Path, commit: str, file: str) -> bytes:
    try:
        ended = subprocess.run(
            ["git", "-C", str(checkout), "show", f"{commit}:{file}"], capture_output=True, check=False
        )
    except OSError as error:
        raise ContractError(f"expected git to read {checkout} with: {error}") from None
    if ended.returncode != 0:
        said = ended.stderr.decode(errors="replace").strip()
        raise ContractError(
            f"expected {file} of commit {commit} in {checkout}, a checkout with its history: {said}"
        )
    return ended.stdout
