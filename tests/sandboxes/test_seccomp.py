"""The filter's bytes, run by a small interpreter of classic BPF; the kernel's view of them is tested in the sandbox."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest

from sandboxes.seccomp import MACHINES, NEW_NAMESPACES, NEWEST, NOT_IMPLEMENTED, NOT_PERMITTED, syscall_filter

X86, ARM, I386 = 0xC000003E, 0xC00000B7, 0x40000003
ALLOWED, KILLED = "allowed", "killed"
HEADERS = {
    "x86_64": (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), r"#define __NR_(\w+)\s+(\d+)"),
    "aarch64": (Path("/usr/include/asm-generic/unistd.h"), r"#define __NR(?:3264)?_(\w+)\s+(\d+)"),
}


def answer(machine: str, audit: int, number: int, *args: int) -> str | int:
    """Run the filter: what the kernel would do with this call, a number being the error it returns."""
    program = syscall_filter(machine)
    assert program is not None
    data = struct.pack("=iIQ6Q", number, audit, 0, *(list(args) + [0] * 6)[:6])
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    value, place = 0, 0
    while True:
        code, then, otherwise, operand = steps[place]
        place += 1
        match code:
            case 0x20:
                (value,) = struct.unpack_from("=I", data, operand)
            case 0x15:
                place += then if value == operand else otherwise
            case 0x35:
                place += then if value >= operand else otherwise
            case 0x45:
                place += then if value & operand else otherwise
            case 0x06:
                kind = operand & 0xFFFF0000
                return {0x7FFF0000: ALLOWED, 0x80000000: KILLED, 0x50000: operand & 0xFFFF}[kind]
            case _:
                raise AssertionError(hex(code))


def calls(table: str, column: int) -> list[int]:
    chosen = {"permitted": NOT_PERMITTED, "implemented": NOT_IMPLEMENTED}[table]
    return [numbers[column] for numbers in chosen.values() if numbers[column] is not None]


MACHINE = pytest.mark.parametrize(("machine", "audit", "column"), [("x86_64", X86, 0), ("aarch64", ARM, 1)])


@MACHINE
def test_what_reaches_for_the_kernel_is_denied(machine: str, audit: int, column: int) -> None:
    assert {answer(machine, audit, number) for number in calls("permitted", column)} == {errno.EPERM}
    assert {answer(machine, audit, number) for number in calls("implemented", column)} == {errno.ENOSYS}


@MACHINE
def test_everything_else_is_allowed(machine: str, audit: int, column: int) -> None:
    conditional = {(56, 220), (16, 29), (135, 92), (41, 198), (53, 199)}
    denied = {*calls("permitted", column), *calls("implemented", column), *(pair[column] for pair in conditional)}
    assert {answer(machine, audit, number) for number in range(NEWEST + 1) if number not in denied} == {ALLOWED}


@MACHINE
def test_what_nobody_has_judged_is_not_there(machine: str, audit: int, column: int) -> None:
    assert {answer(machine, audit, number) for number in range(NEWEST + 1, 600)} == {errno.ENOSYS}


@MACHINE
def test_a_process_may_be_made_but_no_namespace(machine: str, audit: int, column: int) -> None:
    clone = (56, 220)[column]
    assert answer(machine, audit, clone, 0x11) == ALLOWED
    assert answer(machine, audit, clone, 0x3D0F00) == ALLOWED  # a thread
    for bit in range(32):
        if NEW_NAMESPACES >> bit & 1:
            assert answer(machine, audit, clone, 1 << bit | 0x11) == errno.EPERM


@MACHINE
def test_nobody_types_into_the_terminal(machine: str, audit: int, column: int) -> None:
    ioctl = (16, 29)[column]
    assert answer(machine, audit, ioctl, 0, 0x5401) == ALLOWED
    for request in (0x5412, 0x541C, 1 << 32 | 0x5412):  # the kernel drops the high word, so the filter must too
        assert answer(machine, audit, ioctl, 0, request) == errno.EPERM


@MACHINE
def test_the_personality_can_be_asked_for_and_not_changed(machine: str, audit: int, column: int) -> None:
    personality = (135, 92)[column]
    assert answer(machine, audit, personality, 0) == answer(machine, audit, personality, 0xFFFFFFFF) == ALLOWED
    assert answer(machine, audit, personality, 0x0040000) == errno.EPERM  # no randomised addresses


@MACHINE
def test_sockets_are_of_families_that_a_namespace_holds(machine: str, audit: int, column: int) -> None:
    for call in ((41, 198)[column], (53, 199)[column]):
        assert [answer(machine, audit, call, family) for family in (1, 2, 10, 16)] == [ALLOWED] * 4
        assert {answer(machine, audit, call, family) for family in (0, 17, 29, 38, 40, 44)} == {errno.EAFNOSUPPORT}


def test_calls_whose_numbers_mean_something_else_end_the_program() -> None:
    assert answer("x86_64", I386, 1) == KILLED
    assert answer("x86_64", ARM, 1) == KILLED
    assert answer("aarch64", X86, 1) == KILLED
    assert answer("x86_64", X86, 0x40000000 | 101) == KILLED  # ptrace in the 32-bit pointer mode


def test_an_unknown_machine_has_no_filter() -> None:
    assert syscall_filter("riscv64") is None


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    header, pattern = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"{header} is not installed (package linux-libc-dev)")
    known = {found[1]: int(found[2]) for found in re.finditer(pattern, header.read_text(encoding="utf-8"))}
    column = MACHINES[machine].column
    ours = {name: numbers[column] for name, numbers in (NOT_PERMITTED | NOT_IMPLEMENTED).items()}
    assert {name: number for name, number in ours.items() if name in known and known[name] != number} == {}
    assert len(ours.keys() & known.keys()) > 40
