"""All settings, driven by the environment; the README has a table of the variables."""

import os
import re
import secrets
import warnings
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django_guid.integrations.celery import CeleryIntegration
from kombu import Exchange, Queue

from operations.private_folders import NotPrivate, close_to_others, private_file, private_folder

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
#: Everything that is written at run time: database, photos, Redis socket, secret key.
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(mode=0o750, parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", default=False)
PORT = env.int("PORT", default=8000)
#: Web servers that `manage.py start` runs, on PORT and the ports after it.
WEB_PROCESSES = env.int("WEB_PROCESSES", default=1)


def available_cores() -> int:
    """Cores this process may use, which in a container can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _debug_secret_key() -> str:
    """A random key made once and kept, so that a restart signs nobody out."""
    file = DATA_DIR / "secret_key"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text()
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secrets.token_urlsafe(50))
    return file.read_text()


SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Set it to a long random string, or, on a machine of your own, "
            "set DEBUG=true as `make run` does."
        )
    SECRET_KEY = _debug_secret_key()
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
]

MIDDLEWARE = [
    "emotion_site.middleware.absolute_urls_are_ours",
    "django_guid.middleware.guid_middleware",
    "operations.requests_seen.seen",
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
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
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
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
    }
    # SQLite gives the files beside it the same mode.
    private_file(Path(DATABASES["default"]["NAME"]))
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
    # How often each person asks the programming interface, which a page with a photo that waits
    # does every few seconds. In the database each question would be a write, and those queue;
    # in Redis each would wait where that hangs. So every web process counts what it is asked.
    "requests": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "requests",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
}

# Redis: Celery's broker and Channels' layer ---------------------------------------------------

#: The socket of the Redis that `manage.py redis_server` runs where none is given. A socket's
#: path may not be longer than about 100 bytes.
REDIS_SOCKET = DATA_DIR / "redis.sock"
if len(str(REDIS_SOCKET).encode()) > 100:
    import hashlib
    import tempfile

    _name = hashlib.sha256(str(DATA_DIR).encode()).hexdigest()[:16]
    try:
        _folder = private_folder(Path(tempfile.gettempdir()) / f"emotion-{os.getuid()}-{_name}")
    except NotPrivate as error:
        raise ImproperlyConfigured(str(error)) from None
    REDIS_SOCKET = _folder / "redis.sock"
REDIS_IS_OURS = not env.str("REDIS_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="") or f"unix://{REDIS_SOCKET}"
#: Seconds to wait for Redis before going on without it: the database row is the truth.
REDIS_TIMEOUT = 2.0

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_connect_timeout": REDIS_TIMEOUT}],
            "prefix": "emotion",
        },
    }
}

CELERY_BROKER_URL = (
    REDIS_URL.replace("unix://", "redis+socket://", 1)
    if REDIS_URL.startswith("unix://")
    else REDIS_URL
)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "socket_timeout": REDIS_TIMEOUT,
    "socket_connect_timeout": REDIS_TIMEOUT,
    # A page that queues a photo tries once; the worker's own connection has its own patience.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
    "connect_retries_timeout": REDIS_TIMEOUT,
    # A worker empties the first queue of its -Q before it takes from the next.
    "queue_order_strategy": "priority",
}
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 40
CELERY_TASK_TIME_LIMIT = 45
# In the order in which workers look into them; recognition/jobs/queues.py says what goes where.
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name) for name in ("urgent", "interactive", "bulk")
]
CELERY_TASK_DEFAULT_QUEUE = "bulk"
CELERY_TASK_ROUTES = {
    "recognition.process_upload": {"queue": "interactive"},
    "recognition.explain_face": {"queue": "interactive"},
    "recognition.delete_account": {"queue": "urgent"},
    "recognition.sweep_closed_accounts": {"queue": "urgent"},
    "recognition.sweep_uploads": {"queue": "urgent"},
    # A worker of its own takes these: receivers of webhooks may be slow, photos shall not wait.
    "recognition.deliver_webhooks": {"queue": "webhooks"},
}
# A page never waits for the broker: what cannot be queued now is queued by the sweep.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    # While no worker runs, sweeps do not pile up.
    "sweep-uploads": {
        "task": "recognition.sweep_uploads",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "clear-expired": {"task": "accounts.clear_expired", "schedule": 3600.0},
    "sweep-closed-accounts": {"task": "recognition.sweep_closed_accounts", "schedule": 30.0},
    "sweep-exports": {"task": "recognition.sweep_exports", "schedule": 30.0},
    "sweep-photos": {"task": "recognition.sweep_photos", "schedule": 600.0},
    # It expires, so that none pile up while nobody takes them.
    "deliver-webhooks": {
        "task": "recognition.deliver_webhooks",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "sweep-api": {"task": "recognition.sweep_api", "schedule": 3600.0},
    "sweep-comparisons": {"task": "recognition.sweep_comparisons", "schedule": 30.0},
}

# Recognition ----------------------------------------------------------------------------------

MODEL_MANIFEST = Path(
    env.str("MODEL_MANIFEST", default=str(BASE_DIR / "models" / "emotion_vgg16.json"))
)
#: Seconds for which a process goes on with the model it knows before it looks whether the
#: operator has made another one active.
MODEL_CHECK_SECONDS = 3.0
#: Threads of one classification. Worker processes use one each (see the Procfile): they look at
#: as many photos at a time as there are cores. With two, one live page gets a fifth more frames a
#: second, and 25 or 50 of them no fewer.
RECOGNIZER_THREADS = env.int("RECOGNIZER_THREADS", default=2)
#: What finds faces: BlazeFace and the Haar cascade together, or one of them alone.
DETECTOR = env.str("DETECTOR", default="both")
if DETECTOR not in {"both", "blazeface", "haar"}:
    raise ImproperlyConfigured("DETECTOR is both, blazeface or haar.")
#: Threads that look at live frames: one for each core that this process may use.
LIVE_THREADS = env.int("LIVE_THREADS", default=available_cores())
#: The largest live frame, in bytes. Whoever sends more than twice as much is cut off.
LIVE_MAXIMUM_BYTES = 512 * 1024
#: Sockets of each kind that may be open to one network address, which a whole room may share.
SOCKETS_PER_ADDRESS = env.int("SOCKETS_PER_ADDRESS", default=500)
MAXIMUM_ATTEMPTS = 3
#: A claim older than this belongs to a worker that died. Longer than the hard time limit.
CLAIM_SECONDS = env.int("CLAIM_SECONDS", default=50)
#: A queued upload that no worker took for this long is queued again.
REQUEUE_SECONDS = env.int("REQUEUE_SECONDS", default=60)
#: Days after which photos are deleted, their results kept: 0 for at once, none for never. Each
#: person may choose for themselves, up to the maximum.
RETENTION_DEFAULT_DAYS = env.int("RETENTION_DEFAULT_DAYS", default=None)
RETENTION_MAXIMUM_DAYS = env.int("RETENTION_MAXIMUM_DAYS", default=None)
#: What one person may use, unless their own row says otherwise; none for as much as they like.
QUOTA_UPLOADS_A_DAY = env.int("QUOTA_UPLOADS_A_DAY", default=None)
QUOTA_BYTES = env.int("QUOTA_BYTES", default=None)
QUOTA_LIVE_MINUTES_A_DAY = env.int("QUOTA_LIVE_MINUTES_A_DAY", default=None)
#: Photos in one submission of the form that works without JavaScript.
MAXIMUM_FILES_PER_FORM = 50

# Programming interface -------------------------------------------------------------------------

#: Requests that one person, or one address of somebody who is not signed in, may send to one web
#: process; such as ``600/min``, or nothing for no limit.
API_RATE = env.str("API_RATE", default="600/min")
#: Requests of one person that create uploads.
API_UPLOAD_RATE = env.str("API_UPLOAD_RATE", default="300/min")
API_ANONYMOUS_RATE = env.str("API_ANONYMOUS_RATE", default="60/min")
#: Requests of one address from which nobody is signed in, to all web processes together; and those
#: of them with a token that is not valid, beyond which the answer is 429.
ANONYMOUS_RATE = env.str("ANONYMOUS_RATE", default="600/min")
WRONG_TOKEN_RATE = env.str("WRONG_TOKEN_RATE", default="30/min")
RATE_PREFIX = "visage-rates"
#: Requests that one process lets wait for a result at the same time; others are answered at once.
API_MAXIMUM_WAITING = env.int("API_MAXIMUM_WAITING", default=200)
#: Send webhooks to addresses of one's own network, and without HTTPS. Whoever can sign up can
#: then make this machine call others that only it can reach.
WEBHOOK_ALLOW_PRIVATE = env.bool("WEBHOOK_ALLOW_PRIVATE", default=False)

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
}
SIGNUP = env.str("SIGNUP", default="open")
if SIGNUP not in {"open", "closed"}:
    raise ImproperlyConfigured("SIGNUP is either open, or closed: then an operator invites people.")
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
ACCOUNT_RATE_LIMITS = {"login_failed": "30/m/ip,5/5m/key"}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if DEBUG else "https"
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

EMAIL_CONFIG = env.email_url_config(env.str("EMAIL_URL", default="") or "consolemail://")
vars().update(EMAIL_CONFIG)
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
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["emotion_site.formats"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
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
        "BACKEND": "storages.backends.s3.S3Storage",
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
                read_timeout=10,
                retries={"max_attempts": 2, "mode": "standard"},
                # Not every S3 that is not Amazon's knows the newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        },
    }
#: Seconds that a request may take to arrive at whatever pace; see `emotion_site.request_bodies`.
REQUEST_GRACE_SECONDS = env.float("REQUEST_GRACE_SECONDS", default=20.0)
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
#: One proxy stands in front, and says by which address and scheme a request came.
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
# A web server in front reads static files and photos there, as a member of this site's group.
close_to_others(DATA_DIR, 0o750 if BEHIND_PROXY or ACCEL_REDIRECT else 0o700)
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
if not DEBUG:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    # No other host of the domain can set or read them.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-language"
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_SSL_HOST = SITE_URL.partition("//")[2]
    SECURE_REDIRECT_EXEMPT = [r"^healthz(/live)?$"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if BEHIND_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        # Otherwise all people would be one address to the limits.
        ALLAUTH_TRUSTED_PROXY_COUNT = 1

REST_FRAMEWORK = {
    # The first tells strangers how to authenticate; without its scheme it steps aside.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "accounts.authentication.TokenScope",
        "accounts.authentication.HasConsent",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "recognition.api.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "EXCEPTION_HANDLER": "recognition.api.errors.problem_details",
    "DEFAULT_SCHEMA_CLASS": "recognition.api.schema.ApiSchema",
    "DEFAULT_THROTTLE_CLASSES": ["recognition.api.throttles.RequestRate"],
    # One proxy writes the last address of X-Forwarded-For; without one the header is not read.
    "NUM_PROXIES": 1 if BEHIND_PROXY else 0,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Visage",
    "DESCRIPTION": "Upload photos, and read the apparent expression of every face in them. "
    "Expression is not feeling: read every result as a guess with a probability.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "Correction": "recognition.api.serializers.CORRECTIONS",
        "Label": "recognition.api.serializers.LABELS",
    },
}

# Logs and metrics --------------------------------------------------------------------------------

#: `line` for people, `json` for programs: with every request and task, and the id of the request
#: that led to it.
LOG_FORMAT = env.str("LOG_FORMAT", default="line")
if LOG_FORMAT not in {"line", "json"}:
    raise ImproperlyConfigured("LOG_FORMAT is either line or json.")
#: Who knows it may read /metrics; without one there are no metrics.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

DJANGO_GUID = {
    # An id that comes along is taken if it is a UUID (32 hexadecimal digits, as nginx makes them).
    "GUID_HEADER_NAME": "X-Request-ID",
    "VALIDATE_GUID": True,
    "EXPOSE_HEADER": False,
    "INTEGRATIONS": [CeleryIntegration(use_django_logging=True)],
}
_SEEN_LEVEL = "INFO" if LOG_FORMAT == "json" else "WARNING"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "django_guid.log_filters.CorrelationId"}},
    "formatters": {
        "line": {
            "()": "operations.log_format.LineFormatter",
            "format": "%(levelname)s %(name)s: %(message)s",
        },
        "json": {
            "()": "operations.log_format.JsonLineFormatter",
            "format": "%(levelname)s %(name)s %(message)s %(process)d %(correlation_id)s",
            "rename_fields": {
                "levelname": "level",
                "name": "logger",
                "correlation_id": "request_id",
                "timestamp": "time",
            },
            "timestamp": True,
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["request_id"],
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "operations.requests_seen": {"level": _SEEN_LEVEL},
        "operations.tasks_seen": {"level": _SEEN_LEVEL},
        # Django's own handler would write a line in another shape.
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "django_guid": {"level": "ERROR"},
        # One line for every request and every open socket says little and hides the rest.
        "django.channels.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        # It tells the addresses that are called: those of webhooks, with their keys.
        "httpx": {"level": "WARNING"},
    },
}
