"""What this software is, for those who cite it."""

from __future__ import annotations

NAME = "Visage"
#: That of `pyproject.toml`, which is not on servers.
VERSION = "0.2.0"

CITATION = f"""cff-version: 1.2.0
message: If you use this software in research, please cite it.
title: "{NAME}: self-hosted recognition of apparent facial expressions"
type: software
version: {VERSION}
license: Apache-2.0
authors:
  - name: The {NAME} contributors
"""
