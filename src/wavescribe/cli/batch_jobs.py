"""The files of a batch and where their results go."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_AUDIO = "aac aif aiff amr asf au caf flac m4a m4b mka mp2 mp3 mpga oga ogg opus w64 wav weba wma wv"
_VIDEO = "3g2 3gp avi flv m2ts m4v mkv mov mp4 mpeg mpg mts ogv ts webm wmv"

MEDIA_SUFFIXES = frozenset(f".{name}" for name in f"{_AUDIO} {_VIDEO}".split(" "))
"""Endings of the files in a folder that are taken for audio or video; files that are named are judged by content."""


@dataclass(frozen=True, slots=True)
class Job:
    """A file to transcribe.

    Attributes:
        source: the file.
        result: where its result goes, relative to the output directory.
    """

    source: Path
    result: Path


def jobs_of(paths: Sequence[Path], suffix: str) -> list[Job]:
    """The jobs of files and folders, folders by name and below.

    Results of a folder's files keep their place below the folder. Where two files of one place differ in their ending
    only, each result has the whole name of its file.

    Args:
        paths: files and folders; what is not there is a job, too, which then fails.
        suffix: of results, ".srt".
    """
    return [job for path in paths for job in (_folder_jobs(path, suffix) if path.is_dir() else [_job(path, suffix)])]


def _job(path: Path, suffix: str) -> Job:
    return Job(path, Path(f"{path.stem}{suffix}"))


def _folder_jobs(folder: Path, suffix: str) -> list[Job]:
    files = sorted(_media(folder))
    stems = Counter(file.with_suffix("") for file in files)
    return [
        Job(folder / file, file.parent / f"{file.stem if stems[file.with_suffix('')] == 1 else file.name}{suffix}")
        for file in files
    ]


def _media(folder: Path) -> Iterator[Path]:
    """Paths of media below a folder, relative to it; what is hidden is left out."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if Path(name).suffix.lower() in MEDIA_SUFFIXES and not name.startswith("."):
                yield (Path(place) / name).relative_to(folder)


def same_result(jobs: Sequence[Job]) -> tuple[Job, Job] | None:
    """Two jobs whose results would replace each other, or None."""
    seen: dict[Path, Job] = {}
    for job in jobs:
        if job.result in seen:
            return seen[job.result], job
        seen[job.result] = job
    return None
