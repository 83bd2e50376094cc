"""What a terminal sees of a run while it goes on."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

COMMAND = [sys.executable, "-m", "mlconform", "run", "--profile", "nugen", "--select", "nugen.deploy*"]
BAR = "━".encode()


def test_a_terminal_sees_the_checks_go_by(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    with subprocess.Popen([*COMMAND, "--out", tmp_path], stdout=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    assert process.returncode == 0
    assert BAR in shown
    assert b"::test_" in shown


def test_a_file_sees_none_of_it(tmp_path: Path) -> None:
    ended = subprocess.run([*COMMAND, "--out", tmp_path], capture_output=True, check=True)
    assert BAR not in ended.stdout + ended.stderr


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # what Linux answers once the other side is closed
        return b""
