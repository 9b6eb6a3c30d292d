"""Programs that ask for mounts, another root and namespaces of their own or of others."""

from __future__ import annotations

import ctypes
import os

from attack import LIBC, attempt, call, given, hostile, in_a_child, out, uncontained

NAMESPACES = {"mount": 0x20000, "uts": 0x4000000, "ipc": 0x8000000, "user": 0x10000000, "pid": 0x20000000}
NAMESPACES |= {"network": 0x40000000, "cgroup": 0x2000000, "time": 0x80}
PLACE = ctypes.create_string_buffer(4096)


@hostile("syscalls")
def mounts():
    """Mounts memory, /proc, control groups, its own folder and a disk; takes mounts away; makes them writable.

    Contained when all of it is refused.
    """
    place = out("place")
    os.mkdir(place)
    kinds = {
        "tmpfs": 0,
        "proc": 0,
        "sysfs": 0,
        "cgroup": 0,
        "overlay": 0,
        "mqueue": 0,
        "debugfs": 0,
        "ext4": 0,
        "none": 4096,
    }
    for kind, flags in kinds.items():
        done = attempt(kind, call, "mount", kind.encode(), place.encode(), kind.encode(), flags, None)
        if done == 0:
            call("umount2", place.encode(), 2)
    for path in ("/", os.path.dirname(os.path.abspath(__file__)), given("data"), "/proc/sys", "/sys"):
        if not uncontained():
            attempt(f"{path} made writable", call, "mount", None, path.encode(), None, 32 | 4096, None)
            attempt(f"{path} taken away", call, "umount2", path.encode(), 2)
    os.rmdir(place)


@hostile("syscalls")
def new_mount_calls():
    """Uses the newer calls for mounts, which old filters do not know.

    Contained when all of them are refused.
    """
    attempt("fsopen", call, "fsopen", b"tmpfs", 0)
    attempt("fspick", call, "fspick", -100, out().encode(), 0)
    attempt("open_tree", call, "open_tree", -100, out().encode(), 1)
    attempt("move_mount", call, "move_mount", -1, b"", -1, b"", 0)
    attempt("mount_setattr", call, "mount_setattr", -1, b"", 0, PLACE, 32)


@hostile("syscalls")
def another_root():
    """Changes its root, and then climbs out of the new one.

    Contained when it is refused.
    """

    def leave():
        os.chroot(out())
        return "changed"

    attempt("chroot", in_a_child, leave)
    attempt("pivot_root", in_a_child, call, "pivot_root", out().encode(), out().encode())


@hostile("syscalls")
def new_namespaces():
    """Asks for namespaces of its own, of users above all, in which it would be root.

    Contained when every kind is refused.
    """
    for name, kind in NAMESPACES.items():
        attempt(name, in_a_child, call, "unshare", kind)
        if name != "user":
            attempt(f"user and {name}", in_a_child, call, "unshare", kind | NAMESPACES["user"])


@hostile("syscalls")
def children_in_namespaces():
    """Makes children in namespaces of their own, by the old call and the new one.

    Contained when every kind is refused.
    """

    def clone(kind):
        number = LIBC.syscall(
            56 if os.uname().machine == "x86_64" else 220, ctypes.c_ulong(kind | 17), None, None, None, None
        )
        if number == 0:
            os._exit(0)
        if number < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        os.waitpid(number, 0)
        return number

    for name, kind in NAMESPACES.items():
        if name != "time":
            attempt(name, clone, kind)
    attempt("clone3", call, "clone3", None, 0)


@hostile("syscalls", "files")
def others_namespaces():
    """Enters the namespaces of process 1 and of a process of the host.

    Contained when it is refused.
    """
    for number in ("1", str(given("victim"))):
        for name in ("mnt", "net", "pid", "ipc", "uts", "user", "cgroup"):

            def enter(path=f"/proc/{number}/ns/{name}"):
                held = os.open(path, os.O_RDONLY)
                return in_a_child(call, "setns", held, 0)

            attempt(f"{name} of {number}", enter)
