from __future__ import annotations

from wavescribe.bench.server_counters import counted_between, read_counters


def test_the_counters_that_have_the_word_are_added_up() -> None:
    before = {"wavescribe_steps_skipped": 2.0}
    after = {"wavescribe_steps_skipped": 5.0, "wavescribe_skipped_files": 1.0, "wavescribe_words": 9.0}
    assert counted_between(before, after, "skipped") == 4.0


def test_a_server_that_does_not_count_says_nothing() -> None:
    assert counted_between({}, {"wavescribe_words": 9.0}, "skipped") is None
    assert read_counters("ws://127.0.0.1:9/v1/realtime") == {}
