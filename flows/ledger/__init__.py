"""The ledger: the journal is the truth; git and MLflow are what can be rebuilt from it and checked against it."""
