"""The MLflow database of a home: created once, opened quietly, read page by page."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from flows.ledger.errors import TrackingError
from flows.ledger.views import KEY

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


def tracking_uri(home: Path) -> str:
    """Return the address of the MLflow database."""
    return f"sqlite:///{home.resolve() / 'mlflow' / 'mlflow.db'}"


def open_client(home: Path) -> MlflowClient:
    """Return a client of the home's MLflow database, creating its tables if they are not there.

    Raises:
        TrackingError: the database cannot be used.
    """
    for variable in ("MLFLOW_DISABLE_TELEMETRY", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"):
        os.environ.setdefault(variable, "true")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    folder = home.resolve() / "mlflow"
    (folder / "artifacts").mkdir(parents=True, exist_ok=True)
    uri = tracking_uri(home)
    # Two processes that create the tables of a fresh database at once fail both.
    with _alone(folder / "migrate.lock"):
        try:
            with closing(sqlite3.connect(folder / "mlflow.db", timeout=20)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")  # Readers, such as the UI, and the writer go on together.
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            client.search_experiments(max_results=1)
        except (MlflowException, sqlite3.Error) as error:
            raise TrackingError(f"The MLflow database {folder / 'mlflow.db'} cannot be used: {error}") from error
    return client


def run_links(home: Path, name: str) -> dict[str, str]:
    """Return key -> the run's page, relative to the MLflow server's root. Candidates' keys are `candidate/c1`."""
    client = open_client(home)
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return {}
    place = f"#/experiments/{experiment.experiment_id}/runs/"
    found = all_runs(client, experiment.experiment_id)
    return {run.data.tags[KEY]: place + run.info.run_id for run in found if KEY in run.data.tags}


def all_runs(client: MlflowClient, experiment_id: str) -> Iterator[Run]:
    """Yield every live run of an experiment."""
    token = None
    while True:
        page = client.search_runs([experiment_id], max_results=1000, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
