"""Where allauth asks this site for its ways."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts import access, audit, notices, pending_sign_ins
from accounts.addresses import mailbox
from accounts.models import User
from operations import mails, rates

logger = logging.getLogger(__name__)

RESET_MAIL = "account/email/password_reset_key"
#: Mails that anybody can have sent to an address that is not theirs, and how many of them it gets.
ASKED_FOR = frozenset(
    {
        RESET_MAIL, "account/email/unknown_account",
        "account/email/account_already_exists", "account/email/email_confirmation",
        "account/email/email_confirmation_signup",
    }
)  # fmt: skip
ASKED_FOR_RATE = "20/d"


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGNUP == "open")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """The site's name in mails is its own; the inherited one is the Host header.

        A mailbox that has had :data:`ASKED_FOR_RATE` of what anybody can ask for gets no more.

        Raises:
            NotSent: the mail server did not take it.
        """
        whose = mailbox(email)
        if template_prefix in ASKED_FOR and rates.too_often("mails", whose, ASKED_FOR_RATE):
            logger.warning("an address gets no more mail today: %s", template_prefix)
            return
        site = SimpleNamespace(name="Visage", domain=settings.SITE_URL.partition("//")[2])
        known = {"request": self.request, "email": email, "current_site": site}
        mail = self.render_mail(template_prefix, email, {**known, **context})
        try:
            mails.deliver(mail)
        except mails.NotSent as error:
            if template_prefix != RESET_MAIL or settings.ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS:
                raise
            # Only those who have an account are sent one: a failure would say who has.
            logger.error("a link to set a password %s", error)

    def pre_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponse | None:
        pending_sign_ins.begin(request.session, user)
        answer: HttpResponse | None = super().pre_login(request, user, **options)
        return answer

    @transaction.atomic
    def login(self, request: HttpRequest, user: User) -> None:
        """Not where the password was changed, or access ended, between two steps of it.

        Raises:
            ImmediateHttpResponse: it begins anew.
        """
        people = User.objects.select_for_update(no_key=True)
        locked = people.filter(pk=user.pk, is_active=True).first()
        if locked is None or not pending_sign_ins.may_finish(request.session, locked):
            clear_login(request)
            raise ImmediateHttpResponse(redirect("account_login"))
        access.end_oldest_sessions(locked)
        super().login(request, user)

    def render_mail(self, *args: Any, **options: Any) -> EmailMultiAlternatives:
        """With an HTML part, as all mails of this site."""
        return mails.with_html(super().render_mail(*args, **options))

    def set_password(self, user: User, password: str) -> None:
        """Not for a request that was on its way while somebody else got the account back.

        Raises:
            PermissionDenied: access has ended since the request was let in.
        """
        # Hashed first: others wait for a row that is locked.
        user.set_password(password)
        with transaction.atomic():
            access.refuse_if_ended(user)
            user.save()

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Once the change is stored; a mail server that is gone stops none."""
        address = email or user.email
        send_mail = super().send_notification_mail

        def send() -> None:
            try:
                send_mail(template_prefix, user, context, address)
            except mails.NotSent as error:
                logger.warning("a notice %s", error)

        if settings.ACCOUNT_EMAIL_NOTIFICATIONS and notices.may_tell(
            user, address, notices.ACCOUNT
        ):
            transaction.on_commit(send)

    @transaction.atomic
    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Make an address its person's own, if it may still become that.

        Not once another account has it, nor once their access has ended: the row is locked, so
        that a confirmation which was on its way does not bring back what that took away.
        """
        others = User.objects.exclude(pk=email_address.user_id)
        user = User.objects.select_for_update(no_key=True).filter(pk=email_address.user_id).first()
        is_there = EmailAddress.objects.filter(pk=email_address.pk).exists()
        if user is None or not is_there or others.filter(email=email_address.email).exists():
            text = "account/messages/email_confirmation_failed.txt"
            self.add_message(request, messages.ERROR, text, {"email": email_address.email})
            return False
        email_address.user = user
        return bool(super().confirm_email(request, email_address))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """What failed sign-ins are counted by: the e-mail address alone.

        The inherited key has the Host header in it, whose port anybody may choose: each port
        would begin to count anew.
        """
        return str(credentials.get("email", "")).strip().lower()


class SessionsAdapter(DefaultUserSessionsAdapter):
    def end_sessions(self, sessions: list[UserSession]) -> None:
        """Sign somebody out elsewhere, and write it down."""
        super().end_sessions(sessions)
        for user in {session.user for session in sessions}:
            audit.record("signed_out_elsewhere", user, actor=user)
