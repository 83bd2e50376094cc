"""How fast the mock is over HTTP, beside Prism and WireMock that answer the same GET of one model.

Prism is measured with the whole API, as the mock serves it, and with a document of this one operation, for
its time grows with the document; an ASGI callable that only answers shows what the HTTP server alone takes.
The mock is measured anew beside each of them, so that both see the same machine.

Needs wrk. Prism comes by npm and WireMock by Maven into a folder of the user's cache; one that can't be had
is left out, and the table says so. Prints requests per second, the ratios, the time from start to the first
answer, and the time of a GET among ten and among 100,000 models in process.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from connector import CONNECTOR, ML

from mlconform.mock_server import MockServer, Request

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mlconform-bench"
PRISM = "@stoplight/prism-cli@5"
WIREMOCK = "org.wiremock:wiremock-standalone:3.9.2"
WARM_UP, MEASURE, STARTS = 5, 8, 5
SCHEMAS = Path(__file__).parents[1] / "schemas/opensearch-ml/3.4"
EMPTY = """
import uvicorn

BODY = {body!r}
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def app(scope, receive, send):
    await send({{"type": "http.response.start", "status": 200, "headers": HEADERS}})
    await send({{"type": "http.response.body", "body": BODY}})


uvicorn.run(app, port={port}, log_config=None, access_log=False, proxy_headers=False, lifespan="off")
"""


class MissingError(Exception):
    """What a measurement needs and this machine does not have."""


def main() -> None:
    """Measure and print."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: install it (Debian: apt-get install wrk)")
    CACHE.mkdir(parents=True, exist_ok=True)
    starts = sorted(_seconds_to_first_answer() for _ in range(STARTS))
    say(
        f"start to first answer, {STARTS} starts: {starts[0] * 1000:.0f} ms at best, "
        f"{starts[len(starts) // 2] * 1000:.0f} median, {starts[-1] * 1000:.0f} at worst"
    )
    with _mock() as (url, _):
        path, body = _one_model(url)
        for name, serve in PEERS.items():
            try:
                with serve(path, body) as peer:
                    theirs, ours = _rate(peer + path), _rate(url + path)
            except MissingError as missing:
                say(f"{name}: left out, {missing}")
            else:
                say(f"{name:<26} {theirs:>7.0f} requests/s, mock {ours:>7.0f}: {ours / theirs:.2f} times")
    few, many = _get_among(10), _get_among(100_000)
    say(f"GET in process: {few * 1e6:.1f} µs among 10 models, {many * 1e6:.1f} µs among 100,000")


def _seconds_to_first_answer() -> float:
    with _mock() as (_, seconds):
        return seconds


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _rate(url: str) -> float:
    for seconds in (WARM_UP, MEASURE):
        command = ["wrk", "-t1", "-c32", f"-d{seconds}", url]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise MissingError(f"{url} was answered with errors: {out}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", out)
    if found is None:
        raise MissingError(f"wrk printed no rate: {out}")
    return float(found[1])


@contextmanager
def _process(command: list[str], url: str, name: str) -> Iterator[float]:
    """Run a server until the context ends; gives the seconds until it answered first."""
    began = time.perf_counter()
    with (CACHE / f"{name}.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            while not _answers(url):
                if process.poll() is not None or time.perf_counter() - began > 60:
                    raise MissingError(f"{name} did not start; {log.name} says why")
                time.sleep(0.005)
            yield time.perf_counter() - began
        finally:
            os.killpg(process.pid, 15)
            process.wait(20)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def _mock() -> Iterator[tuple[str, float]]:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlconform", "mock", "--port", str(port)]
    with _process(command, url, "mock") as started:
        yield url, started


def _one_model(url: str) -> tuple[str, dict[str, object]]:
    """The path of one model that is now there, and what a GET of it answers."""

    def send(method: str, path: str, body: object = None) -> dict[str, object]:
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            url + path, content, {"content-type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            value: dict[str, object] = json.load(answer)
            return value

    connector = send("POST", f"{ML}/connectors/_create", CONNECTOR)["connector_id"]
    model = {"name": "m", "function_name": "remote", "connector_id": connector}
    path = f"{ML}/models/{send('POST', f'{ML}/models/_register', model)['model_id']}"
    return path, send("GET", path)


@contextmanager
def _empty(_path: str, body: dict[str, object]) -> Iterator[str]:
    program = CACHE / "empty.py"
    port = _free_port()
    program.write_text(EMPTY.format(body=json.dumps(body).encode(), port=port))
    with _process([sys.executable, str(program)], f"http://127.0.0.1:{port}/", "empty"):
        yield f"http://127.0.0.1:{port}"


def _prism_of_all(path: str, _body: dict[str, object]) -> AbstractContextManager[str]:
    return _prism(SCHEMAS / "openapi.yaml", path)


def _prism_of_one(path: str, body: dict[str, object]) -> AbstractContextManager[str]:
    answer = {"description": "ok", "content": {"application/json": {"example": body}}}
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    operation = {"parameters": [parameter], "responses": {"200": answer}}
    spec = {
        "openapi": "3.0.3",
        "info": {"title": "m", "version": "1"},
        "paths": {f"{ML}/models/{{id}}": {"get": operation}},
    }
    document = CACHE / "spec.json"
    document.write_text(json.dumps(spec))
    return _prism(document, path)


@contextmanager
def _prism(document: Path, path: str) -> Iterator[str]:
    if shutil.which("npm") is None:
        raise MissingError("npm is not here")
    folder = CACHE / "prism"
    program = folder / "node_modules/.bin/prism"
    if not program.exists():
        _get([["npm", "install", "--silent", "--prefix", str(folder), PRISM]], program)
    port = _free_port()
    command = [str(program), "mock", "-v", "fatal", "-h", "127.0.0.1", "-p", str(port), str(document)]
    with _process(command, f"http://127.0.0.1:{port}{path}", "prism"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _wiremock(_path: str, body: dict[str, object]) -> Iterator[str]:
    if shutil.which("java") is None:
        raise MissingError("java is not here")
    jar = CACHE / f"{WIREMOCK.split(':')[1]}-{WIREMOCK.split(':')[2]}.jar"
    if not jar.exists():
        if shutil.which("mvn") is None:
            raise MissingError(f"mvn is not here; put {WIREMOCK} to {jar}")
        copy = ["mvn", "-q", "dependency:copy", f"-Dartifact={WIREMOCK}", f"-DoutputDirectory={CACHE}"]
        _get([copy], jar)
    mappings = CACHE / "wiremock/mappings"
    mappings.mkdir(parents=True, exist_ok=True)
    answer = {"status": 200, "headers": {"content-type": "application/json"}, "jsonBody": body}
    request = {"method": "GET", "urlPathPattern": f"{ML}/models/.*"}
    (mappings / "model.json").write_text(json.dumps({"request": request, "response": answer}))
    port = _free_port()
    options = ["--disable-banner", "--no-request-journal", "--root-dir", str(mappings.parent)]
    command = ["java", "-jar", str(jar), "--bind-address", "127.0.0.1", "--port", str(port), *options]
    with _process(command, f"http://127.0.0.1:{port}/", "wiremock"):
        yield f"http://127.0.0.1:{port}"


PEERS = {
    "ASGI callable, no work": _empty,
    "Prism, the whole API": _prism_of_all,
    "Prism, one operation": _prism_of_one,
    "WireMock": _wiremock,
}


def _get(commands: list[list[str]], wanted: Path) -> None:
    for command in commands:
        if subprocess.run(command, check=False).returncode or not wanted.exists():
            raise MissingError(f"{' '.join(command)} brought no {wanted.name}")


def _get_among(count: int) -> float:
    """Seconds that one GET takes in process, the models asked for in turn."""
    server = MockServer(profiles=("opensearch-ml",))

    def send(path: str, body: object) -> dict[str, str]:
        headers = {"content-type": "application/json"}
        value: dict[str, str] = json.loads(
            server.handle(Request("POST", path, "", headers, json.dumps(body).encode())).body
        )
        return value

    connector = send(f"{ML}/connectors/_create", CONNECTOR)["connector_id"]
    model = {"function_name": "remote", "connector_id": connector}
    ids = [
        send(f"{ML}/models/_register", {**model, "name": f"m{number}"})["model_id"] for number in range(count)
    ]
    asked = (ids * (1000 // count + 1))[:: max(1, count // 1000)][:1000]
    requests = [Request("GET", f"{ML}/models/{model_id}") for model_id in asked]
    return min(_timed(lambda: [server.handle(request) for request in requests]) for _ in range(9)) / len(
        requests
    )


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
