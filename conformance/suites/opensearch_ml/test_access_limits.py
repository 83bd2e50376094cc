"""Rate limits where several users share a model (pages integrating-ml-models and create-controller)."""

from __future__ import annotations

from typing import Any

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.users import Users
from mlconform.conformance.targets.opensearch_ml import ML
from mlconform.conformance.targets.users import Part

pytestmark = exclusive

# So long a unit that no other request fits into it while the check runs.
_ONE: dict[str, Any] = {"limit": "1", "unit": "DAYS"}
_MANY: dict[str, Any] = {"limit": "100000", "unit": "SECONDS"}


def _limit(users: Users, model: str, **limits: dict[str, Any]) -> None:
    """Give users of the model limits, by their names; a deploy makes them count at once."""
    body = {"user_rate_limiter": limits}
    made = users.acting(Part.OWNER).session.request("POST", f"{ML}/controllers/{model}", body)
    if made.status != 200:
        raise Untestable(f"a controller could not be made: {made.summary}")


@requirement("osml.rate-limit.all-callers")
def test_a_limit_of_the_model_is_for_all(users: Users, expect: Expect) -> None:
    model = users.acting(Part.OWNER).deployed_model(rate_limiter=_ONE)
    expect.accepted("osml.rate-limit.all-callers", users.acting(Part.OWNER).predict(model))
    expect.client_error("osml.rate-limit.all-callers", users.acting(Part.STRANGER).predict(model))


@requirement("osml.rate-limit.one-user")
def test_a_limit_of_a_user_is_for_nobody_else(users: Users, expect: Expect) -> None:
    owner, stranger = users.acting(Part.OWNER), users.acting(Part.STRANGER)
    model = owner.model()
    _limit(users, model, **{users.user(Part.OWNER).name: _ONE})
    owner.bring_up(model)
    expect.accepted("osml.rate-limit.one-user", owner.predict(model))
    expect.client_error("osml.rate-limit.one-user", owner.predict(model))
    for _ in range(2):
        expect.accepted("osml.rate-limit.one-user", stranger.predict(model))


@requirement("osml.rate-limit.stricter")
def test_the_stricter_limit_holds(users: Users, expect: Expect) -> None:
    owner = users.acting(Part.OWNER)
    name = users.user(Part.OWNER).name
    for of_model, of_user in ((_ONE, _MANY), (_MANY, _ONE)):
        model = owner.model(rate_limiter=of_model)
        _limit(users, model, **{name: of_user})
        owner.bring_up(model)
        expect.accepted("osml.rate-limit.stricter", owner.predict(model))
        expect.client_error("osml.rate-limit.stricter", owner.predict(model))
