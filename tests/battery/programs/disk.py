"""Programs that fill the output, and the places around it."""

from __future__ import annotations

import os

from attack import attempt, count, given, hostile, opened, out, uncontained, write

MIB = 1 << 20


def pour(path, mib):
    """Write `mib` MiB at most; the error comes through."""
    with open(path, "wb", buffering=0) as file:
        for _ in range(mib):
            file.write(b"x" * MIB)


@hostile("out_bytes", under={"out_mb": 8}, ends=("output_limit",), limit="out_bytes")
def big_output():
    """Writes 28 MiB, where 8 are allowed.

    Contained when the run ends at the limit on its output and no more than that is collected.
    """
    pour(out("big"), 28)


@hostile("out_bytes", under={"out_mb": 8}, ends=("ok", "output_limit"))
def big_output_in_pieces():
    """Fills the output with many files, goes on when there is no room, and ends well.

    Contained when no more than 8 MiB are collected.
    """
    for number in range(60):
        try:
            pour(out(f"piece-{number}"), 1)
        except OSError:
            continue


@hostile("file_size", under={"file_mb": 2}, ends=("output_limit",), limit="file_size")
def big_file():
    """Writes one file over the limit on a file.

    Contained when the run ends at that limit.
    """
    pour(out("big"), 8)


@hostile("out_files", under={"out_files": 100}, ends=("output_limit",), limit="out_files")
def many_files():
    """Makes five thousand empty files, where a hundred are allowed.

    Contained when the run ends at the limit and no more than a hundred are collected.
    """
    for number in range(5000):
        write(f"file-{number}", b"")


@hostile("out_files", under={"out_files": 100}, ends=("output_limit",), limit="out_files")
def many_directories():
    """Makes five thousand empty directories.

    Contained when the run ends at the limit.
    """
    for number in range(5000):
        os.mkdir(out(f"folder-{number}"))


@hostile("out_files", under={"out_files": 100}, ends=("output_limit",), limit="out_files", most=1)
def many_names():
    """Gives one file five thousand names.

    Contained when the run ends at the limit and the file is collected once at most.
    """
    write("first", b"x")
    for number in range(5000):
        os.link(out("first"), out(f"name-{number}"))


@hostile("file_size", under={"file_mb": 4, "out_mb": 8})
def sparse_giant():
    """Makes files of a terabyte that take no room.

    Contained when such a size is refused.
    """
    for name, size in (("tera", 1 << 40), ("giga", 1 << 30)):
        with open(out(name), "wb") as file:
            attempt(name, file.truncate, size)
        os.unlink(out(name))


@hostile("out_bytes", under={"file_mb": 4, "out_mb": 8}, ends=("ok", "output_limit"), must=("number.txt",))
def sparse_flood():
    """Makes eighty sparse files of 4 MiB, of which only the collection would make real ones, before its result.

    Contained when the result is collected all the same, and no more than 8 MiB are.
    """
    for number in range(80):
        with open(out(f"a-{number}"), "wb") as file:
            file.truncate(4 * MIB)
    write("number.txt", "1.0")


@hostile("out_bytes", under={"out_mb": 8, "file_mb": 64}, enforced=True)
def reserved_space():
    """Reserves more room than there is, without writing.

    Contained when the reservation is refused.
    """
    with open(out("reserved"), "wb") as file:
        attempt("48 MiB", os.posix_fallocate, file.fileno(), 0, 48 * MIB)
    os.unlink(out("reserved"))


@hostile("out_bytes", under={"out_mb": 8, "file_mb": 64}, at_most={"mib": 8})
def removed_but_open():
    """Writes into files that it has removed but keeps open, so that no listing shows them.

    Contained when no more goes in than the output may hold.
    """
    held = []
    done = 0
    try:
        for number in range(48):
            held.append(open(out(f"hidden-{number}"), "wb", buffering=0))  # noqa: SIM115
            os.unlink(out(f"hidden-{number}"))
            held[-1].write(b"x" * MIB)
            done += 1
    except OSError:
        pass
    count("mib", done)


@hostile("memory", under={"memory_mb": 64}, ends=("ok", "oom"), at_most={"files": 60000})
def many_files_in_tmp():
    """Makes a hundred thousand empty files in /tmp, each of which costs the kernel a kilobyte.

    Contained when there is a limit to their number, or the run ends as out of memory.
    """
    done = 0
    try:
        for number in range(100_000):
            os.close(os.open(f"/tmp/hypoloop-{number}", os.O_CREAT))
            done += 1
    except OSError:
        pass
    for number in range(done):
        os.unlink(f"/tmp/hypoloop-{number}")
    count("files", done)


@hostile("files")
def writes_everywhere():
    """Makes a file in every directory of the system, its own code and the data it was given.

    Contained when every one is refused, and the host's copy of code and data is unchanged.
    """
    code = os.path.dirname(os.path.abspath(__file__))
    folders = ["/", "/etc", "/usr", "/usr/bin", "/usr/lib", "/bin", "/opt", "/var", "/var/tmp", "/home", "/root"]
    folders += ["/run", "/srv", "/mnt", "/media", "/boot", "/lab", "/lab/data", "/sys", "/sys/fs/cgroup", "/proc"]
    planted = [code, given("data")]
    for folder in planted + [folder for folder in folders if not uncontained()]:
        path = os.path.join(folder, "hypoloop-was-here")
        attempt(folder, opened, path, "xb")
        if os.path.exists(path):
            os.unlink(path)


@hostile("files")
def finds_what_can_be_written():
    """Walks the whole file system for a file or directory that it could write, outside of its own places.

    Contained when there is none.
    """
    own = (given("out"), "/tmp", "/dev", "/proc", "/sys")
    seen = 0
    for folder, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if not os.path.join(folder, name).startswith(own)]
        for name in [*files, "."]:
            path = os.path.join(folder, name)
            seen += 1
            if not os.path.islink(path) and os.access(path, os.W_OK):
                attempt(path, str)
        if seen > 300_000:
            break
    count("looked at", seen > 0)
    attempt("the root", opened, "/hypoloop-was-here", "xb")


@hostile("files")
def writes_its_own_code():
    """Rewrites its own program, which a later run would start.

    Contained when the change is refused and the host's copy is unchanged.
    """
    code = os.path.dirname(os.path.abspath(__file__))
    for name in ("run.py", "attack.py"):
        path = os.path.join(code, name)
        attempt(f"chmod {name}", os.chmod, path, 0o777)
        attempt(f"append to {name}", opened, path, "ab")
        attempt(f"rename {name}", os.rename, path, path)
        attempt(f"touch {name}", os.utime, path)
        attempt(f"link {name}", os.link, path, os.path.join(code, "twin"))
