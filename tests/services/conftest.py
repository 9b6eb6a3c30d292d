"""The Prefect servers that these tests run against."""

from tests.prefect_server import home, prefect_server

__all__ = ["home", "prefect_server"]
