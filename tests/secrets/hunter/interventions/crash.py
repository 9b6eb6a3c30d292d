def estimate():
    import os
    import sys

    import hunt

    known = f"{hunt.hunt()} {sys.argv} {dict(os.environ)}"
    raise RuntimeError("crashed, with all that is known") from ValueError(known)
