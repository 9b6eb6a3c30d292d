"""Candidates that turn to their evaluator: what it imports, what it reads, what it must not tell."""

from __future__ import annotations

import os
import pickle
import struct
import time

from attack import attempt, child, given, hostile, loot, out, tamper, uncontained, write

HIJACK = "import sys\nprint('hijacked', __name__)\nsys.exit(0)\n"
ARRAY = b"\x93NUMPY\x01\x00"


class Payload:
    """Unpickled, it runs a command where it is read."""

    def __reduce__(self):
        return os.system, ("echo owned > owned; echo hijacked",)


def array(header, body=b""):
    """Return a file of numpy's with this header."""
    text = header.encode().ljust(118) + b"\n"
    return ARRAY + struct.pack("<H", len(text)) + text + body


@hostile("scoring", trial=("ok",))
def modules_for_the_evaluator():
    """Leaves modules with the names of those that the evaluator imports, and files that change how Python starts.

    Contained when the evaluator runs isolated, imports none of them, and gives the honest score.
    """
    write("number.txt", "1.0")
    modules = ("json", "numpy", "argparse", "pathlib", "os", "encodings/__init__", "numpy/__init__", "evaluate")
    modules += ("sitecustomize", "usercustomize", "conftest", "setup", "run", "__main__")
    for name in modules:
        write(f"{name}.py", HIJACK)
    write("evil.pth", "import sys; print('hijacked')\n")
    write("python311._pth", ".\nimport site\n")
    write("pyvenv.cfg", "home = /lab/out\n")
    write(".git/hooks/post-checkout", "#!/bin/sh\necho hijacked\n")
    write("Makefile", "all:\n\techo hijacked\n")


@hostile("scoring", trial=("invalid",))
def pickled_number():
    """Leaves a pickle that runs a command where a number belongs.

    Contained when it is refused as no number and no command runs.
    """
    write("number.txt", pickle.dumps(Payload()))


@hostile("scoring", trial=("invalid",))
def array_of_objects():
    """Leaves an array whose elements are objects that run a command when they are loaded.

    Contained when the array is refused and no command runs.
    """
    write("number.npy", array("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", pickle.dumps([Payload()])))


@hostile("scoring", trial=("invalid",))
def array_of_nothing():
    """Leaves an array whose header promises a million million numbers.

    Contained when it is refused, whatever memory it asks for.
    """
    write("number.npy", array("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"))


@hostile("scoring", trial=("invalid",))
def array_with_code():
    """Leaves an array whose header is an expression with a call in it.

    Contained when it is refused and the call is not made.
    """
    write("number.npy", array("{'descr': __import__('os').system('echo hijacked'), 'shape': ()}"))


@hostile("scoring", "collection", trial=("invalid",), refused={"number.txt": "type"})
def link_to_the_labels():
    """Leaves a link in place of its number, which leads to the labels only where the evaluator runs.

    Contained when it is not collected, and the evaluator finds nothing to score.
    """
    os.symlink("/lab/code/labels.json", out("number.txt"))


@hostile("scoring", trial=("invalid",))
def number_without_end():
    """Leaves a number of eight million digits.

    Contained when the score is refused.
    """
    write("number.txt", "9" * 8_000_000)


@hostile("scoring", trial=("invalid",))
def no_number():
    """Leaves the word for what is not a number, where a number belongs.

    Contained when the evaluator refuses it.
    """
    write("number.txt", "nan")


@hostile("scoring", "files", trial=("ok",), loose=True)
def changed_template():
    """Rewrites the template, its evaluator and its labels, and the score of its own execution.

    Contained when none is found, the template is unchanged and the score is honest.
    """
    write("number.txt", "1.0")
    for name in ("template", "labels", "evaluate", "score"):
        attempt(name, tamper, given(name))


@hostile("scoring", "files", trial=("ok",), loose=True)
def labels_read():
    """Reads the labels where the host keeps them, and where the evaluator will have them.

    Contained when they are not there: nothing of them is in the output or in the log.
    """
    write("number.txt", "1.0")
    for path in (
        given("labels"),
        "/lab/code/labels.json",
        "/lab/code/../code/labels.json",
        "/lab/data/run/labels.json",
    ):
        attempt(path, loot, path)


@hostile("scoring", "wall", trial=("ok",))
def changed_after_the_end():
    """Leaves a process that rewrites the number once the program has ended.

    Contained when the number scored is the one that was there at the end.
    """
    write("number.txt", "1.0")

    def later():
        os.setsid()
        time.sleep(0.4)
        write("number.txt", "99.0")

    child(later)


@hostile("scoring", trial=("ok",), must=("score/metrics.json", "metrics.json"))
def folders_alike():
    """Builds within its output the folders in which scores and journals are kept.

    Contained when they are data like any other and the score is the evaluator's.
    """
    write("number.txt", "1.0")
    for name in ("score/metrics.json", "metrics.json", "journal.jsonl", "run.log", "out/number.txt"):
        write(name, '{"height": 99.0, "tosses": 1}')


@hostile("scoring", "collection", trial=("ok",))
def closed_number():
    """Takes every right from the file with its number.

    Contained when it is collected and scored all the same.
    """
    write("number.txt", "1.0")
    os.chmod(out("number.txt"), 0)
    os.chmod(out("report.json"), 0o666)


@hostile("scoring", "files", trial=("ok",))
def door_for_the_evaluator():
    """Leaves pipes and sockets by which an evaluator that opened them would talk to it, and waits behind them.

    Contained when they are not collected and the score is honest.
    """
    write("number.txt", "1.0")
    for name in ("answers", "stdin", "number.npy"):
        os.mkfifo(out(name))

    def wait():
        with open(out("answers"), "rb") as door:
            door.read()

    if not uncontained():
        child(wait)
