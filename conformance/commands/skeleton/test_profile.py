"""The profile new-api, step by step: fails with the next thing to do until its mock is judged."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from mlconform.conformance.contract import build, lock, overlay_files, store

NAME = "new-api"
HERE = Path(__file__).parent
PACKAGE = HERE / "new_api_profile"
CONTRACTS = PACKAGE / "contracts"
OVERLAY = f"{NAME}/new_api_profile/contracts/{NAME}/overlay.yaml"
BUILD = (
    f"mlconform contract build --docs {NAME}/pages "
    f"--overlays {NAME}/new_api_profile/contracts --checks {NAME}/new_api_profile"
)


def test_its_mock_is_judged(tmp_path: Path) -> None:
    overlay = overlay_files.load(CONTRACTS / NAME / "overlay.yaml")
    missing = [page.file for page in overlay.pages if not list((HERE / "pages").rglob(page.file))]
    assert not missing, f"next: put the page of the documentation at {NAME}/pages/{missing[0]}"
    installed = entry_points(group="mlconform.profiles").names
    assert NAME in installed, f"next: pip install --no-deps --no-build-isolation -e {NAME}"
    assert (CONTRACTS / lock.NAME).is_file(), f"next: {BUILD}"
    apart = build.check(HERE / "pages", CONTRACTS, PACKAGE)
    assert not apart, f"next: {BUILD}"
    contract = store.load(NAME)
    unsaid = [unit.key for unit in contract.units if not unit.requirements and unit.excluded is None]
    assert not unsaid, f"next: in {OVERLAY}, a requirement or an exclusion for {unsaid}"
    asked = contract.requirements.values()
    undecided = [each.id for each in asked if not each.checks and each.unchecked is None]
    assert not undecided, f"next: in {NAME}/new_api_profile/checks, a check of {undecided}; then {BUILD}"
    command = ["run", "--profile", NAME, "--out", str(tmp_path)]
    ended = subprocess.run(
        [sys.executable, "-m", "mlconform", *command], capture_output=True, text=True, check=False
    )
    told = ended.stdout + ended.stderr
    assert ended.returncode == 0, f"next: let discovery, checks and mock agree; now:\n{told}"
