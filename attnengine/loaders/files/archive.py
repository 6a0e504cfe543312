"""Reads zip archives of weights: checks sizes first, then maps or inflates members."""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.files.damage import damage_named
from attnengine.loaders.files.mapped import MappedFile

_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_MAX_RATIO = 1032  # largest number of bytes that one byte of deflate can give
_ENCRYPTED = 1


@dataclass(frozen=True)
class Member:
    """One file of an archive."""

    name: str
    size: int  # unpacked bytes
    file: MappedFile
    offset: int  # offset of the packed bytes
    packed_size: int
    deflated: bool
    checksum: int

    def read(self, limit: int | None = None) -> memoryview:
        """Return the first `limit` bytes unpacked, or all, which must be exactly `size`."""
        packed = self.file.view(self.offset, self.packed_size, self.name)
        wanted = self.size if limit is None else min(limit, self.size)
        if not self.deflated:
            return packed[:wanted]
        with damage_named(self.file.path):
            # Unpack one byte more than declared to detect a longer stream; 0 would be no limit.
            unpacked = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, wanted + 1)
        if len(unpacked) < wanted or (len(unpacked) > wanted and wanted == self.size):
            raise FormatError(
                f"{self.file.path}: {self.name} does not unpack to its {self.size} bytes"
            )
        return memoryview(unpacked)[:wanted]

    def verified(self) -> memoryview:
        """Return all bytes after a check of their checksum."""
        data = self.read()
        if zlib.crc32(data) != self.checksum:
            raise FormatError(f"{self.file.path}: {self.name} does not match its checksum")
        return data


def members(path: Path) -> dict[str, Member]:
    """Return the members of an archive by name, without unpacking them.

    Raises `FormatError` for sizes that the file cannot hold and for duplicate names. Raises
    `Unsupported` for encryption and for methods other than stored and deflated.
    """
    file = MappedFile(path)
    with damage_named(path), zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    found = {entry.filename: _member(file, entry) for entry in entries}
    if len(found) < len(entries):
        raise FormatError(f"{path}: {len(entries)} members have only {len(found)} different names")
    # Members that share bytes could unpack to more than the file can hold.
    if sum(member.packed_size for member in found.values()) > file.size:
        raise FormatError(f"{path}: its members claim more bytes than its {file.size}")
    return found


def _member(file: MappedFile, entry: zipfile.ZipInfo) -> Member:
    where = f"{file.path}: {entry.filename}"
    if entry.flag_bits & _ENCRYPTED:
        raise Unsupported(f"{where} is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unsupported(f"{where} is packed by method {entry.compress_type}, expected 0 or 8")
    deflated = entry.compress_type == zipfile.ZIP_DEFLATED
    largest = entry.compress_size * (_MAX_RATIO if deflated else 1)
    if entry.file_size > largest or (not deflated and entry.file_size < largest):
        raise FormatError(
            f"{where} claims {entry.file_size} bytes from {entry.compress_size} packed ones"
        )
    header = file.view(entry.header_offset, _LOCAL_HEADER.size, f"{entry.filename}, its header")
    signature, *_, name_size, extra_size = _LOCAL_HEADER.unpack(header)
    if signature != b"PK\x03\x04":
        raise FormatError(f"{where} has no header at offset {entry.header_offset}")
    offset = entry.header_offset + _LOCAL_HEADER.size + name_size + extra_size
    file.view(offset, entry.compress_size, entry.filename)
    return Member(
        name=entry.filename,
        size=entry.file_size,
        file=file,
        offset=offset,
        packed_size=entry.compress_size,
        deflated=deflated,
        checksum=entry.CRC,
    )
