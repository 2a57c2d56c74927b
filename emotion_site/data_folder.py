"""What must be in DATA_DIR before a site starts. Importing the settings writes nothing."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from operations.private_folders import NotPrivate, close_to_others, private_file, private_folder


def keep_secret_key(file: Path, key: str) -> str:
    """Write a key for this user alone, unless there is one.

    Returns:
        The key that the file holds: of several processes that start at once, the first one's.
    """
    written = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(key)
    try:
        # It appears whole or not at all.
        os.link(written, file)
    except FileExistsError:
        return file.read_text()
    finally:
        written.unlink()
    return key


def prepare() -> None:
    """Make the folder, its database file and, in debug, the secret key, each for this user alone.

    Raises:
        ImproperlyConfigured: somebody else could put files there, or it cannot be written.
    """
    data_dir: Path = settings.DATA_DIR
    try:
        data_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        if settings.REDIS_SOCKET.parent != data_dir:
            private_folder(settings.REDIS_SOCKET.parent)
        if settings.SECRET_KEY_IS_NEW:
            settings.SECRET_KEY = keep_secret_key(settings.SECRET_KEY_FILE, settings.SECRET_KEY)
            settings.SECRET_KEY_IS_NEW = False
    except NotPrivate as error:
        raise ImproperlyConfigured(str(error)) from None
    except OSError as error:
        raise ImproperlyConfigured(
            f"DATA_DIR cannot be written: {error.filename}: {error.strerror}."
        ) from None
    database = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        # SQLite gives the files beside it the same mode.
        private_file(Path(database["NAME"]))
    # A web server in front reads static files and photos there, as a member of this site's group.
    shared = settings.BEHIND_PROXY or settings.ACCEL_REDIRECT
    close_to_others(data_dir, 0o750 if shared else 0o700)
