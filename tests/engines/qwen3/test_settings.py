"""The server's settings reach the engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from qwen3_files import write_checkpoint

from wavescribe.engines.qwen3.configuration import ModelShape
from wavescribe.engines.qwen3.engine import Qwen3AsrEngine
from wavescribe.errors import ConfigurationError
from wavescribe.serving.configured_engine import engine_loader, with_useful_workers
from wavescribe.settings import load_settings


@pytest.fixture(scope="module")
def directory(
    tmp_path_factory: pytest.TempPathFactory, toy: ModelShape, toy_weights: Mapping[str, torch.Tensor]
) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("model"), toy, toy_weights)


def test_the_settings_of_this_model_reach_the_engine(directory: Path) -> None:
    settings = load_settings(
        model=str(directory),
        device="cpu",
        compute_type="bfloat16",
        encoder_window_seconds=4,
        feature_floor="frozen",
        cache_bytes=2**24,
        threads_per_worker=1,
    )
    engine = engine_loader(settings)()
    assert isinstance(engine, Qwen3AsrEngine)
    stepper = engine.streams.stepper
    assert stepper.shape.audio.window_frames == 400
    assert stepper._hearing._policy == "frozen"
    report = engine.memory()
    assert report.page_bytes == 64 * stepper.shape.text.key_value_bytes(2)
    assert report.pages == 2**24 // report.page_bytes
    engine.close()


def test_one_process_has_the_threads_of_all_workers(directory: Path) -> None:
    settings = with_useful_workers(load_settings(model=str(directory), workers=3, threads_per_worker=2))
    assert (settings.workers, settings.threads_per_worker) == (1, 6)
    whisper = with_useful_workers(load_settings(workers=3, threads_per_worker=2))
    assert (whisper.workers, whisper.threads_per_worker) == (3, 2)


def test_an_aligner_that_is_none_is_refused_by_its_setting(directory: Path) -> None:
    settings = load_settings(model=str(directory), device="cpu", aligner=str(directory), cache_bytes=2**24)
    with pytest.raises(ConfigurationError, match=r"^setting aligner: .* is no forced aligner"):
        engine_loader(settings)()


def test_memory_that_the_machine_does_not_have_is_refused_by_its_setting(directory: Path) -> None:
    settings = load_settings(model=str(directory), device="cpu", cache_bytes=2**60)
    with pytest.raises(ConfigurationError, match="^setting cache_bytes: .* cannot be had on cpu"):
        engine_loader(settings)()


@pytest.mark.parametrize(
    ("name", "value"),
    [("aligner", "somewhere"), ("encoder_window_seconds", 4), ("feature_floor", "frozen"), ("cache_bytes", 2**30)],
)
def test_settings_of_this_model_are_refused_with_another(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"^setting {name}: only Qwen3-ASR has it"):
        engine_loader(load_settings(None, **{name: value}))()
