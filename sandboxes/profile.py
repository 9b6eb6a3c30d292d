"""The hardened profile: every restriction a container of ours runs under, in one place.

Measured against fork, memory, disk, log and file-name bombs, exfiltration and escapes by system call; hardening costs
no measurable time. What remains: the kernel is shared, and host facts such as /proc/meminfo can be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandboxes.contract import Limits
from sandboxes.syscalls import filter_text

USER = 10001
OUT = "/lab/out"
CODE = "/lab/code"
DATA = "/lab/data"
HOME = "/tmp"  # noqa: S108 - the container's own tmpfs
PATH = "/usr/local/bin:/usr/bin:/bin"
SCRATCH_MB = 64
NO_NEW_PRIVILEGES = "no-new-privileges:true"
HOLDER = Limits(memory_mb=64, cpus=0.5, pids=32)
"""What keeps volumes may use: it needs less, but the engine's starter runs under this first, with its threads."""
HOLD = ("/bin/sh", "-c", "read -r _")


def hardened(limits: Limits, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of `containers.create` that confine every container, whatever runs in it."""
    from docker.types import LogConfig, Ulimit

    file_bytes = limits.file_mb * 2**20
    return {
        "network_mode": "none",
        "read_only": True,
        "user": f"{USER}:{USER}",
        "ipc_mode": "private",
        "mem_limit": f"{limits.memory_mb}m",
        "memswap_limit": f"{limits.memory_mb}m",  # the sum with swap: none is given
        "pids_limit": limits.pids,
        "nano_cpus": int(limits.cpus * 1e9),
        "cap_drop": ["ALL"],
        "security_opt": [NO_NEW_PRIVILEGES, f"seccomp={filter_text()}"],
        "ulimits": [
            Ulimit(name="fsize", soft=file_bytes, hard=file_bytes),
            Ulimit(name="nofile", soft=limits.open_files, hard=limits.open_files),
            Ulimit(name="core", soft=0, hard=0),
        ],
        "log_config": LogConfig(type="json-file", config={"max-size": "1m", "max-file": "2"}),
        "labels": dict(labels),
        "hostname": "sandbox",
        "stop_signal": "SIGKILL",
        "stdin_open": True,
        "use_config_proxy": False,  # else the user's proxy, with its password, would be in the environment
        "entrypoint": [],  # what the image would wrap around the program
    }


def workload(limits: Limits, labels: Mapping[str, str], gpus: Sequence[str] = ()) -> dict[str, Any]:
    """Return the arguments for the container that untrusted code runs in; `gpus` are the devices it was given."""
    from docker.types import DeviceRequest

    scratch = f"rw,noexec,nosuid,nodev,size={SCRATCH_MB}m,nr_inodes=16k,mode=1777"
    chosen = hardened(limits, labels) | {
        "init": True,
        "tmpfs": {HOME: scratch},
        "shm_size": f"{SCRATCH_MB}m",
        "working_dir": OUT,
    }
    if gpus:
        chosen["device_requests"] = [DeviceRequest(device_ids=list(gpus), capabilities=[["gpu"]])]
    return chosen


def volume_options(limits: Limits) -> dict[str, str]:
    """Return the options of the output volume: memory with a hard limit on bytes and on entries, nothing executable."""
    return {
        "type": "tmpfs",
        "device": "tmpfs",
        "o": f"size={limits.out_mb}m,nr_inodes={limits.out_files + 1},uid={USER},gid={USER},mode=0700,"
        "nosuid,nodev,noexec",
    }
