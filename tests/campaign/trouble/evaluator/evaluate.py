"""Score the estimate against the known mean, one half."""

import argparse
import json
import math
import sys
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--run", type=Path, required=True)
parser.add_argument("--seed", type=int, required=True)
parser.add_argument("--split", required=True)
parser.add_argument("--out", type=Path, required=True)
arguments = parser.parse_args()
claimed = json.loads((arguments.run / "estimate.json").read_text())
if not math.isfinite(claimed["estimate"]):
    sys.exit("the estimate is not a finite number")
error = abs(claimed["estimate"] - 0.5)
arguments.out.write_text(json.dumps({"absolute_error": error, "draws_used": claimed["draws"]}))
