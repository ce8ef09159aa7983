from __future__ import annotations

from wavescribe.serving.mute_watch import MuteWatch


def test_speech_without_text_is_reported_once_until_text_comes() -> None:
    watch = MuteWatch(limit=3.0)
    assert [watch.speech(1.0) for _ in range(5)] == [False, False, True, False, False]
    assert watch.seconds == 5.0
    watch.text()
    assert [watch.speech(2.0) for _ in range(3)] == [False, True, False]
