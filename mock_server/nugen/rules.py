"""What a Nugen target does, one field a rule; the defaults are what the documentation says."""

from __future__ import annotations

from msgspec import Struct


class Rules(Struct, frozen=True):
    """The rules of one behaviour. Latencies are seconds, statuses are HTTP statuses."""

    latency: float = 0.05
    token_required: bool = True
    token_checked: bool = True
    undeploy_answers_id: bool = True
    undeploy_takes_effect: bool = True
    undeploy_finishes: bool = True
    undeployed_is_refused: bool = True
    unknown_undeploy_status: int = 404
    undeployed_infers: bool = False
    endpoint_only_while_deployed: bool = True
    undeployed_can_be_redeployed: bool = True
    completed_message: str = "Model successfully undeployed"
    default_max_tokens: int = 16
    ready_shows: str = "READY"
    not_deployed_shows: str = "UNDEPLOYED"
    pending_shows: str = "PENDING"
    malformed_json_status: int = 422
    bodies_are_whole: bool = True


DOCUMENTED = Rules()

BEHAVIOURS: dict[str, Rules] = {"documented": DOCUMENTED}
