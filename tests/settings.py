"""The site's own settings, with what tests must not share with a running copy."""

import os
import tempfile

os.environ.setdefault("DEBUG", "true")
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="visage-tests-")
# Nothing listens here: what unit tests do must work without Redis, too.
os.environ["REDIS_URL"] = f"unix://{os.environ['DATA_DIR']}/no-redis.sock"

# Taken over whole, once the environment above is set.
from emotion_site.settings import *  # noqa: F403

DEBUG = False
# Django's test client calls itself testserver; no link may.
SITE_URL = "https://faces.example"
SECURE_SSL_REDIRECT = False
# A choice that one test made, and that was rolled back, is not known to the next.
MODEL_CHECK_SECONDS = 0.0
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Tests of the limits set their own.
ANONYMOUS_RATE = WRONG_TOKEN_RATE = ""
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
# Tests of limits set their own.
QUOTA_UPLOADS_A_DAY = QUOTA_BYTES = None
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    # They use the one thread that tests do; see conftest.py.
    SOCKET_THREADS = 1
STORAGES = {
    **STORAGES,  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
