"""Updating a model: page update-model."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.explore import Explore
from mlconform.conformance.suites.marks import requirement
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, WRITE_ANSWER, MlCommons
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import ML

UNITS = ("DAYS", "HOURS", "MICROSECONDS", "MILLISECONDS", "MINUTES", "NANOSECONDS", "SECONDS")
NEEDS_ZZZ = {"type": "object", "required": ["zzz"]}
_REGEX_GUARDRAILS = {
    "type": "local_regex",
    "input_guardrail": {"stop_words": [], "regex": [".*forbidden.*"]},
    "output_guardrail": {"stop_words": [], "regex": [".*secret.*"]},
}


@requirement("osml.update.endpoint")
def test_an_update_is_accepted(ml: MlCommons, expect: Expect) -> None:
    expect.accepted("osml.update.endpoint", ml.update(ml.model(), {"description": "changed"}))


class TestFields:
    """Each field of the page's table is accepted, and a later read shows it."""

    def _updated(self, ml: MlCommons, expect: Expect, field: str, body: Any, model: str | None = None) -> Any:
        """Update a model, and the value of the body's one member when it is read again."""
        model = model or ml.model()
        expect.accepted(f"osml.update.field.{field}", ml.when_ready(lambda: ml.update(model, body)))
        return ml.get(model).member(next(iter(body)))

    @requirement("osml.update.field.name")
    def test_name(self, ml: MlCommons, expect: Expect) -> None:
        name = ml.session.new_name("renamed")
        expect.equal(
            "osml.update.field.name", self._updated(ml, expect, "name", {"name": name}), name, "name"
        )

    @requirement("osml.update.field.description")
    def test_description(self, ml: MlCommons, expect: Expect) -> None:
        read = self._updated(ml, expect, "description", {"description": "changed"})
        expect.equal("osml.update.field.description", read, "changed", "description")

    @requirement("osml.update.field.is_enabled")
    def test_is_enabled(self, ml: MlCommons, expect: Expect) -> None:
        model = ml.model()
        for value in (False, True):
            read = self._updated(ml, expect, "is_enabled", {"is_enabled": value}, model)
            expect.equal("osml.update.field.is_enabled", read, value, "is_enabled")

    @requirement("osml.update.field.connector_id")
    def test_connector_id(self, ml: MlCommons, expect: Expect) -> None:
        other = ml.connector()
        read = self._updated(ml, expect, "connector_id", {"connector_id": other})
        expect.equal("osml.update.field.connector_id", read, other, "connector_id")

    @requirement("osml.update.field.connector")
    def test_connector(self, ml: MlCommons, expect: Expect) -> None:
        body = ml.remote_body(connector=ml.connector_body())
        del body["connector_id"]
        registered = ml.register(body)
        if registered.status != 200:
            raise Untestable(f"no model with a connector of its own: {registered.summary}")
        model = str(registered.member("model_id"))
        read = self._updated(ml, expect, "connector", {"connector": {"description": "changed"}}, model)
        shown = read.get("description") if isinstance(read, dict) else None
        expect.equal("osml.update.field.connector", shown, "changed", "connector.description")

    @requirement("osml.update.field.model_config")
    def test_model_config(self, ml: MlCommons, expect: Expect) -> None:
        config = {
            "model_type": "bert",
            "embedding_dimension": 384,
            "framework_type": "sentence_transformers",
        }
        model = ml.model()
        answered = ml.update(model, {"model_config": config})
        if 400 <= answered.status < 500:
            raise Untestable(f"not every field applies to every model; a remote one: {answered.summary}")
        expect.accepted("osml.update.field.model_config", answered)
        read = ml.get(model).member("model_config") or {}
        expect.equal(
            "osml.update.field.model_config", read.get("model_type"), "bert", "model_config.model_type"
        )

    @requirement("osml.update.field.model_group_id")
    def test_model_group_id(self, ml: MlCommons, expect: Expect) -> None:
        # Registered into a group of its own, so that no group made for it stays behind.
        first, group = ml.group(), ml.group()
        model = ml.model(model_group_id=first)
        read = self._updated(ml, expect, "model_group_id", {"model_group_id": group}, model)
        expect.equal("osml.update.field.model_group_id", read, group, "model_group_id")

    @requirement("osml.update.field.rate_limiter")
    def test_rate_limiter(self, ml: MlCommons, expect: Expect) -> None:
        body = {"rate_limiter": {"limit": 4, "unit": "MINUTES"}}
        read = self._updated(ml, expect, "rate_limiter", body)
        expect.members(
            "osml.update.field.rate_limiter", read, {"limit": (str, int), "unit": str}, "rate_limiter"
        )

    @requirement("osml.update.field.rate_limiter.limit")
    def test_rate_limiter_limit(self, ml: MlCommons, expect: Expect) -> None:
        model = ml.model()
        for limit in (4, 9):
            body = {"rate_limiter": {"limit": limit, "unit": "MINUTES"}}
            read = self._updated(ml, expect, "rate_limiter.limit", body, model) or {}
            # The table says Integer; the page's example and every recorded read show a string.
            shown = str(read.get("limit"))
            expect.equal("osml.update.field.rate_limiter.limit", shown, str(limit), "rate_limiter.limit")

    @requirement("osml.update.field.rate_limiter.unit", "osml.update.rate-limiter.units")
    def test_rate_limiter_unit(self, ml: MlCommons, expect: Expect) -> None:
        model = ml.model()
        for unit in UNITS:
            body = {"rate_limiter": {"limit": 4, "unit": unit}}
            answered = ml.update(model, body)
            expect.accepted("osml.update.rate-limiter.units", answered)
            read = ml.get(model).member("rate_limiter", "unit")
            expect.equal("osml.update.field.rate_limiter.unit", read, unit, "rate_limiter.unit")

    @requirement("osml.update.field.guardrails")
    def test_guardrails(self, ml: MlCommons, expect: Expect) -> None:
        read = self._updated(ml, expect, "guardrails", {"guardrails": _REGEX_GUARDRAILS}) or {}
        expect.equal("osml.update.field.guardrails", read.get("type"), "local_regex", "guardrails.type")
        regex = (read.get("input_guardrail") or {}).get("regex")
        expect.equal(
            "osml.update.field.guardrails", regex, [".*forbidden.*"], "guardrails.input_guardrail.regex"
        )

    @requirement("osml.update.field.interface", "osml.update.interface")
    def test_interface(self, ml: MlCommons, expect: Expect) -> None:
        body = {"interface": {"input": json.dumps(NEEDS_ZZZ), "output": '{"type": "object"}'}}
        model = ml.deployed_model()
        read = self._updated(ml, expect, "interface", body, model) or {}
        expect.equal("osml.update.field.interface", sorted(read), ["input", "output"], "members of interface")
        expect.client_error("osml.update.interface", ml.predict(model))


class TestEnabled:
    @requirement("osml.update.is-enabled-default")
    def test_a_model_is_enabled_by_default(self, ml: MlCommons, expect: Expect) -> None:
        model = ml.deployed_model()
        shown = ml.get(model).member("is_enabled")
        expect.one_of("osml.update.is-enabled-default", shown, (None, True), "is_enabled of a new model")
        expect.accepted("osml.update.is-enabled-default", ml.predict(model))

    @requirement("osml.update.disabled")
    def test_a_disabled_model_cannot_be_used(self, ml: MlCommons, expect: Expect) -> None:
        deployed, registered = ml.deployed_model(), ml.model()
        for model in (deployed, registered):
            ml.when_ready(partial(ml.update, model, {"is_enabled": False}))
            expect.client_error("osml.update.disabled", ml.predict(model))
        ml.change(deployed, {"is_enabled": True})
        enabled = ml.session.settle(lambda: ml.predict(deployed), lambda answered: answered.status == 200)
        expect.accepted("osml.update.disabled", enabled.value)

    @requirement("osml.update.disabled-status")
    def test_the_refusal_of_a_disabled_model(self, ml: MlCommons, expect: Expect, explore: Explore) -> None:
        """Where a recorded node disables one model alone, one of 15 to 120 calls after it is let in; where it
        disables three beside each other, in every third to sixth try."""
        models = [ml.deployed_model() for _ in range(3)]

        def disable_and_use(model: str) -> tuple[Exchange, Exchange]:
            disabled, used = ml.update(model, {"is_enabled": False}), ml.predict(model)
            ml.update(model, {"is_enabled": True})
            return disabled, used

        for model in models:
            ml.change(model, {"is_enabled": True})
        calls = [partial(disable_and_use, model) for model in models]
        for chance in explore.by_chance(expect):
            for disabled, used in ml.session.at_once(calls, seed=chance.getrandbits(32)):
                # A call that was let in deploys the model, and meanwhile no update is.
                if disabled.status == 200:
                    _is_refused(expect, used)


def _is_refused(expect: Expect, used: Exchange) -> None:
    """The refusal of a predict call to a disabled model."""
    if expect.see_status("osml.update.disabled-status", used, 403) is None:
        expect.that(
            "osml.update.disabled-status",
            "Model is disabled." in str(used.member("error", "reason")),
            expected="error.reason with 'Model is disabled.'",
            came=used.summary,
            exchange=used,
        )


class TestRateLimiter:
    @requirement("osml.update.rate-limiter")
    def test_predictions_beyond_the_limit_are_refused(self, ml: MlCommons, expect: Expect) -> None:
        model = ml.model()
        ml.update(model, {"rate_limiter": {"limit": 2, "unit": "HOURS"}})
        ml.bring_up(model)
        for _ in range(2):
            expect.accepted("osml.update.rate-limiter", ml.predict(model))
        expect.client_error("osml.update.rate-limiter", ml.predict(model))

    @requirement("osml.update.rate-limiter.default")
    def test_there_is_no_limit_by_default(self, ml: MlCommons, expect: Expect) -> None:
        model = ml.deployed_model()
        shown = ml.get(model).member("rate_limiter")
        expect.equal("osml.update.rate-limiter.default", shown, None, "rate_limiter of a new model")
        for _ in range(10):
            expect.accepted("osml.update.rate-limiter.default", ml.predict(model))

    @requirement("osml.update.rate-limiter.no-reset")
    def test_a_limit_cannot_be_taken_away(self, ml: MlCommons, expect: Expect) -> None:
        model = ml.model()
        limit = {"limit": 4, "unit": "MINUTES"}
        expect.accepted("osml.update.rate-limiter.no-reset", ml.update(model, {"rate_limiter": limit}))
        nothings: tuple[Any, ...] = (None, {})
        for nothing in nothings:
            ml.update(model, {"rate_limiter": nothing})
            kept = ml.get(model).member("rate_limiter") or {}
            shown = (str(kept.get("limit")), kept.get("unit"))
            expect.equal("osml.update.rate-limiter.no-reset", shown, ("4", "MINUTES"), "rate_limiter")


class TestInterface:
    @requirement("osml.update.interface.remove")
    def test_an_interface_is_removed_by_nulls(self, ml: MlCommons, expect: Expect) -> None:
        model = ml.deployed_model(interface={"input": NEEDS_ZZZ})
        removed = ml.when_ready(lambda: ml.update(model, {"interface": {"input": None, "output": None}}))
        expect.accepted("osml.update.interface.remove", removed)
        expect.accepted("osml.update.interface.remove", ml.predict(model))
        left = ml.get(model).member("interface") or {}
        schemas = {name: schema for name, schema in left.items() if schema is not None}
        expect.equal("osml.update.interface.remove", schemas, {}, "interface when it is read again")


class TestConnector:
    @requirement("osml.update.connector-undeploy-first")
    def test_a_standalone_connector_is_updated_while_its_model_is_undeployed(
        self, ml: MlCommons, expect: Expect
    ) -> None:
        connector = ml.connector()
        model = ml.deployed_model(connector_id=connector)
        change = {"description": "changed"}
        path = f"{ML}/connectors/{connector}"
        ml.await_found("model", model, model_state="DEPLOYED")
        refused = ml.session.request("PUT", path, change)
        expect.client_error("osml.update.connector-undeploy-first", refused)
        ml.take_down(model)
        ml.await_found("model", model, model_state="UNDEPLOYED")
        expect.accepted("osml.update.connector-undeploy-first", ml.session.request("PUT", path, change))
        ml.bring_up(model)
        expect.accepted("osml.update.connector-undeploy-first", ml.predict(model))


class TestAnswer:
    @requirement("osml.update.answer")
    def test_its_members(self, ml: MlCommons, expect: Expect) -> None:
        answered = ml.update(ml.model(), {"description": "changed"})
        expect.members("osml.update.answer", answered.json, WRITE_ANSWER, "the answer")
        shards = {"total": int, "successful": int, "failed": int}
        expect.members("osml.update.answer", answered.member("_shards"), shards, "_shards")

    @requirement("osml.update.answer.result")
    def test_its_result(self, ml: MlCommons, expect: Expect) -> None:
        model = ml.model()
        answered = ml.update(model, {"description": "changed"})
        expect.equal("osml.update.answer.result", answered.member("result"), "updated", "result")
        expect.equal("osml.update.answer.result", answered.member("_id"), model, "_id")


@requirement("osml.update.while-deployed")
def test_a_deployed_model_can_be_updated(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model()
    answered = ml.when_ready(lambda: ml.update(model, {"description": "changed"}))
    expect.status("osml.update.while-deployed", answered, 200)
    read = ml.get(model)
    expect.equal("osml.update.while-deployed", read.member("description"), "changed", "description")
    expect.equal("osml.update.while-deployed", read.member("model_state"), "DEPLOYED", "model_state")


@requirement("osml.update.keeps-others")
def test_fields_that_are_not_sent_keep_their_value(ml: MlCommons, expect: Expect) -> None:
    model = ml.model(deploy_setting={"model_ttl_minutes": 7})
    for sent in ({"description": "changed"}, {"is_enabled": False}):
        before = ml.get(model).json
        ml.update(model, sent)
        after = ml.get(model).json
        names = {"name", "description", "model_group_id", "connector_id", "model_state", "deploy_setting"}
        for name in sorted(names - sent.keys()):
            expect.equal("osml.update.keeps-others", after.get(name), before.get(name), name)


class TestRefusals:
    @requirement("osml.update.unknown-model")
    def test_unknown_model(self, ml: MlCommons, expect: Expect) -> None:
        answered = ml.update(UNKNOWN_ID, {"description": "x"})
        expect.error("osml.update.unknown-model", answered, 404, "Failed to find model to update")

    @requirement("osml.update.unknown-group")
    def test_unknown_group(self, ml: MlCommons, expect: Expect) -> None:
        answered = ml.update(ml.model(), {"model_group_id": UNKNOWN_ID})
        expect.error("osml.update.unknown-group", answered, 404, "Failed to find the model group")

    @pytest.mark.parametrize(
        ("value", "reason"),
        [("four", "Limit field must be a positive number."), (-1, "Limit field must be a positive number.")],
    )
    @requirement("osml.update.bad-limit")
    def test_bad_limit(self, ml: MlCommons, expect: Expect, value: Any, reason: str) -> None:
        answered = ml.update(ml.model(), {"rate_limiter": {"limit": value, "unit": "MINUTES"}})
        expect.error("osml.update.bad-limit", answered, 400, reason)

    @requirement("osml.update.bad-unit")
    def test_bad_unit(self, ml: MlCommons, expect: Expect) -> None:
        for unit in ("WEEKS", "minutes"):
            answered = ml.update(ml.model(), {"rate_limiter": {"limit": 4, "unit": unit}})
            expect.error("osml.update.bad-unit", answered, 400, "No enum constant")

    @requirement("osml.update.bad-flag")
    def test_bad_flag(self, ml: MlCommons, expect: Expect) -> None:
        answered = ml.update(ml.model(), {"is_enabled": "no"})
        expect.error("osml.update.bad-flag", answered, 400, "only [true] or [false] are allowed")

    @requirement("osml.update.empty-body")
    def test_empty_body(self, ml: MlCommons, expect: Expect) -> None:
        path = f"{ML}/models/{ml.model()}"
        answered = ml.session.request("PUT", path, raw=b"")
        expect.error("osml.update.empty-body", answered, 400, "empty body")

    @requirement("osml.update.bad-json")
    def test_bad_json(self, ml: MlCommons, expect: Expect) -> None:
        path = f"{ML}/models/{ml.model()}"
        for raw in (b"{", b"nonsense"):
            expect.error("osml.update.bad-json", ml.session.request("PUT", path, raw=raw), 400)

    @requirement("osml.update.not-an-object")
    def test_not_an_object(self, ml: MlCommons, expect: Expect) -> None:
        model = ml.model()
        for body in ([1], "x"):
            expect.error("osml.update.not-an-object", ml.update(model, body), 400, "START_OBJECT")

    @requirement("osml.update.rejected-changes-nothing")
    def test_a_refused_update_changes_nothing(self, ml: MlCommons, expect: Expect) -> None:
        model = ml.model()
        before = ml.get(model).json
        good = {"name": before["name"] + "-x", "description": "changed"}
        ml.update(model, {**good, "rate_limiter": {"limit": "four", "unit": "MINUTES"}})
        ml.update(model, {**good, "is_enabled": "no"})
        ml.update(model, {**good, "model_group_id": UNKNOWN_ID})
        expect.equal("osml.update.rejected-changes-nothing", ml.get(model).json, before, "the model")
