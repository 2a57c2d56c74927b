"""The administration of people, and of what belongs to their accounts."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UserChangeForm as DjangoUserForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import access, audit, notices, tokens
from accounts.http import signed_in
from accounts.models import ApiToken, AuditEvent, Consent, User
from operations.read_only import ReadOnlyAdmin
from operations.seen_forms import SeenForm

# allauth's own pages show the secrets that codes are made from, search by user name, and let
# whoever may write addresses give somebody's account another one.
admin.site.unregister([Authenticator, EmailAddress, UserSession])
# Django's own lets whoever may change groups give their own one every permission.
admin.site.unregister(Group)


class WrittenBySuperusers(admin.ModelAdmin):
    """Staff with the permission look; superusers alone add, change and delete."""

    def get_actions(self, request: HttpRequest, *args: Any, **options: Any) -> dict[str, Any]:
        # Newer versions of Django say where the actions are shown.
        actions = super().get_actions(request, *args, **options)
        return actions if _is_superuser(request) else {}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)


class GroupForm(forms.ModelForm, SeenForm):
    """What superusers change of a group."""


@admin.register(Group)
class GroupAdmin(WrittenBySuperusers, DjangoGroupAdmin):
    """Permissions that several people have."""

    form = GroupForm

    def save_related(self, request: HttpRequest, form: Any, *args: Any) -> None:
        super().save_related(request, form, *args)
        if "permissions" in form.changed_data:
            _record_rights(form.instance, signed_in(request))

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        _record_rights(obj, signed_in(request))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        for group in queryset:
            self.delete_model(request, group)


@admin.register(Authenticator)
class AuthenticatorAdmin(admin.ModelAdmin):
    """Second factors: staff can take one away from somebody who has lost it, and no more."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = readonly_fields = ("user", "type", "created_at", "last_used_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Authenticator | None = None) -> bool:
        user = None if obj is None else obj.user
        return super().has_delete_permission(request, obj) and _may_touch(request, user)

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        super().delete_model(request, obj)
        audit.record("two_factor_removed_by_staff", obj.user, actor=signed_in(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Authenticator]) -> None:
        for factor in queryset:
            self.delete_model(request, factor)


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    """Which addresses were confirmed: whoever receives an account's mail can set its password.

    Superusers change the address itself, of which the person is told.
    """

    list_display = ("email", "user", "primary", "verified")
    list_filter = ("primary", "verified")
    list_select_related = ("user",)
    search_fields = ("email", "user__email")
    fields = ("email", "user", "primary", "verified")


@admin.register(UserSession)
class UserSessionAdmin(admin.ModelAdmin):
    """Where people are signed in; deleting a row signs them out there."""

    list_display = ("user", "created_at", "ip", "user_agent")
    list_select_related = ("user",)
    search_fields = ("user__email", "ip")
    fields = readonly_fields = ("user", "created_at", "ip", "user_agent")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: UserSession) -> None:
        audit.record("session_ended_by_staff", obj.user, actor=signed_in(request))
        obj.end()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        for session in queryset:
            self.delete_model(request, session)


class UserForm(DjangoUserForm, SeenForm):
    """What staff change of a person."""


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """Django's user administration, by e-mail address, with quotas.

    Who is not a superuser makes none and touches none: else whoever may change people could
    make themselves one.
    """

    ordering = ("email",)
    list_display: tuple[Any, ...] = (
        "email", "is_active", "is_staff", "date_joined", "last_login",
    )  # fmt: skip
    list_filter = ("is_active", "is_staff", "is_superuser", "date_joined")
    search_fields = ("email", "first_name", "last_name")
    date_hierarchy = "date_joined"
    show_full_result_count = False
    actions = ("enable", "disable", "end_access")
    form = UserForm
    fieldsets = (
        (None, {"fields": ("email", "sign_in", "seen")}),
        (_("Name"), {"fields": ("first_name", "last_name")}),
        (
            _("Quotas"),
            {
                "fields": ("quota_uploads_a_day", "quota_bytes", "quota_live_minutes_a_day"),
                "description": _("Empty means the site's default."),
            },
        ),
        (
            _("Permissions"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        found = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return found
        # Nothing is sent by whoever may only look.
        (name, options), *others = found
        return ((name, {**options, "fields": ("email", "sign_in")}), *others)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        dates = ("sign_in", "last_login", "date_joined")
        if request.user.is_superuser:
            return dates
        # Who receives an account's mail can set its password.
        address = () if obj is None else ("email",)
        return (*dates, *address, "is_staff", "is_superuser", "groups", "user_permissions")

    @admin.display(description=_("password"))
    def sign_in(self, user: User) -> str:
        """Whether there is one; Django's field shows the beginning of its hash."""
        if not user.has_usable_password():
            return str(_("None is set."))
        link = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html('{} <a href="{}">{}</a>', _("Set."), link, _("Set another"))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """For superusers: whoever sets a password can sign in as that person unseen.

        Their own they change where it is asked for, as everybody does.
        """
        if not request.user.is_superuser:
            raise PermissionDenied
        before = self.get_object(request, unquote(id))
        if before is not None and before.pk == request.user.pk:
            return redirect("account_change_password")
        response = super().user_change_password(request, id, form_url)
        if before is not None:
            user = User.objects.filter(pk=before.pk).exclude(password=before.password).first()
            if user is not None:
                audit.record("password_set_by_staff", user, actor=request.user)
        return response

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Write down what staff changed of the ways into somebody's account."""
        before = User.objects.filter(pk=obj.pk).first()
        super().save_model(request, obj, form, change)
        if before is None:
            if obj.has_usable_password():
                # Nobody but whom the operator gives it to can have claimed the address.
                access.note_that_address_is_theirs(obj)
            return
        actor = signed_in(request)
        if obj.email != before.email:
            # The old one no longer opens the account, and who had it is told. Whose account it is
            # was shown before or was not: second factors go or stay by that.
            is_theirs = access.owns_address(before)
            addresses = EmailAddress.objects.filter(user=obj)
            addresses.delete()
            addresses.create(user=obj, email=obj.email, primary=True, verified=is_theirs)
            audit.record("email_changed_by_staff", obj, actor=actor)
            notices.send_soon(obj, audit.ACTIONS["email_changed_by_staff"], to=before.email)
        if obj.is_active != before.is_active:
            _record_active(obj, actor)
        if {"is_staff", "is_superuser", "groups", "user_permissions"} & set(form.changed_data):
            audit.record("rights_changed", obj, actor=actor)

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        count = _switch(_touchable(request, queryset), signed_in(request), on=True)
        text = ngettext("%(count)d person enabled.", "%(count)d people enabled.", count)
        self.message_user(request, text % {"count": count})

    @admin.action(description=_("Disable (blocks sign-in, keeps data)"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        actor = signed_in(request)
        if queryset.filter(pk=actor.pk).exists():
            self.message_user(request, _("You cannot disable yourself."), messages.WARNING)
        others = _touchable(request, queryset).exclude(pk=actor.pk)
        count = _switch(others, actor, on=False)
        text = ngettext("%(count)d person disabled.", "%(count)d people disabled.", count)
        self.message_user(request, text % {"count": count})

    @admin.action(
        description=_(
            "End all access: tokens, webhooks, second factors, sessions, invitations to teams"
        ),
        permissions=["change"],
    )
    def end_access(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        people = list(_touchable(request, queryset))
        for user in people:
            access.end(user, signed_in(request))
        text = ngettext("Access ended for %(count)d person.", "Access ended for %(count)d people.",
                        len(people))  # fmt: skip
        self.message_user(request, text % {"count": len(people)})


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ("user", "purpose", "version", "given_at", "withdrawn_at")
    list_display_links = None
    list_filter = ("purpose", "version", ("withdrawn_at", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("user__email",)
    date_hierarchy = "given_at"
    fields = ("user", "purpose", "version", "given_at", "withdrawn_at")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "user", "action", "actor", "target", "details")
    list_display_links = None
    list_filter = ("action", "at")
    list_select_related = ("user", "actor")
    search_fields = ("user__email", "actor__email", "target")
    date_hierarchy = "at"
    fields = ("at", "user", "action", "actor", "target", "details")


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Whose tokens there are, by their first characters; they can be revoked."""

    list_display = (
        "name", "user", "prefix", "scope", "is_expired", "expires_at", "last_used_at",
        "created_at",
    )  # fmt: skip
    list_filter = ("scope", "expires_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__email")
    date_hierarchy = "created_at"
    actions = ("revoke",)
    fields = ("name", "user", "prefix", "scope", "expires_at", "last_used_at", "created_at")

    @admin.display(description=_("expired"), boolean=True)
    def is_expired(self, token: ApiToken) -> bool:
        return token.is_expired

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.delete_apitoken")

    @admin.action(description=_("Revoke permanently"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        count = 0
        for token in queryset.select_related("user"):
            tokens.delete(token, signed_in(request))
            count += 1
        text = ngettext("%(count)d token revoked.", "%(count)d tokens revoked.", count)
        self.message_user(request, text % {"count": count})


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser)


def _record_active(user: User, actor: User) -> None:
    audit.record("account_enabled" if user.is_active else "account_disabled", user, actor=actor)


@transaction.atomic
def _switch(people: QuerySet[User], actor: User, *, on: bool) -> int:
    """Enable or disable people, each of which is written down; returns how many changed."""
    changed = list(people.select_for_update(no_key=True).filter(is_active=not on))
    User.objects.filter(pk__in=[user.pk for user in changed]).update(is_active=on)
    for user in changed:
        user.is_active = on
        _record_active(user, actor)
    return len(changed)


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    if user is None:
        return True
    # A closed account is about to be deleted, and is not opened again.
    return user.deletion_requested_at is None and (
        not user.is_superuser or bool(request.user.is_superuser)
    )


def _touchable(request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
    people = User.objects.filter(
        pk__in=list(queryset.values_list("pk", flat=True)), deletion_requested_at=None
    )
    return people if request.user.is_superuser else people.exclude(is_superuser=True)


def _record_rights(group: Group, actor: User) -> None:
    """Write down that what a group's members may do has changed, or is about to."""
    for user in User.objects.filter(groups=group):
        audit.record("rights_changed", user, actor=actor)
