"""Whether the checks can fail: each deliberate fault of the mock against the requirement it breaks."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from mlconform.conformance.contract.model import Level
from mlconform.conformance.errors import UsageError
from mlconform.conformance.report.events import Outcome
from mlconform.conformance.report.stream import read
from mlconform.conformance.report.verdicts import Kind, Verdict, judge
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.running.record import STREAM
from mlconform.conformance.running.run import run
from mlconform.conformance.targets.connect import TargetOptions

# Which requirement a mutant of the mock breaks. The mock names its faults and knows no requirements.
BROKEN: Final[Mapping[str, str]] = {
    "group-closed-by-default": "osml.group.public-by-default",
    "versions-begin-at-two": "osml.register.first-version",
    "model-tells-no-group": "osml.register.versions",
    "remote-reads-as-local": "osml.register.remote",
    "registration-deploys": "osml.register.deploy-default",
    "guardrail-models-refused": "osml.guardrails.field.guardrails.type",
    "no-url-trusted-by-default": "osml.settings.trusted-url.default",
    "missing-index-breaks-reads": "osml.first-use.read",
    "missing-index-breaks-searches": "osml.first-use.search",
    "missing-index-breaks-updates": "osml.first-use.change",
    "zero-interval-syncs": "osml.settings.sync-interval.zero",
    "deploy-never-finishes": "osml.deploy.in-memory",
    "deploy-ignores-node-ids": "osml.deploy.node-ids",
    "deploy-plan-setting-ignored": "osml.deploy.node-ids-setting",
    "deploy-task-names-no-model": "osml.deploy.task",
    "deploy-task-never-completes": "osml.task.example.deployed",
    "deploy-answers-started": "osml.deploy.answer.status",
    "hash-ignored": "osml.register.custom.hash",
    "file-ignored": "osml.register.custom.url",
    "fetch-failure-ignored": "osml.register.custom.url",
    "chunk-lost": "osml.upload.chunks",
    "missing-index-fails": "osml.first-use.use",
    "chunks-by-arrival": "osml.upload.any-order",
    "registering-shows-registered": "osml.get.state.registering",
    "registration-never-ends": "osml.task.example.registered",
    "deploy-leaves-a-node-out": "osml.deploy.in-memory",
    "worker-count-lies": "osml.get.worker-counts",
    "weights-ignored": "osml.predict.local.weights",
    "undeploy-keeps-memory": "osml.undeploy.from-memory",
    "models-unlimited": "osml.settings.max-model-on-node",
    "deploy-tasks-unlimited": "osml.settings.max-deploy-tasks.zero",
    "register-tasks-unlimited": "osml.settings.max-register-tasks.zero",
    "heap-threshold-ignored": "osml.settings.heap-threshold.zero",
    "thresholds-all-or-nothing": "osml.settings.heap-threshold",
    "only-ml-nodes-ignored": "osml.settings.only-run-on-ml-node",
    "config-left-out": "osml.register.custom.fields-needed",
    "size-not-measured": "osml.register.size",
    "meta-incomplete": "osml.upload.fields-needed",
    "first-chunk-stays": "osml.upload.again",
    "deploying-model-deleted": "osml.delete.deploying",
    "no-texts-answered": "osml.predict.local.no-texts",
    "url-setting-ignored": "osml.settings.allow-url",
    "file-setting-ignored": "osml.settings.allow-local-file",
    "any-url-trusted": "osml.settings.trusted-url",
    "local-models-always-on": "osml.settings.local-model.off",
    "auto-deploy-ignored": "osml.predict.auto-deploy",
    "auto-deploy-not-disabled": "osml.predict.auto-deploy-off",
    "restart-keeps-models": "osml.restart.redeploy",
    "auto-redeploy-ignored": "osml.restart.auto-redeploy",
    "refused-delete-parts-nodes": "osml.delete.safe.several-kinds",
    "departed-node-stays": "osml.settings.auto-redeploy.node-lost",
    "returned-node-ignored": "osml.settings.auto-redeploy.node-joins",
    "returned-node-unsettles": "osml.after.node-returned",
    "failed-deploy-goes-on": "osml.after.failed-deploy",
    "failed-predict-goes-on": "osml.after.refused-predict",
    "failed-call-keeps-memory": "osml.after.endpoint-gone",
    "deleted-model-stays": "osml.after.delete",
    "redeploys-unlimited": "osml.settings.redeploy-retries",
    "other-nodes-lag": "osml.nodes.model",
    "other-nodes-serve-nothing": "osml.nodes.predict",
    "undeploy-forgets-other-nodes": "osml.nodes.undeploy",
    "undeploy-changes-nothing": "osml.undeploy.from-memory",
    "undeploy-says-removed": "osml.undeploy.answer.value",
    "ttl-ignored": "osml.undeploy.ttl",
    "ttl-minute-early": "osml.undeploy.ttl-not-before",
    "ttl-minute-late": "osml.undeploy.ttl-window",
    "ttl-not-renewed": "osml.undeploy.ttl-renewed",
    "ttl-renewed-by-read": "osml.undeploy.ttl-read-no-renewal",
    "sync-interval-default-hour": "osml.settings.sync-interval-default",
    "delete-deployed-succeeds": "osml.delete.deployed",
    "delete-keeps-model": "osml.delete.gone",
    "delete-without-seq-no": "osml.delete.answer",
    "group-survives-last-version": "osml.delete.group",
    "safe-delete-default-on": "osml.delete.safe.default",
    "safe-delete-ignores-ingest-pipelines": "osml.delete.safe.ingest-pipeline",
    "safe-delete-ignores-search-pipelines": "osml.delete.safe.search-pipeline",
    "safe-delete-ignores-agents": "osml.delete.safe.agent",
    "conflict-names-no-pipeline": "osml.delete.safe.names-user",
    "conflict-is-400": "osml.delete.safe.conflict",
    "second-delete-says-deleted": "osml.race.one-outcome",
    "group-counts-version-twice": "osml.register.next-version",
    "update-loses-ttl": "osml.undeploy.ttl-setting",
    "update-drops-ttl": "osml.update.keeps-others",
    "update-loses-description": "osml.update.keeps-others",
    "update-without-seq-no": "osml.update.answer",
    "rejected-update-half-done": "osml.update.rejected-changes-nothing",
    "deployed-connector-updates": "osml.update.connector-undeploy-first",
    "interface-nulls-kept": "osml.update.interface.remove",
    "disabled-still-predicts": "osml.update.disabled",
    "rate-limit-ignored": "osml.update.rate-limiter",
    "rate-limit-unit-missing": "osml.update.rate-limiter.units",
    "interface-not-checked": "osml.update.interface",
    "pipeline-loses-model": "osml.processor.field.processors[].ml_inference.model_id",
    "error-without-root-cause": "osml.wire.error-envelope",
    "errors-tell-stacks": "osml.wire.no-leak",
    "errors-tell-classes": "osml.wire.no-leak",
    "errors-tell-credentials": "osml.wire.no-leak",
    "bad-json-is-500": "osml.wire.no-server-error",
    "truncated-bodies": "osml.wire.json",
    "wrong-content-type": "osml.wire.content-type",
    "any-password": "osml.access.wrong-credentials",
    "unauthorized-is-403": "osml.access.anonymous",
    "forbidden-is-401": "osml.access.role.none",
    "refusal-acts": "osml.access.refusal-changes-nothing",
    "refusal-names-model": "osml.access.refusal-tells-nothing",
    "read-role-writes": "osml.access.role.only-reads",
    "private-open-to-role": "osml.access.model.get",
    "restricted-open-to-other-role": "osml.access.group.get",
    "group-public-by-default": "osml.access.group.private-by-default",
    "any-role-given": "osml.access.group.own-roles",
    "access-changed-by-stranger": "osml.access.group.update-access",
    "owner-changes": "osml.access.owner-stays",
    "version-in-hidden-group": "osml.access.model.register-version",
    "group-deleted-by-stranger": "osml.access.group.delete-stranger",
    "search-shows-hidden-models": "osml.search.accessible",
    "search-shows-hidden-groups": "osml.access.group.search",
    "search-counts-hidden": "osml.access.refusal-tells-nothing",
    "connectors-open": "osml.access.connector.get",
    "nugen-second-undeploy-ok": "nugen.undeploy.not-deployed",
    "nugen-no-auth": "nugen.auth.required",
    "nugen-any-token": "nugen.auth.wrong-token",
    "nugen-undeploy-answers-object": "nugen.undeploy.answer",
    "nugen-undeploy-changes-nothing": "nugen.undeploy.reaches-undeployed",
    "nugen-undeploy-never-finishes": "nugen.undeploy.reaches-undeployed",
    "nugen-unknown-is-400": "nugen.undeploy.unknown",
    "nugen-undeployed-infers": "nugen.undeploy.no-inference",
    "nugen-endpoint-always": "nugen.aligned.endpoint-only-deployed",
    "nugen-no-redeploy": "nugen.undeploy.redeploy",
    "nugen-wrong-message": "nugen.undeploy-status.message",
    "nugen-strange-state": "nugen.aligned.status-values",
    "nugen-strange-deployment": "nugen.aligned.deployment-status-values",
    "nugen-undeploy-runs": "nugen.undeploy-status.values",
    "nugen-bad-json-is-500": "nugen.wire.no-server-error",
    "nugen-truncated-bodies": "nugen.wire.json",
}
# What such a fault breaks besides, by other checks of the same run.
_ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "auto-redeploy-ignored": ("osml.settings.auto-redeploy.on",),
    "group-closed-by-default": ("osml.register.group-public",),
    "guardrail-models-refused": (
        "osml.register.field.guardrails.input_guardrail.model_id",
        "osml.register.field.guardrails.input_guardrail.response_filter",
        "osml.register.field.guardrails.input_guardrail.response_validation_regex",
    ),
    "register-tasks-unlimited": ("osml.settings.max-register-tasks",),
    "size-not-measured": ("osml.register.field.url",),
    "undeploy-changes-nothing": ("osml.get.state.undeployed",),
    "nugen-undeploy-changes-nothing": ("nugen.undeploy.aligned",),
}


def broken_by(name: str) -> tuple[str, ...]:
    """Every requirement that this fault breaks, the one that it is about first."""
    return (BROKEN[name], *_ALSO.get(name, ()))


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one mutant at one requirement: `killers` are the checks that met a difference at it."""

    mutant: str
    requirement: str
    verdict: str
    killers: tuple[str, ...]

    @property
    def killed(self) -> bool:
        return self.verdict == Kind.FAIL


def run_mutants(names: Sequence[str] = (), *, every_killer: bool = False) -> list[Result]:
    """Run the checks of the broken requirements on each mutant, or on those named.

    The first check that notices ends it, unless `every_killer` is looked for. Raises `UsageError` for a
    name that is no mutant.
    """
    unknown = [name for name in names if name not in BROKEN]
    if unknown:
        raise UsageError(f"expected mutants of {', '.join(BROKEN)}, but got {', '.join(unknown)}")
    return [result for name in names or BROKEN for result in _run_mutant(name, every_killer=every_killer)]


def _run_mutant(name: str, *, every_killer: bool) -> list[Result]:
    broken = broken_by(name)
    profile = "nugen" if broken[0].startswith("nugen.") else "opensearch-ml"
    with tempfile.TemporaryDirectory(prefix="mlconform-") as folder:
        options = RunOptions(
            target=TargetOptions(mutant=name),
            profile=profile,
            level=Level.OBSERVED,
            select=",".join(_literal(each) for each in broken),
            out=Path(folder),
            until_failed=not every_killer and len(broken) == 1,
        )
        run(options, Console(quiet=True))
        judged = judge(read(Path(folder) / STREAM))
    verdicts = {verdict.requirement.id: verdict for verdict in judged.verdicts}
    return [_result(name, each, verdicts.get(each)) for each in broken]


def _literal(requirement: str) -> str:
    """The glob that selects this requirement alone."""
    return requirement.replace("[", "[[]")


def _result(name: str, requirement: str, verdict: Verdict | None) -> Result:
    if verdict is None:
        return Result(name, requirement, "not in the contract", ())
    killers = [each.check.check for each in verdict.evidence if each.decision.outcome is Outcome.FAIL]
    return Result(name, requirement, verdict.kind.value, tuple(dict.fromkeys(killers)))


def table(results: Sequence[Result], *, matrix: bool) -> str:
    """One mutant a line; with `matrix` also the checks that killed it."""
    width = max(len(result.mutant) for result in results)
    lines = []
    for result in results:
        ending = "killed" if result.killed else f"survived ({result.verdict})"
        lines.append(f"{result.mutant:<{width}}  {ending:<9}  {result.requirement}")
        if matrix:
            lines += [f"{'':<{width}}    by {killer}" for killer in result.killers]
    mutants = {result.mutant for result in results}
    killed = mutants - {result.mutant for result in results if not result.killed}
    return "\n".join([*lines, f"{len(killed)} of {len(mutants)} mutants killed"])


def as_json(results: Sequence[Result]) -> str:
    return json.dumps([{**asdict(result), "killed": result.killed} for result in results], indent=2)
