"""Programs that turn to other processes: signals, debuggers, their memory, and what processes share."""

from __future__ import annotations

import ctypes
import os
import signal

from attack import LIBC, attempt, call, child, count, given, hostile, linger, loot, opened, refuse, tamper, uncontained

MIB = 1 << 20


@hostile("files", loose=True)
def signal_to_the_host():
    """Sends a signal to a process of the host, by its number there.

    Contained when there is no such process inside and the one outside goes on.
    """
    attempt("kill", os.kill, given("victim"), signal.SIGTERM)
    attempt("queue", os.pidfd_open, given("victim"))


@hostile("wall", ends=("ok", "failed", "killed"))
def signal_to_parents():
    """Kills its parent and process 1, with every signal.

    Contained when the run ends and the host's processes go on.
    """
    for number in (1, os.getppid()):
        for kind in (signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGTERM, signal.SIGQUIT):
            try:
                os.kill(number, 0 if uncontained() else kind)
            except OSError:
                continue
    count("sent", 10)


@hostile("wall", ends=("ok", "failed", "killed"))
def signal_to_everybody():
    """Kills every process that it may send a signal to, and its own group.

    Contained when the run ends and the host's processes go on.
    """
    if uncontained():
        os.kill(os.getpid(), 0)
        return
    if os.fork() == 0:
        linger(1)
        os._exit(0)
    os.kill(-1, signal.SIGKILL)
    count("sent", 1)
    os.killpg(0, signal.SIGKILL)


@hostile("files", loose=True)
def memory_of_others():
    """Reads and writes the memory of a process of the host, by a debugger, by two calls and by /proc.

    Contained when none of them finds it.
    """
    victim = given("victim")
    attempt("/proc/PID/mem", opened, f"/proc/{victim}/mem")
    attempt("/proc/PID/maps", loot, f"/proc/{victim}/maps", 200)
    attempt("/proc/PID/environ", loot, f"/proc/{victim}/environ")
    held = ctypes.create_string_buffer(8)
    here, there = (ctypes.c_size_t * 2)(ctypes.addressof(held), 8), (ctypes.c_size_t * 2)(4096, 8)
    for name in ("process_vm_readv", "process_vm_writev"):

        def touch(name=name):
            found = call(name, victim, here, 1, there, 1, 0)
            refuse(found == "ESRCH", "no such process")
            return found

        attempt(name, touch)

    def compare():
        found = call("kcmp", os.getpid(), victim, 2, 0, 0)
        refuse(found == "ESRCH", "no such process")
        return found

    attempt("kcmp", compare)


@hostile("files")
def debugger():
    """Attaches a debugger to a process of the host.

    Contained when there is no such process inside.
    """

    def attach():
        LIBC.ptrace.argtypes = [ctypes.c_long] * 4
        if LIBC.ptrace(0x4206, given("victim"), 0, 0) < 0:  # PTRACE_SEIZE: the process goes on
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return LIBC.ptrace(17, given("victim"), 0, 0)

    attempt("attach", attach)


@hostile("files", loose=True)
def descriptors_of_others():
    """Takes an open file out of a process of the host.

    Contained when there is no such process inside.
    """

    def take():
        held = os.pidfd_open(given("victim"))
        return call("pidfd_getfd", held, 0, 0)

    attempt("pidfd_getfd", take)
    attempt("/proc/PID/fd", os.listdir, f"/proc/{given('victim')}/fd")


@hostile("files", loose=True)
def shared_memory_of_the_host():
    """Attaches System V memory of the host, and opens its file in /dev/shm.

    Contained when neither is to be seen, and both are unchanged.
    """
    LIBC.shmat.restype = ctypes.c_void_p

    def segment():
        place = LIBC.shmat(given("segment"), None, 0)
        if place in (None, ctypes.c_void_p(-1).value):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        found = ctypes.string_at(place, 64)
        print(found)
        ctypes.memset(place, 0, 4)
        return found

    attempt("segment", segment)
    attempt("/dev/shm", tamper, given("shm"))


@hostile("files")
def queues_and_semaphores():
    """Looks for queues and semaphores of others, and leaves its own behind.

    Contained when there are none, and those it made are gone with it.
    """

    def listed(kind):
        with open(f"/proc/sysvipc/{kind}", encoding="ascii") as file:
            found = file.read().splitlines()[1:]
        refuse(not found, "none")
        return found

    for kind in ("shm", "sem", "msg"):
        attempt(kind, listed, kind)
    if not uncontained():
        LIBC.semget(0x68796C70, 1, 0o1600)
        LIBC.msgget(0x68796C70, 0o1600)
        LIBC.shmget(0x68796C70, 4096, 0o1600)


@hostile("files")
def locks():
    """Locks every file that it was given, for good, from a child that stays.

    Contained when the host can lock them after the run.
    """
    import fcntl

    def lock():
        held = []
        for folder in (given("data"), os.path.dirname(os.path.abspath(__file__))):
            for name in os.listdir(folder):
                held.append(os.open(os.path.join(folder, name), os.O_RDONLY))
                fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        linger(8)

    count("locker", child(lock) > 0)


@hostile("files")
def cache_of_a_file():
    """Writes into a file that it may only read, through a pipe that holds a page of it (CVE-2022-0847).

    Contained when the host's file is unchanged.
    """
    path = os.path.join(given("data"), "given.txt")
    held = os.open(path, os.O_RDONLY)
    reader, writer = os.pipe()
    for _ in range(16):
        os.write(writer, bytes(4096))
    for _ in range(16):
        os.read(reader, 4096)
    os.splice(held, writer, 1, offset_src=0)
    os.write(writer, b"TAMPERED")
    with open(path, "rb") as file:
        attempt("page changed", lambda: refuse(b"TAMPERED" not in file.read(), "unchanged"))


@hostile("files")
def copy_on_write_race():
    """Writes to a file that it may only read, by a race between two threads on one page (CVE-2016-5195).

    Contained when the host's file is unchanged.
    """
    import mmap
    import threading
    import time

    path = os.path.join(given("data"), "given.txt")
    with open(path, "rb") as file:
        area = mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ)
    with open("/proc/self/maps", encoding="ascii") as file:
        start = next(int(line.split("-")[0], 16) for line in file if line.rstrip().endswith("given.txt"))
    end = time.monotonic() + 0.7

    def forget():
        while time.monotonic() < end:
            LIBC.madvise(ctypes.c_void_p(start), ctypes.c_size_t(4096), 4)

    racer = threading.Thread(target=forget)
    racer.start()
    tries = 0
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        while time.monotonic() < end:
            try:
                memory.seek(start)
                memory.write(b"TAMPERED")
            except OSError:
                pass
            tries += 1
    racer.join()
    area.close()
    with open(path, "rb") as file:
        attempt("page changed", lambda: refuse(b"TAMPERED" not in file.read(), "unchanged"))
    count("raced", tries > 0)
