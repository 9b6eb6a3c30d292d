"""Errors of the sandbox floor.

SandboxError                 the platform could not run the workload
├── EngineUnavailable        no engine answers
├── BubblewrapUnavailable    bubblewrap cannot be had on this machine
├── ImageMissing             the image is not on this host
├── ImageBuildFailed         the image could not be built
├── SandboxRefused           this backend may not run this code, or may not mount this directory
├── SandboxLacks             this backend does not hold what is required of it
├── SandboxUnsound           this backend failed its self-check
└── LeaseCancelled           whoever waited for a device was told to stop

A workload that ran and failed is no error: it is a `RunResult`.
"""

from __future__ import annotations

from collections.abc import Sequence


class SandboxError(Exception):
    """The platform could not run the workload; never charged to a hypothesis."""


class EngineUnavailable(SandboxError):
    """No engine answers."""

    def __init__(self, why: str, engine: str = "Docker") -> None:
        """Keep the engine's own words in `why`."""
        self.why = why
        super().__init__(
            f"No {engine} engine answers ({why}). Start one, or run code that hypoloop itself wrote "
            'in the process sandbox (`sandbox = "process"` in the campaign file). `hypoloop doctor` says more.'
        )


class BubblewrapUnavailable(SandboxError):
    """Bubblewrap cannot be had on this machine."""

    def __init__(self, why: str) -> None:
        """Say what is missing in `why`."""
        self.why = why
        super().__init__(
            f"The bubblewrap sandbox cannot be had here: {why}. Install bubblewrap and let users make namespaces (see "
            "kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns), or use Docker."
        )


class ImageMissing(SandboxError):
    """The image is not on this host."""

    def __init__(self, image: str) -> None:
        """Name the missing `image`."""
        self.image = image
        super().__init__(f"Image {image!r} is not on this host. Build it with `hypoloop image build`.")


class ImageBuildFailed(SandboxError):
    """The image could not be built."""


class SandboxRefused(SandboxError):
    """This backend may not run this code, or may not mount this directory."""


class SandboxLacks(SandboxError):
    """This backend does not hold what is required of it; nothing was run."""

    def __init__(self, who: str, backend: str, lacking: Sequence[str]) -> None:
        """Name who requires it, the `backend`, and what is `lacking`, one sentence part each."""
        self.backend, self.lacking = backend, tuple(lacking)
        super().__init__(
            f"{who} cannot run in the {backend} sandbox here: {'; '.join(lacking)}. "
            "`hypoloop doctor` says what each sandbox holds on this machine."
        )


class SandboxUnsound(SandboxError):
    """This backend failed its self-check."""

    def __init__(self, backend: str, failed: Sequence[str]) -> None:
        """Name the `backend` and the checks that failed."""
        self.backend, self.failed = backend, tuple(failed)
        super().__init__(
            f"The {backend} sandbox failed its self-check and is refused: {'; '.join(failed)}. "
            f"See it with `hypoloop sandbox check --backend {backend}`."
        )


class LeaseCancelled(SandboxError):
    """Whoever waited for a device was told to stop."""
