"""Sleep for a fifth of a second and write down how long that took."""

import json
import sys
import time
from pathlib import Path

started = time.monotonic()
time.sleep(0.2)
out = Path(sys.argv[sys.argv.index("--out") + 1])
(out / "nap.json").write_text(json.dumps({"own_seconds": time.monotonic() - started}))
