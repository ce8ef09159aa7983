"""The audio of one stream, planned ahead: recordings one after the other, and when each packet is due."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from wavescribe.audio.pcm import encode_pcm16
from wavescribe.audio.resampling import StreamingResampler
from wavescribe.bench.corpus import Recording
from wavescribe.bench.gold_times import RATE, GoldTimes, TimedRecording
from wavescribe.bench.metrics.final_latency import Utterance
from wavescribe.bench.metrics.timeline import GoldWord
from wavescribe.engines.base import Samples

Turns = Literal["manual", "server", "none"]
"""Who ends turns: the client 0.2 s after each recording's speech, the server, or nobody before the end."""

PACKET_SECONDS = 0.1
PACKET_SAMPLES = round(PACKET_SECONDS * RATE)

STOP_SECONDS = 0.2
"""Silence after which the client's detector would know that speech has ended; that of pipecat-ai/stt-benchmark."""

TAIL_SECONDS = 1.5
"""Silence after the last recording, so that the server's detector hears its end."""

COMMIT = json.dumps({"type": "input_audio_buffer.commit"})

GAP_SECONDS, CLEAR_SECONDS = 0.5, 1.0
"""Silence between two recordings, and how much more than ends a turn where the server ends them: with less, two
recordings may share a turn."""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What one stream says.

    Attributes:
        samples: its audio, float32 at 16 kHz, a whole number of packets.
        commits: sample positions, each a multiple of the packet, where the client ends a turn.
        utterance_ends: the same where each recording's speech is known to have ended, whoever ends turns.
        words: all gold words on the stream's timeline, in order.
        utterances: one a recording.
        text: the gold text.
        language: ISO 639-1 code.
        speech_seconds: how much of the audio is speech.
        turns: who ends turns.
    """

    samples: Samples
    commits: tuple[int, ...]
    utterance_ends: tuple[int, ...]
    words: tuple[GoldWord, ...]
    utterances: tuple[Utterance, ...]
    text: str
    language: str
    speech_seconds: float
    turns: Turns

    @property
    def seconds(self) -> float:
        """Seconds of audio."""
        return len(self.samples) / RATE

    def beginning(self, seconds: float) -> StreamPlan:
        """Its first seconds, as one turn; the gold text stays that of all."""
        end = min(len(self.samples), _packets(round(seconds * RATE)))
        return replace(self, samples=self.samples[:end], commits=(end,), utterance_ends=(end,))


@dataclass(frozen=True, slots=True)
class TimedMessage:
    """A message and when it is sent.

    Attributes:
        due: seconds since the stream's first sample was spoken.
        text: JSON.
        ends_turn: whether it is a commit.
    """

    due: float
    text: str
    ends_turn: bool = False


def gap_seconds(turns: Turns, silence_ms: int) -> float:
    """Silence between two recordings, in seconds.

    Args:
        turns: who ends turns.
        silence_ms: silence that ends a turn where the server ends them.
    """
    return silence_ms / 1000 + CLEAR_SECONDS if turns == "server" else GAP_SECONDS


def plan_streams(
    recordings: Sequence[Recording],
    times: GoldTimes,
    *,
    streams: int,
    seconds: float,
    turns: Turns,
    gap_seconds: float = GAP_SECONDS,
    seed: int = 1,
) -> list[StreamPlan]:
    """Deal recordings to streams: each gets others, in another order, until its minutes are full.

    Args:
        recordings: at least one, of one language; dealt anew when all have been dealt.
        times: where their words are.
        streams: how many.
        seconds: least audio of each.
        turns: who ends turns.
        gap_seconds: silence between two recordings.
        seed: of the order.
    """
    order = random.Random(seed)
    deck: list[Recording] = []
    plans = []
    for _ in range(streams):
        hand: list[TimedRecording] = []
        while sum(len(held.samples) / RATE + gap_seconds for held in hand) < seconds:
            if not deck:
                deck = order.sample(list(recordings), len(recordings))
            hand.append(times.of(deck.pop()))
        plans.append(join_recordings(hand, turns=turns, gap_seconds=gap_seconds))
    return plans


def join_recordings(hand: Sequence[TimedRecording], *, turns: Turns, gap_seconds: float = GAP_SECONDS) -> StreamPlan:
    """One stream of these recordings."""
    gap = max(round(gap_seconds * RATE), round(STOP_SECONDS * RATE) + PACKET_SAMPLES)
    pieces: list[Samples] = []
    ends: list[int] = []
    words: list[GoldWord] = []
    utterances: list[Utterance] = []
    position = 0
    for each in hand:
        shift = position / RATE
        words += [replace(word, start=word.start + shift, end=word.end + shift) for word in each.words]
        began = max(each.words[0].start if each.words else 0.0, each.speech_start)
        texts = tuple(word.text for word in each.words)
        utterances.append(Utterance(texts, each.speech_end + shift, began + shift))
        ends.append(_packets(position + round((each.speech_end + STOP_SECONDS) * RATE)))
        pieces += [each.samples, np.zeros(gap, dtype=np.float32)]
        position += len(each.samples) + gap
    end = _packets(position + round(TAIL_SECONDS * RATE if turns != "manual" else 0))
    samples = np.concatenate([*pieces, np.zeros(end - position, dtype=np.float32)])
    return StreamPlan(
        samples=samples,
        commits=tuple(ends) if turns == "manual" else (end,),
        utterance_ends=tuple(ends),
        words=tuple(words),
        utterances=tuple(utterances),
        text=" ".join(each.recording.text for each in hand),
        language=hand[0].recording.language,
        speech_seconds=sum(each.speech_seconds for each in hand),
        turns=turns,
    )


def _packets(position: int) -> int:
    """The position, rounded up to whole packets."""
    return -(-position // PACKET_SAMPLES) * PACKET_SAMPLES


def messages(plan: StreamPlan, rate: int) -> list[TimedMessage]:
    """Every append and commit of a stream, encoded ahead so that sending costs next to nothing.

    A packet is due when its last sample has been spoken.

    Args:
        plan: the stream.
        rate: samples per second on the wire.
    """
    resampler = StreamingResampler(RATE, rate)
    commits = set(plan.commits)
    made: list[TimedMessage] = []
    for start in range(0, len(plan.samples), PACKET_SAMPLES):
        end = start + PACKET_SAMPLES
        sound = resampler.push(plan.samples[start:end])
        if end == len(plan.samples):
            sound = np.concatenate([sound, resampler.flush()])
        if len(sound):
            made.append(TimedMessage(end / RATE, _append(sound)))
        if end in commits:
            made.append(TimedMessage(end / RATE, COMMIT, ends_turn=True))
    return made


def _append(samples: Samples) -> str:
    audio = base64.b64encode(encode_pcm16(samples)).decode()
    return json.dumps({"type": "input_audio_buffer.append", "audio": audio})
