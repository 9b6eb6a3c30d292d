"""Programs that take memory by every way the kernel has."""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import zlib

from attack import LIBC, attempt, child, count, hostile, linger

MIB = 1 << 20
MOST = 512


def grow():
    """Take memory and touch it, half a gigabyte at most."""
    held = [bytearray(b"x") * (8 * MIB) for _ in range(MOST // 8)]
    linger(2.0)
    return held


def fill(number):
    """Write half a gigabyte at most into an open file; say how many MiB went in."""
    for done in range(MOST):
        try:
            os.write(number, b"x" * MIB)
        except OSError:
            return done
    return MOST


@hostile("memory", under={"memory_mb": 96}, ends=("oom",), limit="memory")
def own_memory():
    """Takes memory until there is none left.

    Contained when the run ends as out of memory, with its peak within the limit.
    """
    grow()


@hostile("memory", under={"memory_mb": 96}, ends=("oom",), limit="memory")
def memory_of_a_child():
    """Lets a child take the memory and ends well itself.

    Contained when the run ends as out of memory although the program says that all went well.
    """
    os.waitpid(child(grow), 0)


@hostile("memory", under={"memory_mb": 96}, ends=("oom",), limit="memory")
def memory_of_many():
    """Spreads the memory over eight children, none of which is over the limit alone.

    Contained when the run ends as out of memory.
    """

    def some():
        held = bytearray(b"x") * (40 * MIB)
        linger(3.0)
        return held

    for number in [child(some) for _ in range(8)]:
        os.waitpid(number, 0)


@hostile("memory", under={"memory_mb": 96, "file_mb": 600}, ends=("oom",), limit="memory")
def memory_of_a_file_in_memory():
    """Writes into a file that lives in memory only (memfd), of which no directory tells.

    Contained when the run ends as out of memory.
    """
    held = os.memfd_create("hidden")
    number = child(fill, held)
    os.waitpid(number, 0)
    count("mib", os.fstat(held).st_size // MIB)


@hostile("memory", under={"memory_mb": 96}, ends=("oom",), limit="memory")
def shared_mapping():
    """Fills an anonymous mapping that it shares with its children.

    Contained when the run ends as out of memory.
    """
    area = mmap.mmap(-1, MOST * MIB)
    for start in range(0, MOST * MIB, MIB):
        area[start : start + MIB] = b"x" * MIB


@hostile("memory", under={"memory_mb": 96}, ends=("oom", "ok"), limit="memory")
def terabyte_of_address_space():
    """Reserves a terabyte of addresses and touches it page by page.

    Contained when it is not given the addresses, or the run ends as out of memory.
    """
    try:
        area = mmap.mmap(-1, 1 << 40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)  # MAP_NORESERVE
    except OSError:
        return
    for start in range(0, MOST * MIB, mmap.PAGESIZE):
        area[start] = 1


@hostile("memory", under={"memory_mb": 96}, ends=("oom",), limit="memory")
def shared_segments():
    """Takes System V shared memory, which no process has to hold.

    Contained when the run ends as out of memory.
    """
    LIBC.shmat.restype = ctypes.c_void_p
    for _ in range(MOST // 16):
        segment = LIBC.shmget(0, ctypes.c_size_t(16 * MIB), 0o1600)
        if segment < 0:
            break
        place = LIBC.shmat(segment, None, 0)
        LIBC.shmctl(segment, 0, None)  # goes with the last process that has it, whatever happens to this one
        ctypes.memset(place, 1, 16 * MIB)


@hostile("memory", under={"memory_mb": 192, "file_mb": 600}, at_most={"mib": 64})
def full_dev_shm():
    """Fills /dev/shm.

    Contained when no more than 64 MiB go in.
    """
    flood("/dev/shm")


@hostile("memory", under={"memory_mb": 192, "file_mb": 600}, at_most={"mib": 64})
def full_tmp():
    """Fills /tmp.

    Contained when no more than 64 MiB go in.
    """
    flood("/tmp")


def flood(folder):
    """Fill `folder` from one file that is removed again."""
    path = f"{folder}/hypoloop-flood-{os.getpid()}"
    number = os.open(path, os.O_CREAT | os.O_WRONLY)
    os.unlink(path)
    count("mib", min(fill(number), 256))
    os.close(number)


@hostile("memory", under={"memory_mb": 64}, ends=("oom", "ok"), at_most={"mib": 64})
def pipe_buffers():
    """Fills pipes, whose buffers belong to the kernel and to no process.

    Contained when the run ends as out of memory, or the kernel gives out no more than the limit.
    """
    held, taken = [], 0
    import fcntl

    for _ in range(200):
        reader, writer = os.pipe2(os.O_NONBLOCK)
        held += [reader, writer]
        try:
            fcntl.fcntl(writer, 1031, MIB)  # F_SETPIPE_SZ
            while True:
                taken += os.write(writer, b"x" * 65536)
        except OSError:
            continue
    count("mib", taken // MIB)


@hostile("memory", under={"memory_mb": 64}, ends=("oom", "ok"), at_most={"mib": 64})
def socket_buffers():
    """Fills the buffers of sockets that nobody reads.

    Contained when the run ends as out of memory, or the kernel gives out no more than the limit.
    """
    held, taken = [], 0
    for _ in range(480):
        pair = socket.socketpair()
        held.append(pair)
        pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MIB)
        pair[0].setblocking(False)
        try:
            while True:
                taken += pair[0].send(b"x" * 65536)
        except OSError:
            continue
    count("mib", taken // MIB)


@hostile("memory", under={"memory_mb": 96}, ends=("oom",), limit="memory")
def unpacked_bomb():
    """Unpacks less than a megabyte of compressed zeros into two hundred megabytes.

    Contained when the run ends as out of memory.
    """
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(bytes(MIB)) for _ in range(200)) + packer.flush()
    count("unpacked", len(zlib.decompress(packed)))


@hostile("memory", under={"memory_mb": 96}, ends=("oom",), limit="memory")
def shielded_from_the_kernel():
    """Asks the kernel to kill anything else first when memory runs out, then takes it.

    Contained when the wish is refused and the run ends as out of memory.
    """

    def shield(path):
        with open(path, "w", encoding="ascii") as file:
            file.write("-1000")

    attempt("own oom_score_adj", shield, "/proc/self/oom_score_adj")
    grow()
