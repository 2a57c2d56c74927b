"""The API: limits, Django REST framework, and the OpenAPI document."""

from emotion_site.settings.environment import BEHIND_PROXY, env

#: Requests that one person, or one address of somebody who is not signed in, may send to the web
#: processes; such as ``600/min``, or nothing for no limit.
API_RATE = env.str("API_RATE", default="600/min")
#: Requests of one person that create uploads.
API_UPLOAD_RATE = env.str("API_UPLOAD_RATE", default="300/min")
API_ANONYMOUS_RATE = env.str("API_ANONYMOUS_RATE", default="60/min")
#: Requests of one address from which nobody is signed in, to all web processes together; and those
#: of them with a token that is not valid, beyond which the answer is 429.
ANONYMOUS_RATE = env.str("ANONYMOUS_RATE", default="600/min")
WRONG_TOKEN_RATE = env.str("WRONG_TOKEN_RATE", default="30/min")
RATE_PREFIX = "visage-rates"
#: What one person may ask for, on pages and by programs together: forms of any kind; heat maps,
#: each of which costs a worker as much as some photos; URLs of webhooks that are looked up, and
#: test messages to them.
FORM_RATE = env.str("FORM_RATE", default="120/min")
HEAT_MAP_RATE = env.str("HEAT_MAP_RATE", default="30/min")
WEBHOOK_RATE = env.str("WEBHOOK_RATE", default="30/hour")
PING_RATE = env.str("PING_RATE", default="10/min")
#: Requests that one process lets wait for a result at the same time; others are answered at once.
API_MAXIMUM_WAITING = env.int("API_MAXIMUM_WAITING", default=200)
#: Send webhooks to addresses of one's own network, and without HTTPS. Whoever can sign up can
#: then make this machine call others that only it can reach.
WEBHOOK_ALLOW_PRIVATE = env.bool("WEBHOOK_ALLOW_PRIVATE", default=False)

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
    # In the order in which people need them.
    "TAGS": [
        {"name": name}
        for name in (
            "uploads",
            "predictions",
            "statistics",
            "videos",
            "recordings",
            "live sessions",
            "studies",
            "webhooks",
            "me",
        )
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "Correction": "recognition.api.serializers.CORRECTIONS",
        "Label": "recognition.api.serializers.LABELS",
        "StudyStatus": "studies.models.Study.Status",
        "ParticipationState": "studies.models.Participation.State",
        "BlockKind": "studies.models.Block.Kind",
    },
}
