"""An engine with random weights and a forced length of text: for timing where the weights cannot be had.

All of the model is computed; only what it chooses is replaced by numbered words, two and a half a second of audio, so
that successive hypotheses agree as they do on speech.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from tokenizers import pre_tokenizers

from wavescribe.engines.base import DecodeRequest
from wavescribe.engines.qwen3.configuration import SHAPES
from wavescribe.engines.qwen3.engine import Qwen3AsrEngine
from wavescribe.engines.qwen3.geometry import SAMPLE_RATE
from wavescribe.engines.qwen3.loading import kernel_for, make_streams, torch_device, torch_dtype
from wavescribe.engines.qwen3.model import build_model
from wavescribe.engines.qwen3.options import FloorPolicy
from wavescribe.engines.qwen3.random_weights import random_weights
from wavescribe.engines.qwen3.stepper import StepRequest
from wavescribe.engines.qwen3.tokenizer import KNOWN_IDS, QwenTokenizer, byte_level
from wavescribe.errors import ConfigurationError

SIZES = ("toy", "0.6B", "1.7B")

WORDS_PER_SECOND = 2.5
FIRST_WORD = 5000
"""Token id of the word that is said at the start of a stream; those after it count on."""


class RandomEngine(Qwen3AsrEngine):
    """The engine with forced answers; the language must be given."""

    def _step_request(self, request: DecodeRequest) -> StepRequest:
        step = super()._step_request(replace(request, language=request.language or "en"))
        opening = step.script.opening
        start = request.cache_key[1] / SAMPLE_RATE
        first = math.ceil(start * WORDS_PER_SECOND)
        if request.prefix:
            first = request.prefix[-1] - FIRST_WORD + 1
        end = max(first, math.floor((start + len(request.samples) / SAMPLE_RATE) * WORDS_PER_SECOND))
        said = tuple(range(FIRST_WORD + first, FIRST_WORD + end))[: request.token_budget]
        return replace(step, spoken=(*opening, *request.prefix, *said))


def random_engine(
    size: str,
    *,
    device: str = "cpu",
    floor: FloorPolicy = "exact",
    window_frames: int = 800,
    pool_bytes: int | None = None,
    threads: int | None = None,
) -> RandomEngine:
    """An engine in a published size.

    Args:
        size: "0.6B", "1.7B" or "toy".
        device: where it runs; on CUDA in bfloat16 with the kernel that a loaded model would have.
        floor: how the floor of the features is chosen.
        window_frames: length of the encoder's attention window.
        pool_bytes: memory for keys and values.
        threads: CPU threads of torch; by default its own choice.

    Raises:
        ConfigurationError: there is no such size.
        EngineError: the device is not there.
    """
    if size not in SIZES:
        raise ConfigurationError(f"random weights of size {size!r} are unknown; expected one of {', '.join(SIZES)}")
    if threads is not None:
        torch.set_num_threads(threads)
    shape, place = SHAPES[size].with_window(window_frames), torch_device(device)
    weights = random_weights(shape, device=place, dtype=torch_dtype(None, place))
    model = build_model(shape, weights, kernel=kernel_for(shape, weights))
    return RandomEngine(make_streams(model, pool_bytes, floor), numbered_words(), f"random-{size}")


def numbered_words() -> QwenTokenizer:
    """A tokenizer whose every token is a numbered word."""
    known = {character: index for index, character in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    words = {f"\N{LATIN CAPITAL LETTER G WITH DOT ABOVE}w{index}": index for index in range(len(known), 151643)}
    added = {str(key): {"content": content} for content, key in KNOWN_IDS.items()}
    return QwenTokenizer(byte_level(known | words, [], added), "random weights")
