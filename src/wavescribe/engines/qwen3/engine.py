"""The Qwen3-ASR engine behind the Engine protocol."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from wavescribe.engines.base import (
    Answer,
    DecodeRequest,
    EngineInfo,
    FileOptions,
    FileTranscription,
    Hypothesis,
    Samples,
    Segment,
    StateReport,
)
from wavescribe.engines.qwen3.aligner import ForcedAligner
from wavescribe.engines.qwen3.answer_budget import TOKENS_PER_SECOND, answer_budget
from wavescribe.engines.qwen3.device_faults import told
from wavescribe.engines.qwen3.file_segments import file_segment
from wavescribe.engines.qwen3.geometry import SAMPLE_RATE
from wavescribe.engines.qwen3.hypotheses import DEFAULT_LANGUAGE, HypothesisMaker
from wavescribe.engines.qwen3.languages import LANGUAGES, trained_name
from wavescribe.engines.qwen3.prompting import step_request
from wavescribe.engines.qwen3.segments import RollOver, split_clip
from wavescribe.engines.qwen3.speech_gate import has_speech
from wavescribe.engines.qwen3.stepper import StepAnswer, StepRequest
from wavescribe.engines.qwen3.streams import MAXIMUM_SECONDS, MemoryReport, Streams
from wavescribe.engines.qwen3.tokenizer import QwenTokenizer
from wavescribe.errors import EngineError, InvalidRequestError, WavescribeError

MOST_AHEAD = 4
"""Segments that are decoded to learn a file's language; more could take longer than a call may."""

logger = logging.getLogger(__name__)


class _Found(NamedTuple):
    """A segment of a file, and its language."""

    segment: Segment
    language: str
    language_probability: float


class Qwen3AsrEngine:
    """Qwen3-ASR as an engine. Greedy decoding; a window that starts where the stream's last one did is continued.

    Args:
        streams: caches and steps of all streams.
        tokenizer: of the checkpoint.
        name: the name it is served under.
        aligner: gives word times where it is loaded; without it they are estimates.
    """

    def __init__(
        self, streams: Streams, tokenizer: QwenTokenizer, name: str, aligner: ForcedAligner | None = None
    ) -> None:
        self._streams = streams
        self._tokenizer = tokenizer
        self._maker = HypothesisMaker(tokenizer, aligner)
        self._rule = RollOver()
        self._info = EngineInfo(
            name=name,
            sample_rate=SAMPLE_RATE,
            languages=tuple(LANGUAGES),
            max_window_seconds=MAXIMUM_SECONDS,
            takes_prefix=True,
            gives_times=aligner is not None,
            batches=True,
            translates=False,
            continues_windows=True,
            most_streams=max(1, streams.room(self._rule.cap_seconds)),
            tokens_per_second=TOKENS_PER_SECOND,
        )

    @property
    def info(self) -> EngineInfo:
        """What this engine can do."""
        return self._info

    @property
    def streams(self) -> Streams:
        """Caches and steps of all streams."""
        return self._streams

    def memory(self) -> MemoryReport:
        """What the streams hold."""
        return self._streams.memory()

    @property
    def state(self) -> StateReport:
        """What the streams held after the last step; see KeepsState.state."""
        report = self._streams.last_report
        held = report.cache_bytes + (report.pages - report.free_pages) * report.page_bytes
        return StateReport(report.streams, held, report.free_pages * report.page_bytes, report.largest_stream_bytes)

    def forget(self, stream_id: str) -> None:
        """A stream has ended: its pages are free at once; see KeepsState.forget."""
        self._streams.leave(stream_id)

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """Decode all windows in shared passes; see Engine.decode.

        Raises:
            InvalidRequestError: a language is not one of the model's.
            EngineError: one of the steps failed; `decode_each` keeps the answers of the others.
            EngineLostError: the device failed; this process is of no use any more.
        """
        answers = self.decode_each(requests)
        for answer in answers:
            if isinstance(answer, WavescribeError):
                raise answer
        return [answer for answer in answers if isinstance(answer, Hypothesis)]

    def decode_each(self, requests: Sequence[DecodeRequest]) -> list[Answer]:
        """As `decode`, with an error in the place of each request that failed; see AnswersEach.decode_each."""
        results: dict[int, Answer] = {}
        steps: dict[int, tuple[str, StepRequest]] = {}
        taken: set[str] = set()
        for index, request in enumerate(requests):
            if not np.any(request.samples):
                results[index] = self._maker.silence(request)
                continue
            try:
                step = self._step_request(request)
            except InvalidRequestError as error:
                results[index] = error
                continue
            key = request.cache_key[0] if request.cache_key[0] not in taken else ""
            taken.add(key)
            steps[index] = (key, step)
        for index, answer in zip(steps, self._streams.step(list(steps.values())), strict=True):
            results[index] = self._result(requests[index], answer)
        return [results[index] for index in range(len(requests))]

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        """Transcribe a whole recording, segment by segment; see Engine.transcribe_file.

        Decoding is greedy whatever the temperature. The language is that of the first segment in which something is
        said; up to MOST_AHEAD segments are decoded for it at once.
        """
        if options.language is not None:
            trained_name(options.language)
        if options.task == "translate":
            raise InvalidRequestError(f"model {self._info.name!r} cannot translate", param="model")
        found = self._file(samples, options)
        ahead: list[_Found] = []
        for each in found:
            ahead.append(each)
            if each.segment.text or len(ahead) == MOST_AHEAD:
                break
        language, certainty = options.language or DEFAULT_LANGUAGE, float(options.language is not None)
        if ahead:
            language, certainty = ahead[-1].language, ahead[-1].language_probability
        segments = (each.segment for each in chain(ahead, found))
        return FileTranscription(language, certainty, len(samples) / SAMPLE_RATE, segments)

    def close(self) -> None:
        """Free the model's memory."""
        del self._streams, self._maker

    def _step_request(self, request: DecodeRequest) -> StepRequest:
        return step_request(self._tokenizer, request)

    def _result(self, request: DecodeRequest, answer: StepAnswer | EngineError) -> Answer:
        if isinstance(answer, EngineError):
            return answer
        try:
            return self._maker.make(request, answer)
        except Exception as error:  # the aligner runs here; whatever it raises, it must stay this stream's own
            return told(error)

    def _file(self, samples: Samples, options: FileOptions) -> Iterator[_Found]:
        """The segments of a recording in which somebody speaks."""
        spoken = ((start, clip) for start, clip in split_clip(samples, self._rule) if has_speech(clip))
        for index, (start, clip) in enumerate(spoken):
            seconds = len(clip) / SAMPLE_RATE
            request = DecodeRequest(
                samples=clip,
                language=options.language,
                context=options.prompt,
                keywords=options.keywords,
                times=options.word_times,
                token_budget=answer_budget(seconds),
            )
            found = self.decode([request])[0]
            if found.truncated:
                logger.warning(
                    "the text of a file was cut off %.1f s after its start: %.1f s of audio had more than %d tokens",
                    (start + len(clip)) / SAMPLE_RATE,
                    seconds,
                    request.token_budget,
                )
            segment = file_segment(index, start / SAMPLE_RATE, seconds, found, words=options.word_times)
            yield _Found(segment, found.language, found.language_probability)
