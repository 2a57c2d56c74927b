"""Sites of earlier versions, to prove that today's code serves the same from them.

``python -m tests.support.old_sites COMMIT NAME`` makes one: it takes the code of the commit, lets
that code fill a site (``fill``) and tell what it shows (``look``), and keeps database, files and
what was told in ``tests/upgrade/NAME``. The test needs only that folder.
"""
