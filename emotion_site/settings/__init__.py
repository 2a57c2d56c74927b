"""All settings, driven by the environment; docs/SETTINGS.md has a table of the variables."""

import os
import re
import secrets
import warnings
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

# Django takes every name in capitals of one module; these are parts of it.
from emotion_site.settings.api import *  # noqa: F403 (one namespace)
from emotion_site.settings.environment import *  # noqa: F403 (one namespace)
from emotion_site.settings.environment import (
    BASE_DIR,
    BEHIND_PROXY,
    DATA_DIR,
    DEBUG,
    PORT,
    REDIS_TIMEOUT,
    REDIS_URL,
    SIGNUP,
    env,
)
from emotion_site.settings.logs import *  # noqa: F403 (one namespace)
from emotion_site.settings.recognition import *  # noqa: F403 (one namespace)
from emotion_site.settings.recognition import MAXIMUM_FILES_PER_FORM
from emotion_site.settings.studies import *  # noqa: F403 (one namespace)
from emotion_site.settings.work import *  # noqa: F403 (one namespace)

#: Where the key is kept if the environment has none; `emotion_site.data_folder` writes it.
SECRET_KEY_FILE = DATA_DIR / "secret_key"
SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY and os.access(SECRET_KEY_FILE, os.R_OK):
    SECRET_KEY = SECRET_KEY_FILE.read_text().strip()
#: In debug a key makes itself, and is kept so that a restart signs nobody out.
SECRET_KEY_IS_NEW = DEBUG and not SECRET_KEY
if SECRET_KEY_IS_NEW:
    SECRET_KEY = secrets.token_urlsafe(50)
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Set it to a long random string, or, on a machine of your own, "
        "set DEBUG=true as `make run` does."
    )
#: Keys of before; what they signed and encrypted is still read.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
#: Keys of the secrets in the database, the present one first; without one, they are SECRET_KEY and
#: its predecessors.
FIELD_ENCRYPTION_KEYS = env.list("FIELD_ENCRYPTION_KEY", default=[])
_KEYS = (SECRET_KEY, *SECRET_KEY_FALLBACKS, *FIELD_ENCRYPTION_KEYS)
if not DEBUG and any(len(k) < 32 or len(set(k)) < 8 for k in _KEYS):
    raise ImproperlyConfigured(
        "SECRET_KEY, or a key beside it, is too weak: anybody could guess it. Make one of 50 "
        'random characters: python -c "import secrets; print(secrets.token_urlsafe(50))"'
    )

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "daphne",
    # Before django_guid: its line about a task is written while the task's request id stands.
    "operations",
    "django_guid",
    "emotion_site.apps.AdminConfig",
    "emotion_site.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "channels",
    "csp",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "accounts",
    "recognition",
    "studies",
]

MIDDLEWARE = [
    "emotion_site.middleware.absolute_urls_are_ours",
    "django_guid.middleware.guid_middleware",
    "operations.requests_seen.seen",
    "emotion_site.middleware.bodies_in_utf_8",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "emotion_site.middleware.private_pages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "emotion_site.visitors.limited",
    "emotion_site.form_rates.FormRates",
    "emotion_site.unsent_mails.UnsentMails",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.reauthentication.Reauthentication",
    "accounts.coming_back.to_the_form",
    "emotion_site.middleware.pages_where_forms_go",
    "accounts.middleware.ask_for_consent",
]

ROOT_URLCONF = "emotion_site.urls"
ASGI_APPLICATION = "emotion_site.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "emotion_site.operator.context",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# Database -----------------------------------------------------------------------------------

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # Readers do not wait for the writer, and a writer takes its place in the queue at the
        # start of its transaction instead of failing in the middle of it.
        # What is deleted is overwritten: else it stays in the file, and comes into backups, until
        # its place is needed. Some builds of SQLite do so by themselves, others do not.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
        "PRAGMA secure_delete=ON;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cache: what sign-in has counted -----------------------------------------------------------------

# In the database, because all processes share it and nobody signs in without it: were the counts
# of failed sign-ins in Redis, its absence would either lift the limit or lock everybody out. A
# migration makes the table.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_entries",
        # Beyond it entries go before their time, and counts with them: more than a flood of
        # sign-ins makes in five minutes.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}

# Redis: Celery's broker and Channels' layer ---------------------------------------------------

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_connect_timeout": REDIS_TIMEOUT}],
            "prefix": "emotion",
        },
    }
}

# Accounts ---------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "accounts.hashing.BoundedArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
#: Passwords that one process hashes at the same time.
PASSWORD_HASHES_AT_ONCE = env.int("PASSWORD_HASHES_AT_ONCE", default=2)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
USERSESSIONS_ADAPTER = "accounts.adapter.SessionsAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.ConsentForm"
ACCOUNT_FORMS = {
    "add_email": "accounts.allauth_forms.AddEmailForm",
    "change_password": "accounts.allauth_forms.ChangePasswordForm",
    "reset_password": "accounts.allauth_forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.allauth_forms.ResetPasswordKeyForm",
    "signup": "accounts.allauth_forms.SignupForm",
}
ACCOUNT_EMAIL_VERIFICATION = env.str("EMAIL_VERIFICATION", default="none")
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Nobody is told how to sign up where nobody can.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = SIGNUP == "open"
# Of a changed password, address or second factor; where no mail is set up, a log is no place.
ACCOUNT_EMAIL_NOTIFICATIONS = env.str("EMAIL_URL", default="") not in {"", "consolemail://"}
# What would let somebody at an unlocked screen take over the account asks for the password.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# The sixth wrong password, or two-factor code, within five minutes is refused, and so is
# whatever comes after it, right or wrong.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "30/m/ip,5/5m/key",
    # Mails of whatever kind to one address have a limit of their own: see accounts/adapter.py.
    "reset_password": "20/m/ip,200/d/ip,5/m/key,20/d/key",
}
MFA_ADAPTER = "accounts.second_factors.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Visage"
# Whoever has not shown that the address is theirs sets up no second factor: a reset by mail ends
# all that came before. Where every address is verified, only a change of it can be pending; where
# no mail is set up, nothing can be verified or reset.
MFA_ALLOW_UNVERIFIED_EMAIL = (
    ACCOUNT_EMAIL_VERIFICATION == "mandatory" or not ACCOUNT_EMAIL_NOTIFICATIONS
)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"

#: Where the site is: the origin of every absolute URL that it writes, in mails and in the API.
SITE_URL = env.str("SITE_URL", default=f"http://localhost:{PORT}" if DEBUG else "").rstrip("/")
if not re.fullmatch(r"https?://([\w.-]+|\[[0-9a-f:]+\])(:\d{1,5})?", SITE_URL):
    raise ImproperlyConfigured(
        "SITE_URL must be set to where the site is reached, such as https://photos.example.org, "
        "without a path: links in mails lead there."
    )

#: Nobody else hears what a browser says to its own machine: there, HTTP will do.
ON_THIS_MACHINE = bool(re.match(r"http://(localhost|127\.0\.0\.1|\[::1\])(:|$)", SITE_URL))
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if DEBUG or ON_THIS_MACHINE else "https"

EMAIL_CONFIG = env.email_url_config(env.str("EMAIL_URL", default="") or "consolemail://")
vars().update(EMAIL_CONFIG)
#: Seconds for which a mail server is waited for that says nothing. Requests wait for it in their
#: turns: without an end, a few would keep all pages waiting.
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=5)
_PRINTED = "django.core.mail.backends.console.EmailBackend"
#: Whether mail reaches people. In debug it is printed; elsewhere a log is no place for links that
#: open accounts: then nothing is sent, and nobody is offered what needs mail.
CAN_MAIL = DEBUG or EMAIL_CONFIG["EMAIL_BACKEND"] != _PRINTED
if not CAN_MAIL:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="webmaster@localhost")

# Web --------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
#: Each by its own name. Who has chosen none gets what their browser asks for.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
#: The second holds what packages say, in this site's English: sentence case, British spelling.
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "emotion_site" / "packages_locale"]
FORMAT_MODULE_PATH = ["emotion_site.formats"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
#: Where `collectstatic` puts them, and where they are sent from.
STATIC_ROOT = Path(env.str("STATIC_ROOT", default="") or DATA_DIR / "static")
#: What `make docs` built, served at /docs/.
DOCUMENTATION_ROOT = Path(env.str("DOCUMENTATION_ROOT", default="") or BASE_DIR / "var" / "docs")
MEDIA_ROOT = DATA_DIR / "media"
S3_BUCKET = env.str("S3_BUCKET", default="")
#: Where the web server in front finds the files of MEDIA_ROOT, for it alone to send once a view
#: has checked their owner; empty where there is none. Files in a bucket are sent by the views.
ACCEL_REDIRECT = "" if S3_BUCKET else env.str("ACCEL_REDIRECT", default="")
#: A web server that sends the files reads them as a member of this site's group.
_FILE_MODES = (0o640, 0o750) if ACCEL_REDIRECT else (0o600, 0o700)
STORAGES = {
    # No URL: photos leave only through the views that check their owner.
    "default": {
        "BACKEND": "operations.whole_files.WholeFileStorage",
        "OPTIONS": {
            "file_permissions_mode": _FILE_MODES[0],
            "directory_permissions_mode": _FILE_MODES[1],
        },
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if S3_BUCKET:
    from botocore.config import Config

    STORAGES["default"] = {
        "BACKEND": "operations.bucket_storage.BucketStorage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.str("S3_ENDPOINT_URL", default=None),
            "region_name": env.str("S3_REGION", default=None),
            "location": env.str("S3_PREFIX", default=""),
            # Private, as buckets are by themselves; many no longer take an ACL with the object.
            "default_acl": None,
            # Names are random: to ask first whether one is taken would double the requests.
            "file_overwrite": True,
            "client_config": Config(
                connect_timeout=3,
                read_timeout=5,
                retries={"total_max_attempts": 2, "mode": "standard"},
                # Not every S3 that is not Amazon's knows the newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        },
    }
#: Larger files of a request go to the disk: many may wait for their turn at the same time.
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "operations.unnamed_files.UnnamedFileUploadHandler",
]
#: Seconds that a request may take to arrive at whatever pace; see `emotion_site.request_bodies`.
REQUEST_GRACE_SECONDS = env.float("REQUEST_GRACE_SECONDS", default=20.0)
#: Requests that one web process works on at the same time, each with a connection to the database.
PAGES_AT_ONCE = env.int("PAGES_AT_ONCE", default=12)
#: Threads in which the sockets of one web process ask the database, likewise.
SOCKET_THREADS = env.int("SOCKET_THREADS", default=4)
#: Bytes a second at which an answer must be read while the site waits for its reader, beyond three
#: times that grace; who is slower is left.
SLOWEST_READING = env.int("SLOWEST_READING", default=8192)
#: Days for which events of the audit trail are kept; 0 for as long as the account.
AUDIT_DAYS = env.int("AUDIT_DAYS", default=730)
#: Answers that wait for readers of one network address in each web process; beyond them, whoever
#: does not read at once is left.
READERS_PER_ADDRESS = env.int("READERS_PER_ADDRESS", default=100)
#: Bytes of these answers that wait in memory; a single one may have more. What they were made of
#: waits with them, and takes several times as much.
READERS_BYTES_PER_ADDRESS = env.int("READERS_MEGABYTES_PER_ADDRESS", default=8) * 1024 * 1024
#: The largest body of a request with photos; a form may carry several.
MAXIMUM_BODY_BYTES = env.int("MAXIMUM_BODY_MEGABYTES", default=100) * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = MAXIMUM_FILES_PER_FORM

# WhiteNoise hands the ASGI server a plain iterator over a file; Django reads it in one go, which
# is right for files of this size, and warns once.
warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "media-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "emotion_site.flash.BoundedStorage"
if not DEBUG and not ON_THIS_MACHINE:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    # No other host of the domain can set or read them.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-language"
    MESSAGE_STORAGE = "emotion_site.flash.OwnStorage"
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_SSL_HOST = SITE_URL.partition("//")[2]
    SECURE_REDIRECT_EXEMPT = [r"^healthz(/live)?$"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    # Both reach beyond this site, to every host below its name and into browsers for years.
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
    SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
    if BEHIND_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        # Otherwise all people would be one address to the limits.
        ALLAUTH_TRUSTED_PROXY_COUNT = 1
