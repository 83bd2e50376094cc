"""`mlconform doctor`: what a run would meet and do on a target."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from mlconform.conformance.commands.access import access_options, max_rate_option
from mlconform.conformance.report.remedies import TAKES
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.running.preview import PROFILE, Preview, preview
from mlconform.conformance.targets.access_options import AccessOptions
from mlconform.conformance.targets.connect import TargetOptions
from mlconform.conformance.targets.opensearch_abilities import Deed

_MAY = {True: "yes", False: "no", None: "not known before a run"}

_OF_THE_TARGET = (
    "target",
    "max_wait",
    "max_rate",
    "allow_settings",
    "endpoint_host",
    "users",
    "create_users",
    "insecure",
)


@click.command("doctor")
@click.option("--target", required=True, help="the URL of a server")
@click.option("--max-wait", default=120.0, show_default=True, help="seconds that one check may wait")
@max_rate_option
@click.option("--allow-settings", is_flag=True, help="as for run: cluster settings may be changed")
@click.option("--endpoint-host", default="127.0.0.1", show_default=True, help="address of this machine")
@click.option("--user", "users", multiple=True, metavar="NAME=FILE", help="credentials of a further user")
@click.option("--create-users", is_flag=True, help="as for run: users of its own may be made")
@access_options
@click.option("--insecure", is_flag=True, help="do not verify TLS certificates")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def command(as_json: bool, **given: Any) -> None:
    """Tell what is there, what the account may do, what a run would do, and what would let it decide more.

    Nothing that writes is sent.
    """
    target = TargetOptions(
        access=AccessOptions.taken_from(given.__getitem__),
        **{name: given[name] for name in _OF_THE_TARGET},
    )
    found = preview(RunOptions(target=target, profile=PROFILE))
    click.echo(_as_json(found) if as_json else "\n".join(_lines(found, target)))


def _lines(found: Preview, target: TargetOptions) -> Iterator[str]:
    facts = found.facts
    yield f"{facts.product} {facts.version}, judged by the pages of {found.documentation}"
    yield f"nodes that may hold models: {len(facts.nodes)}"
    yield f"plugins: {', '.join(found.plugins) or 'not known'}"
    yield f"security: {_security(found)}"
    if found.parts:
        yield f"who the run can act as: {', '.join(found.parts)}"
    yield f"access control of models: {_flag(found.model_access)}"
    yield f"access control of connectors: {_flag(found.connector_access)}"
    for ability in found.abilities:
        yield f"may {ability.deed}: {_MAY[ability.may]}"
    for mark in found.others:
        yield f"another run is at work, and a run waits for it or ends: {mark}"
    yield f"a run has {found.checks} checks for {found.judged} requirements"
    yield from _deeds(found, target)
    yield f"it {found.plan}"
    for gain in found.gains:
        yield f"up to {gain.requirements} requirements more: {TAKES[gain.remedy]}"


def _security(found: Preview) -> str:
    account = found.account
    if account is None and not found.plugins:
        return "not known, for the account may not list the plugins"
    if account is None:
        on = any(plugin.startswith("opensearch-security ") for plugin in found.plugins)
        return "on, but the cluster does not tell who the run is" if on else "off"
    roles, backend = (", ".join(sorted(names)) or "none" for names in (account.roles, account.backend_roles))
    return f"on; the run is {account.name} (roles: {roles}; backend roles: {backend})"


def _deeds(found: Preview, target: TargetOptions) -> Iterator[str]:
    """What a run would make and change."""
    may = {ability.deed: ability.may for ability in found.abilities}
    refused = may[Deed.PIPELINES] is False
    kinds = "connectors, groups, models, agents" + ("" if refused else ", pipelines")
    yield f"it makes {kinds} named mlconform-…, and removes them"
    if refused:
        yield "it cannot mark that it is there, so another run at the same time would disturb it"
    if target.create_users:
        yield "it makes users of its own too, and removes them"
    if found.settings is False:
        yield "it changes no settings"
    else:
        doubt = "" if found.settings else ", where the account may"
        yield f"it changes settings of ML Commons for single checks, and puts each back{doubt}"
    yield from _for_endpoint(found)


def _for_endpoint(found: Preview) -> Iterator[str]:
    if found.for_endpoint is None:
        yield "whether connectors may reach its own endpoint is not known before a run"
    elif found.for_endpoint and found.settings is False:
        yield (
            "connectors may not reach its own endpoint, so what needs a remote model is untestable until "
            f"somebody sets {' and '.join(found.for_endpoint)}"
        )
    elif found.for_endpoint:
        yield (
            "it lets connectors reach its own endpoint for as long as it lasts: "
            f"{' and '.join(found.for_endpoint)}"
        )
    else:
        yield "connectors may reach its own endpoint already"


def _flag(value: bool | None) -> str:
    return "not known" if value is None else ("on" if value else "off")


def _as_json(found: Preview) -> str:
    account = found.account
    values = {
        "product": found.facts.product,
        "version": found.facts.version,
        "nodes": list(found.facts.nodes),
        "plugins": list(found.plugins),
        "documentation": found.documentation,
        "account": account
        and {
            "name": account.name,
            "roles": sorted(account.roles),
            "backend_roles": sorted(account.backend_roles),
        },
        "acts_as": [str(part) for part in found.parts],
        "model_access_control": found.model_access,
        "connector_access_control": found.connector_access,
        "may": {ability.deed: ability.may for ability in found.abilities},
        "runs_at_work": list(found.others),
        "changes_settings": found.settings,
        "settings_for_endpoint": None if found.for_endpoint is None else list(found.for_endpoint),
        "checks": found.checks,
        "requirements": found.judged,
        "waits": found.plan,
        "more_with": [asdict(gain) for gain in found.gains],
    }
    return json.dumps(values, indent=2)
