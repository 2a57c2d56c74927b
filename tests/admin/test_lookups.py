"""Nobody reads through a list what it does not show: every admin, every field."""

from __future__ import annotations

import importlib
import io
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.test import Client
from django.urls import reverse

from accounts.models import User
from emotion_site.guarded_admin import GuardedAdmin
from recognition.models import Upload
from tests.support import everything
from tests.support.factories import allow

#: What names of fields look like that no member of staff needs to see.
SECRET = re.compile(
    r"secret|password|session_key|key_sha256|seed|^data$|payload|^url$|^samples$|"
    r"^image$|^thumbnail$|^file$|heat_map|^response$|_hash$|^key$|link_key|^external_id$|^attributes$"
)
#: A photo's file name, which people choose.
PERSONAL = {("recognition.Upload", "name")}
ADMINS = list(admin.site._registry.items())
BY_LABEL = pytest.mark.parametrize(
    ("model", "model_admin"), ADMINS, ids=[model._meta.label for model, _ in ADMINS]
)


def fields_of(model: type[models.Model]) -> Iterator[str]:
    for field in model._meta.get_fields():
        if getattr(field, "concrete", False):
            yield field.name
            yield str(getattr(field, "attname", field.name))


def through(model: type[models.Model]) -> Iterator[str]:
    """Fields of what is related, in both directions."""
    for field in model._meta.get_fields():
        related = field.related_model if field.is_relation else None
        if isinstance(related, type) and not getattr(field, "hidden", False):
            yield from (f"{field.name}__{inner}" for inner in fields_of(related))


def is_secret(label: str, name: str) -> bool:
    return bool(SECRET.search(name)) or (label, name) in PERSONAL


@BY_LABEL
def test_lists_are_asked_for_what_they_offer_alone(
    model: type[models.Model], model_admin: Any, charlie: User, charlie_client: Client
) -> None:
    assert isinstance(model_admin, GuardedAdmin)
    opts = model._meta
    allow(charlie, f"{opts.app_label}.view_{opts.model_name}")
    listing = f"/admin/{opts.app_label}/{opts.model_name}/"
    if opts.label == "recognition.ModelChoice":
        listing = ""  # Its page lists no rows.
    else:
        assert charlie_client.get(listing).status_code == 200
    probes = [
        f"{name}__{lookup}"
        for name in {*fields_of(model), *through(model)}
        for lookup in ("startswith", "contains", "regex", "iexact", "range", "exact__startswith")
    ]
    probes += [name for name in through(model) if not name.endswith("__id")]
    offered = set(model_admin._names(None))
    assert [p for p in probes if p not in offered and model_admin.lookup_allowed(p, "a")] == []
    names = {name for name in fields_of(model) if is_secret(opts.label, name)}
    for name in names if listing else ():
        for lookup in ("", "__startswith", "__gte", "__contains"):
            assert charlie_client.get(f"{listing}?{name}{lookup}=a").status_code == 400, name


@BY_LABEL
def test_no_secret_is_a_column_a_filter_or_searched(
    model: type[models.Model], model_admin: Any
) -> None:
    shown = [*model_admin.list_display, *model_admin.search_fields, *(model_admin.fields or ())]
    shown += [entry if isinstance(entry, str) else entry[0] for entry in model_admin.list_filter
              if isinstance(entry, (str, tuple))]  # fmt: skip
    shown += model_admin.readonly_fields
    for _name, options in model_admin.fieldsets or ():
        shown += options["fields"]
    label = model._meta.label
    for name in shown:
        last = str(name).split("__")[-1].lstrip("^=@")
        assert not is_secret(label, last), name


def secrets_of(row: models.Model) -> Iterator[str]:
    for field in row._meta.concrete_fields:
        if is_secret(row._meta.label, field.name):
            found = leaves(field.value_from_object(row))
            # The beginning of a password's hash would do, which its parameters come before.
            is_hash = field.name == "password"
            yield from (leaf.rsplit("$", 1)[-1][:6] if is_hash else leaf for leaf in found)


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (leaf for inner in value.values() for leaf in leaves(inner))
    elif isinstance(value, list):
        yield from (leaf for inner in value for leaf in leaves(inner))
    elif len(str(value)) >= 5:
        yield str(value)


def test_no_page_shows_one(alice_upload: Upload, root_client: Client) -> None:
    everything.make(alice_upload)
    n_secrets = 0
    for model, _model_admin in ADMINS:
        opts = model._meta
        listing = f"/admin/{opts.app_label}/{opts.model_name}/"
        rows = list(model._default_manager.all())
        pages = [listing]
        for row in rows:
            pages += [f"{listing}{row.pk}/{page}/" for page in ("change", "history", "delete")]
        found = {leaf for row in rows for leaf in secrets_of(row)} - {"True", "False"}
        n_secrets += len(found)
        for path in pages:
            page = root_client.get(path, follow=True).content.decode()
            assert not [leaf for leaf in found if leaf in page], path
    assert n_secrets >= 8


def test_a_filter_and_the_dates_still_work(alice_upload: Upload, root_client: Client) -> None:
    listing = "/admin/recognition/upload/"
    year = alice_upload.created_at.year
    for query in (
        f"pk={alice_upload.pk}", f"id__exact={alice_upload.pk}", "status__exact=pending",
        "status=pending", "photo=kept", f"created_at__year={year}", "q=alice", "o=2",
        f"created_at__gte={year}-01-01+00:00", "error_code__isnull=False",
    ):  # fmt: skip
        response = root_client.get(f"{listing}?{query}")
        assert response.status_code == 200, query
        assert str(alice_upload.pk) in response.content.decode(), query


def test_staff_who_may_change_groups_give_themselves_nothing(
    charlie: User, charlie_client: Client
) -> None:
    from django.contrib.auth.models import Group

    group = Group.objects.create(name="helpers")
    charlie.groups.add(group)
    allow(charlie, "auth.view_group", "auth.change_group", "auth.add_group", "auth.delete_group")
    everything_there_is = list(Permission.objects.values_list("pk", flat=True))
    form = {"name": "helpers", "permissions": everything_there_is}
    path = f"/admin/auth/group/{group.pk}"
    assert charlie_client.get(f"{path}/change/").status_code == 200
    assert charlie_client.post(f"{path}/change/", form).status_code == 403
    assert charlie_client.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
    assert charlie_client.post("/admin/auth/group/add/", form).status_code == 403
    assert not group.permissions.exists()


def test_the_log_of_the_administration_names_nobody(
    alice: User, root_client: Client, charlie: User
) -> None:
    """So that nobody is in it any more once they are deleted."""
    group = {"name": "friends of alice@example.org"}
    form = {"email": alice.email, "is_active": "on", "first_name": "Alice", "last_name": ""}
    new = {"email": "dora@example.org", "usable_password": "true",
           "password1": "a-good-password-7", "password2": "a-good-password-7"}  # fmt: skip
    steps = [
        ("/admin/accounts/user/add/", new),
        (f"/admin/accounts/user/{alice.pk}/change/", form),
        (f"/admin/accounts/user/{charlie.pk}/delete/", {"post": "yes"}),
        ("/admin/auth/group/add/", group),
        (f"/admin/accounts/user/{alice.pk}/password/",
         {"usable_password": "true", "password1": "a-new-password-7",
          "password2": "a-new-password-7"}),
    ]  # fmt: skip
    for path, fields in steps:
        assert root_client.post(path, fields).status_code == 302, path
    entries = list(LogEntry.objects.values_list("object_repr", "change_message"))
    assert len(entries) >= len(steps)
    text = str(entries)
    for name in ("alice", "Alice", "charlie", "dora", "friends", "@"):
        assert name not in text
    assert root_client.get("/admin/").status_code == 200


def test_what_the_log_said_before_is_forgotten(alice: User, root: User) -> None:
    content_type = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=root, content_type=content_type, object_id="77", object_repr="gone@example.org",
        action_flag=DELETION,
    )  # fmt: skip
    name = "accounts.migrations.0009_admin_log_without_names"
    importlib.import_module(name).forget_names(apps, None)
    assert LogEntry.objects.get().object_repr == "user 77"


def test_a_refused_lookup_is_one_line_of_the_log(root_client: Client) -> None:
    """Whoever tries must not fill the log: no code of ours has failed."""
    console = next(h for h in logging.getLogger().handlers if h.name == "console")
    assert isinstance(console, logging.StreamHandler)
    earlier = console.setStream(io.StringIO())
    try:
        listing = reverse("admin:usersessions_usersession_changelist")
        assert root_client.get(f"{listing}?session_key__startswith=a").status_code == 400
        written = console.stream.getvalue()
    finally:
        console.setStream(earlier)
    assert "Filtering by session_key__startswith not allowed" in written
    assert "Traceback" not in written


@BY_LABEL
def test_what_is_no_key_is_refused(
    model: type[models.Model], model_admin: GuardedAdmin, root_client: Client
) -> None:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for key in ("x" * 300, "9" * 30):
        chosen = {"action": "delete_selected", "_selected_action": key, "post": "yes"}
        assert root_client.post(address, chosen).status_code in {400, 403}, key
