from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jiwer
import pytest
from whisper_normalizer.english import EnglishTextNormalizer

from wavescribe.cli.whole_file import write_whole
from wavescribe.demo import TEXT

pytestmark = pytest.mark.model

FOX = "The quick brown fox jumps over the lazy dog."
TINY = ("--model", "whisper-tiny.en")

INTERRUPTED_PROGRAM = """
import os, signal
from wavescribe.audio import decoding
from wavescribe.cli.main import run

read, reads = decoding._GuardedSource.read, []

def interrupted(source, size):
    data = read(source, size)
    reads.append(len(data))
    if len(reads) == 2:
        os.kill(os.getpid(), signal.SIGINT)
    return data

decoding._GuardedSource.read = interrupted
run()
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_text_is_printed_by_default(run: Run, fox: Path) -> None:
    result = run("transcribe", fox, *TINY)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{FOX}\n", "")


def test_json_has_the_fields_of_verbose_json_with_words(run: Run, fox: Path) -> None:
    body: dict[str, Any] = json.loads(run("transcribe", fox, "--format", "json", *TINY).stdout)
    assert body["text"] == FOX
    assert body["language"] == "english"
    assert [word["word"] for word in body["words"]] == FOX.split()
    assert "".join(segment["text"] for segment in body["segments"]).strip() == FOX


def test_srt_is_a_numbered_cue(run: Run, fox: Path) -> None:
    number, times, text = (
        run("transcribe", fox, "-f", "srt", "--max-line-length", "60", *TINY).stdout.strip().split("\n")
    )
    assert (number, text) == ("1", FOX)
    start, end = times.split(" --> ")
    assert "00:00:00,000" <= start < end <= "00:00:02,889"


def test_vtt_is_a_cue_after_the_signature(run: Run, fox: Path) -> None:
    signature, times, text = (
        run("transcribe", fox, "--format", "vtt", "--max-line-length", "60", *TINY)
        .stdout.strip()
        .replace("\n\n", "\n")
        .split("\n")
    )
    assert (signature, text) == ("WEBVTT", FOX)
    start, end = times.split(" --> ")
    assert "00:00:00.000" <= start < end <= "00:00:02.889"


def test_one_bad_file_of_several_is_reported_and_the_others_are_done(
    run: Run, fox: Path, counting: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_text("This is no recording.")
    output = tmp_path / "new" / "texts"
    result = run("transcribe", fox, bad, counting, "--output", output, *TINY)
    assert result.returncode == 1
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith(f"wavescribe: {bad}: Invalid file format.")
    assert {path.name for path in output.glob("[!.]*")} == {"quick_brown_fox.txt", "counting.txt"}
    assert (output / "quick_brown_fox.txt").read_text() == f"{FOX}\n"
    assert (output / "counting.txt").read_text().startswith("One, two, three")


@pytest.mark.parametrize(("name", "reason"), [("missing.wav", "No such file"), ("folder", "is a directory")])
def test_what_cannot_be_opened_is_named(run: Run, tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    result = run("transcribe", tmp_path / name, *TINY)
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert line.startswith(f"wavescribe: {tmp_path / name}: ")
    assert reason in line


def test_an_unknown_model_is_one_clear_line(run: Run, fox: Path) -> None:
    result = run("transcribe", fox, "--model", "no-such-model")
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("wavescribe: model 'no-such-model' is neither a known model")


def test_a_language_that_the_model_does_not_know_is_refused(run: Run, fox: Path) -> None:
    result = run("transcribe", fox, "--language", "de", *TINY)
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert "'whisper-tiny.en' does not know the language 'de'" in line


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "FILE..."),
        (("a.wav", "--format", "doc"), "--format"),
        (("a.wav", "--threads", "0"), "--threads"),
        (("a.wav", "--no-such-option"), "--no-such-option"),
    ],
)
def test_wrong_usage_exits_with_2_and_names_what_is_wrong(run: Run, arguments: tuple[str, ...], named: str) -> None:
    result = run("transcribe", *arguments)
    assert result.returncode == 2
    assert named in result.stderr
    assert "Traceback" not in result.stderr


def test_results_that_would_replace_each_other_are_refused(run: Run, tmp_path: Path) -> None:
    result = run("transcribe", tmp_path / "talk.wav", tmp_path / "talk.mp3", "--output", tmp_path / "texts")
    assert result.returncode == 2
    assert "same name" in result.stderr
    assert not (tmp_path / "texts").exists()


def test_the_environment_sets_the_model_and_the_flag_wins(run: Run) -> None:
    assert "'from-environment'" in run("transcribe", "a.wav", WAVESCRIBE_MODEL="from-environment").stderr
    result = run("transcribe", "a.wav", "--model", "from-flag", WAVESCRIBE_MODEL="from-environment")
    assert "'from-flag'" in result.stderr


def test_a_wrong_value_in_the_environment_names_the_setting(run: Run) -> None:
    result = run("transcribe", "a.wav", WAVESCRIBE_THREADS_PER_WORKER="many")
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert "threads_per_worker" in line
    assert "'many'" in line


def test_on_a_terminal_progress_is_shown_apart_from_the_text(
    program: str, environment: Callable[..., dict[str, str]], fox: Path, tmp_path: Path
) -> None:
    recording = tmp_path / "fox [red].wav"
    shutil.copy(fox, recording)
    terminal, stderr = pty.openpty()
    shown: list[bytes] = []
    reader = threading.Thread(target=read_terminal, args=(terminal, shown))
    with subprocess.Popen(
        [program, "transcribe", recording, *TINY], stdout=subprocess.PIPE, stderr=stderr, env=environment(TERM="xterm")
    ) as process:
        os.close(stderr)
        reader.start()
        assert process.stdout is not None
        assert process.stdout.read().decode() == f"{FOX}\n"
    reader.join()
    os.close(terminal)
    assert process.returncode == 0
    assert "fox [red].wav" in b"".join(shown).decode()


def read_terminal(terminal: int, shown: list[bytes]) -> None:
    try:
        while data := os.read(terminal, 65_536):
            shown.append(data)
    except OSError:
        pass  # so Linux reports that the other side is closed


def test_an_interrupt_leaves_whole_results_and_nothing_else(
    program: str, environment: Callable[..., dict[str, str]], fox: Path, two_cities: Path, tmp_path: Path
) -> None:
    output = tmp_path / "texts"
    long = tmp_path / "long.wav"
    repeat(two_cities, long, 10)
    with subprocess.Popen(
        [program, "transcribe", fox, long, "--output", output, *TINY],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        wait_for(output / "quick_brown_fox.txt", process)
        wait_for(output / ".wavescribe.json", process)  # the record of what is done comes after the result
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "")
    assert sorted(path.name for path in output.iterdir()) == [".wavescribe.json", "quick_brown_fox.txt"]
    assert (output / "quick_brown_fox.txt").read_text() == f"{FOX}\n"


def test_an_interrupt_while_a_file_is_read_is_not_taken_for_its_end(
    environment: Callable[..., dict[str, str]], fox: Path, tmp_path: Path
) -> None:
    arguments: list[str | Path] = ["transcribe", fox, "--output", tmp_path / "texts", *TINY]
    result = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_PROGRAM, *arguments], env=environment(), capture_output=True, text=True
    )
    assert (result.returncode, result.stderr) == (130, "")
    assert not (tmp_path / "texts").exists()


def repeat(source: Path, target: Path, times: int) -> None:
    with wave.open(str(source)) as recording, wave.open(str(target), "wb") as repeated:
        repeated.setparams(recording.getparams())
        repeated.writeframes(recording.readframes(recording.getnframes()) * times)


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    while not path.exists():
        assert process.poll() is None, "the program ended first"
        time.sleep(0.05)


def test_a_write_that_fails_keeps_the_file_that_was_there_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    write_whole(path, "old\n")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new" * 100_000 + "\ud800")
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_result_replaces_an_older_one_and_others_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    write_whole(path, "old\n")
    write_whole(path, "né\n")
    assert path.read_bytes() == "né\n".encode()
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_default_model_makes_few_errors_in_long_speech(run: Run, two_cities: Path) -> None:
    result = run("transcribe", two_cities)
    normalise = EnglishTextNormalizer()
    assert result.returncode == 0
    assert jiwer.wer(normalise(TEXT), normalise(result.stdout)) <= 0.05
