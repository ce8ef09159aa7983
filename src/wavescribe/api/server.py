"""The whole application: services, routes and their life."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from fastapi import FastAPI

from wavescribe.api.authentication.client_secrets import ClientSecrets
from wavescribe.api.authentication.keys import ApiKeys
from wavescribe.api.authentication.middleware import AuthenticationMiddleware
from wavescribe.api.client_secrets_routes import client_secrets_router
from wavescribe.api.errors import install_error_handlers
from wavescribe.api.health import health_router
from wavescribe.api.models import ServedModels, models_router
from wavescribe.api.page import PageFacts, page_router
from wavescribe.api.realtime.actions import EndSession
from wavescribe.api.realtime.registry import SessionRegistry
from wavescribe.api.realtime_socket import RealtimeEndpoint, dashscope_dialect, openai_dialect, realtime_router
from wavescribe.api.request_id import RequestIdMiddleware
from wavescribe.api.transcription_socket import transcription_socket_router
from wavescribe.api.transcriptions import transcriptions_router
from wavescribe.api.unexpected_errors import UnexpectedErrorMiddleware
from wavescribe.api.upload_limit import UploadLimitMiddleware
from wavescribe.engines.answers import state_of
from wavescribe.engines.base import Engine, Supervised
from wavescribe.serving.file_service import FileService
from wavescribe.serving.live_service import LiveService
from wavescribe.serving.metrics import Metrics
from wavescribe.serving.open_streams import OpenStreams
from wavescribe.serving.warm_up import typical_step_seconds
from wavescribe.settings import Settings

logger = logging.getLogger(__name__)


WARM_UP_AGAIN_SECONDS = 5.0
"""Between two tries of the first decode."""

CUT_SECONDS = 5.0
"""How long clients are given to read what they are told when the time to finish is over."""

RESTARTING = EndSession(1012, "the server is restarting")
"""How connections are closed when the server is told to stop."""


class Server:
    """The services of one engine, and whether they are ready.

    Args:
        engine: the loaded engine.
        settings: the server's settings.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self.metrics = Metrics()
        self.live = LiveService(engine, settings, self.metrics)
        self.files = FileService(engine, settings, self.metrics, self.live)
        self.sessions = SessionRegistry(settings.resume_seconds)
        self.streams = OpenStreams()
        self._warm = False
        self._draining = False
        self._stall_seconds = settings.stall_seconds
        self._drain_seconds = settings.drain_seconds
        watch_engine(self.metrics, engine)
        self.metrics.watch("tasks", "Tasks of the event loop", lambda: len(asyncio.all_tasks()))

    def obstacle(self) -> str | None:
        """Why the server should get no new work, or None."""
        if self._draining:
            return "draining"
        if not self._warm:
            return "starting"
        if not self.live.is_running:
            return "scheduler lost"
        if isinstance(self._engine, Supervised) and not self._engine.alive:
            return "engine lost"
        if self.live.scheduler.longest_call > self._stall_seconds:
            return "engine stalled"
        return None

    @asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        """The application's life: the scheduler runs, and one decode is made before the server calls itself ready."""
        async with self.live.running():
            warming = asyncio.create_task(self._warm_up(), name="warm up")
            try:
                yield
            finally:
                await self.sessions.close()
                warming.cancel()
                await asyncio.gather(warming, return_exceptions=True)

    async def drain(self) -> None:
        """Finish what was begun: files, and what sessions have committed; then their connections are closed.

        What is not through after the setting `drain_seconds` is cut, and its clients are told.
        """
        self._draining = True
        try:
            async with asyncio.timeout(self._drain_seconds):
                await asyncio.gather(self.sessions.drain(RESTARTING), self.streams.drain(), self.files.drain())
        except TimeoutError:
            logger.warning("streams were still open after %g s and are cut", self._drain_seconds)
            await self._cut()

    async def _cut(self) -> None:
        self.sessions.give_up(RESTARTING)
        self.streams.give_up()
        with suppress(TimeoutError):
            async with asyncio.timeout(CUT_SECONDS):
                await asyncio.gather(self.sessions.until_empty(), self.streams.until_empty())

    async def _warm_up(self) -> None:
        while not self._warm:
            try:
                seconds = await asyncio.to_thread(typical_step_seconds, self._engine)
            except Exception:  # whatever it is: the engine may be another one at the next try
                logger.exception("the first decode failed; the server is not ready, and tries again")
                await asyncio.sleep(WARM_UP_AGAIN_SECONDS)
            else:
                self.live.expect(seconds)
                self._warm = True


STATE_GAUGES = {
    "streams": "Streams of which the engine keeps state between steps",
    "held_bytes": "Bytes that the engine keeps for streams",
    "free_bytes": "Bytes that the engine has set aside for streams and none has",
    "largest_bytes": "Bytes that the engine keeps for the stream that has most",
}


def _of_state(engine: Engine, name: str) -> float:
    return float(getattr(state_of(engine), name))


def watch_engine(metrics: Metrics, engine: Engine) -> None:
    """Show the processes of an engine that has its own, and what it keeps of streams."""
    if isinstance(engine, Supervised):
        metrics.watch("engine_processes", "Engine processes that are alive", lambda: engine.alive)
        metrics.watch("engine_restarts", "Engine processes that were lost and replaced", lambda: engine.restarts)
    if state_of(engine) is not None:
        for name, what in STATE_GAUGES.items():
            metrics.watch(f"engine_{name}", what, partial(_of_state, engine, name))


def build_app(engine: Engine, settings: Settings, keys: ApiKeys | None = None) -> FastAPI:
    """The ASGI application.

    Args:
        engine: the loaded engine; the caller closes it.
        settings: the server's settings.
        keys: the keys that clients must present; without any, everybody may use the server.
    """
    secrets = ClientSecrets()
    server = Server(engine, settings)
    models = ServedModels(engine.info.name)
    app = FastAPI(title="wavescribe", lifespan=server.running, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.drain = server.drain
    app.include_router(health_router(server.metrics, server.obstacle))
    app.include_router(page_router(_page_facts(server, settings, keys)))
    app.include_router(models_router(models))
    app.include_router(transcriptions_router(server.files, models, settings.stream_format))
    app.include_router(
        transcription_socket_router(
            server.live,
            server.streams,
            idle_seconds=settings.idle_seconds,
            max_session_seconds=settings.max_session_seconds,
        )
    )
    realtime_endpoint = partial(
        RealtimeEndpoint,
        server.live,
        models,
        server.sessions,
        max_session_seconds=settings.max_session_seconds,
        idle_seconds=settings.idle_seconds,
    )
    openai = realtime_endpoint(
        make_dialect=partial(openai_dialect, style=settings.compat), any_model=settings.compat == "sglang"
    )
    app.include_router(realtime_router(openai))
    dashscope = realtime_endpoint(make_dialect=dashscope_dialect)
    app.include_router(realtime_router(dashscope, ("/api-ws/v1/realtime",)))
    app.include_router(
        client_secrets_router(
            secrets, default_model=engine.info.name, check_model=models.check, languages=engine.info.languages
        )
    )
    install_error_handlers(app)
    app.add_middleware(UnexpectedErrorMiddleware)
    app.add_middleware(UploadLimitMiddleware, max_bytes=settings.max_upload_bytes, refused=server.files.count_too_large)
    app.add_middleware(
        AuthenticationMiddleware,
        keys=keys or ApiKeys(),
        secrets=secrets,
        allowed_origins=settings.allowed_origin,
    )
    app.add_middleware(RequestIdMiddleware)
    return app


def _page_facts(server: Server, settings: Settings, keys: ApiKeys | None) -> PageFacts:
    return PageFacts(
        model=server.files.info.name,
        languages=server.files.info.languages,
        key_required=bool(keys and keys.required),
        streams=server.live.can_stream,
        max_upload_bytes=settings.max_upload_bytes,
        resume_seconds=settings.resume_seconds,
    )
