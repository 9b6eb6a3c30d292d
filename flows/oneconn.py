"""The one-connection plugin: why Prefect may run on SQLite here, and the only way it does.

With a pool of connections, Prefect's deferred transactions collide when one of them upgrades from reading to writing.
SQLite answers `database is locked` at once, and on Python up to 3.11 the cursor left behind later freezes the whole
server until the busy timeout of 60 s ends it. With one connection neither can happen, and it is as fast as PostgreSQL.
SQLAlchemy finds the plugin by its entry point when the URL says `?plugin=hypoloop_oneconn`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, CreateEnginePlugin, make_url

from flows.errors import UnsafeDatabase

PLUGIN = "hypoloop_oneconn"
WAIT_FOR_CONNECTION_S = 120


class OneConnection(CreateEnginePlugin):
    """Gives an engine one connection and no overflow; whoever comes second waits for it."""

    def update_url(self, url: URL) -> URL:
        """Leave the URL as it is: SQLAlchemy has taken the plugin's name out already."""
        return url

    def handle_pool_kwargs(self, pool_cls: type[Any], pool_args: dict[str, Any]) -> None:
        """Hold the pool to one connection."""
        pool_args.update(pool_size=1, max_overflow=0, timeout=WAIT_FOR_CONNECTION_S)


def database_url(folder: Path) -> str:
    """Return the URL of the Prefect database in `folder`, held to one connection."""
    return f"sqlite+aiosqlite:///{(folder / 'prefect.db').resolve()}?plugin={PLUGIN}"


def require_safe(url: str) -> str:
    """Return `url` if a Prefect server can live on it: any PostgreSQL, or SQLite through the plugin.

    Raises:
        UnsafeDatabase: it is SQLite without the one-connection plugin.
    """
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite" and PLUGIN not in parts.normalized_query.get("plugin", ()):
        raise UnsafeDatabase(PLUGIN)
    return url
