"""Qwen3-ASR in plain torch: stateful streaming whose output equals the one-shot model's.

Nothing here imports torch when the package is imported, so that the rest of the server runs without it.
"""

from __future__ import annotations
