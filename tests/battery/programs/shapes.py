"""Output of every shape but a plain file: names, links, pipes, sockets, devices, archives, modes, depths."""

from __future__ import annotations

import io
import os
import socket
import stat
import tarfile
import time
import zipfile

from attack import attempt, child, given, hostile, out, uncontained, write

EVIL = (
    b"new\nline", b"esc\x1b[2J\x1b]0;title\x07", b"not-utf8-\xff\xfe", b"n" * 240, b"tab\there", b"carriage\rreturn",
    "bidi-\u202etxt.exe".encode(), "zero\u200bwidth".encode(), b"bell\x07", b"delete\x7f", "line\u2028end".encode(),
    b"x\n30 path=passwd", b"c1-\xc2\x9b31m",
)  # fmt: skip
PLAIN = ("-rf", "--help", "...", "a;b", "$(id)", "`id`", "a b", "~", "*", "|", "CON", "metrics.json ", "%2e%2e", "é")


@hostile("collection", refused={"new\\nline": "name", "tab\\there": "name", "not-utf8-\\udcff\\udcfe": "name"}, kept=())
def evil_names():
    """Gives files names with line ends, terminal escapes, bytes that are no text, and text that runs backwards.

    Contained when none of them is collected and each is listed in plain characters.
    """
    for name in EVIL:
        with open(os.path.join(os.fsencode(out()), name), "wb"):
            pass


@hostile(
    "collection",
    kept=("-rf", "--help", "...", "a;b", "$(id)", "`id`", "a b", "~", "*", "|", "CON", "metrics.json ", "%2e%2e", "é"),
)
def names_for_a_shell():
    """Gives files names that a shell, an option parser or a careless join would obey.

    Contained when they are collected byte for byte as plain names, and nothing obeys them.
    """
    for name in PLAIN:
        write(name, b"x")


@hostile("collection", kept=("a", "A", "m\u0435trics.json", "metrics.json"))
def names_alike():
    """Gives files names that look like others: in another case, with a letter of another alphabet.

    Contained when they stay apart.
    """
    for name in ("a", "A", "m\u0435trics.json"):
        write(name, name)
    write("metrics.json", "{}")


@hostile(
    "collection",
    ends=("ok", "output_limit"),
    refused={"d/d/d/d/d/d/d/d/d": "depth"},
    kept=("top",),
    under={"out_files": 2000},
)
def deep_directories():
    """Nests a thousand directories, deeper than any path can say.

    Contained when only what lies near the top is collected, and all of it is removed.
    """
    write("top", b"x")
    here = os.getcwd()
    os.chdir(out())
    for _ in range(1000):
        os.mkdir("d")
        os.chdir("d")
    with open("bottom", "wb"):
        pass
    os.chdir(here)


@hostile(
    "collection",
    "files",
    kept=(),
    refused={
        "passwd": "type",
        "up": "type",
        "root": "type",
        "decoy": "type",
        "loop": "type",
        "nowhere": "type",
        "self": "type",
        "number.txt": "type",
    },
)
def symbolic_links():
    """Leaves links to the host's files, to its parents, to nothing and to themselves, one under the expected name.

    Contained when none is followed or collected, and nothing of what they point to is in the output.
    """
    targets = {"passwd": "/etc/passwd", "up": "../../..", "root": "/", "decoy": given("decoy"), "loop": "loop"}
    targets |= {"nowhere": "/no/such", "self": "/proc/self/root/etc/passwd", "number.txt": given("decoy")}
    for name, target in targets.items():
        os.symlink(target, out(name))


@hostile("collection", "files", refused={"folder": "type"}, kept=())
def linked_directory():
    """Leaves a link to a directory of the host in place of a folder of its own.

    Contained when nothing below it is collected.
    """
    os.symlink(os.path.dirname(given("decoy")), out("folder"))


@hostile("collection", most=1)
def hard_links():
    """Gives its file three names, and tries to give one of its own to files that are not its own.

    Contained when the others' are refused and its own is collected once.
    """
    code = os.path.abspath(__file__)
    paths = ["/etc/passwd", "/usr/bin/env", given("decoy")]
    for path in paths + ([] if uncontained() else [code]):
        attempt(path, os.link, path, out("stolen"))
    write("one", b"x")
    os.link(out("one"), out("two"))
    os.link(out("one"), out("three"))


@hostile("collection", kept=("done",), refused={"pipe": "type", "number.txt": "type"})
def pipes():
    """Leaves named pipes, which would hold up whoever opens them, one under the expected name.

    Contained when they are not opened.
    """
    os.mkfifo(out("pipe"))
    os.mkfifo(out("number.txt"))
    write("done", b"x")


@hostile("collection", kept=("done",))
def sockets():
    """Leaves a socket that listens.

    Contained when it is not collected.
    """
    here = os.getcwd()
    os.chdir(out())
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("socket")
    listening.listen()
    os.chdir(here)
    write("done", b"x")


@hostile("syscalls", "collection")
def device_nodes():
    """Makes device nodes for memory, disk and terminal in the output and in /tmp.

    Contained when the kernel refuses to make them.
    """
    kinds = {"mem": (stat.S_IFCHR, 1, 1), "disk": (stat.S_IFBLK, 254, 0), "sda": (stat.S_IFBLK, 8, 0)}
    kinds["tty"] = (stat.S_IFCHR, 5, 0)
    for name, (kind, major, minor) in kinds.items():
        for folder in (out(), "/tmp", "/dev/shm"):
            path = os.path.join(folder, f"hypoloop-{name}")
            attempt(f"{name} in {os.path.basename(folder)}", os.mknod, path, 0o666 | kind, os.makedev(major, minor))
            if os.path.lexists(path):
                os.unlink(path)


@hostile("collection", "wall")
def swapped_at_the_end():
    """Swaps a file and a link to the host's file a thousand times a second until it is killed.

    Contained when nothing but a plain file, or nothing, is collected under that name.
    """
    write("plain", b"mine")
    os.symlink(given("decoy"), out("link"))

    def swap():
        end = time.monotonic() + 8
        while time.monotonic() < end:
            for name in ("plain", "link"):
                os.link(out(name), out("next"), follow_symlinks=False)
                os.rename(out("next"), out("target"))

    child(swap)
    time.sleep(0.5)


@hostile("collection", kept=("closed/inside", "secret"))
def closed_modes():
    """Takes every right from its files and directories, and from the output itself.

    Contained when they are collected all the same, and removed.
    """
    write("closed/inside", b"x")
    write("secret", b"x")
    for name in ("closed/inside", "closed", "secret", ""):
        os.chmod(out(name), 0)
    os.chmod(out(), 0o300)


@hostile("collection", kept=("tool",))
def set_uid_output():
    """Leaves a program with the set-uid, set-gid and sticky bits, for everybody to run.

    Contained when the collected file has none of them and cannot be run.
    """
    write("tool", b"#!/bin/sh\nid\n")
    os.chmod(out("tool"), 0o7777)


@hostile("collection", kept=("evil.tar", "evil.zip"))
def archives_with_paths():
    """Leaves archives whose members climb out of the folder, are absolute, or are links.

    Contained when they are collected as plain bytes and nothing unpacks them.
    """
    with tarfile.open(out("evil.tar"), "w") as archive:
        for name in ("../../escaped", "/etc/escaped", given("decoy"), "a/../../escaped"):
            member = tarfile.TarInfo(name)
            member.size = 8
            archive.addfile(member, io.BytesIO(b"tampered"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, given("decoy")
        archive.addfile(link)
    with zipfile.ZipFile(out("evil.zip"), "w") as archive:
        archive.writestr("../../escaped", "tampered")
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, given("decoy"))


@hostile("collection", kept=("bomb.zip",))
def packed_bomb():
    """Leaves 200 MiB of zeros, packed into 200 kB.

    Contained when it is collected as it is.
    """
    with zipfile.ZipFile(out("bomb.zip"), "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as zeros:
        for _ in range(200):
            zeros.write(bytes(1 << 20))


@hostile("collection", kept=("past", "future"))
def impossible_times():
    """Gives files times before the beginning and after the end of what a header can say.

    Contained when they are collected as any other.
    """
    for name, when in (("past", -(1 << 31)), ("future", 1 << 33)):
        write(name, b"x")
        os.utime(out(name), (when, when))


@hostile("collection", must=("@LongLink", "pax_global_header", "GNUSparseFile.0/x"), most=5)
def names_of_tar_itself():
    """Gives files the names by which archives mark long names, headers and sparse files.

    Contained when they are collected as any other.
    """
    for name in ("@LongLink", "pax_global_header", "n" * 100, "n" * 156, "GNUSparseFile.0/x"):
        write(name, b"x")


@hostile("collection", ends=("ok", "output_limit"), under={"out_files": 100}, must=("number.txt",))
def hidden_among_many():
    """Makes ninety files whose names come before the expected one.

    Contained when the expected file is collected.
    """
    for number in range(90):
        write(f"a-{number}", b"x")
    write("number.txt", "1.0")
