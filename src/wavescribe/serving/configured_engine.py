"""From the settings to the engine that they ask for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from wavescribe.engines.base import Engine
from wavescribe.engines.loading import load_engine, processes_of
from wavescribe.engines.qwen3.options import Qwen3Options
from wavescribe.settings import Settings


def with_useful_workers(settings: Settings) -> Settings:
    """The settings with no more workers than the model gains from; their threads go to those that are left.

    Args:
        settings: as they were given.

    Raises:
        WeightsError: the model is a directory whose config.json cannot be read.
    """
    workers = processes_of(settings.model, settings.workers)
    threads = settings.workers * settings.threads_per_worker // workers
    return settings.model_copy(update={"workers": workers, "threads_per_worker": threads})


def engine_loader(settings: Settings, *, workers: int = 1) -> Callable[[], Engine]:
    """What loads the engine; it can be pickled. See load_engine for what it raises.

    Args:
        settings: the server's settings.
        workers: calls at the same time that the engine has to bear.
    """
    return partial(
        load_engine,
        settings.model,
        device=settings.device,
        compute_type=settings.compute_type,
        workers=workers,
        threads_per_worker=settings.threads_per_worker,
        qwen3=qwen3_options(settings),
    )


def qwen3_options(settings: Settings) -> Qwen3Options:
    """The choices that only Qwen3-ASR has."""
    return Qwen3Options(
        aligner=settings.aligner,
        encoder_window_seconds=settings.encoder_window_seconds,
        feature_floor=settings.feature_floor,
        cache_bytes=settings.cache_bytes,
    )
