"""Stop one node of a cluster of the kit, or start those that are stopped; the cluster keeps its data.

    python benchmarks/one_node.py stop NAME NUMBER
    python benchmarks/one_node.py start NAME

The kit starts and stops whole clusters. These two are what a run is given to let a node leave and come back:

    mlconform run --target http://127.0.0.1:19380 --profile opensearch-ml \\
        --stop-node-command 'python benchmarks/one_node.py stop trio 3' \\
        --start-node-command 'python benchmarks/one_node.py start trio'
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
from kit import KIT

_ENDS_WITHIN_SECONDS = 60.0


def main(arguments: Sequence[str]) -> int:
    """0 where it was done; else what was expected is on stderr."""
    match arguments:
        case ["stop", name, number]:
            return _stop(_folder(name) / number)
        case ["start", name]:
            spec = (_folder(name) / "spec").read_text().split("\n")
            return subprocess.run([KIT, "up", *filter(None, spec)], check=False).returncode
    click.echo(__doc__, err=True)
    return 2


def _folder(name: str) -> Path:
    """Where the kit keeps the cluster of this name. Raises `SystemExit` where there is none."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    homes = (os.environ.get("REAL_NODE_HOME"), Path(cache) / "real-node", "/var/cache/real-node")
    for home in homes:
        if home and (folder := Path(home) / "nodes" / name).is_dir():
            return folder
    raise SystemExit(f"expected a cluster that the kit started, but there is none named {name}")


def _stop(node: Path) -> int:
    """End the process that was started from this folder, and no other."""
    pid = int((node / "pid").read_text())
    started = f"-Dreal.node={node}".encode()
    command = Path(f"/proc/{pid}/cmdline")
    if not command.exists() or started not in command.read_bytes().split(b"\0"):
        click.echo(f"expected the node of {node} to run, but process {pid} is none of it", err=True)
        return 1
    os.kill(pid, signal.SIGTERM)
    ends = time.monotonic() + _ENDS_WITHIN_SECONDS
    while command.exists() and started in command.read_bytes().split(b"\0"):
        if time.monotonic() > ends:
            click.echo(f"the node of {node} did not end within {_ENDS_WITHIN_SECONDS:.0f} s", err=True)
            return 1
        time.sleep(0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
