"""Is the sandbox sound? Its self-check, once per machine state, and a look at whether a device is really handed out."""

from __future__ import annotations

import json
import platform
from hashlib import sha256
from pathlib import Path

from sandboxes.contract import Hold, Limits, Outcome, Promise, RunSpec, Sandbox
from sandboxes.devices import Devices
from sandboxes.errors import SandboxLacks, SandboxUnsound
from sandboxes.owners import boot_id
from sandboxes.selfcheck import self_check
from templates.template import Template

FOLDER = "selfchecks"


def require_sound(sandbox: Sandbox, image: str | None, home: Path, runtime: str | None = None) -> None:
    """Run the self-check unless it passed already under this kernel, boot, image and runtime.

    What passed is remembered in `home`; a failure never is. A sandbox that does not keep programs off the host's files
    confines nobody, says so, and has nothing to check.

    Raises:
        SandboxUnsound: a promise does not hold.
        SandboxError: the platform could not run the check.
    """
    offered = sandbox.capabilities()
    if offered.hold(Promise.FILES) is Hold.ABSENT:
        return
    told = [offered.model_dump(mode="json"), image, runtime, platform.release(), boot_id()]
    mark = home / FOLDER / f"{offered.backend}-{sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]}"
    if mark.exists():
        return
    checks = self_check(sandbox, image)
    failed = [f"{check.name} ({check.detail})" for check in checks if not check.ok]
    if failed:
        raise SandboxUnsound(offered.backend, failed)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text("".join(f"{check.name}: {check.detail}\n" for check in checks), encoding="utf-8")


def require_device(sandbox: Sandbox, devices: Devices, template: Template, image: str | None) -> None:
    """Ask the sandbox for the devices that `template` needs and give them back, before anything is charged.

    Raises:
        SandboxLacks: it cannot hand them out, in the engine's own words.
    """
    import tempfile

    count = template.manifest.resources.gpus
    if not count:
        return
    with tempfile.TemporaryDirectory(prefix="hypoloop-device-") as folder, devices.lease(count) as gpus:
        spec = RunSpec(
            run_id="device-probe",
            argv=("{python}", "-I", "-c", "pass"),
            code=template.root / "workload",
            out=Path(folder) / "out",
            image=image,
            gpus=gpus,
            limits=Limits(gpus=count, wall_s=60),
        )
        result = sandbox.run(spec)
    if result.outcome is Outcome.UNSUPPORTED:
        raise SandboxLacks(f"Template {template.name!r}", result.backend, [result.reason or "it hands out no device"])
