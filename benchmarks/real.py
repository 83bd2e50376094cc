"""The suite on real nodes, and verdict by verdict beside the mock of their version; see `make real`.

    python benchmarks/real.py [--seed N] [--max-wait SECONDS] [--publish FOLDER] [CLUSTER...]

Starts each cluster with the kit that REAL_NODE names, judges it with the known set of its version, holds what
it had before against what it has afterwards, and takes it down. Ends with 1 where a run does not end with 0,
where node and mock get different verdicts on what both decided, or where something was left behind.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import yaml
from differences import Difference, listed, unlisted
from kit import ADMIN, KIT, Node, StartError, started, state

from mlconform.conformance.report.stream import read
from mlconform.conformance.report.verdicts import Kind, judge
from mlconform.mock_server import Security
from mlconform.mock_server.fixture import running_mock

MLCONFORM = Path(sys.executable).with_name("mlconform")


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the kit starts, where, and the behaviour of the mock that it is held against.

    `accounts` are the users whom the run may act as on a secured one; the first is the run's own.
    """

    version: str
    behaviour: str
    port: int
    nodes: int = 1
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judging:
    """How each cluster is judged: `rows` are the differences that are listed."""

    seed: int
    max_wait: float
    publish: Path | None
    rows: Sequence[Difference]


CLUSTERS: Mapping[str, Cluster] = {
    "2.19.0": Cluster("2.19.0", "opensearch-2.19", 19360),
    "3.4.0": Cluster("3.4.0", "opensearch-3.4", 19364),
    "three-nodes": Cluster("3.4.0", "opensearch-3.4", 19361, nodes=3),
    "secured": Cluster(
        "3.4.0-security",
        "opensearch-3.4",
        19365,
        accounts=("admin", "alice", "bob", "ml_full", "ml_read", "nobody"),
    ),
    "secured-ordinary": Cluster("3.4.0-security", "opensearch-3.4", 19366, accounts=("ml_full",)),
}
# What an administrator sets once where the run's own account may not; docs/secured-clusters.md.
REACHABLE = {
    "plugins.ml_commons.trusted_connector_endpoints_regex": ["^http://127\\.0\\.0\\.1:.*$"],
    "plugins.ml_commons.connector.private_ip_enabled": True,
}


def main(arguments: Sequence[str]) -> int:
    """Judge the clusters one after the other; 0 where all is as expected."""
    parser = argparse.ArgumentParser(description="The suite on real nodes, beside the mock.")
    parser.add_argument("clusters", nargs="*", metavar="CLUSTER", help=f"of {', '.join(CLUSTERS)}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-wait", type=float, default=120.0)
    parser.add_argument("--publish", type=Path, help="copy the reports into this folder")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.clusters if name not in CLUSTERS]
    if unknown:
        parser.error(f"expected clusters of {', '.join(CLUSTERS)}, got {', '.join(unknown)}")
    if not KIT.exists():
        click.echo(
            f"There is no kit at {KIT}: name it with REAL_NODE, or judge a cluster of your own with\n"
            "  mlconform run --target http://HOST:9200 --profile opensearch-ml --known opensearch-3.4"
        )
        return 2
    judging = Judging(given.seed, given.max_wait, given.publish, listed())
    problems = [
        f"{name}: {problem}"
        for name in given.clusters or CLUSTERS
        for problem in _judged(name, CLUSTERS[name], judging)
    ]
    fine = "node and mock agree but for what is listed, and nothing was left behind"
    click.echo("\n".join(problems) or fine)
    return 1 if problems else 0


def _judged(name: str, cluster: Cluster, judging: Judging) -> list[str]:
    """What is not as expected, a line each."""
    folder, mock = (Path("reports/real") / each for each in (name, f"{name}-mock"))
    try:
        with started(cluster.version, f"mlconform-{name}", cluster.port, nodes=cluster.nodes) as node:
            _let_reach(node, cluster)
            before = state(node)
            began = time.monotonic()
            code = _run_on(node, cluster, folder, judging)
            click.echo(f"{name}: exit code {code} after {time.monotonic() - began:.0f} s, report in {folder}")
            after = state(node)
    except StartError as problem:
        return [str(problem)]
    _run_on_mock(cluster, mock, judging)
    if judging.publish is not None:
        _publish(folder, judging.publish, name)
    left = [
        f"{kind} before {before[kind]}, after {after[kind]}" for kind in before if before[kind] != after[kind]
    ]
    failed = [f"the run ended with exit code {code}"] if code else []
    return [*failed, *unlisted(name, _decided(folder), _decided(mock), judging.rows), *left]


def _publish(folder: Path, where: Path, name: str) -> None:
    """Copy the reports for everybody, which tell of what lets somebody in without how (SECURITY.md)."""
    published = folder / "published"
    subprocess.run([MLCONFORM, "report", "publish", folder, "--out", published], check=True)
    where.mkdir(parents=True, exist_ok=True)
    for ending in ("html", "md"):
        shutil.copy(published / f"report.{ending}", where / f"opensearch-{name}.{ending}")


def _let_reach(node: Node, cluster: Cluster) -> None:
    """Where the run's own account is none that may: let connectors reach the run's machine."""
    if cluster.accounts and cluster.accounts[0] != ADMIN:
        node.ask("PUT", "/_cluster/settings", {"persistent": REACHABLE})


def _run_on(node: Node, cluster: Cluster, folder: Path, judging: Judging) -> int:
    """Judge a cluster as its accounts. The exit code."""
    options = ["--target", node.url, "--known", cluster.behaviour, "--max-wait", str(judging.max_wait)]
    if node.password is None:
        return _run(folder, judging.seed, *options)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as credentials:
        own, *others = ({"username": name, "password": node.password} for name in cluster.accounts)
        users = {each["username"]: each for each in others}
        yaml.safe_dump({**own, "users": users}, credentials)
        credentials.flush()
        options += ["--credentials", credentials.name, "--ca-file", str(node.ca_file)]
        return _run(folder, judging.seed, *options)


def _run_on_mock(cluster: Cluster, folder: Path, judging: Judging) -> None:
    """The same where the mock behaves as that version; in the run's process where it needs no users."""
    if not cluster.accounts:
        known = ["--behaviour", cluster.behaviour, "--known", cluster.behaviour]
        _run(folder, judging.seed, *known)
        return
    secured = Security()
    with running_mock(tls=True, security=secured, behaviour=cluster.behaviour) as mock:
        node = Node(mock.url, mock.ca_file, secured.password)
        _let_reach(node, cluster)
        _run_on(node, cluster, folder, judging)


def _run(folder: Path, seed: int, *more: str) -> int:
    options = ["--profile", "opensearch-ml", "--seed", str(seed), "--out", str(folder)]
    command = [str(MLCONFORM), "run", *options, *more]
    return subprocess.run(command, check=False, stdout=sys.stderr).returncode


def _decided(folder: Path) -> dict[str, Kind]:
    verdicts = judge(read(folder / "run.ndjson")).verdicts
    return {each.requirement.id: each.kind for each in verdicts if each.kind.decided}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
