from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wavescribe.api.realtime.turn_numbers import TurnNumbers


@dataclass(frozen=True)
class End:
    """A commit or a clear on its way to the core, with the number it was told to have."""

    number: int | None


@dataclass(frozen=True)
class Change:
    """A new configuration on its way to the core."""

    detecting: bool


class LateCore(RuleBasedStateMachine):
    """A client whose marks reach a simple core in order and late; every end is announced at once or by the core."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = TurnNumbers(detecting=True)
        self.marks: deque[End | Change] = deque()
        self.client_detects = self.core_detects = True
        self.open = 0
        self.early: set[int] = set()
        self.announced: list[int] = []

    @rule()
    def end(self) -> None:
        number = self.numbers.end()
        if number is not None:
            self.early.add(number)
            self.announced.append(number)
        self.marks.append(End(number))

    @rule(detecting=st.booleans())
    def configure(self, detecting: bool) -> None:
        if detecting != self.client_detects:
            self.numbers.change(detecting=detecting)
        self.numbers.changing()
        self.client_detects = detecting
        self.marks.append(Change(detecting))

    @precondition(lambda self: self.marks)
    @rule()
    def core_takes_a_mark(self) -> None:
        match self.marks.popleft():
            case End(number=number):
                assert number in (None, self.open)
                self.core_ends_the_turn()
            case Change(detecting=detecting):
                self.core_detects = detecting
                self.numbers.changed(self.open)

    @precondition(lambda self: self.core_detects)
    @rule()
    def core_detects_an_end(self) -> None:
        self.core_ends_the_turn()

    def core_ends_the_turn(self) -> None:
        number, self.open = self.open, self.open + 1
        self.numbers.ended(number)
        if number in self.early:
            self.early.discard(number)
        else:
            self.announced.append(number)

    @invariant()
    def ends_are_announced_once_and_in_order(self) -> None:
        assert self.announced == list(range(len(self.announced)))

    @invariant()
    def a_number_is_known_only_when_no_detection_can_come_between(self) -> None:
        if self.numbers.open_turn is not None:
            assert not self.client_detects
            assert self.numbers.open_turn == self.open + sum(isinstance(mark, End) for mark in self.marks)

    @invariant()
    def the_number_is_known_again_once_the_core_has_caught_up(self) -> None:
        if not self.marks and not self.client_detects:
            assert self.numbers.open_turn == self.open


TestLateCore = LateCore.TestCase
TestLateCore.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)


def test_without_detection_every_number_is_known_at_once() -> None:
    numbers = TurnNumbers(detecting=False)
    assert [numbers.end() for _ in range(3)] == [0, 1, 2]
    assert numbers.open_turn == 3


def test_with_detection_only_the_core_knows() -> None:
    numbers = TurnNumbers(detecting=True)
    assert (numbers.open_turn, numbers.end()) == (None, None)
    numbers.ended(0)
    assert numbers.end() is None


@pytest.mark.parametrize("later_changes", [0, 1, 3])
def test_commits_before_a_further_change_do_not_delay_later_ones_for_ever(later_changes: int) -> None:
    numbers = TurnNumbers(detecting=True)
    numbers.change(detecting=False)
    numbers.changing()
    assert numbers.end() is None
    for _ in range(later_changes):
        numbers.changing()
    numbers.changed(0)
    assert numbers.open_turn is None
    numbers.ended(0)
    for _ in range(later_changes):
        numbers.changed(1)
    assert numbers.end() == 1


def test_a_change_that_leaves_detection_off_keeps_the_number_known() -> None:
    numbers = TurnNumbers(detecting=False)
    numbers.changing()
    assert (numbers.end(), numbers.end()) == (0, 1)
