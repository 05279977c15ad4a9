"""Go's coverage files written by hand: whatever their format allows, and what covdata makes of it."""

import hashlib
import struct

ULEB, RAW = 2, 1
SET, COUNT, ATOMIC = 1, 2, 3


def uleb(value, extra=0):
    """A value as unsigned LEB128, `extra` bytes longer than it need be."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if value or extra:
            out.append(byte | 0x80)
            extra -= not value
        else:
            out.append(byte)
            return bytes(out)


def string_table(strings):
    return uleb(len(strings)) + b"".join(uleb(len(s)) + s for s in strings)


class Function:
    """units: (start line, start column, end line, end column, statements)."""

    def __init__(self, name, file, units, literal=False):
        self.name, self.file, self.units, self.literal = name, file, units, literal


class Package:
    def __init__(self, path, functions):
        self.path, self.functions = path, functions

    def blob(self):
        strings = [b""]

        def index(text):
            if text.encode() not in strings:
                strings.append(text.encode())
            return strings.index(text.encode())

        name, path, module = index(self.path.split("/")[-1]), index(self.path), index("example.org/m")
        records = []
        for function in self.functions:
            record = uleb(len(function.units)) + uleb(index(function.name)) + uleb(index(function.file))
            for unit in function.units:
                record += b"".join(uleb(value) for value in unit)
            records.append(record + uleb(int(function.literal)))
        table = string_table(strings)
        at = 44 + 4 * len(records) + len(table)
        offsets = b""
        for record in records:
            offsets += struct.pack("<I", at)
            at += len(record)
        head = struct.pack("<IIII16sIII", at, name, path, module, hashlib.md5(self.path.encode()).digest(),
                           0, len(strings), len(records))
        return head + offsets + table + b"".join(records)


def meta(packages, mode=SET, granularity=1, version=1):
    """The bytes of a meta-data file."""
    blobs = [package.blob() for package in packages]
    start = 56 + 16 * len(blobs) + 2
    offsets, at = [], start
    for blob in blobs:
        offsets.append(at)
        at += len(blob)
    head = b"\0cvm" + struct.pack("<IQQ16sIIBB6x", version, at, len(blobs), meta_hash(packages, mode),
                                  56 + 16 * len(blobs), 2, mode, granularity)
    return (head + b"".join(struct.pack("<Q", offset) for offset in offsets)
            + b"".join(struct.pack("<Q", len(blob)) for blob in blobs) + b"\x01\x00" + b"".join(blobs))


def meta_hash(packages, mode):
    digest = hashlib.md5(bytes([mode]))
    for package in packages:
        digest.update(package.blob())
    return digest.digest()


def counters(entries, flavor=ULEB, big_endian=False, version=1, digest=bytes(16), args=None, pad=True,
             segments=1, tail=b"", extra=0):
    """The bytes of a counter file; entries: (package, function, [counters])."""
    def number(value):
        if flavor == RAW:
            return struct.pack(">I" if big_endian else "<I", value)
        return uleb(value, extra)

    args = {"argc": "1", "argv0": "x", "GOOS": "linux"} if args is None else args
    strings = [b""] + sorted({text.encode() for pair in args.items() for text in pair})
    table = string_table(strings)
    section = uleb(len(args)) + b"".join(uleb(strings.index(key.encode())) + uleb(strings.index(value.encode()))
                                         for key, value in sorted(args.items()))
    beyond = b"\0" * (-(16 + len(table) + len(section)) % 4)
    if pad:
        section += beyond
        beyond = b""
    body = struct.pack("<QII", len(entries), len(table), len(section)) + table + section + beyond
    for package, function, values in entries:
        body += number(len(values)) + number(package) + number(function)
        body += b"".join(number(value) for value in values)
    return (b"\0cwm" + struct.pack("<I16sBB6x", version, digest, flavor, big_endian) + body + tail
            + b"\0cwm" + struct.pack("<III", 0, segments, 0))
