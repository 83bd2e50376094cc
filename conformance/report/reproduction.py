"""A finding as a shell script that shows it again, on the run's target or on a mock like the run's own."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from mlconform.conformance.report.events import CheckFinished, ExchangeRecord, RunStarted
from mlconform.conformance.report.findings import Finding, findings
from mlconform.conformance.report.presentation import WHOLE_IN, one_line, shown
from mlconform.conformance.report.script import commands
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.verdicts import Judgement

# Where the requests of a run to the mock of its own process seem to go.
_IN_PROCESS = "http://mock"
_CREDENTIAL = re.compile(r'(?<= )"(?:[\w-]+: )?(?:\w+ )?\$(MLCONFORM_[A-Z0-9_]+)')
_ACCOUNT = re.compile(r' (?:-H|--cert) "[^"$]*\$MLCONFORM_[A-Z0-9_]+"')
# Shorter pauses are the run's own pace.
_SHORTEST_PAUSE = 0.3
# Before what a check looked at again: it waited for something, and a shell may be quicker.
_LOOKED_AGAIN = 1.0
# What `curl` is told as the run was: the option of a run, and the words for curl.
_FLAGS = {"--insecure": ("-k",)}
_FLAGS_WITH_VALUE = {"--ca-file": "--cacert"}
_SETTINGS = "/_cluster/settings"
_OF_THE_MOCK = ("--behaviour", "--mutant")
# A server in the background, and in a variable the address that stands on its first line.
_START = (
    'start() { local name=$1 line; shift; read -r line < <(exec "$@"); STARTED="$STARTED $!"; '
    'line=http${line##*http}; printf -v "$name" %s "${line%%[; ]*}"; }'
)


def reproductions(judgement: Judgement) -> dict[str, str]:
    """The script of each finding that has requests, by the finding's name."""
    return {
        finding.name: reproduction(finding, judgement.run)
        for finding in findings(judgement)
        if finding.telling.check.exchanges
    }


def reproduction(finding: Finding, run: Run) -> str:
    """The script, for bash: pasted into a terminal or run as a file, it sends what the check sent.

    Ids are carried from answer to request and names are its own, so that it may run again. Secrets are
    variables that it asks for; what else the run had beside the target, it starts.
    """
    header, check, decision = run.header, finding.telling.check, finding.telling.decision
    named = {_address(header): "TARGET", f"mlconform-{header.run_id}": "PREFIX"}
    if check.endpoint:
        named[check.endpoint] = "ENDPOINT"
    body = list(_body(check, named))
    called = any('"$ENDPOINT"' in line for line in body)
    account = _account(body)
    lines = [
        f"# {finding.name}: {one_line(finding.requirement.statement, 500)}",
        f"# {one_line(finding.signature, 500)}" if finding.signature else "",
        *((_START, "trap 'kill $STARTED' EXIT") if called or header.target == "mock" else ()),
        *_target(header),
        *_credentials(body),
        _ask(header),
        *(_endpoint(check.endpoint, account) if called else ()),
        *body,
        *([_connectors("null", "null", account)] if called else ()),
        *_settings_back(shown(check), account),
        f"# Expected: {one_line(decision.expected or 'not said', 500)}",
        f"# Came:     {one_line(decision.came or 'nothing', 500)}",
    ]
    return "\n".join(filter(None, lines)) + "\n"


def _address(header: RunStarted) -> str:
    return _IN_PROCESS if header.target == "mock" else header.target.rstrip("/")


def _target(header: RunStarted) -> Iterator[str]:
    if header.target != "mock":
        yield f"TARGET={shlex.quote(_address(header))}"
        yield 'PREFIX=mlconform-$(date +%s)  # `mlconform sweep --target "$TARGET"` removes what this makes'
        return
    options = [word for option in _OF_THE_MOCK for word in _given(header, option)]
    versions = set(header.docs_versions.values())
    if "--behaviour" not in options and len(versions) == 1:
        options += ["--docs-version", *versions]
    if len(header.profiles) == 1:
        options += ["--profile", *header.profiles]
    yield "# The run had a mock of its own; this starts one like it."
    yield f"start TARGET {shlex.join(['mlconform', 'mock', '--port', '0', *options])}"
    yield "PREFIX=mlconform-$(date +%s)"


def _given(header: RunStarted, option: str) -> Sequence[str]:
    """An option of the run and its value, which may stand in one word; nothing where it was not given."""
    words = [part for word in header.options for part in _parted(word)]
    return words[words.index(option) :][:2] if option in words else ()


def _parted(word: str) -> Sequence[str]:
    name, equals, value = word.partition("=")
    return (name, value) if equals and name.startswith("--") else (word,)


def _credentials(body: Sequence[str]) -> Iterator[str]:
    names = dict.fromkeys(name for line in body for name in _CREDENTIAL.findall(line))
    for name in names:
        yield f"# {name}: what the Authorization header has, as Basic $(printf %s NAME:PASSWORD | base64)"
        yield f': "${{{name}:?set it first}}"'


def _account(body: Sequence[str]) -> str:
    """The words of a request that say who the run is; its first request is its own."""
    return next(("".join(words) for line in body if (words := _ACCOUNT.findall(line))), "")


def _ask(header: RunStarted) -> str:
    flags = [word for option, words in _FLAGS.items() if option in header.options for word in words]
    for option, flag in _FLAGS_WITH_VALUE.items():
        given = _given(header, option)
        flags += [flag, *given[1:]] if given else []
    return f"ask() {{ {shlex.join(['curl', '-sS', *flags])} -w '\\n=> %{{http_code}}\\n' \"$@\"; }}"


def _endpoint(address: str, account: str) -> Iterator[str]:
    """The model behind the run's connectors, and the settings without which no connector reaches it."""
    host = urlsplit(address).hostname or ""
    yield "# The model behind the connectors, and leave for the cluster to call it, taken back at the end."
    yield f"start ENDPOINT mlconform endpoint --port 0 --host {shlex.quote(host)}"
    yield _connectors("true", """["^'"$ENDPOINT"'/.*$"]""", account)


def _connectors(private: str, trusted: str, account: str) -> str:
    settings = (
        f'"plugins.ml_commons.connector.private_ip_enabled":{private},'
        f'"plugins.ml_commons.trusted_connector_endpoints_regex":{trusted}'
    )
    return _put_settings(f"""'{{"transient":{{{settings}}}}}'""", account)


def _settings_back(requests: Sequence[ExchangeRecord], account: str) -> Iterator[str]:
    """Puts the persistent settings that the requests write back to what was read before they did."""
    before: dict[str, object] = {}
    back: dict[str, object] = {}
    for exchange in requests:
        if urlsplit(exchange.url).path != _SETTINGS or exchange.status != HTTPStatus.OK:
            continue
        if exchange.method == "GET":
            before = _persistent(exchange.response_body)
        elif exchange.method == "PUT":
            for name in _persistent(exchange.request_body):
                back.setdefault(name, before.get(name))
    if back:
        yield "# The settings as they were."
        yield _put_settings(shlex.quote(json.dumps({"persistent": back})), account)


def _persistent(body: str | None) -> dict[str, object]:
    """The persistent settings that a body has; none where it is cut off or something else."""
    try:
        found = json.loads(body or "")["persistent"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _put_settings(body: str, account: str) -> str:
    """`body` as a word for the shell."""
    content_type = "-H 'content-type: application/json'"
    return f'ask -X PUT "$TARGET{_SETTINGS}"{account} {content_type} --data-raw {body}'


def _body(check: CheckFinished, named: dict[str, str]) -> Iterator[str]:
    requests = shown(check)
    hidden = len(check.exchanges) - len(requests)
    if hidden:
        yield f"# the first {hidden} requests are left out here; {WHOLE_IN} them"
    before: ExchangeRecord | None = None
    looking = False
    for exchange, command in zip(requests, commands(requests, named), strict=True):
        pause = exchange.at - before.at if before is not None else 0.0
        again = before is not None and exchange.method == "GET" and exchange.curl == before.curl
        if again and not looking:
            pause = max(pause, _LOOKED_AGAIN)
        if pause >= _SHORTEST_PAUSE:
            yield f"sleep {pause:.1f}"
        before, looking = exchange, again
        yield command
