"""`python -m bench [NAME ...]`: run the named measurements, or all."""

from __future__ import annotations

import sys

from bench.demo import demo
from bench.integrity import integrity
from bench.overhead import overhead
from bench.prefect_load import prefect_load
from bench.start import start

BENCHES = {
    "start": start, "overhead": overhead, "integrity": integrity, "demo": demo, "prefect-load": prefect_load,
}  # fmt: skip

for name in sys.argv[1:] or BENCHES:
    if name not in BENCHES:
        sys.exit(f"There is no measurement {name!r}. Known: {', '.join(BENCHES)}.")
    BENCHES[name]()
