"""Connectors: create, get, update, delete, search."""

from __future__ import annotations

import re
from functools import partial

from msgspec.structs import replace

from mlconform.mock_server.opensearch_ml import conflicts, connector_bodies
from mlconform.mock_server.opensearch_ml.bodies.checked_texts import check_texts
from mlconform.mock_server.opensearch_ml.bodies.fields import Fields
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.errors import (
    ApiError,
    illegal_argument,
    node_error,
    parse_error,
    status_error,
)
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import (
    REMOTE_INFERENCE,
    TRUSTED_ENDPOINTS,
    pattern_of,
)
from mlconform.mock_server.opensearch_ml.search.operation import answer_search
from mlconform.mock_server.opensearch_ml.search.values import words
from mlconform.mock_server.opensearch_ml.security import connector_access
from mlconform.mock_server.opensearch_ml.security.access_modes import Sent
from mlconform.mock_server.opensearch_ml.store import Connector, JsonObject, Model

PROTOCOLS = ("http", "aws_sigv4")
DRY_RUN = "dryRunConnector"
NO_CONTENT = "You must provide connector content when creating a remote model without connector id!"
_DEEPEST = 20
_NAME = "Model connector name"
_AWS_PLACES = {"service_name": "service name", "region": "region"}


def create(call: Call) -> Answer:
    """POST connectors/_create; a dry run is answered before anything but the body's form is looked at."""
    cluster, body = call.cluster, read_new(call)
    check_texts(cluster.rules, _texts(body), required=_NAME)
    if body.get("dry_run"):
        return Answer({"connector_id": DRY_RUN})
    connector = _made_of(body)
    _require_trusted(connector, cluster)
    sent = Sent(body.get("access_mode"), body.get("backend_roles"), body.get("add_all_backend_roles"))
    connector_access.give(call, connector, sent)
    connector.created = connector.updated = cluster.now_ms()
    connector_id = cluster.ids.document()
    cluster.store.connectors.put(connector_id, connector)
    return Answer({"connector_id": connector_id})


def read_new(call: Call) -> JsonObject:
    """The body of a connector to be made, read as a node does before it asks whether the caller may.

    Raises ApiError.
    """
    require_remote_inference(call.cluster)
    if call.document.empty:
        reason = "Create Connector request has empty body"
        raise ApiError(call.cluster.rules.empty_connector_status, "i_o_exception", reason)
    body = connector_bodies.read_body(call.fields())
    if not body.get("dry_run"):
        _require_whole(body)
    return body


def get(call: Call) -> Answer:
    """GET connectors/{connector_id}."""
    connector = _find(call)
    connector_access.require_read(call, connector)
    return Answer(view(connector))


def update(call: Call) -> Answer:
    """PUT connectors/{connector_id}: refused while a deployed model uses the connector."""
    cluster, connector_id = call.cluster, call.parameters["connector_id"]
    body = read_changes(call)
    check_texts(cluster.rules, _texts(body))
    connector = _find(call)
    connector_access.require_update(call, connector, connector_id)
    changed = _changed(connector, body)
    _require_trusted(changed, cluster)
    deployed = [model.id for model in _users(cluster, connector_id) if model.in_memory]
    if deployed and cluster.rules.deployed_connector_is_kept:
        raise status_error(400, _in_use(deployed, "undeploy"))
    cluster.let_others_in()
    index, refresh = cluster.store.connectors, cluster.rules.update_forces_refresh
    conflicts.begin_update(cluster, index, connector_id)
    changed = _changed(_find(call), body)
    changed.updated = cluster.now_ms()
    return Answer(index.put(connector_id, changed, forced_refresh=refresh).answer())


def read_changes(call: Call) -> JsonObject:
    """The body of an update; what its parser meets unprepared is the client's mistake, here alone.

    Raises ApiError.
    """
    require_remote_inference(call.cluster)
    if call.document.empty:
        raise parse_error("Failed to update connector: Request body is empty")
    try:
        return connector_bodies.read_body(call.fields())
    except ApiError as error:
        if error.type == "illegal_state_exception":
            raise parse_error(error.reason) from None
        raise


def delete(call: Call) -> Answer:
    """DELETE connectors/{connector_id}: refused while any model names the connector."""
    connector_id = call.parameters["connector_id"]
    connector_access.require_delete(call, connector_id)
    users = [model.id for model in _keepers(call.cluster, connector_id)]
    if users:
        raise status_error(409, _in_use(users, "delete or update"))
    call.cluster.let_others_in()
    return Answer(call.cluster.store.connectors.delete(connector_id).answer())


def find_all(call: Call) -> Answer:
    """GET or POST connectors/_search."""
    connectors = call.cluster.store.connectors
    shows = partial(connector_access.shows, call)
    return answer_search(call, connectors, lambda _id, connector: view(connector), shows)


def view(connector: Connector) -> JsonObject:
    """A connector as the API shows it: without its credential; one inside a model has no times."""
    times = {"created_time": connector.created, "last_updated_time": connector.updated}
    members = {
        **{name: getattr(connector, name) for name in connector_bodies.TEXTS},
        "parameters": connector.parameters,
        "actions": connector.actions,
        "backend_roles": connector.backend_roles,
        "owner": None if connector.owner is None else connector.owner.view(),
        "access": connector.access,
        **(times if connector.created else {}),
        "client_config": connector.client_config,
    }
    return {name: value for name, value in members.items() if value is not None}


def require_remote_inference(cluster: Cluster) -> None:
    """Raises ApiError where the setting turns externally hosted models off."""
    if not cluster.settings.on(REMOTE_INFERENCE):
        reason = (
            "Remote Inference is currently disabled. To enable it, update the setting "
            f'"{REMOTE_INFERENCE}" to true.'
        )
        raise node_error("illegal_state_exception", reason)


def read_connector(fields: Fields, cluster: Cluster) -> Connector:
    """The connector inside a model: it needs neither a name nor a version, but an action that predicts.

    Raises ApiError 400 for what is missing or not allowed.
    """
    try:
        body = connector_bodies.read_body(_without_nulls(fields))
    except ApiError as error:
        # Whatever else a parser may meet leaves the model without a connector.
        raise error if error.type == "illegal_argument_exception" else illegal_argument(NO_CONTENT) from None
    if body.get("protocol") is None:
        raise illegal_argument("connector protocol is null")
    connector = _made_of(body)
    if find_action(connector, "PREDICT") is None:
        raise illegal_argument(
            "Connector endpoint is required when creating a remote model without connector id!"
        )
    _require_trusted(connector, cluster)
    return connector


def merge(connector: Connector, fields: Fields, cluster: Cluster) -> None:
    """Put the fields that were sent into a connector; parameters are merged, the rest is replaced."""
    changed = _changed(connector, connector_bodies.read_body(fields))
    _require_trusted(changed, cluster)
    for name in Connector.__struct_fields__:
        setattr(connector, name, getattr(changed, name))


def find_action(connector: Connector, kind: str) -> JsonObject | None:
    """The first action of a kind."""
    return next((action for action in connector.actions or () if action["action_type"] == kind), None)


def _without_nulls(fields: Fields) -> Fields:
    """A model's connector is written anew before it is read, and members that are null are not written."""
    sent = {name: value for name, value in fields.values.items() if value is not None}
    return replace(fields, values=sent)


def _texts(body: JsonObject) -> list[tuple[str, str | None]]:
    """What is held to the characters allowed, in the order in which a node tells of them."""
    return [("Model connector description", body.get("description")), (_NAME, body.get("name"))]


def _require_whole(body: JsonObject) -> None:
    for name in ("name", "version", "protocol"):
        if body.get(name) is None:
            raise illegal_argument(f"Connector {name} is null")
    if not body.get("credential"):
        raise illegal_argument("Connector credential is null or empty list")


def _made_of(body: JsonObject) -> Connector:
    connector = Connector(
        name=body.get("name"),
        version=body.get("version"),
        description=body.get("description"),
        protocol=body.get("protocol"),
        parameters=body.get("parameters", {}),
        credential=body.get("credential", {}),
        actions=body.get("actions"),
        client_config=body.get("client_config"),
    )
    _require_protocol(connector)
    if connector.protocol == "aws_sigv4":
        _require_signing(connector)
    return connector


def _changed(connector: Connector, body: JsonObject) -> Connector:
    replaced = (*connector_bodies.TEXTS, "actions", "client_config", "backend_roles")
    sent = {name: body[name] for name in replaced if name in body}
    access = body.get("access_mode") or connector.access
    parameters = {**connector.parameters, **body.get("parameters", {})}
    credential = body.get("credential") or connector.credential
    return replace(connector, **sent, parameters=parameters, credential=credential, access=access)


def _require_protocol(connector: Connector) -> None:
    if connector.protocol not in PROTOCOLS:
        raise illegal_argument(f"Can't find class for type {connector.protocol}")


def _require_signing(connector: Connector) -> None:
    """What a signature for AWS needs: a key, its secret, a service and a region."""
    if not {"access_key", "secret_key"} <= set(connector.credential):
        raise illegal_argument("Missing credential")
    for name, told in _AWS_PLACES.items():
        if name not in connector.credential and name not in connector.parameters:
            raise illegal_argument(f"Missing {told}")


def _find(call: Call) -> Connector:
    connector_id = call.parameters["connector_id"]
    connector = call.cluster.store.connectors.get(connector_id)
    if connector is None:
        raise status_error(404, f"Failed to find connector with the provided connector id: {connector_id}")
    _require_protocol(connector)
    return connector


def _users(cluster: Cluster, connector_id: str) -> list[Model]:
    """The models that name a connector, the one that was written first coming first."""
    models = cluster.store.models
    keys = sorted(models.where("connector_id", connector_id), key=lambda key: models.standing(key)[1])
    return [model for key in keys if (model := models.get(key))]


def _keepers(cluster: Cluster, connector_id: str) -> list[Model]:
    """The models that keep a connector from being deleted: those that name it or, as a node searches for
    them, any that names one whose id has a word in common with it, whatever the case of its letters."""
    models = cluster.store.models
    if cluster.rules.connectors_are_kept_by_id:
        return _users(cluster, connector_id)
    wanted = set(words(connector_id))
    found = [model for _, model in models if wanted & set(words(model.connector_id or ""))]
    return sorted(found, key=lambda model: models.standing(model.id)[1])


def _in_use(model_ids: list[str], remedy: str) -> str:
    return (
        f"{len(model_ids)} models are still using this connector, "
        f"please {remedy} the models first: [{', '.join(model_ids)}]"
    )


def _require_trusted(connector: Connector, cluster: Cluster) -> None:
    if connector.actions is None:
        raise illegal_argument("No actions configured for this connector")
    patterns = cluster.settings.texts(TRUSTED_ENDPOINTS)
    for action in connector.actions:
        url = fill(action["url"], connector.parameters)
        if not any(pattern_of(pattern).fullmatch(url) for pattern in patterns):
            reason = "Connector URL is not matching the trusted connector endpoint regex, URL is: "
            raise illegal_argument(reason + url)


def fill(template: str, parameters: JsonObject, within: tuple[str, ...] = ()) -> str:
    """Put parameters into the `${parameters.name}` places of a template; unknown places stay.

    A place may have a default after `:-`, and what is put in may have places of its own, so many deep.
    """

    def value(match: re.Match[str]) -> str:
        name, has_default, default = match[1].partition(":-")
        if name in within or len(within) == _DEEPEST:
            return match[0]
        if parameters.get(name) is None:
            return default if has_default else match[0]
        return fill(parameters[name], parameters, (*within, name))

    return re.sub(r"\$\{parameters\.([^}]+)\}", value, template)
