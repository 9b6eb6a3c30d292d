"""Errors of the template floor.

TemplateError
├── TemplateNotFound       no template of this name
├── ManifestInvalid        template.toml does not say what it must
├── TemplateBroken         a check failed: the baseline, the evaluator or the determinism
└── MetricsInvalid         metrics.json is not what the manifest declares
"""

from collections.abc import Sequence


class TemplateError(Exception):
    """A template cannot be used."""


class TemplateNotFound(TemplateError):
    """No template of this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        """Name what was asked for and what there is."""
        self.name = name
        super().__init__(
            f"There is no template {name!r}. Known: {', '.join(known) or 'none'}. See `hypoloop template list`."
        )


class ManifestInvalid(TemplateError):
    """`template.toml` does not say what it must."""


class TemplateBroken(TemplateError):
    """A check failed."""


class MetricsInvalid(TemplateError):
    """`metrics.json` is not strict JSON of the declared names and finite numbers."""
