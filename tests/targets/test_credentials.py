"""Credentials: where they are read from, and that no value and no text shows them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from mlconform.conformance.errors import UsageError
from mlconform.conformance.report.events import Problem
from mlconform.conformance.targets.credential_files import further_users, header_values, own_credentials
from mlconform.conformance.targets.credentials import (
    HIDDEN,
    Credentials,
    Secret,
    all_presentable,
    api_key,
    basic,
    bearer,
    presentable,
)

ADDRESS = "https://127.0.0.1:9200"


def authorization(found: Credentials | None) -> str:
    assert found is not None
    return found.headers["authorization"].reveal()


class TestNothingShowsThem:
    @pytest.mark.parametrize(
        "made", [basic("me", "planted-1"), bearer("planted-1"), api_key("x-key", "planted-1")]
    )
    def test_a_value_does_not_show_itself(self, made: Credentials) -> None:
        assert "planted-1" not in f"{made!r} {made} {made.curl}"

    def test_it_cannot_be_written_elsewhere(self) -> None:
        with pytest.raises(TypeError, match="not written"):
            pickle.dumps(Secret("planted-2"))

    @pytest.mark.parametrize(
        "text",
        [
            'no user planted/3"x',
            'the body {"reason": "planted/3\\"x is wrong"}',
            "https://me:planted%2F3%22x@host",
            "Basic bWU6cGxhbnRlZC8zIng=",
        ],
        ids=["itself", "in JSON", "in an address", "encoded"],
    )
    def test_it_is_hidden_in_each_of_its_forms(self, text: str) -> None:
        basic("me", 'planted/3"x')
        assert HIDDEN in presentable(text)
        assert "planted" not in presentable(text)
        assert "bWU6" not in presentable(text)

    @pytest.mark.parametrize(
        "name", ["password", "plugins.mail.secret_key", "session_token", "connector.access_key"]
    )
    def test_so_is_a_member_that_says_it_is_a_secret(self, name: str) -> None:
        assert presentable(f'{{"{name}": "some words", "a": 1}}') == f'{{"{name}": "{HIDDEN}", "a": 1}}'

    @pytest.mark.parametrize(
        "text",
        [
            '{"tokenizer": "standard"}',
            '{"unk_token": "[UNK]"}',
            '{"token": "${credential.token}"}',
            "token",
        ],
    )
    def test_other_texts_stay(self, text: str) -> None:
        assert presentable(text) == text

    def test_an_event_is_made_of_presentable_texts(self) -> None:
        bearer("planted-4")
        assert all_presentable(Problem("internal", "planted-4")).message == HIDDEN


class TestWhereTheyAreRead:
    @pytest.mark.parametrize(
        ("text", "name", "value"),
        [
            ("username: me\npassword: planted-5", "authorization", "Basic bWU6cGxhbnRlZC01"),
            ("token: planted-5", "authorization", "Bearer planted-5"),
            ("api_key: {header: X-Key, value: planted-5}", "x-key", "planted-5"),
        ],
    )
    def test_a_file_has_them(self, tmp_path: Path, text: str, name: str, value: str) -> None:
        file = tmp_path / "me.yaml"
        file.write_text(text)
        found = own_credentials(ADDRESS, str(file), None)
        assert found is not None
        assert found.headers[name].reveal() == value

    def test_a_file_comes_before_the_address_and_that_before_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "me.yaml").write_text("token: of-the-file")
        monkeypatch.setenv("MLCONFORM_CLUSTER_TOKEN", "of-the-environment\n")
        address = "https://me:of-the-address@host"
        assert authorization(own_credentials(ADDRESS, None, None)) == "Bearer of-the-environment"
        assert authorization(own_credentials(address, None, None)).startswith("Basic ")
        assert (
            authorization(own_credentials(address, str(tmp_path / "me.yaml"), None)) == "Bearer of-the-file"
        )

    @pytest.mark.parametrize(
        "text", ["password: planted-6", "- planted-6", "a: [planted-6", "planted-6: 'x\n", "\x00"]
    )
    def test_a_file_that_is_none_is_told_without_what_it_holds(self, tmp_path: Path, text: str) -> None:
        file = tmp_path / "me.yaml"
        file.write_text(text)
        with pytest.raises(UsageError, match=r"me\.yaml: expected .*username and password") as caught:
            own_credentials(ADDRESS, str(file), None)
        assert "planted" not in str(caught.value)

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="can't be read: No such file"):
            own_credentials(ADDRESS, str(tmp_path / "none.yaml"), None)

    def test_a_header_may_be_in_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("planted-7\n")
        found: Any = header_values(("X-Tenant: blue", f"X-Key: @{tmp_path / 'key'}"))
        assert {name: value.reveal() for name, value in found.items()} == {
            "x-tenant": "blue",
            "x-key": "planted-7",
        }

    def test_what_is_no_header_is_told_by_its_place(self) -> None:
        with pytest.raises(UsageError, match="number 2 has no name or no value") as caught:
            header_values(("X-Tenant: blue", "planted-8"))
        assert "planted" not in str(caught.value)

    def test_further_users_are_of_their_own_files_and_of_a_list_in_the_own_one(self, tmp_path: Path) -> None:
        (tmp_path / "reader.yaml").write_text("username: ml_read\npassword: planted-9\n")
        (tmp_path / "me.yaml").write_text("token: mine\nusers: {team-a: {token: planted-10}}\n")
        found = further_users((f"ml_read={tmp_path / 'reader.yaml'}",), str(tmp_path / "me.yaml"))
        assert [each.identity for each in found] == ["ml_read", "team-a"]

    @pytest.mark.parametrize("text", ["me.yaml", "=me.yaml", "a user=me.yaml", "reader="])
    def test_what_names_no_user_is_told_by_its_place(self, text: str) -> None:
        with pytest.raises(UsageError, match="number 1 is not"):
            further_users((text,), None)

    def test_two_users_of_one_name_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "reader.yaml").write_text("token: planted-11")
        with pytest.raises(UsageError, match="two users are named reader"):
            further_users((f"reader={tmp_path / 'reader.yaml'}",) * 2, None)
