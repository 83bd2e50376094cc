"""The suite on real nodes, and verdict by verdict beside the mock of their version; see `make real`.

    python benchmarks/real.py [--seed N] [--max-wait SECONDS] [--publish FOLDER] [CLUSTER...]

Starts each cluster with the kit that REAL_NODE names, judges it with the known set of its version, holds what
it had before against what it has afterwards, and takes it down. Ends with 1 where a run does not end with 0,
where node and mock get different verdicts on what both decided, or where something was left behind.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from differences import Difference, listed, unlisted

from conformance.report.stream import read
from conformance.report.verdicts import Kind, judge

KIT = Path(os.environ.get("REAL_NODE", "../shared/real-node/real-node"))
MLCONFORM = Path(sys.executable).with_name("mlconform")
ML = "/_plugins/_ml"


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the kit starts, where, and the behaviour of the mock that it is held against."""

    version: str
    behaviour: str
    port: int
    nodes: int = 1


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
    own = f"mlconform-{name}"
    url = f"http://127.0.0.1:{cluster.port}"
    folder, mock = (Path("reports/real") / each for each in (name, f"{name}-mock"))
    # Fresh, so that what a cluster answers on which nobody used ML Commons yet is seen too.
    how = ["--port", str(cluster.port), "--nodes", str(cluster.nodes), "--heap", "512m", "--fresh"]
    try:
        command = [KIT, "up", cluster.version, "--name", own, *how]
        up = subprocess.run(command, check=False, stdout=sys.stderr).returncode
        if up:
            return [f"expected the kit to start it, but that ended with exit code {up}; see above"]
        before = state(url)
        began = time.monotonic()
        accepts = ["--known", cluster.behaviour, "--max-wait", str(judging.max_wait)]
        code = _run(folder, judging.seed, "--target", url, *accepts)
        click.echo(f"{name}: exit code {code} after {time.monotonic() - began:.0f} s, report in {folder}")
        after = state(url)
    finally:
        subprocess.run([KIT, "down", own], check=False, stdout=sys.stderr)
    _run(mock, judging.seed, "--behaviour", cluster.behaviour, "--known", cluster.behaviour)
    if judging.publish is not None:
        _publish(folder, judging.publish, name)
    left = [
        f"{kind} before {before[kind]}, after {after[kind]}" for kind in before if before[kind] != after[kind]
    ]
    failed = [f"the run ended with exit code {code}"] if code else []
    return [*failed, *unlisted(name, _decided(folder), _decided(mock), judging.rows), *left]


def _publish(folder: Path, where: Path, name: str) -> None:
    where.mkdir(parents=True, exist_ok=True)
    for ending in ("html", "md"):
        shutil.copy(folder / f"report.{ending}", where / f"opensearch-{name}.{ending}")


def _run(folder: Path, seed: int, *more: str) -> int:
    options = ["--profile", "opensearch-ml", "--seed", str(seed), "--out", str(folder)]
    command = [str(MLCONFORM), "run", *options, *more]
    return subprocess.run(command, check=False, stdout=sys.stderr).returncode


def _decided(folder: Path) -> dict[str, Kind]:
    verdicts = judge(read(folder / "run.ndjson")).verdicts
    return {each.requirement.id: each.kind for each in verdicts if each.kind.decided}


def state(url: str) -> dict[str, Any]:
    """What a cluster has: its models, groups, connectors and agents by id, its pipelines and settings."""
    _ask(url, "POST", "/.plugins-ml-*/_refresh")
    found: dict[str, Any] = {"settings": _ask(url, "GET", "/_cluster/settings?flat_settings=true")}
    for kind in ("models", "model_groups", "connectors", "agents"):
        body = {"query": {"match_all": {}}, "size": 1000, "_source": False}
        answered = _ask(url, "POST", f"{ML}/{kind}/_search", body)
        found[kind] = sorted(hit["_id"] for hit in answered.get("hits", {}).get("hits", ()))
    for kind in ("ingest", "search"):
        found[f"{kind} pipelines"] = sorted(_ask(url, "GET", f"/_{kind}/pipeline"))
    return found


def _ask(url: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """The answer's object; an empty one where there is nothing (404)."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, content, {"content-type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return {}
    return found if isinstance(found, dict) else {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
