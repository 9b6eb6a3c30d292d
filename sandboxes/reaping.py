"""Removing what dead owners left on an engine: told by our labels alone, never by name, never all of a kind."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sandboxes.owners import OWNER_LABEL, Owner

if TYPE_CHECKING:
    from docker import DockerClient

log = logging.getLogger(__name__)


def reap(client: DockerClient, me: Owner, now: float) -> int:
    """Remove the containers, then the volumes, whose maker is dead or whose time and grace are over; return how many.

    `now` is Unix time in seconds.
    """
    from docker.errors import APIError, NotFound

    ours = {"label": OWNER_LABEL}
    removed = 0
    for found in client.api.containers(all=True, filters=ours):
        if me.may_remove(found["Labels"], now):
            try:
                client.api.remove_container(found["Id"], force=True, v=True)
                removed += 1
            except NotFound:
                continue  # its owner, or another reaper, was quicker
            except APIError as problem:
                log.warning("Could not remove the container %s: %s", found["Id"][:12], problem)
    for volume in client.api.volumes(filters=ours)["Volumes"] or []:
        if me.may_remove(volume["Labels"], now):
            try:
                client.api.remove_volume(volume["Name"], force=True)
                removed += 1
            except NotFound:
                continue
            except APIError as problem:
                log.warning("Could not remove the volume %s: %s", volume["Name"], problem)
    return removed
