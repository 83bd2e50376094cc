"""From what the user named to a session that is ready: the one place where the mock is started."""

from __future__ import annotations

import ipaddress
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlsplit

from mlconform.conformance.errors import PrerequisiteMissing, TargetUnreachable, UsageError
from mlconform.conformance.outcomes import BrokenAnswer, Untestable
from mlconform.conformance.targets.access_options import AccessOptions
from mlconform.conformance.targets.addresses import is_loopback, without_credentials
from mlconform.conformance.targets.credential_files import further_users, header_values, own_credentials
from mlconform.conformance.targets.credentials import ClientCertificate, Credentials, basic
from mlconform.conformance.targets.infrastructure import SteadyTransport
from mlconform.conformance.targets.pace import Pace
from mlconform.conformance.targets.pools import Trust
from mlconform.conformance.targets.profiles import profiles
from mlconform.conformance.targets.session import Session, SessionOptions
from mlconform.conformance.targets.settle import wait
from mlconform.conformance.targets.transport import HttpTransport, InProcessTransport, Transport
from mlconform.conformance.targets.turns import PREFIX, Tell
from mlconform.mock_server import DEFAULT_PASSWORD, MUTANTS, USERS, MockServer, Security
from mlconform.mock_server.core import Request

MOCK = "mock"
MOCK_ADMIN = "admin"
# An index is refreshed once a second unless somebody set it otherwise.
REFRESH_SECONDS = 1.2
LOOPBACK_HOST = "127.0.0.1"
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*\.?")


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """What the command line says about the target.

    `target` is `mock` or a URL, `further` are the URLs of other nodes of the same cluster; `max_wait` is in
    seconds; `behaviour`, `mutant`, `security` and `docs_version` concern the mock in this process alone; with
    `security` it has users, and the run is its admin. `wait_for_turn` is in seconds; `restart_command`
    restarts a server, `stop_node_command` and `start_node_command` one of its nodes. `prepared_endpoint` is
    set where another process of the run has prepared the target: the address of the model it answers for.
    `users` are `NAME=FILE`, further accounts that the run may act as; with `create_users` it may make some.
    `max_rate` is how many requests a second the `processes` of the run may send to a server together, at
    most; None for any number.
    """

    target: str = field(default=MOCK, repr=False)
    further: tuple[str, ...] = field(default=(), repr=False)
    max_wait: float = 120.0
    allow_settings: bool = False
    endpoint_host: str = LOOPBACK_HOST
    model_ids: tuple[str, ...] = ()
    insecure: bool = False
    docs_version: str | None = None
    behaviour: str | None = None
    mutant: str | None = None
    security: bool = False
    run_id: str = ""
    wait_for_turn: float = 0.0
    restart_command: str | None = None
    stop_node_command: str | None = None
    start_node_command: str | None = None
    prepared_endpoint: str | None = None
    users: tuple[str, ...] = ()
    create_users: bool = False
    max_rate: float | None = None
    processes: int = 1
    access: AccessOptions = field(default_factory=AccessOptions)

    @property
    def in_process(self) -> bool:
        """Whether the target is a mock of this process, which nobody else talks to."""
        return self.target == MOCK

    @property
    def mock_has_users(self) -> bool:
        """Whether the mock of this process has users; a fault of them comes with them."""
        fault = MUTANTS.get(self.mutant or "")
        return self.in_process and (self.security or (fault is not None and fault.secured))


def new_run_id() -> str:
    """Short, and new for every run."""
    return uuid.uuid4().hex[:8]


def connect(profile: str, options: TargetOptions) -> Session:
    """Open a session and discover what is there; nothing is changed on the target.

    Raises `UsageError` for a target that is neither `mock` nor a URL, `TargetUnreachable`,
    `PrerequisiteMissing`, or `BrokenAnswer` when the target's answers are broken on the wire.
    """
    kind = profiles()[profile]
    transport, session_options = _open(profile, options)
    session = Session(transport, session_options, f"{kind.id_prefix}.wire.json")
    try:
        session.facts = kind.discover(session)
        session.discover_control()
        if kind.reach is not None:
            session.elsewhere = kind.reach(session, [without_credentials(each) for each in options.further])
    except BaseException:
        session.close()
        raise
    return session


def prepare(session: Session, tell: Tell = lambda _: None) -> None:
    """Make the target ready for checks; what is changed is put back by the session's `clean`.

    `tell` hears whom the run waits for. Raises `PrerequisiteMissing` where the target does not let it or
    another run has its turn, and what `connect` raises.
    """
    try:
        profiles()[session.facts.profile].prepare(session, tell)
    except Untestable as error:
        raise PrerequisiteMissing(str(error)) from None


def join(session: Session, run: str) -> None:
    """Use what another process of the run has prepared, and leave it as it is."""
    profiles()[session.facts.profile].join(session, run)


def sweep_run(session: Session, since: float) -> tuple[list[str], list[str]]:
    """Remove what the run made and an interrupted check could not remember, or a check could not remove.

    Gives what was removed, and a message for each thing that stayed. A request that was on its way may be
    carried out after an interruption, and a search sees what it made only after the index was refreshed, so
    that has time to happen first, counted from `since` (`time.monotonic`).
    """
    sweep = profiles()[session.facts.profile].sweep
    if sweep is None:
        return [], []
    wait(since + REFRESH_SECONDS - time.monotonic())
    try:
        return sweep(session, session.options.prefix)
    except (TargetUnreachable, BrokenAnswer) as error:
        return [], [f"what begins with {session.options.prefix} may still be there: {error}"]


def split_targets(given: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The target, the mock where none is given, and the further nodes of it that were given."""
    return (given[0], tuple(given[1:])) if given else (MOCK, ())


def check_further(target: str, further: Sequence[str]) -> None:
    """Raise `UsageError` for what is no address of a further node; the mock in this process has none."""
    for each in further:
        if MOCK in (target, each):
            raise UsageError(
                "expected --target mock alone, for the mock in this process has all its nodes; "
                "give several addresses of one cluster, or of `mlconform mock --every-node`"
            )
        check_target(each)


def check_target(target: str) -> None:
    """Raise `UsageError` for what is neither `mock` nor the address of a server."""
    if target == MOCK:
        return
    try:
        parts = urlsplit(target)
        usable = bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        usable = False
    if not usable:
        # What cannot be taken apart is freed of all that may be credentials.
        before, _, rest = target.rpartition("@")
        given = f"…@{rest}" if before else rest
        raise UsageError(f"expected --target mock or a URL such as https://host:9200, but got {given!r}")
    if parts.query or parts.fragment:
        raise UsageError(
            f"expected --target without a query or fragment, but got {without_credentials(target)!r}; "
            "give scheme, host, port and at most a path"
        )


def check_endpoint_host(host: str) -> None:
    """Raise `UsageError` for what is neither the name nor the address of a machine."""
    if not _is_host(host):
        raise UsageError(
            "expected --endpoint-host with a name or an address alone, such as 192.0.2.7 "
            f"(no scheme, port or path), but got {host!r}"
        )


def _is_host(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # Digits and dots alone are an address with a mistake in it.
        return bool(_HOST_NAME.fullmatch(host)) and not re.fullmatch(r"[\d.]+", host)
    return not address.is_unspecified and "%" not in host


def _open(profile: str, options: TargetOptions) -> tuple[Transport, SessionOptions]:
    check_target(options.target)
    parts = urlsplit(options.target)
    base = SessionOptions(
        prefix=f"{PREFIX}{options.run_id or new_run_id()}-",
        credentials=_own(profile, options),
        max_wait=options.max_wait,
        endpoint_host=options.endpoint_host,
        model_ids=options.model_ids,
        wait_for_turn=options.wait_for_turn,
        restart_command=options.restart_command,
        stop_node_command=options.stop_node_command,
        start_node_command=options.start_node_command,
        endpoint_url=options.prepared_endpoint,
        users=further_users(options.users, options.access.credentials),
        create_users=options.create_users,
    )
    if options.in_process:
        if options.mock_has_users:
            base = replace(base, users=_users_of_the_mock(), create_users=True)
        mock = _mock_transport(
            options.docs_version, options.behaviour, options.mutant, secured=options.mock_has_users
        )
        return mock, base
    may = options.allow_settings or is_loopback(parts.hostname)
    access = options.access
    http = HttpTransport(
        without_credentials(options.target),
        trust=Trust(
            verify=not options.insecure,
            ca_file=Path(access.ca_file) if access.ca_file else None,
            server_name=access.server_name,
        ),
        headers=header_values(access.header),
        pace=_pace(options.run_id, options.max_rate / options.processes) if options.max_rate else None,
    )
    transport = SteadyTransport(http)
    return transport, replace(base, may_change_settings=may, shared=True)


@cache
def _pace(run_id: str, per_second: float) -> Pace:
    """The one pace of a run in this process, whose profiles have connections of their own."""
    del run_id
    return Pace(per_second)


def _own(profile: str, options: TargetOptions) -> Credentials | None:
    """What the API has of its own kind; else the account of the file, the address or the environment."""
    account = profiles()[profile].account
    if account is not None:
        return account(options.in_process or is_loopback(urlsplit(options.target).hostname))
    if options.in_process:
        return basic(MOCK_ADMIN, DEFAULT_PASSWORD) if options.mock_has_users else None
    access = options.access
    key = Path(access.client_key) if access.client_key else None
    shown = ClientCertificate(Path(access.client_certificate), key) if access.client_certificate else None
    return own_credentials(options.target, access.credentials, shown)


def _users_of_the_mock() -> tuple[Credentials, ...]:
    return tuple(
        replace(basic(name, DEFAULT_PASSWORD), identity=name) for name in USERS if name != MOCK_ADMIN
    )


@cache
def _mock_transport(
    docs_version: str | None, behaviour: str | None, mutant: str | None, *, secured: bool
) -> InProcessTransport:
    try:
        server = MockServer(
            # A recorded version has pages of its own, whichever it is judged by.
            docs_version=docs_version if behaviour in (None, "documented") else None,
            behaviour=behaviour or "documented",
            mutant=mutant,
            security=Security() if secured else None,
        )
    except ValueError as error:
        raise UsageError(f"the mock cannot be started so: {error}") from None

    def handle(
        method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, node: int = 1
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        response = server.handle(Request(method, path, query, headers, body, node=node))
        return response.status, list(response.headers), response.body

    names = ["mock", *(f"node-{number}.mock" for number in range(2, server.node_count + 1))]
    server.publish(*names)
    others = {f"http://{name}": partial(handle, node=number) for number, name in enumerate(names[1:], 2)}
    return InProcessTransport(handle, server.at_once, others=others)
