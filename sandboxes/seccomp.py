"""The system calls that a program in bubblewrap may not make, as a filter that the kernel runs (classic BPF).

Denied is what reaches for the kernel rather than for the program's own work: namespaces, mounts, other processes, keys,
modules, clocks, tracing, and interfaces with a record of holes. What libraries probe for and can do without answers
"not implemented", and so does what is newer than this list; the rest "not permitted". A call of another architecture,
or of the 32-bit pointer mode of x86_64, whose numbers mean something else, ends the program. See seccomp(2) and the
kernel's `seccomp_filter.rst`.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple

# struct seccomp_data: int nr; u32 arch; u64 instruction_pointer; u64 args[6] (the low word first)
NUMBER, ARCHITECTURE, FIRST, SECOND = 0, 4, 16, 24
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
KILL, ALLOW, FAIL = 0x8000_0000, 0x7FFF_0000, 0x0005_0000
X32 = 0x4000_0000
NEWEST = 466  # removexattrat, of Linux 6.13, on every architecture; what a later kernel adds was not judged

# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
NEW_NAMESPACES = 0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000
TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: they put words into the mouth of who owns the terminal
PERSONALITIES = (0, 0xFFFF_FFFF)  # the usual one, and the question which one it is
FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK; AF_VSOCK, for one, leaves every namespace

# On x86_64 and on aarch64; None where there is no such call.
NOT_PERMITTED: Mapping[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "create_module": (174, None),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "get_kernel_syms": (177, None),
    "init_module": (175, 105),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "migrate_pages": (256, 238),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "query_module": (178, None),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "vhangup": (153, 58),
}
NOT_IMPLEMENTED: Mapping[str, tuple[int | None, int | None]] = {
    "_sysctl": (156, None),
    "clone3": (435, 435),  # its flags lie in memory, where no filter looks; the C library falls back on clone
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "listmount": (458, 458),
    "memfd_secret": (447, 447),
    "statmount": (457, 457),
    "sysfs": (139, None),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "ustat": (136, None),
}
CLONE, IOCTL, PERSONALITY, SOCKET, SOCKETPAIR = (56, 220), (16, 29), (135, 92), (41, 198), (53, 199)


class Machine(NamedTuple):
    """How the kernel names an architecture (`AUDIT_ARCH_*`), and its column in the tables."""

    audit: int
    column: int


MACHINES: Mapping[str, Machine] = {"x86_64": Machine(0xC000_003E, 0), "aarch64": Machine(0xC000_00B7, 1)}


class Step(NamedTuple):
    """One instruction; a jump names the labels where it goes on, empty for the next instruction."""

    code: int
    value: int
    then: str = ""
    otherwise: str = ""
    label: str = ""


def syscall_filter(machine: str) -> bytes | None:
    """Return the filter for `machine` (as `platform.machine()` names it) as an array of `struct sock_filter`.

    None where the numbers of the calls are not known here.
    """
    known = MACHINES.get(machine)
    return None if known is None else _assembled(_steps(known))


def _steps(machine: Machine) -> list[Step]:
    column = machine.column
    return [
        Step(LOAD, ARCHITECTURE),
        Step(JUMP_EQUAL, machine.audit, otherwise="kill"),
        Step(LOAD, NUMBER),
        *([Step(JUMP_AT_LEAST, X32, then="kill")] if column == 0 else []),
        Step(JUMP_AT_LEAST, NEWEST + 1, then="not implemented"),
        *(Step(JUMP_EQUAL, number, then="not permitted") for number in _numbers(NOT_PERMITTED, column)),
        *(Step(JUMP_EQUAL, number, then="not implemented") for number in _numbers(NOT_IMPLEMENTED, column)),
        Step(JUMP_EQUAL, CLONE[column], then="clone"),
        Step(JUMP_EQUAL, IOCTL[column], then="ioctl"),
        Step(JUMP_EQUAL, PERSONALITY[column], then="personality"),
        Step(JUMP_EQUAL, SOCKET[column], then="socket"),
        Step(JUMP_EQUAL, SOCKETPAIR[column], then="socket"),
        Step(RETURN, ALLOW),
        # The kernel looks at the low word of these arguments only, so a filter that looked at both could be fooled.
        Step(LOAD, FIRST, label="clone"),
        Step(JUMP_ANY_BIT, NEW_NAMESPACES, then="not permitted", otherwise="allow"),
        Step(LOAD, SECOND, label="ioctl"),
        *(Step(JUMP_EQUAL, request, then="not permitted") for request in TERMINAL_INJECTION),
        Step(RETURN, ALLOW),
        Step(LOAD, FIRST, label="personality"),
        *(Step(JUMP_EQUAL, allowed, then="allow") for allowed in PERSONALITIES),
        Step(RETURN, FAIL | errno.EPERM, label="not permitted"),
        Step(LOAD, FIRST, label="socket"),
        *(Step(JUMP_EQUAL, family, then="allow") for family in FAMILIES),
        Step(RETURN, FAIL | errno.EAFNOSUPPORT),
        Step(RETURN, ALLOW, label="allow"),
        Step(RETURN, FAIL | errno.ENOSYS, label="not implemented"),
        Step(RETURN, KILL, label="kill"),
    ]


def _numbers(calls: Mapping[str, tuple[int | None, int | None]], column: int) -> Iterable[int]:
    return (number for numbers in calls.values() if (number := numbers[column]) is not None)


def _assembled(steps: list[Step]) -> bytes:
    """Resolve the labels; a jump goes forward only, by at most 255 instructions."""
    where = {step.label: place for place, step in enumerate(steps) if step.label}

    def distance(label: str, place: int) -> int:
        return where[label] - place - 1 if label else 0

    return b"".join(
        struct.pack("=HBBI", step.code, distance(step.then, place), distance(step.otherwise, place), step.value)
        for place, step in enumerate(steps)
    )
