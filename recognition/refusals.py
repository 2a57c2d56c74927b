"""What somebody asked for and does not get: a code, a status and a sentence."""

from __future__ import annotations

from django.utils.translation import gettext as _

from operations import rates


class Refusal(Exception):
    """Pages show the message, a sentence in the reader's language; the API gives all three.

    Attributes:
        code: stable, for programs; `recognition.api.errors` explains each that the API gives.
        status: HTTP status of the API's answer.
        retry_after: seconds after which the same request may succeed; None where time alone
            changes nothing.
    """

    code: str
    status: int
    retry_after: int | None = None


class TooOften(Refusal):
    """Somebody does something more often than a person would."""

    code, status = "throttled", 429


def check_rate(what: str, who: object, rate: str) -> None:
    """Count once more what a person does, in all web processes together.

    Args:
        what: such as ``pings``; counts of different things do not mix.
        who: the primary key of the person.
        rate: such as ``10/min``; empty for no limit.

    Raises:
        TooOften: this was above the rate.
    """
    wait = rates.too_often(what, str(who), rate)
    if wait is not None:
        error = TooOften(
            _("That was too often in too short a time. Try again in %(seconds)d seconds.")
            % {"seconds": wait}
        )
        error.retry_after = wait
        raise error
