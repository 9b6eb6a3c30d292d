from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxes import BubblewrapSandbox, Hold, Outcome, Promise
from sandboxes.inside import environment
from tests.sandboxes.contract_suite import RealSandboxContract
from tests.sandboxes.lab import Lab, names, require_bubblewrap
from tests.sandboxes.prepared_suite import RealPreparedContract


def groups_left() -> list[str]:
    """Return the control groups of this process's runs."""
    return [str(path) for path in Path("/sys/fs/cgroup").glob(f"*/hypoloop/{os.getpid()}-*/*") if path.is_dir()]


class TestBubblewrap(RealSandboxContract, RealPreparedContract):
    @pytest.fixture
    def sandbox(self) -> Iterator[BubblewrapSandbox]:
        require_bubblewrap()
        sandbox = BubblewrapSandbox()
        yield sandbox
        sandbox.close()
        assert groups_left() == []

    def test_it_says_what_it_holds_and_isolates_only_if_that_is_enough(self, sandbox: BubblewrapSandbox) -> None:
        said = sandbox.capabilities()
        assert said.hold(Promise.NETWORK) is said.hold(Promise.FILES) is Hold.ENFORCED
        enough = {Promise.MEMORY, Promise.PIDS, Promise.NETWORK, Promise.FILES, Promise.SYSCALLS}
        assert said.isolates is all(said.hold(promise) is Hold.ENFORCED for promise in enough)
        assert said.hold(Promise.OUT_FILES) is Hold.WATCHED
        assert (said.hold(Promise.CPUS) is Hold.ENFORCED) or any("CPU time" in note for note in said.notes)

    def test_a_program_is_nobody_and_has_no_right(self, lab: Lab) -> None:
        program = """
            import os
            status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
            print(os.getuid(), os.getgid(), os.getgroups() in ([], [10001]))
            print(*(status[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp")))
        """
        rights = f"{'0' * 16} {'0' * 16} {'0' * 16} 1 2"
        assert lab.run(program).log_head == f"10001 10001 True\n{rights}\n"

    def test_the_kernels_settings_cannot_be_written(self, lab: Lab) -> None:
        """They belong to the host's root, and the kernel asks for nothing else: as root inside, this is a way out."""
        program = """
            import os
            for name in ("core_pattern", "modprobe", "sysrq"):
                try:
                    os.close(os.open(f"/proc/sys/kernel/{name}", os.O_WRONLY))
                    print("open", name)
                except OSError as problem:
                    print("closed")
        """
        assert lab.run(program).log_head == "closed\n" * 3

    def test_nothing_of_the_host_is_seen_but_programs(self, lab: Lab) -> None:
        given = lab.home / "given"
        given.mkdir()
        program = """
            import os, sys
            print(sorted(os.listdir("/lab")), os.listdir("/lab/data"), os.getcwd())
            print(sorted(set(os.listdir("/etc")) - {"alternatives", "ld.so.cache"}))
            print([name for name in os.listdir("/tmp") if name not in sys.prefix.split("/")], os.listdir("/dev/shm"))
            print([path for path in ("/sys", "/run", "/var", "/home", "/boot", "/mnt") if os.path.exists(path)])
            print([path for path in sys.argv[3:] if os.path.exists(path)])
        """
        spec = lab.spec(program, data={"given": given})
        hidden = (str(lab.home), str(Path.home() / ".bashrc"), str(Path(__file__)), "/var/run/docker.sock")
        said = lab.sandbox.run(spec.model_copy(update={"argv": (*spec.argv, *hidden)})).log_head.splitlines()
        assert said[0] == "['code', 'data', 'out'] ['given'] /lab/out"
        assert said[1] == "['group', 'hosts', 'passwd']"
        assert said[2:] == ["[] []", "[]", "[]"]

    def test_nothing_but_the_output_can_be_written(self, lab: Lab) -> None:
        (lab.home / "given").mkdir()
        program = """
            import os, sys
            folders = (os.path.dirname(__file__), sys.argv[2], "/", "/etc", "/lab", "/dev", "/usr/lib", sys.prefix)
            for folder in folders:
                try:
                    open(os.path.join(folder, "x"), "w").close()
                    print("wrote", folder)
                except OSError as problem:
                    print(problem.errno)
        """
        result = lab.run(program, data={"given": lab.home / "given"})
        assert result.log_head.split() == ["30"] * 8
        assert not (lab.home / "given/x").exists()

    def test_no_descriptor_of_the_host_is_handed_down(self, lab: Lab) -> None:
        program = """
            import os
            for name in sorted(os.listdir("/proc/self/fd"), key=int)[:-1]:
                print(name, os.readlink(f"/proc/self/fd/{name}").split(":")[0])
        """
        said = lab.run(program).log_head.splitlines()
        assert said[:3] == ["0 /dev/null", "1 pipe", "2 pipe"]
        assert all("run.py" in line for line in said[3:])

    def test_the_environment_is_the_given_one(self, lab: Lab) -> None:
        spec = lab.spec("import os; print(*sorted(os.environ))")
        given = environment(spec, home="", path="").keys()
        assert set(lab.sandbox.run(spec).log_head.split()) - {"PWD", "OLDPWD", "SHLVL", "_"} == set(given)

    def test_there_is_no_network(self, lab: Lab) -> None:
        program = """
            import socket
            print([name for _, name in socket.if_nameindex()])
            with socket.create_server(("127.0.0.1", 0)) as here:
                socket.create_connection(here.getsockname()).close()
            for target in (("1.1.1.1", 53), ("172.17.0.1", 2375)):
                try:
                    socket.create_connection(target, timeout=3)
                    print("connected")
                except OSError as problem:
                    print("unreachable")
        """
        assert lab.run(program).log_head == "['lo']\nunreachable\nunreachable\n"

    def test_the_kernel_takes_the_filter(self, lab: Lab) -> None:
        program = """
            import ctypes, errno, fcntl, socket, platform
            call = ctypes.CDLL(None, use_errno=True).syscall
            tries = {"x86_64": [(272, 0x10000000), (56, 0x10000011), (165,), (101, 0), (250, 0), (435, 0), (425, 1)],
                     "aarch64": [(97, 0x10000000), (220, 0x10000011), (40,), (117, 0), (219, 0), (435, 0), (425, 1)]}
            for number, *args in tries[platform.machine()]:
                print(call(number, *args, *[0] * 5), errno.errorcode[ctypes.get_errno()])
            for attempt in (lambda: fcntl.ioctl(1, 0x5412, b"x"), lambda: socket.socket(40)):
                try:
                    print(attempt())
                except OSError as problem:
                    print(errno.errorcode[problem.errno])
        """
        denied = ["-1 EPERM"] * 5 + ["-1 ENOSYS"] * 2 + ["EPERM", "EAFNOSUPPORT"]
        assert lab.run(program).log_head.splitlines() == denied

    def test_nothing_but_its_own_processes_is_seen_or_killed(self, lab: Lab) -> None:
        program = """
            import os, signal
            print(sorted(int(name) for name in os.listdir("/proc") if name.isdigit()), os.getpid(), os.getppid())
            os.kill(1, signal.SIGKILL)
            print("alive")
        """
        assert lab.run(program).log_head == "[1, 2] 2 1\nalive\n"

    @pytest.mark.parametrize(
        "start", ["os.fork() or time.sleep(20)", "threading.Thread(target=time.sleep, args=(20,)).start()"]
    )
    def test_processes_and_threads_are_limited(self, lab: Lab, start: str) -> None:
        program = f"""
            import os, threading, time
            made = 0
            try:
                while made < 200:
                    {start}
                    made += 1
            except (OSError, RuntimeError):
                print(made, flush=True)
                os._exit(0)
        """
        if lab.sandbox.capabilities().hold(Promise.PIDS) is not Hold.ENFORCED:
            pytest.skip("this kernel does not count processes by namespace")
        assert lab.run(program, pids=20, memory_mb=2000).log_head == "19\n"

    def test_runs_at_once_are_counted_apart(self, lab: Lab) -> None:
        program = """
            import os, time
            for _ in range(12):
                if os.fork() == 0:
                    time.sleep(1)
                    os._exit(0)
            time.sleep(0.5)
            print("all")
        """
        waiting = [lab.sandbox.prepare(lab.spec(program, pids=16)) for _ in range(2)]
        first = lab.sandbox.prepare(lab.spec("import time; time.sleep(1)", pids=16))
        assert [run.run().log_head for run in waiting] == ["all\n", "all\n"]
        first.close()

    def test_its_own_memory_is_limited(self, lab: Lab) -> None:
        program = """
            for folder in ("/tmp", "/dev/shm", "/lab/out"):
                try:
                    with open(folder + "/big", "wb") as file:
                        for _ in range(100):
                            file.write(bytes(1 << 20))
                except OSError as problem:
                    print(problem.errno)
        """
        result = lab.run(program, memory_mb=1024, file_mb=200, out_mb=50)
        assert result.log_head == "28\n" * 3
        assert sum(artifact.size for artifact in result.artifacts) <= 50 << 20

    def test_an_output_too_large_for_memory_lies_on_disk(self, lab: Lab) -> None:
        result = lab.run("import sys; open(sys.argv[1] + '/x', 'w').write('42')", out_mb=1000)
        assert names(result) == {"x"}
        assert {path.name for path in lab.home.iterdir()} == {"code1", "out1"}

    def test_directories_closed_to_others_are_readable_inside(self, lab: Lab) -> None:
        given = lab.home / "given"
        given.mkdir(mode=0o700)
        (given / "x").write_text("seen", encoding="utf-8")
        (given / "x").chmod(0o600)
        result = lab.run("import sys; print(open(sys.argv[2] + '/x').read())", data={"given": given})
        assert result.log_head == "seen\n"
        assert given.stat().st_mode & 0o777 == 0o700
        assert {path.name for path in lab.home.iterdir()} == {"given", "code1", "out1"}

    def test_a_program_that_kills_itself_was_killed(self, lab: Lab) -> None:
        result = lab.run("import os; os.kill(os.getpid(), 9)")
        assert result.outcome is Outcome.KILLED
        assert result.exit_code == 137
        assert not result.oom_killed

    def test_a_device_that_is_not_there_is_unsupported(self, lab: Lab) -> None:
        given = lab.spec("pass", gpus=1).model_copy(update={"gpus": ("97",)})
        result = lab.sandbox.run(given)
        assert result.outcome is Outcome.UNSUPPORTED
        assert "nvidia97" in result.reason
        assert not given.out.exists()
