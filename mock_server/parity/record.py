"""`python -m mlconform.mock_server.parity.record --node URL --out FOLDER SCENARIO...`: a node is asked.

What the node had before is there afterwards, what the scenarios made is removed, and settings are put back.
"""

from __future__ import annotations

import argparse
import base64
import ipaddress
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlconform.mock_server.parity.node import (
    ML,
    Answer,
    Node,
    NodeError,
    inventory,
    put_back,
    put_settings,
    read_users,
)
from mlconform.mock_server.parity.replay import ONLY_ML_NODES, SETTINGS
from mlconform.mock_server.parity.scenario import Scenario, ScenarioError, Step, facts_of, fill, read_scenario
from mlconform.mock_server.parity.served import FileServer

Line = dict[str, Any]

_ALWAYS = {
    **SETTINGS,
    ONLY_ML_NODES: False,
    "plugins.ml_commons.connector.private_ip_enabled": True,
    "plugins.ml_commons.trusted_connector_endpoints_regex": [".*"],
}


class _Recorder:
    """One scenario on one node, as it goes on."""

    def __init__(
        self, scenario: Scenario, node: Node, served: str, commands: Mapping[str, str], number: int = 1
    ) -> None:
        self._scenario = scenario
        self._node = node
        self._commands = commands
        self._names = {"served": served, "try": number, **facts_of(scenario.serves), **node.ids()}
        self._began = time.monotonic()

    def lines(self) -> Iterator[Line]:
        """Take the steps; an exchange, or a command that was run, a line."""
        number, phase = 0, None
        for place, step in enumerate(self._scenario.steps, 1):
            phase = step.phase or phase
            line = self.take(step, f"{self._scenario.name}, step {place}")
            if line is not None:
                number += 1
                yield {"i": number, "t": self._now(), **({"phase": phase} if phase else {}), **line}

    def take(self, step: Step, place: str) -> Line | None:
        """Take one step. Raises ScenarioError and NodeError."""
        if step.wait:
            time.sleep(step.wait)
            return None
        if step.run is not None:
            self._run(step.run, step.answering, place)
            return {"run": step.run}
        path = str(fill(step.path, self._names, place))
        told, content = self._body(step, place)
        if step.content_type is not None:
            told["request_content_type"] = step.content_type
        settled: Line = {}
        end = time.monotonic() + step.within
        while True:
            answer = self._node.send(
                step.method,
                path,
                content,
                content_type=step.content_type or "application/json",
                user=step.user,
                number=step.node,
            )
            if not step.until:
                break
            settled = {"settled": _says(answer, step.until)}
            if settled["settled"] or time.monotonic() > end:
                break
            time.sleep(step.every)
        self._keep(step, answer, place)
        return {
            **({"user": step.user} if step.user else {}),
            **({"node": step.node} if step.node > 1 else {}),
            "method": step.method,
            "path": path,
            **told,
            "status": answer.status,
            "content_type": answer.content_type,
            "response": answer.value,
            **settled,
        }

    def _now(self) -> float:
        return round(time.monotonic() - self._began, 3)

    def _body(self, step: Step, place: str) -> tuple[Line, bytes]:
        """The body as a recording tells it and as it is sent."""
        if step.upload is not None:
            file = self._scenario.serves.get(step.upload.file)
            if file is None:
                raise ScenarioError(f"{place}: expected one of the served files, got {step.upload.file!r}")
            content = file.content[step.upload.begin : step.upload.end]
            return {"base64": base64.b64encode(content).decode()}, content
        if step.raw is not None:
            raw = str(fill(step.raw, self._names, place))
            return {"raw": raw}, raw.encode()
        if step.body is None:
            return {}, b""
        body = fill(step.body, self._names, place)
        return {"body": body}, json.dumps(body).encode()

    def _keep(self, step: Step, answer: Answer, place: str) -> None:
        for name, path in step.keep.items():
            value = _member(answer.value, path)
            if value is None:
                raise ScenarioError(
                    f"{place}: expected {path} in the answer, got {answer.status} {answer.value}"
                )
            self._names[name] = value

    def _run(self, name: str, answering: int | None, place: str) -> None:
        command = self._commands.get(name)
        if command is None:
            raise ScenarioError(f"{place}: runs {name!r}: give --command {name}='...'")
        # A node that finds its port held by connections of its last life may not come up again.
        self._node.hang_up()
        done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)
        if done.returncode:
            raise ScenarioError(f"{place}: {command!r} ended with {done.returncode}: {done.stderr.strip()}")
        self._node.await_up(answering)


def record(
    scenario: Scenario, node: Node, commands: Mapping[str, str], port: int = 0
) -> tuple[list[Line], list[str]]:
    """Record one scenario; gives the lines of the recording, and what could not be removed afterwards.

    Raises ScenarioError and NodeError, after the node was cleaned too.
    """
    if len(node.addresses) < scenario.nodes:
        raise ScenarioError(f"{scenario.name} takes {scenario.nodes} nodes: give as many --node")
    if scenario.fresh:
        _require_fresh(node, scenario)
    else:
        _warm_up(node)
    before = inventory(node)
    left: list[str] = []
    count = max(1, scenario.chance)
    with FileServer(scenario.serves, port) as server:
        try:
            put_settings(node, {**_ALWAYS, **scenario.settings})
            header, tries = _header(scenario, node), []
            for number in range(1, count + 1):
                recorder = _Recorder(scenario, node, server.url, commands, number)
                tries.append(list(recorder.lines()))
            lines = _kept(scenario, header, tries)
            for place, step in enumerate(scenario.cleanup, 1):
                recorder.take(step, f"{scenario.name}, cleanup {place}")
        finally:
            left = put_back(node, before, count)
    return lines, left


def _kept(scenario: Scenario, header: Line, tries: Sequence[list[Line]]) -> list[Line]:
    """The lines of a recording: of what chance makes the first try in which all came that was asked for.

    Raises ScenarioError where it came in none.
    """
    if not scenario.chance:
        return [header, *tries[0]]
    came = [lines for lines in tries if all(line.get("settled", True) for line in lines)]
    if not came:
        raise ScenarioError(f"{scenario.name}: what is asked for came in none of {len(tries)} tries")
    return [{**header, "tries": len(tries), "came": len(came)}, *came[0]]


def _header(scenario: Scenario, node: Node) -> Line:
    header: Line = {
        "scenario": scenario.name,
        "doc": scenario.doc,
        "target": node.need("GET", "/")["version"],
        "ml_nodes": node.ml_nodes(),
        "recorded": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if scenario.fresh:
        header["fresh"] = True
    if scenario.settings:
        header["settings"] = dict(scenario.settings)
    if scenario.serves:
        header["serves"] = {name: served.header() for name, served in scenario.serves.items()}
    return header


def _warm_up(node: Node) -> None:
    """Make the indices of ML Commons: without them a node answers differently."""
    body = {"name": "recorder-warms-up", "description": "made and removed by the recorder"}
    made = node.need("POST", f"{ML}/model_groups/_register", body)
    node.need("DELETE", f"{ML}/model_groups/{made['model_group_id']}")


def _require_fresh(node: Node, scenario: Scenario) -> None:
    """Raises NodeError where ML Commons has an index of its own but that of its configuration."""
    told = node.need("GET", f"{ML}/stats")
    made = sorted(
        name.removesuffix("_index_status")
        for name, status in told.items()
        if name.endswith("_index_status") and name != "ml_config_index_status" and status != "non-existent"
    )
    if made:
        raise NodeError(
            f"{scenario.name} takes a node that nobody used: expected no index of ML Commons, found those of "
            f"{', '.join(made)}; give a fresh one"
        )


def _says(answer: Answer, wanted: Mapping[str, Any]) -> bool:
    """Whether every member is as wanted, one of several where a list is; `status` is that of HTTP."""
    return all(
        (answer.status if path == "status" else _member(answer.value, path))
        in (value if isinstance(value, list) else [value])
        for path, value in wanted.items()
    )


def _member(value: Any, path: str) -> Any:
    """A member by its dotted path, such as `hits.hits.0._id`, or None."""
    for name in path.split("."):
        if isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def _require_loopback(addresses: Sequence[str]) -> None:
    for address in addresses:
        host = urlsplit(address).hostname or ""
        try:
            near = ipaddress.ip_address(host).is_loopback
        except ValueError:
            near = host == "localhost"
        if not near:
            raise NodeError(
                f"expected a node on loopback, got {address}: a recording changes settings and makes things; "
                "give --anywhere where that is meant"
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command: 0 when all went well, 1 when something could not be removed, 2 for errors."""
    parser = argparse.ArgumentParser(
        prog="python -m mlconform.mock_server.parity.record", description=__doc__
    )
    parser.add_argument("scenarios", nargs="+", type=Path, help="files of scenarios, *.yaml")
    parser.add_argument("--node", action="append", required=True, help="address; once for each node")
    parser.add_argument("--out", type=Path, required=True, help="folder for the recordings")
    parser.add_argument("--users", type=Path, help="file of passwords by user; the first one prepares")
    parser.add_argument("--ca", type=Path, help="file of the certificate authority that nodes are known by")
    parser.add_argument(
        "--command", action="append", default=[], metavar="NAME=COMMAND", help="for steps that run something"
    )
    parser.add_argument("--port", type=int, default=0, help="of the files that the scenario serves")
    parser.add_argument("--anywhere", action="store_true", help="record from a node off loopback too")
    options = parser.parse_args(arguments)
    commands = dict(text.partition("=")[::2] for text in options.command)
    try:
        if not options.anywhere:
            _require_loopback(options.node)
        users = {} if options.users is None else read_users(options.users)
        node = Node(options.node, users, options.ca)
        options.out.mkdir(parents=True, exist_ok=True)
        clean = True
        for path in options.scenarios:
            clean &= _record_file(read_scenario(path), node, commands, options.port, options.out)
    except (ScenarioError, NodeError, OSError) as error:
        parser.error(str(error))
    return 0 if clean else 1


def _record_file(
    scenario: Scenario, node: Node, commands: Mapping[str, str], port: int, folder: Path
) -> bool:
    lines, left = record(scenario, node, commands, port)
    path = folder / f"{scenario.name}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    unsettled = [line["i"] for line in lines if line.get("settled") is False]
    said = f", never settled: {unsettled}" if unsettled else ""
    sys.stdout.write(f"{path}: {len(lines) - 1} exchanges{said}\n")
    if left:
        sys.stdout.write(f"  could not be removed: {', '.join(left)}\n")
    return not left


if __name__ == "__main__":
    sys.exit(main())
