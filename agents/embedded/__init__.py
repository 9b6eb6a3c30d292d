"""The embedded team: declared factors, libcst patches, prose from evidence. No model, no key, no network."""
