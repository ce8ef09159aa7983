from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pysubs2
import pytest

from wavescribe.cli.batch_jobs import Job, jobs_of, same_result
from wavescribe.cli.batch_record import NAME, BatchRecord
from wavescribe.errors import ConfigurationError

TINY = ("--model", "whisper-tiny.en")

Run = Callable[..., subprocess.CompletedProcess[str]]


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"sound")


def test_a_folders_media_are_found_below_it_and_their_results_keep_their_place(tmp_path: Path) -> None:
    fill(tmp_path, "b.MP4", "a/talk.mp3", "a/b/c.flac", "notes.txt", ".hidden.wav", ".git/x.wav")
    assert jobs_of([tmp_path], ".srt") == [
        Job(tmp_path / "a/b/c.flac", Path("a/b/c.srt")),
        Job(tmp_path / "a/talk.mp3", Path("a/talk.srt")),
        Job(tmp_path / "b.MP4", Path("b.srt")),
    ]


def test_files_that_differ_in_their_ending_only_have_results_of_their_own(tmp_path: Path) -> None:
    fill(tmp_path, "talk.mp3", "talk.wav", "other.wav")
    assert [job.result.name for job in jobs_of([tmp_path], ".vtt")] == ["other.vtt", "talk.mp3.vtt", "talk.wav.vtt"]


def test_files_that_are_named_go_to_the_top_whatever_they_are_called() -> None:
    jobs = jobs_of([Path("x/missing"), Path("y/talk.doc")], ".txt")
    assert [job.result for job in jobs] == [Path("missing.txt"), Path("talk.txt")]
    assert same_result(jobs) is None
    assert same_result([*jobs, Job(Path("talk.ogg"), Path("talk.txt"))]) is not None


def test_a_result_is_done_until_its_file_its_options_or_itself_change(tmp_path: Path) -> None:
    fill(tmp_path, "talk.wav", "out/talk.srt")
    job, out = Job(tmp_path / "talk.wav", Path("talk.srt")), tmp_path / "out"
    assert not BatchRecord(out, {"model": "a"}).has(job)
    BatchRecord(out, {"model": "a"}).add(job)
    assert BatchRecord(out, {"model": "a"}).has(job)
    assert not BatchRecord(out, {"model": "b"}).has(job)
    os.utime(job.source, ns=(0, 1))
    assert not BatchRecord(out, {"model": "a"}).has(job)
    BatchRecord(out, {"model": "a"}).add(job)
    assert BatchRecord(out, {"model": "a"}).has(job)
    (out / "talk.srt").unlink()
    assert not BatchRecord(out, {"model": "a"}).has(job)


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("{")
    with pytest.raises(ConfigurationError, match=f"{NAME} of finished files cannot be read; remove it"):
        BatchRecord(tmp_path, {})


@pytest.mark.model
def test_a_folder_is_transcribed_once_and_again_only_where_something_changed(
    run: Run, fox: Path, counting: Path, tmp_path: Path
) -> None:
    source, output = tmp_path / "recordings", tmp_path / "subtitles"
    (source / "day 1").mkdir(parents=True)
    (source / "day 1" / "fox.wav").write_bytes(fox.read_bytes())
    (source / "counting.wav").write_bytes(counting.read_bytes())
    command = ("transcribe", source, "--output", output, "--format", "srt", *TINY)
    first = run(*command)
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
    made = output / "day 1" / "fox.srt"
    assert [cue.plaintext.replace("\n", " ") for cue in pysubs2.load(str(made))] == [
        "The quick brown fox jumps over the lazy dog."
    ]
    (output / "counting.srt").unlink()
    made.write_text("corrected by hand")
    second = run(*command)
    assert second.stderr == "wavescribe: 1 of 2 files are done already; --overwrite does them again\n"
    assert made.read_text() == "corrected by hand"
    assert (output / "counting.srt").exists()
    assert run(*command, "--overwrite").stderr == ""
    assert "fox" in made.read_text()
    longer = run(*command, "--max-line-length", "60")
    assert longer.stderr == ""
    assert [cue.plaintext for cue in pysubs2.load(str(made))] == ["The quick brown fox jumps over the lazy dog."]
    assert set(json.loads((output / NAME).read_text())) == {"day 1/fox.srt", "counting.srt"}


@pytest.mark.model
@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_written_subtitles_are_taken_by_a_parser_apart_within_the_audio_and_easy_to_read(
    run: Run, two_cities: Path, tmp_path: Path, form: str
) -> None:
    assert run("transcribe", two_cities, "-o", tmp_path, "-f", form, *TINY).returncode == 0
    cues = list(pysubs2.load(str(tmp_path / f"two_cities.{form}")))
    assert len(cues) > 5
    assert all(0 <= cue.start < cue.end <= 44_375 for cue in cues)
    assert all(second.start - first.end >= 83 for first, second in pairwise(cues))
    assert all(len(line) <= 42 for cue in cues for line in cue.plaintext.split("\n"))
    assert all(cue.plaintext.count("\n") <= 1 and len(cue.plaintext.split()) > 2 for cue in cues)
