"""What a terminal sees of a run while it goes on."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "mlconform", "run", "--profile", "nugen", "--select", "nugen.deploy*"]
BESIDE = """
import sys
from mlconform.conformance.cli import main
from mlconform.conformance.running import endings

inner, out = endings.call_and_repeat, sys.stdout

def call(*given):
    print("within a check", file=out, flush=True)
    return (yield from inner(*given))

endings.call_and_repeat = call
main()
"""
TOLD = """
from mlconform.conformance.cli import main
from mlconform.conformance.running.progress import Lines

inner = Lines.begin

def begin(self):
    print("lines begin", flush=True)
    inner(self)

Lines.begin = begin
main()
"""
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


def test_what_is_written_beside_a_check_is_seen(tmp_path: Path) -> None:
    """As the lines on the progress are, by a thread of their own."""
    ended = subprocess.run(
        [sys.executable, "-c", BESIDE, *COMMAND[3:], "--out", tmp_path], capture_output=True, check=True
    )
    assert b"within a check" in ended.stdout


def test_lines_come_while_workers_run_the_checks(tmp_path: Path, serve_mock: Any) -> None:
    more = ["--workers", "2", "--out", tmp_path, "--target", serve_mock().url]
    ended = subprocess.run(
        [sys.executable, "-c", TOLD, *COMMAND[3:], *more], capture_output=True, text=True, check=True
    )
    # Of what comes first, of the workers, and of what runs alone after them.
    assert ended.stdout.count("lines begin") == 3


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # what Linux answers once the other side is closed
        return b""
