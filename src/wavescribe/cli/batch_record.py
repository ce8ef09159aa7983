"""What a batch has done, so that an interrupted one goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wavescribe.cli.batch_jobs import Job
from wavescribe.cli.whole_file import write_whole
from wavescribe.errors import ConfigurationError

NAME = ".wavescribe.json"


class BatchRecord:
    """The results in an output directory and what each was made of.

    A result is done when it is there and was made with the same options from a file of the same size and time of
    change. Results are written whole or not at all, and recorded afterwards.

    Args:
        directory: of the results.
        options: everything that a result depends on, beside its file; plain JSON.

    Raises:
        ConfigurationError: there is a record that cannot be read.
    """

    def __init__(self, directory: Path, options: dict[str, Any]) -> None:
        self._directory = directory
        self._options = options
        self._path = directory / NAME
        self._done = self._read()

    def has(self, job: Job) -> bool:
        """Whether a job's result is there and would be the same."""
        if not (self._directory / job.result).is_file():
            return False
        try:
            return self._done.get(str(job.result)) == self._entry(job)
        except OSError:
            return False  # the file is not there (any more), which is reported when it is opened

    def add(self, job: Job) -> None:
        """A job's result has been written.

        Raises:
            OSError: the record cannot be written, or the source is gone.
        """
        self._done[str(job.result)] = self._entry(job)
        write_whole(self._path, json.dumps(self._done, ensure_ascii=False, indent=1) + "\n")

    def _entry(self, job: Job) -> dict[str, Any]:
        facts = job.source.stat()
        return {"size": facts.st_size, "changed": facts.st_mtime_ns, "options": self._options}

    def _read(self) -> dict[str, Any]:
        try:
            done = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"the record {self._path} of finished files cannot be read; remove it") from error
        return done if isinstance(done, dict) else {}
