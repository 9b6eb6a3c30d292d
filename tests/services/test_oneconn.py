from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from flows.errors import UnsafeDatabase
from flows.oneconn import database_url, require_safe


def connections_at_most(engine: AsyncEngine) -> int:
    pool = engine.sync_engine.pool
    assert isinstance(pool, QueuePool)
    return pool.size() + pool._max_overflow


def test_the_plugin_holds_an_engine_to_one_connection(tmp_path: Path) -> None:
    assert connections_at_most(create_async_engine(database_url(tmp_path))) == 1


def test_without_the_plugin_there_are_more(tmp_path: Path) -> None:
    """The fault that the plugin cures: if this fails, SQLAlchemy has changed and the test above proves nothing."""
    assert connections_at_most(create_async_engine(database_url(tmp_path).partition("?")[0])) > 1


def test_the_database_lies_in_the_folder_whatever_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "50% of it and a #"
    folder.mkdir()

    async def make() -> None:
        engine = create_async_engine(database_url(folder))
        async with engine.begin() as connection:
            await connection.exec_driver_sql("create table t (x integer)")
        await engine.dispose()

    asyncio.run(make())
    assert (folder / "prefect.db").is_file()


def test_a_folder_whose_name_cuts_the_url_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeDatabase):
        require_safe(database_url(tmp_path / "why?"))


def test_whoever_comes_second_waits_for_the_connection(tmp_path: Path) -> None:
    async def second() -> None:
        engine = create_async_engine(database_url(tmp_path))
        engine.sync_engine.pool._timeout = 0.05  # type: ignore[attr-defined]
        async with engine.connect():
            with pytest.raises(PoolTimeout):
                await engine.connect()
        async with engine.connect():
            pass
        await engine.dispose()

    asyncio.run(second())


@pytest.mark.parametrize(
    "url",
    [
        "sqlite+aiosqlite:////data/prefect.db",
        "sqlite:////data/prefect.db",
        "sqlite+aiosqlite:////data/prefect.db?plugin=another",
        "sqlite+aiosqlite:////data/hypoloop_oneconn.db",
    ],
)
def test_sqlite_without_the_plugin_is_refused(url: str) -> None:
    with pytest.raises(UnsafeDatabase, match="plugin=hypoloop_oneconn"):
        require_safe(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://someone@db/prefect",
        "sqlite+aiosqlite:////data/prefect.db?plugin=hypoloop_oneconn",
        "sqlite+aiosqlite:////data/prefect.db?plugin=another&plugin=hypoloop_oneconn",
    ],
)
def test_what_is_safe_passes(url: str) -> None:
    assert require_safe(url) == url
