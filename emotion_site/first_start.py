"""What `make run` needs before the processes start, and what it leaves to try the site with."""

from __future__ import annotations

import logging

from django.conf import settings

from accounts.demo import DEMO_EMAIL, create_demo_users
from accounts.models import User
from emotion_site.health import ping_redis
from emotion_site.redis_server import NOT_FOUND, find_redis_server
from recognition.model_registry.checks import default_problem
from recognition.uploads import samples


class CannotStart(Exception):
    """Something is missing or in the way; the message is for whoever starts the site."""


def check() -> None:
    """Whatever would fail a minute later fails now.

    Raises:
        CannotStart: it would.
    """
    problem = default_problem()
    if problem is not None:
        raise CannotStart(f"{problem} Restore it or train one with `make train`.")
    if settings.REDIS_IS_OURS:
        if find_redis_server() is None:
            raise CannotStart(NOT_FOUND)
        try:
            ping_redis()
        except Exception:
            return  # As it should be: ours is not running yet.
        raise CannotStart(f"Another copy already runs on {settings.DATA_DIR}.")
    try:
        ping_redis()
    except Exception as error:
        raise CannotStart(f"REDIS_URL does not answer: {error}") from None


def create_people() -> tuple[list[tuple[str, str | None]], Exception | None]:
    """Make the demo users where they are missing, with results to look at from the first visit on.

    Returns:
        ``(e-mail, password)`` of each, as :func:`create_demo_users` does; and why there are no
        sample photos, where that failed.
    """
    users = create_demo_users()
    # Before anything is said: looking for faces makes libraries talk.
    if not any(password for email, password in users if email == DEMO_EMAIL):
        return users, None
    # Redis may not run yet: that nobody can be told of the results is no news.
    logging.disable(logging.WARNING)
    try:
        samples.add_recognised(User.objects.get(email=DEMO_EMAIL))
    except Exception as error:  # The site runs without them.
        return users, error
    finally:
        logging.disable(logging.NOTSET)
    return users, None
