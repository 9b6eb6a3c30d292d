"""A whole campaign played by the real loop on a scripted sandbox, without an orchestrator and without MLflow."""
