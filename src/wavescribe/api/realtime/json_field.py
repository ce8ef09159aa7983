"""A value of a client's JSON with the path where it stood, read as what it has to be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from wavescribe.errors import InvalidRequestError

# Whatever is accepted is echoed: together these keep an event below the 1 MiB that stock clients receive.
LONGEST_NAME = 1_000
LONGEST_LIST = 10_000
"""Characters of all entries together."""
MOST_ENTRIES = 1_000


@dataclass(frozen=True, slots=True)
class Field:
    """A value of the client's JSON; its readers raise InvalidRequestError, naming the path, for any other type.

    Attributes:
        path: where it stood, dotted.
        value: the parsed JSON.
    """

    path: str
    value: object

    def members(self) -> dict[str, Field]:
        """The members of an object."""
        if not isinstance(self.value, dict):
            raise self.wrong_type("an object")
        return {name: Field(f"{self.path}.{name}", value) for name, value in self.value.items()}

    def text(self, longest: int = LONGEST_NAME) -> str:
        """A string of at most so many characters."""
        if not isinstance(self.value, str):
            raise self.wrong_type("a string")
        if len(self.value) > longest:
            raise self.wrong_value(f"at most {longest} characters, got {len(self.value)}")
        # JSON can escape half of a surrogate pair, which cannot be sent back as UTF-8.
        if any("\ud800" <= character <= "\udfff" for character in self.value):
            raise self.wrong_value("Unicode text, got a lone surrogate")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """An array of strings."""
        if not isinstance(self.value, list):
            raise self.wrong_type("an array of strings")
        if len(self.value) > MOST_ENTRIES:
            raise self.wrong_value(f"at most {MOST_ENTRIES} entries, got {len(self.value)}")
        texts = tuple(entry.text() for entry in self._entries(self.value))
        if (total := sum(map(len, texts))) > LONGEST_LIST:
            raise self.wrong_value(f"at most {LONGEST_LIST} characters in all entries, got {total}")
        return texts

    def choice(self, allowed: Iterable[str]) -> Any:
        """One of some strings."""
        text, listed = self.text(), tuple(allowed)
        if text not in listed:
            supported = ", ".join(f"'{option}'" for option in listed)
            raise self.invalid(f"Invalid value: {shown(text)}. Supported values are: {supported}.")
        return text

    def any_number(self) -> int | float:
        """A number, however large; NaN and infinity too."""
        # A boolean is an int to Python, not to JSON.
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.wrong_type("a number")
        return self.value

    def number(self, lowest: float, highest: float) -> float:
        """A number from lowest to highest."""
        number = self.any_number()
        # Every comparison with NaN is false.
        if not lowest <= number <= highest:
            raise self.wrong_value(f"a number from {lowest:g} to {highest:g}, got {shown(number)}")
        return float(number)

    def whole(self, lowest: int, highest: int) -> int:
        """An integer from lowest to highest."""
        number = self.number(lowest, highest)
        if not number.is_integer():
            raise self.wrong_type("an integer")
        return int(number)

    def boolean(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.wrong_type("a boolean")
        return self.value

    def wrong_type(self, expected: str) -> InvalidRequestError:
        """The error for a value of another type."""
        message = f"Invalid type for '{self.path}': expected {expected}, but got {_type_name(self.value)} instead."
        return InvalidRequestError(message, code="invalid_type", param=self.path)

    def wrong_value(self, expected: str) -> InvalidRequestError:
        """The error for a value out of range."""
        return self.invalid(f"Invalid '{self.path}': expected {expected}.")

    def invalid(self, message: str) -> InvalidRequestError:
        """An error of this value in other words."""
        return InvalidRequestError(message, code="invalid_value", param=self.path)

    def _entries(self, values: list[object]) -> list[Field]:
        return [Field(f"{self.path}[{index}]", value) for index, value in enumerate(values)]


def missing_parameter(path: str) -> InvalidRequestError:
    """The error for what had to be there and is not."""
    return InvalidRequestError(f"Missing required parameter: '{path}'.", code="missing_required_parameter", param=path)


def shown(value: object) -> str:
    """A string or a number, short and printable."""
    return repr(value[:80]) if isinstance(value, str) else f"{value!r:.80}"


def _type_name(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int():
            return "an integer"
        case float():
            return "a decimal number"
        case list():
            return "an array"
        case _:
            return "an object"
