"""Programs that multiply, and programs that take every core."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

from attack import attempt, call, child, count, hostile, linger, out

FEW = {"pids": 32}
MANY = 200


def crowd(action, *args):
    """Fork children until no more come; end them; say how many came."""
    made = []
    try:
        while len(made) < MANY:
            made.append(child(action, *args))
    except OSError:
        pass
    for number in made:
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)
    return len(made)


@hostile("pids", under={"pids": 32}, at_most={"children": 31})
def fork_bomb():
    """Forks children that stay, until no more come.

    Contained when fewer come about than the limit on processes.
    """
    count("children", crowd(linger))


@hostile("pids", under={"pids": 32}, at_most={"processes": 32})
def fork_tree():
    """Lets every child fork two more, nine levels deep.

    Contained when the processes that counted themselves are no more than the limit.
    """

    def grow(depth):
        with open(out("tally"), "ab") as tally:
            tally.write(b".")
        for _ in range(2 if depth else 0):
            try:
                child(grow, depth - 1, seconds=12)
            except OSError:
                break
        linger()

    child(grow, 8, seconds=12)
    time.sleep(1.5)
    count("processes", os.path.getsize(out("tally")))


@hostile("pids", under={"pids": 32}, at_most={"threads": 31})
def thread_bomb():
    """Starts threads that wait, until no more come.

    Contained when fewer come about than the limit on processes, which counts threads.
    """
    over, made = threading.Event(), 0
    try:
        while made < MANY:
            threading.Thread(target=over.wait, args=(15,), daemon=True).start()
            made += 1
    except RuntimeError:
        pass
    count("threads", made)
    over.set()


@hostile("pids", under={"pids": 32}, at_most={"zombies": 31})
def zombies():
    """Forks children that end at once and never waits for them.

    Contained when fewer come about than the limit on processes.
    """
    made = 0
    try:
        while made < MANY:
            child(int)
            made += 1
    except OSError:
        pass
    count("zombies", made)


@hostile("pids", under={"pids": 32}, at_most={"shells": 31})
def spawned_shells():
    """Spawns shells that wait for a line, instead of forking itself.

    Contained when fewer come about than the limit on processes.
    """
    reader, writer = os.pipe()
    made = []
    try:
        while len(made) < MANY:
            actions = [(os.POSIX_SPAWN_DUP2, reader, 0)]
            made.append(os.posix_spawn("/bin/sh", ["sh", "-c", "read x"], {}, file_actions=actions))
    except OSError:
        pass
    os.close(reader)
    os.close(writer)
    for number in made:
        os.waitpid(number, 0)
    count("shells", len(made))


@hostile("pids", under={"pids": 32}, ends=("ok", "failed"), at_most={"children": 31})
def respawning_crowd():
    """Replaces every child that is killed by another one, from four watchers.

    Contained when nothing of it is left after the run.
    """

    def watch():
        while True:
            os.waitpid(child(linger, 1.0), 0)

    count("children", sum(child(watch, seconds=6) > 0 for _ in range(4)))
    time.sleep(0.5)


@hostile("wall", loose=True)
def pid_relay():
    """Hands on to a fresh child in a session of its own many times a second, so that no kill finds it; then ends.

    Contained when no process of it outlives the run.
    """

    def run(until):
        while time.monotonic() < until:
            os.setsid() if os.getpid() != os.getsid(0) else None
            time.sleep(0.06)
            if os.fork():
                os._exit(0)

    child(run, time.monotonic() + 6)
    time.sleep(0.2)


@hostile("cpus", under={"cpus": 0.5, "wall_s": 6.0})
def cpu_hog():
    """Keeps six processes busy for two seconds, where half a core is allowed.

    Contained when the processor time used is no more than half of the time that passed.
    """

    def spin():
        end = time.monotonic() + 2
        while time.monotonic() < end:
            pass

    for number in [child(spin) for _ in range(6)]:
        os.waitpid(number, 0)
    count("busy", 6)


@hostile("syscalls")
def priority_grab():
    """Asks for real-time scheduling, the highest priority and first place at the disk.

    Contained when all of it is refused.
    """
    attempt("nice -20", os.setpriority, os.PRIO_PROCESS, 0, -20)
    for name in ("SCHED_FIFO", "SCHED_RR"):
        attempt(name, os.sched_setscheduler, 0, getattr(os, name), os.sched_param(1))
    attempt("migrate_pages", call, "migrate_pages", 1, 0, None, None)


@hostile("open_files", under={"open_files": 64}, at_most={"files": 64})
def open_files():
    """Opens files and keeps them open.

    Contained when no more are open than the limit allows.
    """
    held = []
    try:
        while len(held) < 2000:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    count("files", len(held))
    for number in held:
        os.close(number)


@hostile("open_files", "file_size", under={"open_files": 64, "file_mb": 4})
def raised_limits():
    """Raises its own limits on files, file size and core dumps, and those of its parent.

    Contained when every rise is refused.
    """
    import resource

    for name in ("NOFILE", "FSIZE", "CORE"):
        which = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(which)[1]
        more = 1 << 19 if name == "NOFILE" else (hard + 1) << 20
        attempt(f"own {name}", resource.setrlimit, which, (more, more))
    code = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 19, 1 << 19))"

    def in_a_child():
        done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
        if done.returncode:
            raise PermissionError(1, "refused")

    attempt("a child's NOFILE", in_a_child)
