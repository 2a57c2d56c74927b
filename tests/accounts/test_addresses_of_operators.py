"""Who had no row of their address before, gets one by the migration."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = [("accounts", "0013_turns_of_a_deletion")]


def migrate(targets: list[tuple[str, str]]) -> Any:
    MigrationExecutor(connection).migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


@pytest.fixture
def before(transactional_db: None) -> Any:
    """The models of the version before, in a database of that version."""
    newest = list(MigrationExecutor(connection).loader.graph.leaf_nodes())
    yield migrate(BEFORE)
    migrate(newest)


def test_addresses_of_operators_and_of_whom_they_made_count_as_theirs(before: Any) -> None:
    people = before.get_model("accounts", "User").objects
    state = MigrationExecutor(connection).loader.project_state(
        [*BEFORE, ("account", "0009_emailaddress_unique_primary_email")]
    )
    addresses = state.apps.get_model("account", "EmailAddress").objects
    root = people.create(email="root@example.org", is_superuser=True)
    looked = people.create(email="looked@example.org", is_superuser=True)
    addresses.create(user_id=looked.pk, email=looked.email, verified=False)
    made = people.create(email="made@example.org")
    opened = people.create(email="opened@example.org")
    addresses.create(user_id=opened.pk, email=opened.email, primary=False, verified=False)
    addresses.create(user_id=opened.pk, email="wished@example.org", verified=False)
    signed_up = people.create(email="signed-up@example.org")
    addresses.create(user_id=signed_up.pk, email=signed_up.email, primary=True, verified=False)

    migrate([("accounts", "0014_addresses_of_operators")])

    assert dict(addresses.values_list("email", "verified")) == {
        root.email: True, looked.email: True, made.email: True, opened.email: True,
        "wished@example.org": False, signed_up.email: False,
    }  # fmt: skip
