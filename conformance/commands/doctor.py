"""`mlconform doctor`: what a run would meet and do on a target."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from conformance.commands.access import access_options
from conformance.report.remedies import TAKES
from conformance.running.options import RunOptions
from conformance.running.preview import PROFILE, Preview, preview
from conformance.targets.access_options import AccessOptions
from conformance.targets.connect import TargetOptions
from conformance.targets.users import User


@click.command("doctor")
@click.option("--target", required=True, help="the URL of a server")
@click.option("--max-wait", default=120.0, show_default=True, help="seconds that one check may wait")
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
        **{name: given[name] for name in ("target", "max_wait", "allow_settings", "endpoint_host", "users")},
        create_users=given["create_users"],
        insecure=given["insecure"],
    )
    found = preview(RunOptions(target=target, profile=PROFILE))
    click.echo(_as_json(found) if as_json else "\n".join(_lines(found, target)))


def _lines(found: Preview, target: TargetOptions) -> Iterator[str]:
    facts = found.facts
    yield f"{facts.product} {facts.version}, judged by the pages of {found.documentation}"
    yield f"nodes that may hold models: {len(facts.nodes)}"
    yield f"who the run is: {_account(found.account)}"
    if found.parts:
        yield f"who it can act as: {', '.join(found.parts)}"
    yield f"access control of models: {_flag(found.model_access)}"
    yield f"access control of connectors: {_flag(found.connector_access)}"
    for request in found.refused:
        yield f"the account may not {request}"
    for mark in found.others:
        yield f"another run is at work: {mark}"
    yield f"a run has {found.checks} checks for {found.judged} requirements"
    yield "it makes connectors, groups, models, agents and pipelines named mlconform-…, and removes them"
    if target.create_users:
        yield "it makes users of its own too, and removes them"
    yield from _settings(found)
    yield f"it {found.plan}"
    for gain in found.gains:
        yield f"up to {gain.requirements} requirements more: {TAKES[gain.remedy]}"


def _account(account: User | None) -> str:
    if account is None:
        return "nobody known; the target has no users"
    if account.is_admin:
        may = "may do everything"
    elif account.may_all:
        may = "may do everything with models, and change neither settings nor pipelines"
    elif account.only_reads or account.may_nothing:
        may = "may not make what a run needs"
    else:
        may = "has roles of which a run alone shows what they allow"
    return f"{account.name}, who {may} (roles: {', '.join(sorted(account.roles)) or 'none'})"


def _settings(found: Preview) -> Iterator[str]:
    if not found.settings:
        yield "it changes no settings"
        return
    yield "it changes settings of ML Commons for single checks, and puts each back"
    if found.reachable is False:
        yield "it lets connectors reach its own endpoint for as long as it lasts"


def _flag(value: bool | None) -> str:
    return "not known" if value is None else ("on" if value else "off")


def _as_json(found: Preview) -> str:
    account = found.account
    values = {
        "product": found.facts.product,
        "version": found.facts.version,
        "nodes": list(found.facts.nodes),
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
        "refused": list(found.refused),
        "runs_at_work": list(found.others),
        "changes_settings": found.settings,
        "checks": found.checks,
        "requirements": found.judged,
        "waits": found.plan,
        "more_with": [asdict(gain) for gain in found.gains],
    }
    return json.dumps(values, indent=2)
