"""Ids as the OpenAI API writes them: a prefix and 21 letters and digits."""

from __future__ import annotations

import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """A fresh id, "<prefix>_" and 21 letters and digits (125 bits of chance)."""
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(21))}"
