"""The Whisper engine: CTranslate2's model behind the Engine protocol."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import ctranslate2
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from threadpoolctl import threadpool_limits

from wavescribe.engines.base import (
    DecodeRequest,
    EngineInfo,
    FileOptions,
    FileTranscription,
    Hypothesis,
    Piece,
    Samples,
)
from wavescribe.engines.weights import resolve_weights
from wavescribe.engines.whisper.alignment import token_boundaries
from wavescribe.engines.whisper.features import FRAME_SAMPLES, MAXIMUM_SECONDS, PADDING_SECONDS, encoder_input
from wavescribe.engines.whisper.files import transcribe_file
from wavescribe.engines.whisper.long_window import decode_in_blocks
from wavescribe.engines.whisper.pieces import group_tokens
from wavescribe.engines.whisper.prompting import build_prompt
from wavescribe.errors import EngineError, InvalidRequestError

BEAM_SIZE = 3
"""Hypotheses followed in a live decode: windows are short and their edges uncertain, so that the best word is not
always the best beginning. What it buys and costs is in docs/performance.md."""

DECODER_TOKENS = 448
"""Most tokens that the decoder has positions for, prompt included."""

MOST_KERNELS = 32
"""Kernels that oneDNN keeps, unless ONEDNN_PRIMITIVE_CACHE_CAPACITY says otherwise. It makes one for each shape and by
default keeps 1024: windows have any length, so that memory grew by hundreds of megabytes and no time was saved."""


@dataclass(frozen=True, slots=True)
class _Alignment:
    """Times and probabilities of text tokens; boundaries has one more entry than there are tokens."""

    boundaries: list[float]
    probabilities: list[float]


class WhisperEngine:
    """Whisper (any faster-whisper model) as an engine.

    Args:
        model: the loaded faster-whisper model.
        name: the name it is served under.
    """

    def __init__(self, model: WhisperModel, name: str) -> None:
        self._model = model
        self._network: Any = model.model
        multilingual = self._network.is_multilingual
        languages = _languages(model) if multilingual else ("en",)
        self._multilingual = multilingual
        self._tokenizer = lru_cache(maxsize=None)(self._make_tokenizer)
        self._info = EngineInfo(
            name=name,
            sample_rate=16_000,
            languages=languages,
            max_window_seconds=MAXIMUM_SECONDS - PADDING_SECONDS,
            takes_prefix=True,
            gives_times=True,
            batches=False,
            translates=multilingual,
        )

    @property
    def info(self) -> EngineInfo:
        """What this engine can do."""
        return self._info

    @property
    def faster_whisper(self) -> WhisperModel:
        """The model itself, for measurements that compare with its own decoding."""
        return self._model

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """Decode each window greedily; see Engine.decode."""
        return [self._decode_one(request) for request in requests]

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        """Transcribe a whole recording; see Engine.transcribe_file."""
        self._check_language(options.language)
        if options.task == "translate" and not self._info.translates:
            raise InvalidRequestError(f"model {self._info.name!r} cannot translate", param="model")
        return transcribe_file(self._model, samples, options)

    def close(self) -> None:
        """Free the model's memory."""
        self._network.unload_model()

    def _check_language(self, language: str | None) -> None:
        if language is not None and language not in self._info.languages:
            raise InvalidRequestError(
                f"model {self._info.name!r} does not know the language {language!r}", param="language"
            )

    def _make_tokenizer(self, language: str) -> Tokenizer:
        return Tokenizer(self._model.hf_tokenizer, self._multilingual, task="transcribe", language=language)

    def _decode_one(self, request: DecodeRequest) -> Hypothesis:
        self._check_language(request.language)
        block = int(self._info.max_window_seconds * self._info.sample_rate)
        try:
            if len(request.samples) > block:
                return decode_in_blocks(self._decode_window, request, block, self._info.sample_rate)
            return self._decode_window(request)
        except RuntimeError as error:
            raise EngineError(f"the model failed on a window of {len(request.samples)} samples: {error}") from error

    def _decode_window(self, request: DecodeRequest) -> Hypothesis:
        encoded = self._network.encode(
            encoder_input(self._model.feature_extractor, request.samples, thorough=request.thorough)
        )
        language, language_probability = self._language(request, encoded)
        tokenizer = self._tokenizer(language)
        prompt = build_prompt(tokenizer, request)
        result = self._network.generate(
            encoded,
            [prompt],
            beam_size=BEAM_SIZE,
            max_length=min(len(prompt) + request.token_budget, DECODER_TOKENS),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=not request.prefix,
        )[0]
        token_ids = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
        alignment = self._align(encoded, tokenizer, token_ids, len(request.samples)) if request.times else None
        return Hypothesis(
            pieces=tuple(_pieces(token_ids, tokenizer, alignment)),
            language=language,
            language_probability=language_probability,
            no_speech_probability=float(result.no_speech_prob),
            average_logprob=float(result.scores[0]),
            truncated=len(token_ids) - len(request.prefix) >= request.token_budget,
        )

    def _language(self, request: DecodeRequest, encoded: ctranslate2.StorageView) -> tuple[str, float]:
        if request.language is not None:
            return request.language, 1.0
        if not self._multilingual:
            return "en", 1.0
        token, probability = self._network.detect_language(encoded)[0][0]
        return token.strip("<|>"), float(probability)

    def _align(
        self, encoded: ctranslate2.StorageView, tokenizer: Tokenizer, token_ids: list[int], samples: int
    ) -> _Alignment | None:
        if not token_ids:
            return None
        frames = max(1, samples // FRAME_SAMPLES)
        result = self._network.align(encoded, list(tokenizer.sot_sequence), [token_ids], [frames])[0]
        if not result.alignments:
            return None
        return _Alignment(token_boundaries(result.alignments, len(token_ids)), list(result.text_token_probs))


def _pieces(token_ids: list[int], tokenizer: Tokenizer, alignment: _Alignment | None) -> list[Piece]:
    pieces: list[Piece] = []
    position = 0
    for ids, text in group_tokens(token_ids, tokenizer.tokenizer.decode):
        after = position + len(ids)
        if alignment is None:
            pieces.append(Piece(tuple(ids), text, None, None, 1.0))
        else:
            probabilities = alignment.probabilities[position:after] or [0.0]
            mean = sum(probabilities) / len(probabilities)
            pieces.append(Piece(tuple(ids), text, alignment.boundaries[position], alignment.boundaries[after], mean))
        position = after
    return pieces


def load_whisper(
    name: str,
    *,
    device: str = "cpu",
    compute_type: str = "int8",
    workers: int = 1,
    threads_per_worker: int = 2,
) -> WhisperEngine:
    """Load a Whisper model whose weights have been checked against their pins.

    Args:
        name: a known model, a directory, or a Hugging Face id.
        device: "cpu", "cuda" or "auto".
        compute_type: CTranslate2's name of the arithmetic ("int8", "float16", ...).
        workers: calls that may run at the same time.
        threads_per_worker: CPU threads of each call.

    Raises:
        WeightsError: the weights are missing, damaged or not the pinned ones.
        ModelNotFoundError: no such model.
        EngineError: the model cannot be loaded on this device.
    """
    weights = resolve_weights(name)
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(MOST_KERNELS))
    # The features' small matrix products gain nothing from more threads, which then spin for a tenth of a second.
    threadpool_limits(limits=1, user_api="blas")
    try:
        model = WhisperModel(
            str(weights.directory),
            device=device,
            compute_type=compute_type,
            num_workers=workers,
            cpu_threads=threads_per_worker,
            local_files_only=True,
        )
    except (RuntimeError, ValueError) as error:
        raise EngineError(f"cannot load {weights.directory} on {device} as {compute_type}: {error}") from error
    return WhisperEngine(model, weights.name)


def _languages(model: WhisperModel) -> tuple[str, ...]:
    """The languages that the model has a token for; faster-whisper's list is that of the largest models."""
    known = model.hf_tokenizer.token_to_id
    return tuple(code for code in model.supported_languages if known(f"<|{code}|>") is not None)
