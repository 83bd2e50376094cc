"""Judges two real servers by the protocol: MLServer and KServe's, each with a model that echoes.

    python examples/open-inference/judge.py [--out FOLDER] [--environments FOLDER] [--prepare]

Each server has an environment of its own, made at the first call. What a server is known to do otherwise is
in `known-<server>.yaml`; the exit code is 0 where nothing else came to light.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3

from mlconform.conformance.targets.settle import settle

HERE = Path(__file__).parent
START_BUDGET_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server to judge: its command in its environment, where it runs, and the variables it needs."""

    name: str
    command: tuple[str, ...]
    folder: Path
    variables: dict[str, str]


def servers(bin_of: dict[str, Path], port: int) -> tuple[Server, ...]:
    """Both servers, each at this port when it runs."""
    folder = HERE / "servers"
    own = {"MLSERVER_HTTP_PORT": str(port), "PYTHONPATH": "echo"}
    own |= {f"MLSERVER_{name}_PORT": str(free_port()) for name in ("METRICS", "GRPC")}
    return (
        Server("mlserver", (str(bin_of["mlserver"] / "mlserver"), "start", "."), folder / "mlserver", own),
        Server("kserve", (str(bin_of["kserve"] / "python"), "kserve_echo.py", str(port)), folder, {}),
    )


def free_port() -> int:
    """A port of this machine that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(folder: Path, name: str) -> Path:
    """The folder of the programs of an environment that has this server, made where it is not there."""
    place = folder / name
    done = place / ".installed"
    if not done.is_file():
        venv.create(place, with_pip=True, clear=True)
        locked = ["--no-deps", "--no-compile", "-r", str(HERE / "servers" / f"{name}.txt")]
        subprocess.run([place / "bin" / "python", "-m", "pip", "install", "--quiet", *locked], check=True)
        done.touch()
    return place / "bin"


@contextmanager
def running(server: Server, port: int, log: Path) -> Iterator[str]:
    """The server at this port; raises RuntimeError where it does not come up."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            server.command,
            cwd=server.folder,
            env={**os.environ, **server.variables},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        if not settle(lambda: _lives(url), bool, budget=START_BUDGET_SECONDS):
            raise RuntimeError(f"{server.name} did not answer at {url} in time; its log is {log}")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _lives(url: str) -> bool:
    try:
        return urllib3.request("GET", f"{url}/v2/health/live", retries=False, timeout=2).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def main() -> int:
    """The worst exit code of both runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("reports/open-inference"))
    parser.add_argument("--environments", type=Path, default=Path(".venv-open-inference"))
    parser.add_argument("--prepare", action="store_true", help="make the environments alone")
    given = parser.parse_args()
    place = given.environments.resolve()
    bin_of = {name: environment(place, name) for name in ("mlserver", "kserve")}
    if given.prepare:
        return 0
    port = free_port()
    worst = 0
    for server in servers(bin_of, port):
        out = given.out / server.name
        out.mkdir(parents=True, exist_ok=True)
        with running(server, port, out / "server.log") as url:
            run = ["run", "--target", url, "--profile", "open-inference", "--model-id", "echo", "--out", out]
            known = ["--waivers", HERE / f"known-{server.name}.yaml"]
            command = [Path(sys.executable).with_name("mlconform"), *run, *known]
            worst = max(worst, subprocess.run(command, check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
