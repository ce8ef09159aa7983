"""The engine in another process, where its memory cannot be looked at: it tells it as the length of any file."""

from __future__ import annotations

from wavescribe.engines.base import FileOptions, FileTranscription, Samples
from wavescribe.engines.qwen3.engine import Qwen3AsrEngine
from wavescribe.engines.qwen3.streams import Streams
from wavescribe.engines.qwen3.tokenizer import read_tokenizer


class ReportingEngine(Qwen3AsrEngine):
    """Its files have no text; they are as many seconds long as pages are held by streams."""

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        held = self.memory().pages - self.memory().free_pages
        return FileTranscription("en", 1.0, float(held), iter(()))


def load_reporting(directory: str) -> ReportingEngine:
    """Load a checkpoint directory on the CPU."""
    from pathlib import Path

    import torch

    from wavescribe.engines.qwen3.checkpoint import load_weights
    from wavescribe.engines.qwen3.configuration import parse_shape, read_configuration
    from wavescribe.engines.qwen3.loading import make_pool
    from wavescribe.engines.qwen3.model import build_model
    from wavescribe.engines.qwen3.stepper import Stepper

    torch.set_num_threads(1)
    path = Path(directory)
    shape = parse_shape(read_configuration(path), directory)
    model = build_model(shape, load_weights(path, shape, device=torch.device("cpu"), dtype=torch.float32))
    pool = make_pool(model, 2**26)
    return ReportingEngine(Streams(Stepper(model, pool), pool), read_tokenizer(path), "reporting")
