"""The line that shows how far a run has come."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path


def test_a_terminal_sees_the_checks_go_by(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "conformance", "run", "--profile", "nugen", "--select", "nugen.deploy*"]
    ours, theirs = pty.openpty()
    with subprocess.Popen([*command, "--out", tmp_path], stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    assert process.returncode == 0
    assert b"checks done, the last one test_" in shown


def test_a_file_sees_none_of_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "conformance", "run", "--profile", "nugen", "--select", "nugen.deploy*"]
    ended = subprocess.run([*command, "--out", tmp_path], capture_output=True, check=True)
    assert b"checks done" not in ended.stdout + ended.stderr


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # what Linux answers once the other side is closed
        return b""
