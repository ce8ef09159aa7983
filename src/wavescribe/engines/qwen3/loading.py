"""From a name to a running Qwen3-ASR engine."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import torch

from wavescribe.engines.qwen3.aligner import ForcedAligner
from wavescribe.engines.qwen3.answer_budget import answer_budget
from wavescribe.engines.qwen3.attention import Kernel
from wavescribe.engines.qwen3.checkpoint import load_weights
from wavescribe.engines.qwen3.configuration import ModelShape, parse_shape, read_configuration
from wavescribe.engines.qwen3.engine import Qwen3AsrEngine
from wavescribe.engines.qwen3.locating import checkpoint_directory
from wavescribe.engines.qwen3.model import Qwen3AsrModel, build_model
from wavescribe.engines.qwen3.options import FloorPolicy
from wavescribe.engines.qwen3.page_pool import PagePool
from wavescribe.engines.qwen3.prompting import MAXIMUM_CONTEXT_TOKENS
from wavescribe.engines.qwen3.proven_kernel import proven_kernel
from wavescribe.engines.qwen3.segments import RollOver
from wavescribe.engines.qwen3.stepper import Stepper
from wavescribe.engines.qwen3.streams import Streams
from wavescribe.engines.qwen3.tokenizer import read_tokenizer
from wavescribe.errors import ConfigurationError, EngineError, ModelNotFoundError, WeightsError

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
"""Types of the weights that `compute_type` can name."""

CPU_POOL_BYTES = 2 * 1024**3
"""Keys and values of all streams on a CPU."""

CUDA_POOL_SHARE = 0.7
"""Share of the memory that is free after the weights are loaded; the rest is for the passes."""

CPU_PAGE_SIZE = 64
CUDA_PAGE_SIZE = 256
"""Tokens of a page; flash attention takes multiples of 256."""

logger = logging.getLogger(__name__)


def load_qwen3(
    name: str,
    *,
    device: str = "auto",
    compute_type: str | None = None,
    threads: int | None = None,
    floor: FloorPolicy = "exact",
    window_frames: int | None = None,
    pool_bytes: int | None = None,
    aligner: str | None = None,
) -> Qwen3AsrEngine:
    """Load a model.

    Args:
        name: a directory, or a Hugging Face id.
        device: "auto", "cpu" or "cuda".
        compute_type: "float32", "float16" or "bfloat16"; by default bfloat16 on CUDA and float32 on a CPU.
        threads: CPU threads of torch; by default its own choice.
        floor: how the floor of the features is chosen.
        window_frames: length of the encoder's attention window, 100 to 800; by default the checkpoint's.
        pool_bytes: memory for keys and values; by default 2 GiB on a CPU, most of what is free on CUDA.
        aligner: directory or id of a forced aligner for word times.

    Raises:
        ConfigurationError: a value is wrong.
        WeightsError: the checkpoint is missing, damaged or of an unknown layout.
        EngineError: the device is not there or has too little memory.
    """
    place = torch_device(device)
    dtype = torch_dtype(compute_type, place)
    if dtype == torch.float32:
        torch.backends.cudnn.allow_tf32 = False  # else convolutions on CUDA round to 10 bits
    if threads is not None:
        torch.set_num_threads(threads)
    directory = checkpoint_directory(name)
    shape = _shape(directory, window_frames)
    tokenizer = read_tokenizer(directory)
    try:
        weights = load_weights(directory, shape, device=place, dtype=dtype)
        model = build_model(shape, weights, kernel=kernel_for(shape, weights))
        align = _load_aligner(aligner, place, dtype, model.decoder.kernel) if aligner else None
        streams = make_streams(model, pool_bytes, floor)
    except torch.OutOfMemoryError as error:
        raise EngineError(f"{name} does not fit the memory of {place}: {error}") from error
    logger.info("%s on %s as %s; room for %d streams", name, place, dtype, streams.room(RollOver().cap_seconds))
    return Qwen3AsrEngine(streams, tokenizer, name, align)


def kernel_for(shape: ModelShape, weights: Mapping[str, torch.Tensor]) -> Kernel:
    """The attention kernel that proved right with these weights on their device; what came of it goes to the log."""
    kernel, reason = proven_kernel(shape, weights)
    if reason:
        level = logging.WARNING if kernel == "plain" else logging.INFO
        logger.log(level, "attention: %s (%s)", kernel, reason)
    return kernel


def make_streams(model: Qwen3AsrModel, pool_bytes: int | None = None, floor: FloorPolicy = "exact") -> Streams:
    """The model's streams, with a pool that holds at least one of them.

    Raises:
        ConfigurationError: the memory given is less than one stream needs, or more than there is.
    """
    pool = make_pool(model, pool_bytes)
    streams = Streams(Stepper(model, pool, floor), pool)
    longest = RollOver().cap_seconds
    needed = streams.pages_of_one(longest, answer_budget(longest), MAXIMUM_CONTEXT_TOKENS)
    if pool.pages < needed:
        raise ConfigurationError(
            f"setting cache_bytes: {pool.pages * pool.page_bytes} bytes for keys and values do not hold one stream of "
            f"{longest:g} s, which needs up to {needed * pool.page_bytes}"
        )
    return streams


def make_pool(model: Qwen3AsrModel, pool_bytes: int | None = None) -> PagePool:
    """A pool of pages for the model's streams.

    Raises:
        ConfigurationError: the memory given is less than a page, or more than there is.
    """
    is_cuda = model.device.type == "cuda"
    page_size = CUDA_PAGE_SIZE if is_cuda else CPU_PAGE_SIZE
    if pool_bytes is None:
        free = torch.cuda.mem_get_info(model.device)[0] if is_cuda else 0
        pool_bytes = int(free * CUDA_POOL_SHARE) if is_cuda else CPU_POOL_BYTES
    page_bytes = page_size * model.shape.text.key_value_bytes(model.dtype.itemsize)
    if pool_bytes < page_bytes:
        raise ConfigurationError(
            f"setting cache_bytes: {pool_bytes} bytes for keys and values are less than one page of {page_bytes}"
        )
    try:
        return PagePool(model.shape.text, pool_bytes // page_bytes, page_size, model.device, model.dtype)
    except RuntimeError as error:
        raise ConfigurationError(
            f"setting cache_bytes: {pool_bytes} bytes for keys and values cannot be had on {model.device}"
        ) from error


def torch_device(name: str) -> torch.device:
    """The device of that name.

    Args:
        name: "auto", "cpu" or "cuda".

    Raises:
        EngineError: it is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise EngineError("device cuda was asked for, and torch sees no CUDA device; use --device cpu or auto")
    return torch.device(name)


def torch_dtype(compute_type: str | None, device: torch.device) -> torch.dtype:
    """The type of that name; without a name bfloat16 on CUDA and float32 on a CPU.

    Args:
        compute_type: "float32", "float16", "bfloat16" or None.
        device: where the weights lie.

    Raises:
        ConfigurationError: there is no such type.
    """
    if compute_type is None:
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    if compute_type not in DTYPES:
        raise ConfigurationError(f"setting compute_type: Qwen3-ASR runs as {', '.join(DTYPES)}, got {compute_type!r}")
    return DTYPES[compute_type]


def _shape(directory: Path, window_frames: int | None) -> ModelShape:
    shape = parse_shape(read_configuration(directory), str(directory / "config.json"))
    if shape.classes is not None:
        raise WeightsError(f"{directory} is a forced aligner, which gives times and no text; give a Qwen3-ASR model")
    if window_frames is None:
        return shape
    try:
        return shape.with_window(window_frames)
    except ValueError as error:
        raise ConfigurationError(f"setting encoder_window_seconds: {error}") from error


def _load_aligner(name: str, device: torch.device, dtype: torch.dtype, kernel: Kernel) -> ForcedAligner:
    try:
        directory = checkpoint_directory(name)
    except ModelNotFoundError as error:
        raise ConfigurationError(f"setting aligner: {error}") from error
    shape = parse_shape(read_configuration(directory), str(directory / "config.json"))
    if shape.classes is None:
        raise ConfigurationError(f"setting aligner: {directory} is no forced aligner; its config.json names no classes")
    weights = load_weights(directory, shape, device=device, dtype=dtype)
    return ForcedAligner(shape, weights, read_tokenizer(directory), kernel)
