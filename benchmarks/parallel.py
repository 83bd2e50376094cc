"""Two hundred connections at once on `mlconform mock` and on the fixture: answers per second, peak of memory.

`python benchmarks/parallel.py [FOLDER...]` measures in turns the checkouts that are named, or this one: so a
change is held against what there was before. Needs wrk and Linux.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONNECTIONS, SECONDS, TURNS = 200, 6, 3
HERE = Path(__file__).parents[1]
SERVERS = {
    "command": "from mlconform.mock_server import MockServer; from mlconform.mock_server.asgi import serve; "
    "serve(MockServer(), '127.0.0.1', 0, lambda url: print(url, flush=True))",
    "fixture": "import sys; from mlconform.mock_server.fixture import running_mock\n"
    "with running_mock() as mock:\n    print(mock.url, flush=True); sys.stdin.read()",
}


def main() -> None:
    """Measure and print, a checkout and server a line, the best of the turns."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: install it (Debian: apt-get install wrk)")
    checkouts = [Path(folder).resolve() for folder in sys.argv[1:]] or [HERE]
    measured: dict[tuple[Path, str], list[tuple[float, int, float]]] = {}
    for _ in range(TURNS):
        for checkout in checkouts:
            for name in SERVERS:
                measured.setdefault((checkout, name), []).append(_measure(checkout, name))
    for (checkout, name), turns in measured.items():
        rates, memories, starts = zip(*turns, strict=True)
        rate, memory, started = max(rates), max(memories), min(starts)
        sys.stdout.write(
            f"{checkout.name:<12} {name:<8} {rate:>7.0f} answers/s, {memory / 1024:.1f} MB at most, "
            f"{started * 1000:.0f} ms to the first answer\n"
        )


def _measure(checkout: Path, name: str) -> tuple[float, int, float]:
    with _served(checkout, SERVERS[name]) as (process, url, started):
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", f"{url}/_cluster/health"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
        status = Path(f"/proc/{process.pid}/status").read_text()
        memory = re.search(r"VmHWM:\s+(\d+) kB", status)
        if rate is None or memory is None or "Non-2xx" in said:
            raise SystemExit(f"{name} of {checkout}: expected answers of 200\n{said}")
        errors = re.search(r"Socket errors: .*", said)
        if errors is not None:
            sys.stdout.write(f"{checkout.name:<12} {name:<8} {errors[0]}\n")
        return float(rate[1]), int(memory[1]), started


@contextmanager
def _served(checkout: Path, program: str) -> Iterator[tuple[subprocess.Popen[str], str, float]]:
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        urllib.request.urlopen(f"{url}/", timeout=10).close()
        yield process, url, time.perf_counter() - began
        process.kill()


if __name__ == "__main__":
    main()
