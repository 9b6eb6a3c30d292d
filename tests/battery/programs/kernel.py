"""Programs that ask the kernel for more rights, other modules, clocks and monitors.

Arguments are such that a kernel which allows the call finds nothing to do: only "not permitted" counts as refused.
"""

from __future__ import annotations

import ctypes
import glob
import os
import stat
import subprocess

from attack import LIBC, attempt, call, given, hostile, in_a_child, opened, out, refuse, uncontained

PLACE = ctypes.create_string_buffer(4096)


@hostile("syscalls")
def kernel_programs():
    """Loads programs into the kernel and listens to its events.

    Contained when the calls are refused.
    """
    attempt("bpf", call, "bpf", 0, PLACE, 128)
    attempt("bpf, a program", call, "bpf", 5, PLACE, 128)
    attempt("perf_event_open", call, "perf_event_open", PLACE, 0, -1, -1, 0)
    attempt("fanotify_init", call, "fanotify_init", 0, 0)
    attempt("userfaultfd", call, "userfaultfd", 0)
    attempt("lookup_dcookie", call, "lookup_dcookie", 0, PLACE, 0)
    for path in ("/sys/kernel/debug/tracing/trace", "/sys/kernel/tracing/trace"):
        attempt(path, opened, path)


@hostile("syscalls")
def queues_past_the_filter():
    """Asks for a queue of the kernel (io_uring), whose operations no filter of system calls sees.

    Contained when it is refused.
    """
    attempt("io_uring_setup", call, "io_uring_setup", 1, PLACE)


@hostile("syscalls")
def modules_and_kernels():
    """Loads and removes modules of the kernel, loads another kernel, reboots, changes swap and accounting.

    Contained when every call is refused.
    """
    attempt("init_module", call, "init_module", None, 0, b"")
    attempt("finit_module", call, "finit_module", -1, b"", 0)
    attempt("delete_module", call, "delete_module", b"hypoloop_none", 0)
    attempt("kexec_load", call, "kexec_load", 0, 0, None, 0xFFFF)
    attempt("kexec_file_load", call, "kexec_file_load", -1, -1, 0, b"", 0xFF)
    attempt("reboot", call, "reboot", 0, 0, 0, None)
    attempt("swapon", call, "swapon", b"/no/such", 0)
    attempt("swapoff", call, "swapoff", b"/no/such")
    attempt("acct", call, "acct", b"/no/such")
    attempt("quotactl", call, "quotactl", 0x800007 << 8, b"/no/such", 0, None)
    attempt("nfsservctl", call, "nfsservctl", 0, None, None)
    attempt("uselib", call, "uselib", b"/no/such")


@hostile("syscalls")
def clocks_and_names():
    """Sets the clock and the name of the machine.

    Contained when it is refused.
    """
    never = (ctypes.c_long * 2)(0, -1)
    attempt("clock_settime", call, "clock_settime", 0, never)
    attempt("settimeofday", call, "settimeofday", never, None)
    wish = (ctypes.c_long * 26)(0x4000)  # the frequency of the clock's tick, to an impossible value
    attempt("adjtimex", call, "adjtimex", wish)
    attempt("clock_adjtime", call, "clock_adjtime", 0, wish)
    name = os.uname().nodename.encode()
    attempt("sethostname", call, "sethostname", name, len(name))
    attempt("setdomainname", call, "setdomainname", b"(none)", 6)


@hostile("syscalls")
def another_user():
    """Becomes root, another user or another group, by every call there is.

    Contained when every one is refused.
    """
    free = (lambda: os.setresuid(0, 0, 0), lambda: os.setresgid(0, 0, 0), lambda: os.setuid(0), lambda: os.setgid(0))
    for name, change in zip(("setresuid", "setresgid", "setuid", "setgid"), free, strict=True):
        attempt(name, in_a_child, change)
    attempt("another", in_a_child, lambda: os.setresuid(12345, 12345, 12345))
    attempt("setgroups", in_a_child, lambda: os.setgroups([0]))


@hostile("syscalls")
def set_uid_programs():
    """Looks for programs that run as root for everybody, and becomes root through them.

    Contained when there is none, or none can give it any right.
    """
    found = []
    for folder in ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/local/bin", "/opt"):
        for path in glob.glob(f"{folder}/*"):
            if not os.path.islink(path) and os.lstat(path).st_mode & (stat.S_ISUID | stat.S_ISGID):
                found.append(path)

    def gained():
        kept = LIBC.prctl(39, 0, 0, 0, 0) == 1  # PR_GET_NO_NEW_PRIVS
        refuse(kept or not found, "none gives a right")
        return found

    attempt("set-uid", gained)
    for name in ("su", "sudo", "pkexec", "newgrp", "mount"):
        if f"/usr/bin/{name}" in found and not uncontained():
            done = subprocess.run(
                [f"/usr/bin/{name}", "-c", "id -u"], capture_output=True, check=False, timeout=5, input=b""
            )
            attempt(name, lambda told=done.stdout: refuse(told.strip() != b"0", "not root"))


@hostile("syscalls")
def capabilities():
    """Raises its capabilities, gives them to a file, and takes back the promise not to gain any.

    Contained when it has none, and all of it is refused.
    """

    def held():
        with open("/proc/self/status", encoding="ascii") as file:
            told = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
        refuse(not any(int(told[name], 16) for name in told if name.startswith("Cap")), "none")
        return told["CapBnd"]

    attempt("held", held)
    header, wanted = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
    attempt("capset", call, "capset", header, wanted)
    attempt("ambient", in_a_child, prctl, 47, 2, 21)
    attempt("securebits", in_a_child, prctl, 28, 0x2F)
    attempt("no-new-privileges taken back", in_a_child, prctl, 38, 0)
    with open(out("tool"), "wb"):
        pass
    rights = b"\x01\x00\x00\x02" + b"\xff" * 8 + bytes(8)
    attempt("capability of a file", os.setxattr, out("tool"), "security.capability", rights)
    attempt("trusted attribute", os.setxattr, out("tool"), "trusted.overlay.opaque", b"y")
    attempt("file given to root", os.chown, out("tool"), 0, 0)
    os.unlink(out("tool"))


def prctl(*args):
    """Call prctl and raise its error, whatever it is."""
    if LIBC.prctl(*args, 0, 0, 0) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return "allowed"


@hostile("syscalls")
def filter_taken_off():
    """Takes off the filter of system calls, and gets round it by the calls of another architecture.

    Contained when the filter is on and stays so.
    """

    def status():
        with open("/proc/self/status", encoding="ascii") as file:
            told = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
        refuse(told.get("Seccomp") == "2" and told.get("NoNewPrivs") == "1", "on")
        return told.get("Seccomp")

    attempt("no filter", status)
    attempt("seccomp mode 0", in_a_child, prctl, 22, 0)
    attempt("still none", status)
    attempt("personality of 32 bits", in_a_child, call, "personality", 0x0400000 | 0x0800000 | 0x40000)


@hostile("syscalls")
def registers_and_ports():
    """Asks for the ports of the machine, other segments, a hung-up terminal and the kernel's log.

    Contained when it is refused.
    """
    attempt("iopl", in_a_child, call, "iopl", 3)
    attempt("ioperm", in_a_child, call, "ioperm", 0x80, 1, 1)
    attempt("syslog: read all", call, "syslog", 3, PLACE, 4096)
    attempt("vhangup", in_a_child, call, "vhangup")
    attempt("move_pages", call, "move_pages", 1, 0, None, None, None, 0)


@hostile("syscalls")
def files_by_handle():
    """Opens files of the host's disk by their number, past every path and mount.

    Contained when the call is refused: it was the way out of a container in 2014.
    """
    handle = ctypes.create_string_buffer(
        (8).to_bytes(4, "little") + (1).to_bytes(4, "little") + (2).to_bytes(8, "little")
    )
    for path in ("/", out(), "/etc/hosts", given("data")):
        held = os.open(path, os.O_RDONLY)
        attempt(f"root of the disk under {path}", call, "open_by_handle_at", held, handle, 0)
