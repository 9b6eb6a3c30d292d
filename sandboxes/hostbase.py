"""A base image without a registry: the host's own Python, its shared libraries and a shell, nothing else of it."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from sandboxes.errors import ImageBuildFailed

# The standard library without what an experiment never imports; site-packages is where the host's own things live.
LEFT_OUT = frozenset(
    {"site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3"}
)
# What wheels for Linux may expect of the system (the manylinux policy), as far as the host has it.
SYSTEM_LIBRARIES = frozenset(
    {"libc", "libm", "libdl", "librt", "libpthread", "libutil", "libresolv", "libnsl", "libnss_files"}
    | {"libgcc_s", "libstdc++", "libatomic", "libgomp", "libz"}
)
DIRECTORIES = ("lab", "lab/code", "lab/data", "lab/out", "dev", "proc", "sys", "etc", "var", "run", "usr/local/bin")
USERS = "root:x:0:0::/:/bin/sh\nlab:x:10001:10001::/tmp:/bin/sh\n"
GROUPS = "root:x:0:\nlab:x:10001:\n"


def host_python() -> Path:
    """Return the real interpreter under any virtual environment."""
    named = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    return (named if named.exists() else Path(sys.executable)).resolve()


def write_base(target: Path) -> str:
    """Write the root file system as a tar to `target`; return the interpreter's path inside.

    Paths inside are those of the host, so that the interpreter finds its own prefix whatever that is: `/usr`, pyenv,
    conda or uv.

    Raises:
        ImageBuildFailed: the host is no Linux with glibc.
    """
    if sys.platform != "linux" or shutil.which("ldd") is None:
        raise ImageBuildFailed(
            "Without a registry the base image is made from this host's own Python, which needs Linux with `ldd`. "
            "Name a base image that this engine has, as in `hypoloop image build --base python:3.11-slim`."
        )
    python = host_python()
    library = sorted(_standard_library())
    shell = Path("/bin/sh").resolve()
    binaries = [python, shell, Path("/usr/bin/env").resolve(), *(file for file in library if ".so" in file.suffixes)]
    with tarfile.open(target, "w") as archive:
        tree = _Tree(archive)
        for directory in DIRECTORIES:
            tree.directory(PurePosixPath(directory))
        tree.directory(PurePosixPath("tmp"), mode=0o1777)
        tree.text("etc/passwd", USERS)
        tree.text("etc/group", GROUPS)
        tree.link("usr/local/bin/python3", str(python))
        tree.copy(Path("/usr/bin/env").resolve(), "usr/bin/env")
        tree.copy(shell, "bin/sh")
        cache = Path("/etc/ld.so.cache")
        for file in (python, *library, *_closure(binaries), *([cache] if cache.exists() else [])):
            tree.copy(file, str(file).lstrip("/"))
    return str(python)


def _standard_library() -> Iterator[Path]:
    """Yield the files of the standard library and its extension modules."""
    root = Path(sysconfig.get_config_var("LIBDEST") or sysconfig.get_path("stdlib"))
    modules = Path(sysconfig.get_config_var("DESTSHARED") or root / "lib-dynload")
    roots = [root] if modules.is_relative_to(root) else [root, modules]
    for start in roots:
        for file in start.rglob("*"):
            inside = file.relative_to(start).parts
            unwanted = LEFT_OUT.intersection(inside) or inside[0].startswith("config-")
            if not unwanted and not file.name.endswith((".opt-1.pyc", ".opt-2.pyc")) and file.is_file():
                yield file


def _closure(binaries: Iterable[Path]) -> list[Path]:
    """Return every shared library that `binaries` load, plus the system's own that wheels expect, as absolute paths."""
    listed = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    found = {Path(name) for name in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", listed, flags=re.MULTILINE)}
    loader = shutil.which("ldconfig", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if loader is not None:
        known = subprocess.run([loader, "-p"], capture_output=True, text=True, check=False).stdout
        machine_names = re.findall(r"^\s+(\S+)\.so\S* \(([^)]*)\) => (\S+)$", known, flags=re.MULTILINE)
        wide = sys.maxsize > 2**32
        found |= {
            Path(path)
            for name, abi, path in machine_names
            if name in SYSTEM_LIBRARIES and (not wide or "64" in abi.upper()) and not path.endswith(".so")
        }
    if not any(file.name.startswith("libc.so") for file in found):
        raise ImageBuildFailed(f"`ldd` did not say which libraries {next(iter(binaries))} loads; name a base image.")
    return sorted(found)


class _Tree:
    """Adds files to a tar with every parent directory traversable by all, owned by root."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._seen: set[PurePosixPath] = {PurePosixPath(".")}

    def directory(self, path: PurePosixPath, mode: int = 0o755) -> None:
        if path in self._seen:
            return
        self.directory(path.parent)
        # The prefix may lie below a 0700 home such as /root: inside, everybody may walk through it.
        entry = tarfile.TarInfo(str(path))
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        self._seen.add(path)
        self._archive.addfile(entry)

    def copy(self, source: Path, name: str) -> None:
        path = PurePosixPath(name)
        if path in self._seen:
            return
        self.directory(path.parent)
        self._seen.add(path)
        with source.open("rb") as file:
            entry = self._archive.gettarinfo(arcname=name, fileobj=file)
            entry.type = tarfile.REGTYPE  # a hard link on the host is a file of its own here
            entry.size = source.stat().st_size
            entry.mode = 0o755 if entry.mode & 0o111 else 0o644
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            self._archive.addfile(entry, file)

    def text(self, name: str, content: str) -> None:
        self.directory(PurePosixPath(name).parent)
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content.encode()), 0o644
        self._archive.addfile(entry, io.BytesIO(content.encode()))

    def link(self, name: str, target: str) -> None:
        self.directory(PurePosixPath(name).parent)
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, target, 0o777
        self._archive.addfile(entry)
