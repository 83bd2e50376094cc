"""The tests of our own errors and of judging, repeated while twice as many processes as cores keep busy.

    python benchmarks/busy.py [--times N] [--whole] [--minutes M] [PATH...]

What a slow machine fails is a test that trusts in the clock. So many rounds run at once that each has twice
as many busy processes as cores beside it; where no round is left, processes that compute stand in, and beside
all tests, which need the checkout for themselves, from the first moment on. Each round is told with its
seconds and its failures; it ends with 1 where there was one, and after the minutes given.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
# Errors of ours, endings of checks, and what waits or is given a budget of time.
KIND = (
    "tests/running/test_judging",
    "tests/running/test_endings.py",
    "tests/running/test_ended_early.py",
    "tests/running/test_waiting.py",
    "tests/targets/test_settle.py",
    "tests/targets/test_pace.py",
    "tests/targets/test_infrastructure.py",
    "tests/targets/test_interruption.py",
    "tests/suites/test_expect.py",
    "tests/suites/test_explore.py",
)
# As `make test` runs them.
ALL = ("-n", "auto", "--dist", "worksteal")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
_BUSY = "import os, time\nparent = os.getppid()\nwhile os.getppid() == parent and time.monotonic() < {}: pass"


@click.command()
@click.option("--times", default=50, show_default=True, help="how often the tests run")
@click.option("--whole", is_flag=True, help="all tests instead of those of our own errors and of judging")
@click.option("--minutes", default=240.0, show_default=True, help="it ends after so long, finished or not")
@click.argument("paths", nargs=-1)
def main(times: int, whole: bool, minutes: float, paths: tuple[str, ...]) -> None:
    """Repeat the tests, or those at PATHS, beside busy processes; 1 where one failed or time ran out."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chosen = ALL if whole else paths or tuple(found for each in KIND for found in _found(each))
    ends = time.monotonic() + minutes * 60
    rounds, beside = Rounds(times, chosen, ends), 2 * (os.cpu_count() or 1)
    lanes = 1 if whole else 1 + beside
    with _busy(beside if whole else 0, ends), ThreadPoolExecutor(lanes) as pool:
        running = [pool.submit(rounds.run) for _ in range(lanes)]
        try:
            for each in running:
                each.result()
        finally:
            rounds.over.set()
    done, failed = len(rounds.codes), sum(code != 0 for code in rounds.codes)
    click.echo(f"{done} of {times} times done in {minutes:g} minutes at most, {failed} failed")
    sys.exit(int(failed > 0 or done < times))


class Rounds:
    """Rounds of pytest with the same arguments, run by several threads; none begins after `ends`, in seconds
    of the monotonic clock, or once it is `over`. `codes` are the exit codes of those that ended."""

    def __init__(self, times: int, arguments: tuple[str, ...], ends: float) -> None:
        self._times = times
        self._arguments = arguments
        self._ends = ends
        self._begun = itertools.count(1)
        self.over = threading.Event()
        self.codes: list[int] = []

    def run(self) -> None:
        """Take one round after the other; then let a process compute until the others are done."""
        while not self.over.is_set() and next(self._begun) <= self._times and self._round():
            pass
        if len(self.codes) >= self._times:
            self.over.set()
        with _busy(1, self._ends):
            self.over.wait(max(0.0, self._ends - time.monotonic()))

    def _round(self) -> bool:
        """One of them; False where time ran out."""
        began = time.monotonic()
        try:
            ended = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", *self._arguments],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
                timeout=max(0.0, self._ends - began),
            )
        except subprocess.TimeoutExpired:
            return False
        self.codes.append(ended.returncode)
        names = _FAILED.findall(ended.stdout) or (["pytest itself"] if ended.returncode else [])
        took = time.monotonic() - began
        click.echo(f"{len(self.codes)} of {self._times}: {took:.0f} s, {', '.join(names) or 'all passed'}")
        if ended.returncode:
            click.echo(ended.stdout + ended.stderr, err=True)
        return True


def _found(beginning: str) -> list[str]:
    """The test files whose path begins so: a subject may have several."""
    found = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(f"{beginning}*") if path.suffix == ".py")
    if not found:
        raise click.ClickException(f"expected tests at {beginning}, but nothing is there; correct KIND")
    return found


@contextmanager
def _busy(count: int, until: float) -> Iterator[None]:
    """So many processes that compute all the time, at normal priority; they end with this one, too."""
    code = _BUSY.format(until)
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


if __name__ == "__main__":
    main()
