"""Engines of this process, loaded once for each model."""

from __future__ import annotations

import os
from functools import lru_cache

from wavescribe.engines.base import Engine
from wavescribe.engines.loading import load_engine
from wavescribe.engines.qwen3.options import Qwen3Options
from wavescribe.serving.configured_engine import qwen3_options
from wavescribe.settings import Settings, load_settings

MOST_THREADS = 4
"""CPU threads beyond which the decode of one stream gets no faster."""


def local_settings(model: str | None = None, threads: int | None = None, delay: str | None = None) -> Settings:
    """The settings for one stream or file at a time: the environment's, with what is given laid over them.

    Args:
        model: model name, directory or Hugging Face id.
        threads: CPU threads of a decode; without it and without a setting, all up to a few.
        delay: how long text is held back.

    Raises:
        ConfigurationError: a value is wrong.
    """
    settings = load_settings(model=model, threads_per_worker=threads, delay=delay)
    if "threads_per_worker" not in settings.model_fields_set:
        threads = min(MOST_THREADS, os.cpu_count() or 1)
    return settings.model_copy(update={"workers": 1, "threads_per_worker": threads or settings.threads_per_worker})


def local_engine(settings: Settings) -> Engine:
    """The engine of these settings; it stays loaded, and the same settings give the same engine.

    Raises:
        WavescribeError: the model is not there or cannot be loaded.
    """
    choice = (settings.model, settings.device, settings.compute_type, settings.threads_per_worker)
    return _engine(*choice, qwen3_options(settings))


@lru_cache(maxsize=1)
def _engine(model: str, device: str, compute_type: str | None, threads: int, qwen3: Qwen3Options) -> Engine:
    return load_engine(model, device=device, compute_type=compute_type, threads_per_worker=threads, qwen3=qwen3)
