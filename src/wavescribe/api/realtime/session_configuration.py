"""What a client configured of its realtime transcription session; the names are the OpenAI API's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from wavescribe.languages import language_code
from wavescribe.streaming.delay import Delay
from wavescribe.streaming.parameters import StrategyName
from wavescribe.vad.endpointer import Eagerness, TurnDetection

FormatName = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]
NoiseReductionName = Literal["near_field", "far_field"]

BY_MODEL: Literal["by model"] = "by model"
"""The client has not said how turns are detected: the name of its model decides."""

MANUAL_MODELS = ("gpt-realtime-whisper", "gpt-live-transcribe")
"""Starts of the names of models whose clients end turns themselves, so that a detector would race them."""

LOGPROBS = "item.input_audio_transcription.logprobs"
DRAFT = "item.input_audio_transcription.draft"
WORDS = "item.input_audio_transcription.words"


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How audio arrives; one channel.

    Attributes:
        type: PCM of 16 bits little-endian, or G.711 µ-law (pcmu) or A-law (pcma) of 8 bits.
        rate: samples per second; always 8000 for G.711.
    """

    type: FormatName = "audio/pcm"
    rate: int = 24_000

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of one sample."""
        return 2 if self.type == "audio/pcm" else 1

    @property
    def bytes_per_second(self) -> int:
        """Bytes of one second."""
        return self.rate * self.bytes_per_sample

    @property
    def minimum_commit_bytes(self) -> int:
        """Bytes of 100 ms, the least that can be committed."""
        return self.bytes_per_second // 10


@dataclass(frozen=True, slots=True)
class Transcription:
    """How audio is transcribed; None is what the client has not given.

    Attributes:
        model: name as the client gave it.
        language: as the client gave it; None or "" to detect it.
        languages: candidates, as the client gave them.
        prompt: text in the style wanted, or that came before.
        keywords: words that are likely to occur.
        delay: how long text is held back.
        strategy: how windows are chosen.
    """

    model: str
    language: str | None = None
    languages: tuple[str, ...] | None = None
    prompt: str = ""
    keywords: tuple[str, ...] | None = None
    delay: Delay | None = None
    strategy: StrategyName | None = None

    @property
    def language_code(self) -> str | None:
        """The code of the one language that is wanted; None when it is to be detected, also among several."""
        if self.language:
            return language_code(self.language)
        codes = {language_code(candidate) for candidate in self.languages or ()}
        return codes.pop() if len(codes) == 1 else None


@dataclass(frozen=True, slots=True)
class NoiseReduction:
    """Noise reduction as the client asked for it; audio is not changed by it.

    Attributes:
        type: where the microphone is.
        strength: 1 is usual; None when the client has not given one.
    """

    type: NoiseReductionName
    strength: float | None = None


@dataclass(frozen=True, slots=True)
class ServerVad:
    """Silence ends a turn.

    Attributes:
        threshold: speech probability at which speech starts, 0 to 1.
        prefix_padding_ms: audio before the speech that belongs to the turn, in milliseconds.
        silence_duration_ms: silence that ends the turn, in milliseconds.
        create_response: no effect in a transcription session, as the next two; None when not given.
        interrupt_response: see above.
        idle_timeout_ms: see above; milliseconds.
    """

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    create_response: bool | None = None
    interrupt_response: bool | None = None
    idle_timeout_ms: int | None = None


@dataclass(frozen=True, slots=True)
class SemanticVad:
    """Silence ends a turn, sooner after a finished sentence.

    Attributes:
        eagerness: how soon.
        create_response: no effect in a transcription session, as the next; None when not given.
        interrupt_response: see above.
    """

    eagerness: Eagerness = "auto"
    create_response: bool | None = None
    interrupt_response: bool | None = None


@dataclass(frozen=True, slots=True)
class SessionConfiguration:
    """The whole configuration of a session.

    Attributes:
        model: the transcription model's name for a client that names none.
        transcription: how audio is transcribed, or None when transcription is off.
        format: how audio arrives.
        noise_reduction: as asked for, or None when off.
        chosen_turn_detection: what the client chose (None is off), or BY_MODEL.
        include: names of what is added to events; None when not given.
    """

    model: str
    transcription: Transcription | None
    format: AudioFormat = AudioFormat()
    noise_reduction: NoiseReduction | None = None
    chosen_turn_detection: ServerVad | SemanticVad | Literal["by model"] | None = BY_MODEL
    include: tuple[str, ...] | None = None

    @classmethod
    def of_model(cls, model: str) -> SessionConfiguration:
        """The defaults of a session that transcribes with a model, named as the client named it."""
        return cls(model, Transcription(model))

    @property
    def turn_detection(self) -> ServerVad | SemanticVad | None:
        """How turns are detected, or None when only the client ends them."""
        if self.chosen_turn_detection != BY_MODEL:
            return self.chosen_turn_detection
        model = self.transcription.model if self.transcription else self.model
        return None if model.startswith(MANUAL_MODELS) else ServerVad()

    def with_manual_turns(self) -> SessionConfiguration:
        """The same, with turns that only the client ends."""
        return replace(self, chosen_turn_detection=None)

    def core_turn_detection(self) -> TurnDetection | None:
        """How turns are detected, as the endpointer takes it."""
        match self.turn_detection:
            case ServerVad() as vad:
                return TurnDetection.server_vad(vad.threshold, vad.prefix_padding_ms, vad.silence_duration_ms)
            case SemanticVad(eagerness=eagerness):
                return TurnDetection.semantic_vad(eagerness)
            case None:
                return None

    def includes(self, name: str) -> bool:
        """Whether the client asked for an addition to events: LOGPROBS, DRAFT or WORDS."""
        return name in (self.include or ())
