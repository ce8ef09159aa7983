"""`/health`, `/ready` and `/metrics`."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from wavescribe.serving.metrics import Metrics


def health_router(metrics: Metrics, obstacle: Callable[[], str | None]) -> APIRouter:
    """The endpoints for machines that watch the server.

    Args:
        metrics: what /metrics shows.
        obstacle: why the server is not ready, in a word or two, or None when it is.
    """
    router = APIRouter()

    @router.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/ready")
    async def ready() -> Response:
        status = obstacle()
        if status is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": status}, status_code=503, headers={"retry-after": "1"})

    @router.get("/metrics")
    async def show_metrics() -> Response:
        return Response(generate_latest(metrics.registry), headers={"content-type": CONTENT_TYPE_LATEST})

    return router
