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
    try:
        return read_corpus(corpus)
    except (OSError, KeyError, ValueError) as error:
        raise ConfigurationError(f"the corpus {corpus} has no readable manifest.jsonl: {error}") from error


def spoken_recordings(corpus: Path | None, kinds: Iterable[str], languages: Iterable[str]) -> list[Recording]:
    """Recordings of real speech with a trustworthy text.

    Raises:
        ConfigurationError: there are none.
    """
    kinds, languages = set(kinds), set(languages)
    chosen = spoken(all_recordings(corpus), kinds, languages)
    if not chosen:
        wanted = f"kinds {', '.join(sorted(kinds))} and languages {', '.join(sorted(languages))}"
        raise ConfigurationError(f"no recording of {wanted} in {corpus or 'the installed packages'}")
    return chosen
