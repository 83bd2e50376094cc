"""Who may call which operation at all: without credentials, with wrong ones, and with each role."""

from __future__ import annotations

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.operations import READS, is_open, operations, send
from mlconform.conformance.suites.opensearch_ml.users import Users, see_access
from mlconform.conformance.targets.users import Part

pytestmark = exclusive


@requirement("osml.access.anonymous", "osml.access.challenge")
def test_nobody_is_let_in_without_credentials(users: Users, contract: Contract, expect: Expect) -> None:
    model = users.ml.model()
    for operation in operations(contract):
        answered = send(users.anonymous(), operation, model)
        if not is_open(answered):
            continue
        expect.see_access(
            "osml.access.anonymous",
            answered.status == 401,
            "no credentials",
            "",
            expected="status 401 where no credentials are sent",
            exchange=answered,
        )
        if answered.status == 401:
            challenge = answered.header("www-authenticate")
            expect.see(
                "osml.access.challenge",
                challenge is not None,
                expected="a WWW-Authenticate header beside the 401",
                came=f"WWW-Authenticate: {challenge}",
                exchange=answered,
            )


@requirement("osml.access.wrong-credentials")
def test_nobody_is_let_in_with_a_wrong_password(users: Users, contract: Contract, expect: Expect) -> None:
    model = users.ml.model()
    # A server may take its time over each password: one operation of a kind is enough at the door.
    kinds = {(operation.method, operation.changes): operation for operation in operations(contract)}
    for operation in kinds.values():
        answered = send(users.impostor(), operation, model)
        if not is_open(answered):
            continue
        expect.see_access(
            "osml.access.wrong-credentials",
            answered.status == 401,
            "wrong password",
            "",
            expected="status 401 where the password is wrong",
            exchange=answered,
        )


@requirement("osml.access.role.none")
def test_nobody_is_let_in_without_a_role(users: Users, contract: Contract, expect: Expect) -> None:
    """Known, but without permission: 403 (RFC 9110, section 15.5.4)."""
    model = users.ml.model()
    for operation in operations(contract):
        answered = send(users.acting(Part.NOBODY), operation, model)
        if not is_open(answered):
            continue
        expect.see_access(
            "osml.access.role.none",
            answered.status == 403,
            str(Part.NOBODY),
            "",
            expected=f"status 403 for {Part.NOBODY.told}",
            exchange=answered,
        )


@requirement("osml.access.role.reads", "osml.access.role.only-reads")
def test_who_may_only_read(users: Users, contract: Contract, expect: Expect) -> None:
    model = users.ml.model()
    for operation in operations(contract):
        if operation.id in READS:
            answered = send(users.acting(Part.READER), operation, model)
            name = "osml.access.role.reads"
            see_access(expect, name, answered, Part.READER, "", may=True, done=False)
        elif operation.changes and operation.is_of_ml:
            answered = send(users.acting(Part.READER), operation, model)
            if not is_open(answered):
                continue
            expect.see_access(
                "osml.access.role.only-reads",
                answered.status == 403,
                str(Part.READER),
                "",
                expected=f"status 403 for {Part.READER.told}",
                exchange=answered,
            )


@requirement("osml.access.role.full")
def test_who_has_full_access(users: Users, contract: Contract, expect: Expect) -> None:
    owner = users.acting(Part.OWNER)
    model = owner.model()
    for operation in operations(contract):
        if operation.is_of_ml:
            answered = send(owner, operation, model)
            name = "osml.access.role.full"
            see_access(expect, name, answered, Part.OWNER, "", may=True, done=False)


@requirement("osml.access.admin")
def test_an_admin_may_all(users: Users, contract: Contract, expect: Expect) -> None:
    admin = users.acting(Part.ADMIN)
    model = users.acting(Part.OWNER).model()
    for operation in operations(contract):
        answered = send(admin, operation, model)
        see_access(expect, "osml.access.admin", answered, Part.ADMIN, "", may=True, done=False)
