"""A worker's settings and code for one experiment: some photos kill the process that opens them.

Stands for a fault in a native library, which no exception handler sees. Used as
``DJANGO_SETTINGS_MODULE=tests.chaos.poison``.
"""

# Settings are taken over whole, as Django has it.
from emotion_site.settings import *  # noqa: F403

#: Photos with this name kill.
POISON_NAME = "poison.jpg"

CELERY_IMPORTS = ["tests.chaos.poison_task"]
