"""What the server's own model and settings write of a stream's audio when it is alone, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wavescribe.audio.pcm import decode_pcm16, encode_pcm16
from wavescribe.bench.stream_plan import PACKET_SAMPLES, StreamPlan
from wavescribe.engines.answers import forget
from wavescribe.engines.base import Engine
from wavescribe.errors import ConfigurationError
from wavescribe.serving.live_service import LiveService, StreamOptions
from wavescribe.serving.metrics import Metrics
from wavescribe.settings import Settings, load_settings
from wavescribe.streaming.events import Event, TurnEnded
from wavescribe.streaming.transcriber import Transcriber
from wavescribe.vad.endpointer import TurnDetection
from wavescribe.vad.silero import SileroDetector

BASELINE = "baseline"
"""The stream's name for engines that keep state."""


def settings_of(flags: Sequence[str]) -> Settings:
    """The settings that `wavescribe serve` has with these flags.

    Args:
        flags: `--name value` pairs, or `--name=value`.

    Raises:
        ConfigurationError: a flag is unknown or its value is wrong.
    """
    parts = [part for flag in flags for part in (flag.split("=", 1) if flag.startswith("--") else [flag])]
    if len(parts) % 2 or not all(name.startswith("--") for name in parts[::2]):
        raise ConfigurationError(f"flags of the server come as '--name value', got {' '.join(flags)!r}")
    names = (name[2:].replace("-", "_") for name in parts[::2])
    given = dict(zip(names, parts[1::2], strict=True))
    config = given.pop("config", None)
    return load_settings(Path(config) if config else None, **given)


def turns_alone(engine: Engine, settings: Settings, plan: StreamPlan, silence_ms: int) -> tuple[str, ...]:
    """The transcripts of a stream's turns that have text, no step skipped.

    Args:
        engine: the server's model.
        settings: the server's.
        plan: the stream.
        silence_ms: silence that ends a turn where the server ends them.
    """
    detection = TurnDetection.server_vad(silence_duration_ms=silence_ms) if plan.turns == "server" else None
    options = StreamOptions(language=plan.language, turn_detection=detection)
    parameters = LiveService(engine, settings, Metrics()).parameters(options)
    transcriber = Transcriber(BASELINE, parameters, SileroDetector())
    # The wire carries 16 bits a sample.
    samples = decode_pcm16(encode_pcm16(plan.samples))
    events: list[Event] = []
    for end in range(PACKET_SAMPLES, len(samples) + 1, PACKET_SAMPLES):
        transcriber.push(samples[end - PACKET_SAMPLES : end])
        if end in plan.commits:
            transcriber.end_turn()
        events += _decode(engine, transcriber)
    forget(engine, BASELINE)
    return tuple(event.transcript for event in events if isinstance(event, TurnEnded) and event.transcript)


def _decode(engine: Engine, transcriber: Transcriber) -> list[Event]:
    made: list[Event] = []
    while True:
        step, events = transcriber.request()
        made += events
        if step is None:
            return made
        made += transcriber.accept(engine.decode([step.request])[0])
