"""The site's own settings, but with the pages for errors that people see."""

from emotion_site.settings import *  # noqa: F403

DEBUG = False
