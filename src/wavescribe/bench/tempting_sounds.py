"""Sounds that tempt a decoder to write more than was said: clips said over and over, silence, noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wavescribe.bench.looped_clips import loop, short_clip
from wavescribe.bench.material import all_recordings
from wavescribe.bench.quiet_sound import quiet_sound
from wavescribe.engines.base import Samples

LOOPED_SECONDS, QUIET_SECONDS = 60.0, 20.0
"""Of the sounds that are made where there is no corpus."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound and what is said in it.

    Attributes:
        name: as told.
        language: ISO 639-1 code.
        text: the gold text; "" where nothing is said.
        samples: gives the audio, float32 at 16 kHz.
    """

    name: str
    language: str
    text: str
    samples: Callable[[], Samples]


def tempting_sounds(corpus: Path | None) -> list[Sound]:
    """The looped clips and the silence of a corpus; without any silence and noise, and a clip where one is installed.

    Raises:
        ConfigurationError: the corpus cannot be read.
    """
    recordings = all_recordings(corpus) if corpus else []
    chosen = [each for each in recordings if each.tiled or (each.kind == "silence" and not each.text)]
    return [Sound(each.name, each.language, each.text, each.samples) for each in chosen] or _made()


def _made() -> list[Sound]:
    quiet = Sound("silence, then noise", "en", "", lambda: quiet_sound(QUIET_SECONDS))
    clip = short_clip()
    if clip is None:
        return [quiet]
    looped = loop(clip, LOOPED_SECONDS)
    return [Sound(looped.name, "en", looped.text, lambda: looped.samples), quiet]
