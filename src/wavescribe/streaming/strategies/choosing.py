"""From a strategy's name to the strategy."""

from __future__ import annotations

from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.strategies.base import Strategy
from wavescribe.streaming.strategies.cumulative import Cumulative
from wavescribe.streaming.strategies.segmented import Segmented
from wavescribe.streaming.strategies.sliced import Sliced
from wavescribe.streaming.strategies.windowed import Windowed


def make_strategy(parameters: StreamParameters) -> Strategy:
    """The strategy that the parameters name."""
    match parameters.strategy:
        case "cumulative":
            return Cumulative(parameters)
        case "segmented":
            return Segmented(parameters)
        case "sliced":
            return Sliced(parameters)
        case "windowed":
            return Windowed(parameters)
