#!/usr/bin/env python
"""Django's command line."""

import os
import secrets
import sys

#: They read files and write what they see: there is no site, and so no secret of one to keep.
WITHOUT_A_SITE = {
    "recognize",
    "explain",
    "evaluate_detection",
    "train_model",
    "calibrate_model",
    "evaluate_model",
    "model_figures",
}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emotion_site.settings")
    if WITHOUT_A_SITE.intersection(sys.argv[1:2]):
        os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
        os.environ.setdefault("SITE_URL", "http://localhost")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed here. Run `make install`, then use .venv/bin/python.")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{error}")
