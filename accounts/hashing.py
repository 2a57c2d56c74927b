"""Hashing of passwords, a few at a time.

Each hash takes memory and a core on purpose. Thirty sign-ins at once took 1.4 GB and made all pages
wait, at Django's 100 MiB and eight threads each.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

# Threads of their own and not a semaphore: each thread that ever hashed would keep its memory.
_threads = ThreadPoolExecutor(settings.PASSWORD_HASHES_AT_ONCE, "passwords")


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id by the OWASP Password Storage Cheat Sheet's first choice of 2025: 19 MiB, t=2, p=1.

    A hash with other parameters is made anew when its person signs in. A process hashes
    :data:`settings.PASSWORD_HASHES_AT_ONCE` passwords at the same time; others wait their turn.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return str(_threads.submit(super().encode, password, salt).result())

    def verify(self, password: str, encoded: str) -> bool:
        return bool(_threads.submit(super().verify, password, encoded).result())
