"""Programs that do not end, or not all of them."""

from __future__ import annotations

import atexit
import ctypes
import os
import signal
import sys
import time

from attack import LIBC, REPORT, attempt, child, count, hostile, linger, opened, save, uncontained

SHORT = {"wall_s": 2.0}


@hostile("wall", under={"wall_s": 2.0}, ends=("timeout",), limit="wall")
def deaf_to_signals():
    """Ignores every signal that can be ignored, and stays.

    Contained when the run ends at its time.
    """
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    linger(15)


@hostile("wall", loose=True)
def daemon():
    """Forks twice, starts a session of its own, closes everything and goes on after the program's end.

    Contained when no process outlives the run.
    """
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        child(linger, 8)
        os._exit(0)
    os.wait()


@hostile("wall")
def heir_of_the_log():
    """Leaves a child that keeps the log open and goes on printing after the program's end.

    Contained when the run ends with the program and no process outlives it.
    """

    def chatter():
        for _ in range(80):
            os.write(1, b"still here\n")
            time.sleep(0.1)

    child(chatter)


@hostile("wall")
def waits_for_input():
    """Waits for a line on its standard input, then on the terminal.

    Contained when the input is at its end and there is no terminal.
    """
    count("characters", len(sys.stdin.read()))
    for path in ("/dev/tty", "/dev/console", "/dev/pts/0", "/dev/tty1"):
        attempt(path, opened, path)


@hostile("wall", under={"wall_s": 2.0}, ends=("timeout",), limit="wall")
def stopped_process():
    """Stops itself, so that no signal but one is delivered to it any more.

    Contained when the run ends at its time.
    """
    parent = os.getpid()

    def wake():
        time.sleep(10)
        os.kill(parent, signal.SIGKILL)

    child(wake, seconds=15)
    os.kill(parent, signal.SIGSTOP)


@hostile("wall", under={"wall_s": 2.0}, ends=("timeout",), limit="wall")
def everything_stopped():
    """Stops every process that it may send a signal to.

    Contained when the run ends at its time and the host's processes go on.
    """
    child(linger)
    if uncontained():
        linger(15)
    os.kill(-1, signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGSTOP)


@hostile("wall", under={"wall_s": 2.0}, ends=("timeout",), limit="wall")
def busy_loop():
    """Computes for ever.

    Contained when the run ends at its time.
    """
    end = time.monotonic() + 15
    while time.monotonic() < end:
        pass


@hostile("wall", under={"wall_s": 2.0}, ends=("timeout",), limit="wall")
def one_long_step():
    """Computes one number whose digits take minutes, in one step that no signal handler interrupts.

    Contained when the run ends at its time.
    """
    signal.signal(signal.SIGTERM, lambda *_: None)
    count("digits", (3 ** (1 << 24)).bit_length() and (7 ** (1 << 27)).bit_length())


@hostile("wall", under={"wall_s": 2.0}, ends=("timeout",), limit="wall")
def waits_for_nobody():
    """Reads from a pipe into which nobody writes.

    Contained when the run ends at its time.
    """
    reader, _writer = os.pipe()
    os.read(reader, 1)


@hostile("wall", under={"wall_s": 2.0}, ends=("timeout",), limit="wall")
def never_done_exiting():
    """Ends, but for a last function that does not return.

    Contained when the run ends at its time.
    """
    atexit.register(linger, 15)


@hostile("wall", under={"wall_s": 2.0}, ends=("timeout",), limit="wall")
def captive_parent():
    """Attaches a debugger to the process that watches over it, and stops that.

    Contained when the run ends at its time or the debugger is refused, and the host's processes go on.
    """
    if not uncontained():
        LIBC.ptrace.argtypes = [ctypes.c_long] * 4
        REPORT["counts"]["attached"] = LIBC.ptrace(16, 1, 0, 0)  # PTRACE_ATTACH to process 1
        save()
    linger(15)


@hostile("wall", under={"wall_s": 2.0}, ends=("timeout",), limit="wall")
def restarts_itself():
    """Starts itself anew for ever, so that each program is young.

    Contained when the run ends at its time.
    """
    started = float(os.environ.setdefault("STARTED", str(time.time())))
    if time.time() - started < 15:
        time.sleep(0.05)
        os.execv(sys.executable, [sys.executable, *sys.argv])


@hostile("wall", ends=("killed",))
def forged_out_of_memory():
    """Ends with the exit code of a program that ran out of memory.

    Contained when the run is not taken for one.
    """
    os._exit(137)


@hostile("wall", ends=("failed",))
def forged_time_out():
    """Ends with the exit code of a program that was stopped for its time.

    Contained when the run is taken for one that failed.
    """
    os._exit(124)


@hostile("wall", ends=("failed", "killed"))
def crash():
    """Writes to address zero and dies, asking for a core dump.

    Contained when the run failed and nothing of the core is in the output.
    """
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    ctypes.memset(0, 0, 1)
