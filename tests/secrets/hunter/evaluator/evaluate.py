"""Score the estimate against one half, and hunt for secrets on the way."""

import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import hunt  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--run", type=Path, required=True)
parser.add_argument("--seed", type=int, required=True)
parser.add_argument("--split", required=True)
parser.add_argument("--out", type=Path, required=True)
arguments = parser.parse_args()
hunt.tell(arguments.out.parent)
claimed = json.loads((arguments.run / "estimate.json").read_text())
if claimed["label"] == "refuse":
    known = f"{hunt.hunt()} {sys.argv} {dict(os.environ)}"
    raise RuntimeError("refused, with all that is known") from ValueError(known)
error = abs(claimed["estimate"] - 0.5)
arguments.out.write_text(json.dumps({"absolute_error": error, "draws_used": claimed["draws"]}))
