"""What all other settings are made from: the environment, folders, and where Redis is."""

import hashlib
import os
import tempfile
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
#: Everything that is written at run time: database, photos, Redis socket, secret key.
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()

DEBUG = env.bool("DEBUG", default=False)
PORT = env.int("PORT", default=8000)
#: Web servers that `manage.py start` runs, on PORT and the ports after it.
WEB_PROCESSES = env.int("WEB_PROCESSES", default=1)

#: The socket of the Redis that `manage.py redis_server` runs where none is given. A socket's
#: path may not be longer than about 100 bytes.
REDIS_SOCKET = DATA_DIR / "redis.sock"
if len(str(REDIS_SOCKET).encode()) > 100:
    _name = hashlib.sha256(str(DATA_DIR).encode()).hexdigest()[:16]
    REDIS_SOCKET = Path(tempfile.gettempdir()) / f"emotion-{os.getuid()}-{_name}" / "redis.sock"
REDIS_IS_OURS = not env.str("REDIS_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="") or f"unix://{REDIS_SOCKET}"
#: Seconds to wait for Redis before going on without it: the database row is the truth.
REDIS_TIMEOUT = 2.0
#: One proxy stands in front, and says by which address and scheme a request came.
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
#: Whether anybody may make an account, or an operator invites people.
SIGNUP = env.str("SIGNUP", default="open")
if SIGNUP not in {"open", "closed"}:
    raise ImproperlyConfigured("SIGNUP is either open, or closed: then an operator invites people.")
