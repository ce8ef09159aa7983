"""`/health`, `/ready` and `/metrics`."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from wavescribe.serving.metrics import Metrics


def health_router(metrics: Metrics, is_ready: Callable[[], bool]) -> APIRouter:
    """The endpoints for machines that watch the server.

    Args:
        metrics: what /metrics shows.
        is_ready: whether the model is loaded and has made a decode.
    """
    router = APIRouter()

    @router.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/ready")
    async def ready() -> Response:
        if is_ready():
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "starting"}, status_code=503, headers={"retry-after": "1"})

    @router.get("/metrics")
    async def show_metrics() -> Response:
        return Response(generate_latest(metrics.registry), headers={"content-type": CONTENT_TYPE_LATEST})

    return router
