"""The Dockerfile, read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of an image.

    Attributes:
        name: what later stages call it, or "".
        instructions: what it does, as (instruction, rest of the line).
    """

    name: str
    instructions: list[tuple[str, str]]

    def all(self, instruction: str) -> list[str]:
        """What follows an instruction, each time that it is there."""
        return [rest for found, rest in self.instructions if found == instruction]

    def one(self, instruction: str) -> str:
        """What follows an instruction that is there once."""
        [rest] = self.all(instruction)
        return rest

    def command(self, instruction: str) -> list[str]:
        """The words of a command that no shell reads."""
        words: list[str] = json.loads(self.one(instruction))
        return words

    def environment(self) -> dict[str, str]:
        """The variables that it sets."""
        return dict(pair.split("=", 1) for rest in self.all("ENV") for pair in rest.split())


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def stages() -> list[Stage]:
    """The Dockerfile's stages, its lines joined and its remarks left out."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found: list[Stage] = []
    for line in filter(None, joined.splitlines()):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            found.append(Stage(rest.partition(" AS ")[2], []))
        elif found:
            found[-1].instructions.append((instruction, rest.strip()))
    return found
