"""A run over TLS with authentication beside one without, on the mock: how much longer it takes.

    python benchmarks/secured.py [ROUNDS]

In turns, so that what else the machine does touches both alike. Ends with 1 where the median is over twice.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from mlconform.mock_server import DEFAULT_PASSWORD, Security
from mlconform.mock_server.fixture import running_mock

MLCONFORM = Path(sys.executable).with_name("mlconform")
# What takes several users is decided on one of them alone.
SHARED = "!osml.access.*,!osml.rate-limit.*,!osml.search.accessible,!osml.register.group-access"
MOST = 2.0


def seconds(url: str, ca_file: Path | None) -> float:
    """How long a run takes, from start to exit."""
    access = [] if ca_file is None else ["--ca-file", str(ca_file)]
    account = (
        {} if ca_file is None else {"MLCONFORM_USERNAME": "admin", "MLCONFORM_PASSWORD": DEFAULT_PASSWORD}
    )
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        options = ["--profile", "opensearch-ml", "--target", url, "--select", SHARED, "--out", out, *access]
        command = [str(MLCONFORM), "run", *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **account})
    return time.perf_counter() - began


def main() -> int:
    """Measure and tell; 0 where it holds."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    pairs = []
    for _ in range(rounds):
        with running_mock() as plain, running_mock(tls=True, security=Security()) as secured:
            pairs.append((seconds(plain.url, None), seconds(secured.url, secured.ca_file)))
            click.echo(f"without {pairs[-1][0]:.1f} s, over TLS with authentication {pairs[-1][1]:.1f} s")
    ratio = statistics.median(after / before for before, after in pairs)
    click.echo(f"median {ratio:.2f} times as long (at most {MOST:g})")
    return 0 if ratio <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
