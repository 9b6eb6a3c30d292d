"""The loop: campaigns as Prefect flows; under it search, evidence, ledger and papers."""
