"""Sleep, then write numbers that come from the seed."""

import json
import random
import sys
import time
from pathlib import Path

SECONDS = 0.2
STEADY = 0
IDLE = 0

time.sleep(SECONDS)
given = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=False))
source = random.Random(f"{given['--seed']} {STEADY} {IDLE}")
numbers = [source.gauss(0, 1) for _ in range(200)]
Path(given["--out"], "numbers.json").write_text(json.dumps({"steady": STEADY, "numbers": numbers}))
