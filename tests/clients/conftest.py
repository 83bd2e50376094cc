"""How a client is built of what its registry has."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

# What npm, Maven and Go say where their registry is not reached.
_NO_REGISTRY = re.compile(
    r".*(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|Unknown host|Could not transfer|offline mode"
    r"|no such host|dial tcp|module lookup disabled).*"
)
Build = Callable[..., None]


@pytest.fixture(scope="session")
def build() -> Build:
    """Runs a command in a folder; skips where it is not installed, or can't reach its registry."""

    def run(folder: Path, *command: str) -> None:
        if shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} is not installed")
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=480, check=False)
        told = ended.stdout + ended.stderr
        if ended.returncode and (found := _NO_REGISTRY.search(told)):
            pytest.skip(f"{command[0]} can't reach its registry: {found[0].strip()[:200]}")
        assert ended.returncode == 0, f"{' '.join(command)}\n{told}"

    return run
