"""Bundles: a campaign as one file that a stranger can check and run again, on a machine that knows nothing of it."""

from flows.bundle.checks import verify_bundle
from flows.bundle.exporting import Exported, export
from flows.bundle.opening import OpenBundle, open_bundle

__all__ = ["Exported", "OpenBundle", "export", "open_bundle", "verify_bundle"]
