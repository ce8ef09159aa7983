"""What can be chosen of Qwen3-ASR and of no other model."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

FloorPolicy = Literal["exact", "frozen"]
"""`exact`: the maximum of all audio so far, as the one-shot model has it; a late rise changes earlier windows.
`frozen`: a finished window keeps the maximum of the audio up to its end."""


@dataclass(frozen=True, slots=True)
class Qwen3Options:
    """The choices, each named as its setting.

    Attributes:
        aligner: directory or Hugging Face id of the forced aligner for word times; None for estimates.
        encoder_window_seconds: length of the encoder's attention window, 1 to 8; None for the checkpoint's.
        feature_floor: how the floor of the features is chosen.
        cache_bytes: memory for the keys and values of all streams; None for 2 GiB on a CPU and most of what is free
            on CUDA.
    """

    aligner: str | None = None
    encoder_window_seconds: int | None = None
    feature_floor: FloorPolicy = "exact"
    cache_bytes: int | None = None

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of those that differ from their defaults."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) != field.default)
