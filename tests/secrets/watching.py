"""Watching an engine: what it says of every container of one owner, and what each prints, while they run."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sandboxes.owners import OWNER_LABEL
from tests.secrets.decoding import Part

if TYPE_CHECKING:
    from docker import DockerClient


class Seen:
    """What was seen: the engine's words about containers, volumes and events, and the logs, by container's name."""

    def __init__(self, client: DockerClient) -> None:
        """Ask `client`."""
        self._client = client
        self._readers: list[threading.Thread] = []
        self.told: list[Part] = []
        self.logs: dict[str, bytearray] = {}

    def follow(self, events: Any) -> None:
        """Look at every container as it is created, started and ended."""
        for event in events:
            self.told.append(Part(f"event {event.get('Action')}", json.dumps(event).encode()))
            if event.get("Action") in ("create", "start", "die"):
                self._look(event["id"], event["Action"])
            if event.get("Action") == "start":
                reader = threading.Thread(target=self._read, args=(event["id"], event["Actor"]["Attributes"]["name"]))
                reader.start()
                self._readers.append(reader)

    def finish(self) -> None:
        """Wait until every log is read to its end."""
        for reader in self._readers:
            reader.join(30)

    def log_parts(self) -> Iterator[Part]:
        """Yield the logs."""
        yield from (Part(f"log of {name}", bytes(log)) for name, log in self.logs.items())

    def _look(self, id_: str, when: str) -> None:
        from docker.errors import APIError

        try:
            about = self._client.api.inspect_container(id_)
            self.told.append(Part(f"{about['Name']} at {when}", json.dumps(about).encode()))
            for volume in (mount["Name"] for mount in about["Mounts"] if mount["Type"] == "volume"):
                self.told.append(Part(volume, json.dumps(self._client.api.inspect_volume(volume)).encode()))
        except APIError:
            return  # it was removed before we came to it

    def _read(self, id_: str, name: str) -> None:
        from docker.errors import APIError

        log = self.logs.setdefault(name, bytearray())
        try:
            for piece in self._client.api.logs(id_, stream=True, follow=True):
                log += piece
        except APIError:
            return  # it was removed before we came to it


@contextmanager
def watched(client: DockerClient, owner: str) -> Iterator[Seen]:
    """Look at what `owner` runs on the engine as long as the block lasts; read `Seen` afterwards."""
    seen = Seen(client)
    events = client.events(decode=True, filters={"type": "container", "label": f"{OWNER_LABEL}={owner}"})
    thread = threading.Thread(target=seen.follow, args=(events,), name="watching")
    thread.start()
    try:
        yield seen
    finally:
        events.close()
        thread.join(30)
        seen.finish()
