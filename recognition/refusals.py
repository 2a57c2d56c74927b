"""What somebody asked for and does not get: a code, a status and a sentence."""

from __future__ import annotations


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
