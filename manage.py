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
    "make_secret_key",
    "makemessages",
    "compilemessages",
}
#: These only tell about commands.
ASKED_FOR_HELP = {"help", "--help", "-h", "version", "--version"}


def main() -> None:
    """Run the command that was asked for; what an operator can mend is told in one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emotion_site.settings")
    needs_a_site = not WITHOUT_A_SITE.intersection(sys.argv[1:2])
    if not needs_a_site:
        os.environ["SECRET_KEY"] = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(50)
        os.environ["SITE_URL"] = os.environ.get("SITE_URL") or "http://localhost"
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed here. Run `make install`, then use .venv/bin/python.")
    from emotion_site import data_folder

    try:
        if needs_a_site and sys.argv[1:] and not ASKED_FOR_HELP.intersection(sys.argv[1:]):
            data_folder.prepare()
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
