"""The dashboard's application: every resource, and what surrounds them all."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler

from logstream.dashboard import (
    context,
    dead_letters,
    errors,
    export,
    facets,
    fields,
    health,
    histogram,
    openapi,
    overview,
    overview_stream,
    page,
    params,
    patterns,
    pins,
    pipeline,
    pipeline_stream,
    progress,
    pushed,
    queue,
    running,
    search,
    share,
    tail,
    views,
)
from logstream.dashboard.auth import Gate
from logstream.dashboard.services import Services
from logstream.dashboard.shell import Shell
from logstream.dashboard.web import Pages, Site

__all__ = ["create_app"]

MAX_REQUEST_BYTES = 1 << 20  # a search in JSON, a list of ids: nothing larger is ever asked


def create_app(services: Services, site: Site | None = None) -> Litestar:
    """The application that serves these services; it starts and closes none of them.

    Without a ``site`` (the front end was not built) a plain page stands in for it.
    """

    def provide_services() -> Services:
        return services

    api = Router(
        "/api/v1",
        route_handlers=[
            _queued(
                search.search,
                search.search_by_post,
                search.explain,
                histogram.histogram,
                facets.facets,
                fields.fields,
                fields.field_values,
                context.context,
                context.trace,
                overview.overview,
                patterns.patterns,
                patterns.patterns_by_post,
            ),
            overview_stream.overview_stream,
            pipeline.pipeline,
            pipeline_stream.pipeline_stream,
            _queued(export.export, export.export_size),
            tail.tail,
            progress.progress,
            progress.stop,
            dead_letters.list_dead_letters,
            dead_letters.replay_dead_letters,
            dead_letters.delete_dead_letters,
            health.info,
            share.share,
            share.shared,
            views.list_views,
            views.add_view,
            views.change_view,
            views.delete_view,
            pins.list_pins,
            pins.change_pin,
            pins.shelf_state,
        ],
    )
    described: dict[str, Any] = {
        "route_handlers": [
            api,
            health.health,
            health.ready,
            health.metrics_text,
            openapi.openapi,
            page.page,
            page.asset,
        ],
        "dependencies": {
            "services": Provide(provide_services, sync_to_thread=False),
            "asked": Provide(params.asked, sync_to_thread=False),
        },
    }
    app = Litestar(
        **described,
        guards=[params.refuse_unknown],
        exception_handlers={Exception: errors.handle},
        openapi_config=None,
        request_max_body_size=MAX_REQUEST_BYTES,
        logging_config=None,
        debug=False,
    )
    app.state[openapi.ROUTES] = described
    app.state[params.PARAMETERS] = params.parameters_of(app)
    app.state[pushed.LOOKS] = pushed.Looks()
    app.state[running.RUNNING] = running.RunningQueries()
    app.state[queue.QUEUE] = queue.QueryQueue(services.settings.query_queue)
    handler = Pages(app.asgi_handler, site) if site else app.asgi_handler
    # Outside of everything, so that it also sees what no route answers.
    app.asgi_handler = Shell(handler, Gate(services.settings))
    return app


def _queued(*handlers: BaseRouteHandler) -> Router:
    """Routes that ask the store, as many at once as the queue has room for."""
    return Router("/", guards=[queue.join_queue], route_handlers=handlers)
