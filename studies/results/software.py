"""What this software is, for those who cite it."""

from __future__ import annotations

NAME = "Visage"
#: That of `pyproject.toml`, which is not on servers.
VERSION = "0.3.0"

#: The essence of the file of this name beside `pyproject.toml`.
CITATION = f"""cff-version: 1.2.0
message: If you use {NAME} in research, please cite it as below.
title: "{NAME}: a self-hosted web application for facial expression recognition"
type: software
authors:
  - name: The {NAME} contributors
version: {VERSION}
license: Apache-2.0
"""
