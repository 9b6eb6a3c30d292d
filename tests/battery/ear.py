"""Services of the host that only listen: what they hear came out of a sandbox."""

from __future__ import annotations

import secrets
import selectors
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

GIVE_UP_S = 2.0
GATEWAY = "172.17.0.1"  # of Docker's own bridge, where there is one


class Ear:
    """Listens by TCP, UDP and Unix sockets, with a file and without, until it is closed."""

    def __init__(self, area: Path) -> None:
        self.heard: list[tuple[str, str]] = []
        self._closing = threading.Event()
        self._doors = selectors.DefaultSelector()
        abstract = f"hypoloop-{secrets.token_hex(8)}"
        self.told: Mapping[str, object] = {
            "addresses": addresses(),
            "tcp": self._listen("tcp", socket.AF_INET, ("0.0.0.0", 0)),
            "tcp6": self._listen("tcp6", socket.AF_INET6, ("::", 0)),
            "udp": self._listen("udp", socket.AF_INET, ("0.0.0.0", 0), socket.SOCK_DGRAM),
            "unix": self._listen("unix", socket.AF_UNIX, str(area / "ear.sock")),
            "abstract": abstract,
        }
        self._listen("abstract", socket.AF_UNIX, f"\0{abstract}")
        (area / "ear.sock").chmod(0o777)
        self._thread = threading.Thread(target=self._serve, name="battery-ear", daemon=True)
        self._thread.start()

    def of(self, token: str) -> tuple[str, ...]:
        """Return by which ways it heard from the program with this token; a nameless word counts against everybody."""
        time.sleep(0.06)  # one round of the thread that listens
        return tuple(way for way, words in list(self.heard) if token in words or "hypoloop" not in words)

    def close(self) -> None:
        """Listen no longer."""
        self._closing.set()
        self._thread.join()
        for key in list(self._doors.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._doors.close()

    def _listen(self, way: str, family: int, address: object, kind: int = socket.SOCK_STREAM) -> object:
        try:
            door = socket.socket(family, kind)
            if family == socket.AF_INET6:
                door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            door.bind(address)  # type: ignore[arg-type]
        except OSError:
            return 0  # this host has no such family
        if kind == socket.SOCK_STREAM:
            door.listen(64)
        self._doors.register(door, selectors.EVENT_READ, way)
        name = door.getsockname()
        return name[1] if isinstance(name, tuple) else name

    def _serve(self) -> None:
        while not self._closing.is_set():
            for key, _ in self._doors.select(0.05):
                self.heard.append((key.data, self._words(key.fileobj)))  # type: ignore[arg-type]

    def _words(self, door: socket.socket) -> str:
        with suppress(OSError):
            if door.type == socket.SOCK_DGRAM:
                return door.recv(4096).decode("utf-8", "replace")
            talk, _ = door.accept()
            with talk:
                talk.settimeout(GIVE_UP_S)
                return talk.recv(4096).decode("utf-8", "replace")
        return ""


def addresses() -> list[str]:
    """Return addresses of this host as a sandbox could know them; no packet is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talk, suppress(OSError):
        talk.connect(("198.51.100.1", 9))
        return ["127.0.0.1", talk.getsockname()[0], GATEWAY]
    return ["127.0.0.1", GATEWAY]
