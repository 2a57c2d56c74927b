"""Two people to try the site with, made once, in debug only."""

import secrets

from accounts.models import User

DEMO_EMAIL = "demo@example.com"
ADMIN_EMAIL = "admin@example.com"


def create_demo_users() -> list[tuple[str, str | None]]:
    """Make the demo user and the administrator where they are missing.

    Returns:
        ``(e-mail, password)`` of both; the password is None for one that was already there.
    """
    created: list[tuple[str, str | None]] = []
    for email, create in (
        (DEMO_EMAIL, User.objects.create_user),
        (ADMIN_EMAIL, User.objects.create_superuser),
    ):
        password: str | None = None
        if not User.objects.filter(email=email).exists():
            password = secrets.token_urlsafe(9)
            create(email, password)
        created.append((email, password))
    return created
