"""A speech corpus with gold text: `manifest.jsonl` beside its audio files.

A line of it is a JSON object of one recording:

    {"id": "en_0001", "file": "audio/en_0001.flac", "seconds": 12.6, "language": "en", "kind": "short",
     "text": "The ferry leaves at nine.", "ref_quality": "human"}

All of these have to be there. `file` is relative to the directory; `text` is "" where nothing is said, and null leaves
the recording out. A recording is a clip looped where `tiled` is true or its id has that word. The rest are the
attributes of `Recording`, which has the meaning of each; other members are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wavescribe.audio.decoding import decode_audio
from wavescribe.engines.base import Samples
from wavescribe.errors import ConfigurationError, InvalidRequestError

LONGEST_SECONDS = 7200.0


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording of the corpus.

    Attributes:
        name: its id.
        path: its audio file.
        seconds: its length.
        language: ISO 639-1 code.
        kind: short, long, noisy, multispeaker, silence, or another word to choose by.
        text: the gold text; "" when nothing is said.
        tiled: whether it is a clip looped.
        reference: how the text was made: human, machine, approximate, synthetic, none.
    """

    name: str
    path: Path
    seconds: float
    language: str
    kind: str
    text: str
    tiled: bool
    reference: str

    def samples(self) -> Samples:
        """The audio, float32 at 16 kHz.

        Raises:
            ConfigurationError: it cannot be read.
        """
        try:
            return decode_audio(self.path, max_seconds=LONGEST_SECONDS)
        except (OSError, InvalidRequestError) as error:
            raise ConfigurationError(f"the corpus's recording {self.path} cannot be read: {error}") from error


def read_corpus(directory: Path) -> list[Recording]:
    """The recordings of a corpus that have a gold text.

    Raises:
        ConfigurationError: the directory has no manifest, or a line of it is no recording.
    """
    manifest = directory / "manifest.jsonl"
    try:
        lines = manifest.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{directory} has no readable manifest.jsonl: {error}") from error
    found = (_recording(manifest, number, line) for number, line in enumerate(lines, 1) if line.strip())
    return [recording for recording in found if recording is not None]


def _recording(manifest: Path, number: int, text: str) -> Recording | None:
    """The recording of a line; None where it has no gold text."""
    try:
        line = json.loads(text)
        if not isinstance(line, dict):
            raise ConfigurationError(f"{manifest}, line {number}: expected an object, got {text[:80]}")
        return None if line["text"] is None else _described(manifest.parent, line)
    except KeyError as error:
        raise ConfigurationError(f"{manifest}, line {number}: the member {error} is missing") from error
    except ValueError as error:
        raise ConfigurationError(f"{manifest}, line {number}: {error}") from error


def _described(directory: Path, line: dict[str, object]) -> Recording:
    return Recording(
        name=str(line["id"]),
        path=directory / str(line["file"]),
        seconds=float(str(line["seconds"])),
        language=str(line["language"]),
        kind=str(line["kind"]),
        text=str(line["text"]),
        tiled=bool(line.get("tiled")) or "tiled" in str(line["id"]),
        reference=str(line["ref_quality"]),
    )


def spoken(recordings: Iterable[Recording], kinds: set[str], languages: set[str]) -> list[Recording]:
    """Those of the given kinds and languages with real speech and a trustworthy text."""
    return [
        recording
        for recording in recordings
        if recording.kind in kinds
        and recording.language in languages
        and recording.text
        and not recording.tiled
        and recording.reference in ("human", "machine", "approximate")
    ]


def joined(recordings: Iterable[Recording], seconds: float) -> Samples:
    """Recordings one after the other, and over again, to a length in seconds."""
    pieces = [recording.samples() for recording in recordings]
    once = np.concatenate(pieces)
    wanted = round(seconds * 16_000)
    return np.tile(once, wanted // len(once) + 1)[:wanted]
