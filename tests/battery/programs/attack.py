"""What the hostile programs share: attempts, the report, raw system calls. It runs inside the sandbox, with them.

Every program is bounded: an alarm ends it, and where it could harm a host it first asks whether it is `uncontained`.
"""

from __future__ import annotations

import ctypes
import errno
import importlib
import json
import os
import signal
import sys
import time

BOUND_S = 25
GIVEN: dict = {}
REPORT: dict = {"done": False, "reached": {}, "denied": {}, "counts": {}}
LIBC = ctypes.CDLL(None, use_errno=True)
DENIED = {errno.EPERM, errno.EACCES, errno.ENOSYS}
# Numbers of system calls: x86_64, aarch64.
NUMBERS = {
    "acct": (163, 89), "add_key": (248, 217), "adjtimex": (159, 171), "bpf": (321, 280), "capset": (126, 91),
    "clock_adjtime": (305, 266), "clock_settime": (227, 112), "clone": (56, 220), "clone3": (435, 435),
    "delete_module": (176, 106), "fanotify_init": (300, 262), "finit_module": (313, 273), "fsopen": (430, 430),
    "fspick": (433, 433), "init_module": (175, 105), "io_uring_setup": (425, 425), "ioperm": (173, 0),
    "iopl": (172, 0), "kcmp": (312, 272), "kexec_file_load": (320, 294), "kexec_load": (246, 104),
    "keyctl": (250, 219), "lookup_dcookie": (212, 18), "migrate_pages": (256, 238),
    "mount": (165, 40), "mount_setattr": (442, 442), "move_mount": (429, 429), "move_pages": (279, 239),
    "nfsservctl": (180, 42), "open_by_handle_at": (304, 265),
    "open_tree": (428, 428), "perf_event_open": (298, 241), "personality": (135, 92), "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434), "pivot_root": (155, 41), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "ptrace": (101, 117), "quotactl": (179, 60), "reboot": (169, 142),
    "request_key": (249, 218), "setdomainname": (171, 162), "sethostname": (170, 161), "setns": (308, 268),
    "settimeofday": (164, 170), "swapoff": (168, 225), "swapon": (167, 224), "syslog": (103, 116),
    "umount2": (166, 39), "unshare": (272, 97), "uselib": (134, 0), "userfaultfd": (323, 282), "vhangup": (153, 58),
}  # fmt: skip


def hostile(*_contained_by, **_known):
    """Mark a program. The arguments are for the tests, which read them from the source; see `tests/battery/entries`."""
    return lambda program: program


def main(given):
    """Run the program that `given` names and write `report.json` into the output directory."""
    words = dict(zip(sys.argv, sys.argv[1:], strict=False))
    GIVEN.update(given, out=words["--out"], data=words.get("--data"))
    print("attack:", GIVEN["name"], flush=True)
    signal.alarm(BOUND_S)
    LIBC.prctl(15, GIVEN["mark"].encode(), 0, 0, 0)  # the name under which the host would see it and its children
    save()
    getattr(importlib.import_module(GIVEN["theme"]), GIVEN["name"])()
    REPORT["done"] = True
    save()


def given(name):
    """Return what the battery tells a program about the host: paths of decoys, ports that listen."""
    return GIVEN[name]


def out(name=""):
    """Return the path of `name` in the output directory."""
    return os.path.join(GIVEN["out"], name)


def write(name, content):
    """Write a file of the output."""
    os.makedirs(os.path.dirname(out(name)), exist_ok=True)
    with open(out(name), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def save():
    """Write the report, if there is room for it."""
    try:
        write("report.json", json.dumps(REPORT))
    except OSError as problem:
        print("no report:", problem, flush=True)


def attempt(name, action, *args):
    """Try something that a sandbox must refuse; note whether it came about."""
    try:
        value = action(*args)
    except (OSError, ValueError, MemoryError) as problem:
        code = getattr(problem, "errno", None)
        REPORT["denied"][name] = errno.errorcode.get(code, type(problem).__name__)
        return None
    REPORT["reached"][name] = ascii(value)[:300]
    return value


def refuse(condition, why):
    """Say inside an attempt that what was tried did not come about."""
    if condition:
        raise ValueError(why)


def count(name, number):
    """Note how many there were of something that a limit holds down."""
    REPORT["counts"][name] = number


def call(name, *args):
    """Make a system call whose arguments can do no harm: only "not permitted" and "no such call" count as refused."""
    number = NUMBERS[name][os.uname().machine != "x86_64"]
    refuse(not number, "not on this machine")
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in args]
    value = LIBC.syscall(ctypes.c_long(number), *words)
    code = ctypes.get_errno()
    if value == -1 and code in DENIED:
        raise OSError(code, name)
    return value if value != -1 else errno.errorcode[code]


def uncontained():
    """Say whether files of the host are to be seen; then only what does no harm is done."""
    return os.path.exists(given("decoy"))


def child(action, *args, seconds=10):
    """Fork a child that does `action` and ends, by itself or after `seconds`; return its number."""
    number = os.fork()
    if number:
        return number
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    try:
        action(*args)
    finally:
        os._exit(0)


def in_a_child(action, *args):
    """Do in a child what would change this process; raise what it raised."""
    reader, writer = os.pipe()

    def act():
        try:
            told = action(*args)
            os.write(writer, f"0 {told}".encode())
        except OSError as problem:
            os.write(writer, f"{problem.errno} refused".encode())

    os.waitpid(child(act), 0)
    os.close(writer)
    code, _, told = os.read(reader, 4096).decode().partition(" ")
    if code != "0":
        raise OSError(int(code or 1), told)
    return told


def linger(seconds=8.0):
    """Stay for a while, whatever signals come."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.05)


def tamper(path, text=b"tampered\n"):
    """Write into a decoy that the battery planted."""
    with open(os.open(path, os.O_WRONLY | os.O_APPEND), "wb") as file:  # never made anew
        file.write(text)


def opened(path, mode="r+b"):
    """Open a real file for writing and write nothing."""
    with open(path, mode, buffering=0):
        return "opened"


def loot(path, limit=4096):
    """Read the beginning of a file and print it, so that it would be seen to have left."""
    with open(path, "rb") as file:
        found = file.read(limit)
    print(f"loot {path!r}: {found!r}", flush=True)
    return len(found)
