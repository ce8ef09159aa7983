"""`WS /api-ws/v1/realtime` of the running program, by the stock client of DashScope over a real socket."""

from __future__ import annotations

import base64
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dashscope.audio.qwen_omni import (
    AudioFormatConfig,
    MultiModality,
    OmniRealtimeCallback,
    OmniRealtimeConversation,
)
from dashscope.audio.qwen_omni.omni_realtime import TranscriptionParams

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16
from wavescribe.engines.base import Samples

pytestmark = pytest.mark.model

PREFIX = "conversation.item.input_audio_transcription"
WAIT_SECONDS = 90
FOX = "the quick brown fox jumps over the lazy dog"


class Heard(OmniRealtimeCallback):
    """What the client is told."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.close_codes: queue.Queue[int | None] = queue.Queue()
        self._news: queue.Queue[dict[str, Any]] = queue.Queue()

    def on_event(self, message: Any) -> None:
        self.events.append(message)
        self._news.put(message)

    def on_close(self, close_status_code: int | None, close_msg: str | None) -> None:
        self.close_codes.put(close_status_code)

    def until(self, kind: str) -> dict[str, Any]:
        """Wait for the next event of a type."""
        while True:
            message = self._news.get(timeout=WAIT_SECONDS)
            if message["type"] == kind:
                return message

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def transcripts(self) -> list[str]:
        return [event["transcript"] for event in self.of(f"{PREFIX}.completed")]

    @property
    def kinds(self) -> list[str]:
        """The types in order, drafts left out."""
        return [event["type"] for event in self.events if event["type"] != f"{PREFIX}.text"]


Talk = tuple[OmniRealtimeConversation, Heard]


@contextmanager
def talking(server: Any) -> Iterator[Talk]:
    heard = Heard()
    url = f"{server.websocket}/api-ws/v1/realtime"
    conversation: Any = OmniRealtimeConversation("qwen3-asr-flash-realtime", heard, url=url, api_key="x")
    conversation.connect()
    connection = conversation.ws.sock
    try:
        yield conversation, heard
    finally:
        conversation.close()
        conversation.thread.join(WAIT_SECONDS)
        assert not conversation.thread.is_alive()
        # The client forgets to close its socket when the server closes the connection.
        connection.shutdown()


def configure(talk: Talk, *, vad: bool, language: Any = "en", rate: int = 16_000, **more: Any) -> dict[str, Any]:
    """Configure transcription as the package's documentation does; returns the session that the server echoes."""
    conversation, heard = talk
    conversation.update_session(
        output_modalities=[MultiModality.TEXT],
        enable_turn_detection=vad,
        transcription_params=TranscriptionParams(language=language, sample_rate=rate, **more),
    )
    session: dict[str, Any] = heard.until("session.updated")["session"]
    return session


def say(talk: Talk, samples: Samples, packet: int = 3_200) -> None:
    for first in range(0, len(samples), packet):
        talk[0].append_audio(base64.b64encode(encode_pcm16(samples[first : first + packet])).decode())


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * 16_000), dtype=np.float32)


def check_previews(heard: Heard, item_id: str, transcript: str) -> None:
    """Text only grows and ends where the transcript begins; there was something to see before the end."""
    previews = [event for event in heard.of(f"{PREFIX}.text") if event["item_id"] == item_id]
    assert any(event["text"] + event["stash"] for event in previews)
    texts = [event["text"] for event in previews]
    for shorter, longer in zip(texts, [*texts[1:], transcript], strict=True):
        assert longer.startswith(shorter)
    for event in previews:
        assert event["language"] == "en"
        assert event["emotion"] == "neutral"


@pytest.fixture(scope="module")
def fox_samples(fox: Path) -> Samples:
    return decode_audio(fox, sample_rate=16_000, max_seconds=60)


def test_a_manual_session_is_committed_by_the_client_and_finished(
    server: Any, fox_samples: Samples, normalise: Callable[[str], str]
) -> None:
    with talking(server) as talk:
        conversation, heard = talk
        session = configure(talk, vad=False, corpus_text="An animal story.")
        assert session["turn_detection"] is None
        assert session["input_audio_transcription"] == {"language": "en", "corpus": {"text": "An animal story."}}
        assert conversation.get_session_id() == session["id"]
        for _ in range(2):
            say(talk, fox_samples)
            conversation.commit()
        conversation.end_session(WAIT_SECONDS)
        assert heard.close_codes.get(timeout=WAIT_SECONDS) == 1000
    assert [normalise(text) for text in heard.transcripts] == [FOX, FOX]
    commits = heard.of("input_audio_buffer.committed")
    assert [event["previous_item_id"] for event in commits] == [None, commits[0]["item_id"]]
    assert [event["item"]["content"] for event in heard.of("conversation.item.created")] == [
        [{"type": "input_audio", "transcript": None}]
    ] * 2
    for commit, transcript in zip(commits, heard.transcripts, strict=True):
        check_previews(heard, commit["item_id"], transcript)
    assert heard.kinds[-1] == "session.finished"


def test_a_voice_session_commits_at_pauses_and_its_rest_when_it_is_finished(
    server: Any, fox_samples: Samples, normalise: Callable[[str], str]
) -> None:
    with talking(server) as talk:
        conversation, heard = talk
        assert configure(talk, vad=True)["turn_detection"]["silence_duration_ms"] == 800
        say(talk, np.concatenate([silence(0.5), fox_samples, silence(1.5), fox_samples]))
        conversation.end_session(WAIT_SECONDS)
    assert [normalise(text) for text in heard.transcripts] == [FOX, FOX]
    one_turn = [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.created",
        f"{PREFIX}.completed",
    ]
    assert heard.kinds == ["session.created", "session.updated", *one_turn, *one_turn, "session.finished"]
    for completed in heard.of(f"{PREFIX}.completed"):
        check_previews(heard, completed["item_id"], completed["transcript"])


def test_both_modes_and_a_finish_without_a_commit_give_the_same_text(server: Any, fox_samples: Samples) -> None:
    transcripts = []
    for commits in (True, False):
        with talking(server) as talk:
            conversation, heard = talk
            configure(talk, vad=False)
            say(talk, fox_samples, packet=len(fox_samples) if commits else 1_111)
            if commits:
                conversation.commit()
            conversation.end_session(WAIT_SECONDS)
            transcripts.append(heard.transcripts)
            assert heard.kinds[2:] == [
                "input_audio_buffer.committed",
                "conversation.item.created",
                f"{PREFIX}.completed",
                "session.finished",
            ]
    assert transcripts[0] == transcripts[1]
    assert len(transcripts[0]) == 1


@pytest.mark.parametrize("vad", [True, False])
def test_a_session_that_heard_only_silence_is_just_finished(server: Any, vad: bool) -> None:
    with talking(server) as talk:
        conversation, heard = talk
        configure(talk, vad=vad)
        say(talk, silence(2))
        conversation.end_session(WAIT_SECONDS)
    assert heard.kinds == ["session.created", "session.updated", "session.finished"]


def test_audio_of_a_telephone_is_understood_and_its_language_found(
    server: Any, fox: Path, normalise: Callable[[str], str]
) -> None:
    with talking(server) as talk:
        conversation, heard = talk
        session = configure(talk, vad=False, language=None, rate=8_000)
        assert (session["sample_rate"], session["input_audio_transcription"]) == (8_000, None)
        say(talk, decode_audio(fox, sample_rate=8_000, max_seconds=60))
        conversation.end_session(WAIT_SECONDS)
    assert [normalise(text) for text in heard.transcripts] == [FOX]
    assert heard.of(f"{PREFIX}.completed")[0]["language"] == "en"


def test_the_newer_form_of_the_audio_format_is_taken_without_transcription_parameters(server: Any) -> None:
    with talking(server) as talk:
        conversation, heard = talk
        conversation.update_session(
            output_modalities=[MultiModality.TEXT], input_audio_config=AudioFormatConfig(sample_rate=48_000)
        )
        assert heard.until("session.updated")["session"]["sample_rate"] == 48_000
        conversation.end_session(WAIT_SECONDS)


def test_errors_leave_the_session_open(server: Any, fox_samples: Samples, normalise: Callable[[str], str]) -> None:
    with talking(server) as talk:
        conversation, heard = talk
        conversation.commit()
        assert heard.until("error")["error"]["code"] == "invalid_state"
        conversation.update_session(
            output_modalities=[MultiModality.TEXT], transcription_params=TranscriptionParams(input_audio_format="opus")
        )
        refused = heard.until("error")["error"]
        assert (refused["code"], refused["param"]) == ("invalid_value", "session.input_audio_format")
        conversation.create_response()
        assert heard.until("error")["error"]["code"] == "not_supported"
        configure(talk, vad=False)
        say(talk, fox_samples)
        conversation.end_session(WAIT_SECONDS)
    assert [normalise(text) for text in heard.transcripts] == [FOX]
