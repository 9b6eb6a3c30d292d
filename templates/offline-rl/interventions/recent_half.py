"""Learn from the second half of the log alone, where actions vary most."""


def read_log(folder: Path) -> dict[str, np.ndarray]:
    """Return the later half of the log, one array per column."""
    log = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in COLUMNS}
    return {name: column[len(column) // 2 :] for name, column in log.items()}
