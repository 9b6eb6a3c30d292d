"""The archive: a zip that the same files always make, byte for byte, and that is read with suspicion.

A zip says most things twice, and tools differ in which of the two they believe. So there is one way in which an archive
is written here, and reading one means to write its headers again and to compare: whatever else stands in it (a link, a
mode, a date, a comment, bytes between two files) is found, whatever it is.
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import IO, NamedTuple

from flows.bundle.names import MAX_LENGTH, name_faults
from flows.errors import BundleBroken, BundleTooLarge

MAX_BYTES = 2**31 - 1
"""Of everything in a bundle, unpacked, and of the bundle itself: below what a plain zip can hold."""
MAX_FILES = 60_000
RAW = -zlib.MAX_WBITS
ATTRIBUTES = (stat.S_IFREG | 0o644) << 16
VERSION, UNIX, DEFLATED, TIME, DATE = 20, 3, 8, 0, 1 << 5 | 1
"""Zip 2.0 made on Unix, compressed, dated midnight of the first day that a zip can name."""
LOCAL, CENTRAL, END = struct.Struct("<4s5H3I2H"), struct.Struct("<4s2B5H3I5H2I"), struct.Struct("<4s4H2IH")
PIECE = 1 << 20

Source = bytes | Path


class Entry(NamedTuple):
    """A file in an archive: its name, bytes unpacked and packed, and the CRC-32 of its content."""

    name: str
    size: int
    packed: int
    crc: int


class Measured(NamedTuple):
    """How long a content is, and its SHA-256."""

    size: int
    sha256: str


def measured(source: Source) -> Measured:
    """Return length and hash of a content."""
    size, hashed = 0, sha256()
    for piece in _pieces(source):
        size += len(piece)
        hashed.update(piece)
    return Measured(size, hashed.hexdigest())


def write_archive(stream: IO[bytes], files: Mapping[str, Source]) -> None:
    """Write `files` (name -> content) to an empty `stream` that can be read from and sought in.

    Raises:
        BundleTooLarge: more than a bundle may hold.
        BundleBroken: a name that no archive may hold.
    """
    if len(files) > MAX_FILES:
        raise BundleTooLarge(f"{len(files)} files, of {MAX_FILES} at the most")
    if fault := next(name_faults(sorted(files)), None):
        raise BundleBroken(fault)
    entries, total = [], 0
    for name in sorted(files):
        entry = _packed(stream, name, files[name])
        total += entry.size
        if total > MAX_BYTES or stream.tell() > MAX_BYTES:
            raise BundleTooLarge(f"more than {MAX_BYTES >> 20} MiB")
        entries.append(entry)
    stream.write(_directory(entries))


class Archive:
    """An archive that was found to be written as `write_archive` writes it. Content is checked as it is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Look through the whole of `stream` but the content of its files.

        Raises:
            BundleBroken: it is no such archive, with the first reason.
        """
        self._stream = stream
        length = stream.seek(0, os.SEEK_END)
        if length > MAX_BYTES + (MAX_FILES * 2 * (MAX_LENGTH + CENTRAL.size)):
            raise BundleBroken(f"it is larger than any bundle: {length} bytes")
        entries, start = self._entries(length)
        if (names := [entry.name for entry in entries]) != sorted(names):
            raise BundleBroken("its files are not in the order in which they are exported")
        if sum(entry.size for entry in entries) > MAX_BYTES:
            raise BundleBroken(f"it says that it unpacks to more than {MAX_BYTES >> 20} MiB")
        self._places: dict[str, int] = {}
        place = 0
        for entry in entries:
            if self._at(place, len(_local(entry))) != _local(entry):
                raise BundleBroken(f"what stands before {entry.name!r} is not what its directory says of it")
            self._places[entry.name] = place + len(_local(entry))
            place += len(_local(entry)) + entry.packed
        if place != start or self._at(start, length - start) != _directory(entries):
            raise BundleBroken("something stands in it that no export writes")
        self.entries = {entry.name: entry for entry in entries}

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file bit by bit; all that was yielded is only good once the end was reached.

        Raises:
            BundleBroken: it does not unpack to what the directory says.
        """
        entry, place = self.entries[name], self._places[name]
        unpacker, size, crc, end, waiting = zlib.decompressobj(RAW), 0, 0, place + entry.packed, b""
        while size <= entry.size and not unpacker.eof:
            if not waiting:
                waiting = self._at(place, min(PIECE, end - place))
                place += len(waiting)
            try:
                piece = unpacker.decompress(waiting, PIECE)
            except zlib.error as error:
                raise BundleBroken(f"{name!r} cannot be unpacked") from error
            if not piece and not waiting:
                break
            waiting = unpacker.unconsumed_tail
            size, crc = size + len(piece), zlib.crc32(piece, crc)
            yield piece
        whole = unpacker.eof and not unpacker.unused_data and not waiting and place == end
        if not whole or (size, crc) != (entry.size, entry.crc):
            raise BundleBroken(f"{name!r} does not unpack to what its directory says")

    def _entries(self, length: int) -> tuple[list[Entry], int]:
        """Read the directory at the end; return it and where it begins."""
        if length < END.size:
            raise BundleBroken("it is no zip")
        mark, _, _, _, count, size, start, comment = END.unpack(self._at(length - END.size, END.size))
        if mark != b"PK\x05\x06" or comment or start + size + END.size != length:
            raise BundleBroken("it is no zip, or something was put before or after it")
        if count > MAX_FILES:
            raise BundleBroken(f"it says that it holds {count} files, of {MAX_FILES} at the most")
        directory = self._at(start, size)
        entries: list[Entry] = []
        while directory:
            if len(directory) < CENTRAL.size or len(entries) > count:
                raise BundleBroken("its directory is no directory")
            fields = CENTRAL.unpack(directory[: CENTRAL.size])
            told = _Told(*fields)
            end = CENTRAL.size + told.name_length
            entries.append(_entry(told, directory[CENTRAL.size : end]))
            directory = directory[end + told.extra_length + told.comment_length :]
        if fault := next(name_faults([entry.name for entry in entries]), None):
            raise BundleBroken(fault)
        return entries, start

    def _at(self, place: int, length: int) -> bytes:
        self._stream.seek(place)
        return self._stream.read(length)


class _Told(NamedTuple):
    """A record of the directory, field by field, as the format has them."""

    mark: bytes
    version_made: int
    system: int
    version: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed: int
    size: int
    name_length: int
    extra_length: int
    comment_length: int
    disk: int
    internal: int
    external: int
    offset: int


def _entry(told: _Told, name: bytes) -> Entry:
    """Return what a record of the directory says.

    Raises:
        BundleBroken: it is not the record of a plain file.
    """
    if told.mark != b"PK\x01\x02" or len(name) != told.name_length:
        raise BundleBroken("its directory is no directory")
    text = name.decode("utf-8", "backslashreplace")
    kind = stat.S_IFMT(told.external >> 16)
    if kind not in (0, stat.S_IFREG):
        what = "a link" if kind == stat.S_IFLNK else "no plain file"
        raise BundleBroken(f"{text!r} is {what}, and a bundle holds plain files only")
    return Entry(text, told.size, told.packed, told.crc)


def _packed(stream: IO[bytes], name: str, source: Source) -> Entry:
    """Write one file behind its header, which is written again once it is known what it says."""
    begin = stream.tell()
    stream.write(_local(Entry(name, 0, 0, 0)))
    packer, size, crc = zlib.compressobj(9, zlib.DEFLATED, RAW), 0, 0
    start = stream.tell()
    for piece in _pieces(source):
        size, crc = size + len(piece), zlib.crc32(piece, crc)
        stream.write(packer.compress(piece))
        if size > MAX_BYTES:
            raise BundleTooLarge(f"{name} is larger than {MAX_BYTES >> 20} MiB")
    stream.write(packer.flush())
    end = stream.tell()
    entry = Entry(name, size, end - start, crc)
    stream.seek(begin)
    stream.write(_local(entry))
    stream.seek(end)
    return entry


def _pieces(source: Source) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as stream:
        while piece := stream.read(PIECE):
            yield piece


def _flags(name: bytes) -> int:
    """The flag that says that a name is UTF-8, where that makes a difference."""
    return 0 if name.isascii() else 0x800


def _local(entry: Entry) -> bytes:
    name = entry.name.encode()
    told = (VERSION, _flags(name), DEFLATED, TIME, DATE, entry.crc, entry.packed, entry.size, len(name), 0)
    return LOCAL.pack(b"PK\x03\x04", *told) + name


def _directory(entries: Sequence[Entry]) -> bytes:
    records, place = [], 0
    for entry in entries:
        name = entry.name.encode()
        how = (VERSION, UNIX, VERSION, _flags(name), DEFLATED, TIME, DATE)
        what = (entry.crc, entry.packed, entry.size, len(name), 0, 0, 0, 0, ATTRIBUTES, place)
        records.append(CENTRAL.pack(b"PK\x01\x02", *how, *what) + name)
        place += len(_local(entry)) + entry.packed
    whole = b"".join(records)
    return whole + END.pack(b"PK\x05\x06", 0, 0, len(entries), len(entries), len(whole), place, 0)
