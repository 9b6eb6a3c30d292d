"""Programs that read and write what the kernel shows as files: /proc, /sys, /dev."""

from __future__ import annotations

import fcntl
import glob
import os

from attack import attempt, given, hostile, opened, refuse, tamper, uncontained


@hostile("files")
def kernel_switches():
    """Opens for writing the switches by which a kernel runs programs, dumps cores, reboots or swaps. Writes nothing.

    Contained when none can be opened.
    """
    paths = [
        "/proc/sysrq-trigger",
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/modprobe",
        "/proc/sys/vm/drop_caches",
    ]
    paths += [
        "/proc/sys/kernel/hotplug",
        "/proc/sys/fs/binfmt_misc/register",
        "/sys/kernel/uevent_helper",
        "/proc/acpi",
    ]
    paths += ["/proc/sys/kernel/randomize_va_space", "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/hostname"]
    paths += ["/proc/irq/default_smp_affinity", "/proc/bus/pci/00/00.0", "/proc/sys/net/ipv4/ip_forward", "/proc/mtrr"]
    paths += ["/sys/power/state", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/fs/selinux/enforce"]
    for path in paths:
        attempt(path, opened, path, "ab")


@hostile("files", "syscalls")
def kernel_memory():
    """Reads the memory of the machine, the addresses of the kernel and its messages.

    Contained when each is absent, empty or refused.
    """
    for path in ("/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/proc/kmsg", "/proc/vmcore"):
        attempt(path, opened, path, "rb")

    def some(path, size, nothing):
        with open(path, "rb") as file:
            found = file.read(size)
        refuse(not found.strip() or nothing(found), "nothing in it")
        return found[:60]

    attempt("/proc/kcore", some, "/proc/kcore", 64, lambda found: not any(found))
    attempt("/proc/kallsyms", some, "/proc/kallsyms", 4096, lambda found: set(found.split()[0]) == {48})
    attempt("/proc/timer_list", some, "/proc/timer_list", 64, lambda found: False)
    attempt("/proc/sched_debug", some, "/proc/sched_debug", 64, lambda found: False)
    attempt("/proc/iomem", some, "/proc/iomem", 200, lambda found: b"00000000-00000000" in found)


@hostile("files", loose=True)
def process_roots():
    """Goes through /proc to the roots, working directories and open files of other processes.

    Contained when all it finds there is its own.
    """
    found = [given("victim")] if uncontained() else [os.path.basename(path) for path in glob.glob("/proc/[0-9]*")]
    for number in found:
        for way in ("root", "cwd"):
            path = f"/proc/{number}/{way}{given('decoy') if way == 'root' else '/../../../../../..' + given('decoy')}"
            attempt(f"{way} of {number}", tamper, path)


@hostile("files")
def leaked_descriptors():
    """Looks for open files that whoever started it forgot, and climbs out through them.

    Contained when there are none but its input and output.
    """

    def others():
        held = {}
        for number in range(3, 256):
            try:
                held[number] = os.readlink(f"/proc/self/fd/{number}")
            except OSError:
                continue
        refuse(not held, "none")
        return held

    attempt("own", others)
    for number in range(3, 16):
        attempt(f"climb through {number}", os.listdir, f"/proc/self/fd/{number}/../../../..")


@hostile("files")
def interpreter_overwritten():
    """Opens for writing the program that runs it, and the one that started it, through /proc.

    Contained when both are refused: it was the way out of a container in 2019.
    """
    for path in ("/proc/self/exe", "/proc/1/exe", f"/proc/{os.getppid()}/exe"):
        if not uncontained():
            attempt(path, opened, path)
    attempt("itself", opened, os.path.realpath("/proc/self/exe") if not uncontained() else "/proc/self/exe")


@hostile("syscalls")
def devices():
    """Opens the devices through which disks, processors, buses and other machines are reached.

    Contained when none is there.
    """
    paths = ["/dev/kvm", "/dev/fuse", "/dev/loop-control", "/dev/loop0", "/dev/sda", "/dev/vda", "/dev/nvme0n1"]
    paths += [
        "/dev/vsock",
        "/dev/vhost-vsock",
        "/dev/vhost-net",
        "/dev/net/tun",
        "/dev/cpu/0/msr",
        "/dev/mapper/control",
    ]
    paths += ["/dev/uinput", "/dev/input/event0", "/dev/snd/timer", "/dev/dri/card0", "/dev/nvidia0", "/dev/nvidiactl"]
    for path in paths:
        attempt(path, opened, path)


@hostile("syscalls")
def typed_for_the_user():
    """Pushes characters into the terminal as if the user had typed them.

    Contained when there is no terminal.
    """
    for number in range(3):
        attempt(f"descriptor {number}", fcntl.ioctl, number, 0x5412, b"#")
    attempt("terminal", opened, "/dev/tty")


@hostile("files", "syscalls")
def control_groups():
    """Lifts its own limits through the control groups, mounted or made, and asks to be told when they are empty.

    Contained when none can be written or made.
    """
    names = ("cgroup.procs", "tasks", "memory.limit_in_bytes", "memory.max", "pids.max", "cpu.max", "cpu.cfs_quota_us")
    names += ("release_agent", "notify_on_release", "devices.allow", "cgroup.subtree_control")
    tops = [path for path in ("/sys/fs/cgroup", *glob.glob("/sys/fs/cgroup/*")) if os.path.isdir(path)]
    attempt("a group", os.mkdir, "/sys/fs/cgroup/hypoloop-made")
    for top in tops:
        for name in names:
            path = os.path.join(top, name)
            if os.path.exists(path) and not uncontained():
                attempt(path, opened, path, "ab")


@hostile("files", loose=True)
def climbs_out():
    """Climbs from its working directory, its code and its data to the host's files, by dots and by descriptors.

    Contained when every way ends in its own root.
    """
    dots = "../" * 40
    here = os.path.dirname(os.path.abspath(__file__))
    for start in (".", here, given("data"), "/proc/self/cwd", "/proc/self/root", "/lab/out", "/tmp", "/dev/shm"):
        attempt(f"from {start}", tamper, os.path.join(start, dots) + given("decoy").lstrip("/"))
    top = os.open("/", os.O_RDONLY)
    for _ in range(20):
        top = os.open("..", os.O_RDONLY, dir_fd=top)

    def through_descriptor():
        with open(os.open(given("decoy").lstrip("/"), os.O_WRONLY | os.O_APPEND, dir_fd=top), "wb") as file:
            return file.write(b"tampered\n")

    attempt("by descriptor", through_descriptor)


@hostile("files", loose=True)
def earlier_runs():
    """Rewrites the output of an earlier run, its score, the journal and the template, where the host keeps them.

    Contained when none is found, and all are unchanged.
    """
    for name in ("earlier", "journal", "template", "labels", "decoy"):
        attempt(name, tamper, given(name))
        attempt(f"{name} replaced", os.replace, given(name), given(name) + ".old")
