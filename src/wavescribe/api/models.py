"""The models that the server answers to."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter

from wavescribe.errors import ModelNotFoundError

ALIASES = (
    "whisper-1",
    "gpt-transcribe",
    "gpt-live-transcribe",
    "gpt-realtime-whisper",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "qwen3-asr",
    "qwen3-asr-flash-realtime",
)
"""Names that stock clients write into their requests; they mean this server's model."""


class ServedModels:
    """The one model and the names that it answers to.

    Args:
        name: the model's own name.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._created = int(time.time())

    @property
    def name(self) -> str:
        """The model's own name."""
        return self._name

    def check(self, wanted: str) -> None:
        """See that a requested model is served; "" asks for the default one.

        Raises:
            ModelNotFoundError: it is not.
        """
        if wanted:
            self._require(wanted)

    def _require(self, wanted: str) -> None:
        if wanted != self._name and not self._is_alias(wanted):
            raise ModelNotFoundError(
                f"The model `{wanted}` does not exist or you do not have access to it. This server has: {self._name}",
                code="model_not_found",
                param="model",
            )

    def describe(self, name: str) -> dict[str, Any]:
        """The model object of the API for the model's name or an alias.

        Raises:
            ModelNotFoundError: it is neither.
        """
        self._require(name)
        return {"id": name, "object": "model", "created": self._created, "owned_by": "wavescribe"}

    def listing(self) -> dict[str, Any]:
        """The list of the API: the model itself; aliases are answered to and not advertised."""
        return {"object": "list", "data": [self.describe(self._name)]}

    @staticmethod
    def _is_alias(name: str) -> bool:
        return any(name == alias or name.startswith(f"{alias}-20") for alias in ALIASES)


def models_router(models: ServedModels) -> APIRouter:
    """GET /v1/models and /v1/models/{id}; ids may contain slashes."""
    router = APIRouter(prefix="/v1/models")

    @router.get("")
    async def list_models() -> dict[str, Any]:
        return models.listing()

    @router.get("/{name:path}")
    async def get_model(name: str) -> dict[str, Any]:
        return models.describe(name)

    return router
