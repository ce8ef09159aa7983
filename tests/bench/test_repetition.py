from __future__ import annotations

import json
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from wavescribe.bench import repetition, tempting_sounds
from wavescribe.bench.repetition import repetition_measurement, written_of
from wavescribe.bench.streamed import StreamedRun
from wavescribe.bench.tempting_sounds import Sound
from wavescribe.streaming.events import Settled
from wavescribe.streaming.parameters import StreamParameters

CLIP = Sound("a clip", "en", "Red, blue!", lambda: np.zeros(0, dtype=np.float32))
SILENCE = Sound("silence", "en", "", lambda: np.zeros(0, dtype=np.float32))


def corpus_of(folder: Path, *recordings: tuple[str, str, str, str]) -> Path:
    """A corpus of (id, language, kind, text) as its manifest says; each recording is a tenth of a second of silence."""
    with wave.open(str(folder / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(3200))
    names = ("id", "language", "kind", "text")
    others = {"file": "a.wav", "ref_quality": "human", "seconds": 60.0}
    lines = [{**dict(zip(names, each, strict=True)), **others} for each in recordings]
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


def run_of(text: str) -> StreamedRun:
    return StreamedRun(events=[Settled(0, text, (), "en", 1)])


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, int]]:
    """The language and the samples of every stream that is measured; each writes "thank you"."""
    asked: list[tuple[str | None, int]] = []

    def stream(engine: Any, samples: Any, parameters: StreamParameters) -> StreamedRun:
        asked.append((parameters.language, len(samples)))
        return run_of("thank you")

    monkeypatch.setattr(repetition, "run_streamed", stream)
    monkeypatch.setattr(repetition, "load_whisper", lambda *_, **__: SimpleNamespace(info=SimpleNamespace(name="none")))
    return asked


def test_looped_clips_and_silence_are_streamed_in_the_language_of_each(
    tmp_path: Path, streams: list[tuple[str | None, int]]
) -> None:
    looped, quiet = ("de_tiled", "de", "long", "deutsch"), ("en_quiet", "en", "silence", "")
    repetition.repetition(corpus=corpus_of(tmp_path, looped, quiet, ("en_a", "en", "short", "speech")))
    assert streams == [("de", 1600), ("en", 1600)]


def test_without_any_silence_noise_and_an_installed_clip_are_streamed(
    tmp_path: Path, streams: list[tuple[str | None, int]]
) -> None:
    repetition.repetition(corpus=corpus_of(tmp_path, ("en_a", "en", "short", "speech")), output=tmp_path / "out")
    found = json.loads((tmp_path / "out" / "repetition.json").read_text())["data"]["results"]
    assert [(each["recording"], each["gold"] > 0) for each in found] == [("EN60", True), ("silence, then noise", False)]
    assert streams == [("en", round(16_000 * each["seconds"])) for each in found]
    assert found[1]["seconds"] == 20.0


def test_without_installed_recordings_silence_is_streamed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempting_sounds, "short_clip", lambda: None)
    (quiet,) = tempting_sounds.tempting_sounds(None)
    samples = quiet.samples()
    assert (quiet.text, len(samples)) == ("", 320_000)
    assert not samples[:160_000].any()
    assert samples[160_000:].any()


def test_punctuation_and_capitals_are_not_more_text_but_of_silence_every_mark_is() -> None:
    clip = written_of(CLIP, 1.0, "windowed", run_of("red blue."))
    assert (clip.written, clip.gold, clip.ratio) == (7, 7, 1.0)
    silence = written_of(SILENCE, 1.0, "windowed", run_of("..."))
    assert (silence.written, silence.gold, silence.ratio) == (3, 0, None)


def test_the_measurement_says_what_was_written_of_nothing() -> None:
    results = [
        written_of(CLIP, 60.0, "windowed", run_of("red blue red blue")),
        written_of(CLIP, 60.0, "windowed", run_of("red blue")),
        written_of(SILENCE, 30.0, "windowed", run_of("thank you")),
        written_of(SILENCE, 20.0, "windowed", run_of("")),
    ]
    found = repetition_measurement(results, "model")
    assert found.title == (
        "looped clips: 1.00 to 2.00 characters written per character said; 9 characters written where nothing was said"
    )
    assert found.summary == ("model", "nothing was said in 50 s of what was streamed")
    assert repetition_measurement(results[3:], "model").title == "0 characters written where nothing was said"
