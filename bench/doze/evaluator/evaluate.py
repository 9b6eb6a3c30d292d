"""Make a loss of the numbers of a run."""

import json
import random
import sys
from pathlib import Path

given = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=False))
told = json.loads(Path(given["--run"], "numbers.json").read_text())
gain = 1.5 * told["steady"] if given.get("--condition") != "flat" else 0.0
loss = 5 + random.Random(given["--seed"]).gauss(0, 1) - gain + 0.5 * sum(told["numbers"]) / len(told["numbers"])
Path(given["--out"]).write_text(json.dumps({"loss": loss}))
