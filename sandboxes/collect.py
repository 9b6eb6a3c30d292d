"""Collection: from what an untrusted program left, take plain files and nothing else.

Bytes are copied and never parsed, links are never followed, archives never unpacked. What is not taken is recorded
with its reason. Names that the caller expects do not count against the cap on files.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from sandboxes.contract import Artifact, Limits, Promise, Refused

MIB = 2**20
PAGE = 4096
MAX_DEPTH = 8
MAX_NAME = 200
MAX_REFUSED = 100
NEARLY = 64 * 1024  # a full volume may lack its last partial writes


class Collector:
    """Takes files one by one into `out`, within `limits`."""

    def __init__(self, out: Path, limits: Limits, expect: Collection[str]) -> None:
        self._out = out
        self._limits = limits
        self._expect = frozenset(expect)
        self._artifacts: dict[str, Artifact] = {}
        self._refused: list[Refused] = []
        self._more_refused = 0
        self._unexpected = 0
        self._total = 0
        self._seen = 0
        self._space = 0
        self._largest = 0
        self._cut = False

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """What was taken, by name."""
        return tuple(self._artifacts[name] for name in sorted(self._artifacts))

    @property
    def refused(self) -> tuple[Refused, ...]:
        """What was not taken: the first hundred, then how many more."""
        more = (Refused(name="*", why=f"{self._more_refused} more refused"),) if self._more_refused else ()
        return (*self._refused, *more)

    @property
    def met(self) -> Promise | None:
        """The limit of its output that the program met, if any: the size of one file, bytes, or entries."""
        if self._largest >= self._limits.file_mb * MIB:
            return Promise.FILE_SIZE
        if self._cut or self._space >= self._limits.out_mb * MIB - NEARLY:
            return Promise.OUT_BYTES
        return Promise.OUT_FILES if self._seen >= self._limits.out_files else None

    @property
    def missing(self) -> list[str]:
        """Expected names that were not taken."""
        return sorted(self._expect - self._artifacts.keys())

    def see(self, size: int = 0) -> None:
        """Count an entry of the output, whether it is taken or not."""
        self._seen += 1
        self._space += -(-size // PAGE) * PAGE
        self._largest = max(self._largest, size)

    def cut(self, why: str) -> None:
        """Note that the rest of the output was not looked at."""
        self._cut = True
        self.refuse("*", why)

    def refuse(self, name: str, why: str) -> None:
        """Record that `name` was not taken."""
        if len(self._refused) < MAX_REFUSED:
            self._refused.append(Refused(name=ascii(name)[1:-1][:500], why=why))
        else:
            self._more_refused += 1

    def take(self, name: str, size: int, read: Callable[[int], bytes]) -> None:
        """Copy `size` bytes that `read(n)` gives in pieces to `name`, unless a rule is against it."""
        why = name_fault(name) or self._fault(name, size)
        if why is not None:
            self.refuse(name, why)
            return
        if name in self._artifacts:
            return
        target = self._out / name
        digest = hashlib.sha256()
        left = size
        try:
            self._make_parents(name)
            with target.open("xb") as file:
                os.fchmod(file.fileno(), 0o644)
                while left > 0 and (piece := read(min(left, MIB))):
                    left -= len(piece)
                    digest.update(piece)
                    file.write(piece)
        except (FileExistsError, NotADirectoryError):
            self.refuse(name, "exists")  # two names that this host's file system takes for one
            return
        self._total += size - left
        self._unexpected += name not in self._expect
        self._artifacts[name] = Artifact(name=name, size=size - left, sha256=digest.hexdigest())

    def _make_parents(self, name: str) -> None:
        folder = self._out
        for part in name.split("/")[:-1]:
            folder = folder / part
            if not folder.is_dir():
                folder.mkdir()
                folder.chmod(0o755)  # whatever the umask: a later run may mount it read-only for another user

    def _fault(self, name: str, size: int) -> str | None:
        if size > self._limits.file_mb * MIB:
            return "size"
        if self._total + size > self._limits.out_mb * MIB:
            return "total"
        if name not in self._expect and self._unexpected >= self._limits.out_files:
            return "count"
        return None


def name_fault(name: str) -> str | None:
    """Say what is wrong with the relative path `name`: "name", "depth" or nothing."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or len(part) > MAX_NAME or not part.isprintable() for part in parts):
        return "name"
    return "depth" if len(parts) > MAX_DEPTH else None


def collect_tar(chunks: Iterable[bytes], collector: Collector, limits: Limits, single: str | None = None) -> None:
    """Collect from a tar stream as an engine sends it: of the output directory, or of the one file named `single`."""
    allowed = limits.out_mb * MIB + limits.out_files * 4 * PAGE + MIB
    stream = _Stream(chunks, allowed)
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=MIB) as archive:
            for member in archive:
                _take_member(archive, member, collector, single)
        if not stream.at_end():  # the library takes a broken header for the end
            collector.cut("archive ends early (broken header)")
    except _TooLong:
        collector.cut("total")  # sparse files: more to read than the volume can hold
    except tarfile.TarError as problem:
        collector.cut(f"archive ends early ({problem})")


def _take_member(archive: tarfile.TarFile, member: tarfile.TarInfo, collector: Collector, single: str | None) -> None:
    # The first part of every name is the directory that was asked for.
    name = single or member.name.partition("/")[2]
    if not name:
        return
    collector.see(member.size if member.isreg() else 0)
    source = archive.extractfile(member) if member.isreg() else None
    if source is not None:
        collector.take(name, member.size, source.read)
    elif not member.isdir():
        collector.refuse(name, "type")
    elif (why := name_fault(name)) == "name" or name.count("/") == MAX_DEPTH:
        collector.refuse(name, why or "name")  # of a deep tree only the first level that is too deep


class _TooLong(Exception):
    """The stream holds more than the output can be."""


class _Stream(io.RawIOBase):
    """A readable file over `chunks`, never longer than `allowed` bytes."""

    def __init__(self, chunks: Iterable[bytes], allowed: int) -> None:
        self._chunks = iter(chunks)
        self._left = allowed
        self._rest = memoryview(b"")
        self._last = b""

    def at_end(self) -> bool:
        """Read what is left and say whether the whole ended as archives do: with a block of zeros."""
        while self.read(MIB):
            continue
        return len(self._last) == tarfile.BLOCKSIZE and not any(self._last)

    def read(self, size: int = -1, /) -> bytes:
        pieces: list[bytes] = []
        wanted = size if size >= 0 else self._left + 1
        while wanted > 0:
            if not self._rest:
                self._rest = memoryview(next(self._chunks, b""))
                self._left -= len(self._rest)
                if self._left < 0:
                    raise _TooLong
                if not self._rest:
                    break
            pieces.append(bytes(self._rest[:wanted]))
            self._rest = self._rest[wanted:]
            wanted -= len(pieces[-1])
        data = b"".join(pieces)
        self._last = (self._last + data[-tarfile.BLOCKSIZE :])[-tarfile.BLOCKSIZE :]
        return data


def collect_directory(root: Path | str, collector: Collector, expect: Iterable[str]) -> None:
    """Collect from a directory of this host whose writers are dead; expected names first."""
    top = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for name in expect:
            if name_fault(name) is None:
                _take_expected(top, name, collector)
        _walk(top, "", collector)
    finally:
        os.close(top)


def _take_expected(top: int, name: str, collector: Collector) -> None:
    *folders, last = name.split("/")
    opened: list[int] = []
    here = top
    try:
        for folder in folders:
            here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            opened.append(here)
        if stat.S_ISREG(os.stat(last, dir_fd=here, follow_symlinks=False).st_mode):
            _take_file(here, last, name, collector)
    except OSError:
        return  # absent, a link or a file on the way: the walk below records what there is
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _walk(folder: int, prefix: str, collector: Collector) -> None:
    with os.scandir(folder) as entries:
        found = sorted(((entry.name, entry.stat(follow_symlinks=False)) for entry in entries), key=lambda item: item[0])
    for name, status in found:
        path = prefix + name
        collector.see(status.st_size if stat.S_ISREG(status.st_mode) else 0)
        if stat.S_ISREG(status.st_mode):
            _take_file(folder, name, path, collector)
        elif stat.S_ISDIR(status.st_mode):
            _descend(folder, name, path, collector)
        else:
            collector.refuse(path, "type")


def _descend(folder: int, name: str, path: str, collector: Collector) -> None:
    why = name_fault(path)
    if why is not None:
        collector.refuse(path, why)
        return
    try:
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
    except PermissionError:
        collector.refuse(path, "permission")
        return
    try:
        _walk(inner, path + "/", collector)
    finally:
        os.close(inner)


def _take_file(folder: int, name: str, path: str, collector: Collector) -> None:
    """Take one regular file through a descriptor, so that what was looked at is what is copied."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except PermissionError:
        collector.refuse(path, "permission")
        return
    with open(descriptor, "rb") as file:  # noqa: PTH123 - by descriptor
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            collector.refuse(path, "type")
        elif status.st_nlink != 1:
            collector.refuse(path, "link")
        else:
            collector.take(path, status.st_size, file.read)
