"""Reading json-file logs by the chunk.

A reader sees millions of records; those of one chunk of output differ in their text only, and one replacement takes
everything else away.
"""

from __future__ import annotations

import os

import msgspec

from windlass.launch.log_records import BLOCK, Format, Runs, View

_HEAD = b'{"log":"'
_STREAM = b'\\n","stream":"'
_TIME = b'"time":"'
# Runs of fewer like records than this are not worth looking for; the next place to look is this far.
_RUN_LINES = 8
_STRIDE = 64 * 1024
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")


class Record(msgspec.Struct):
    """One line of a json-file log."""

    log: str = ""
    stream: str = "stdout"
    time: str = ""
    attrs: dict[str, str] = {}


_decoder = msgspec.json.Decoder(Record)


class JsonFormat(Format):
    """Objects, one a line."""

    def complete(self, data: bytes) -> int:
        """Up to the last newline."""
        return data.rfind(b"\n") + 1

    def count(self, data: bytes) -> int:
        """A record a newline."""
        return data.count(b"\n")

    def skip(self, data: bytes, number: int) -> tuple[bytes, int]:
        """Leave out lines."""
        present = data.count(b"\n")
        if present <= number:
            return b"", number - present
        return data.split(b"\n", number)[-1], 0

    def seek_back(self, fd: int, records: int) -> int:
        """Count newlines from the end."""
        position = os.lseek(fd, 0, os.SEEK_END)
        if records == 0:
            return 0
        # The newline that ends the last line is not a boundary between two.
        needed = records + 1
        while position > 0:
            start = max(0, position - BLOCK)
            block = os.pread(fd, position - start, start)
            count = block.count(b"\n")
            if count >= needed:
                at = len(block)
                for _ in range(needed):
                    at = block.rfind(b"\n", 0, at)
                os.lseek(fd, start + at + 1, os.SEEK_SET)
                return 0
            needed -= count
            position = start
        os.lseek(fd, 0, os.SEEK_SET)
        return max(0, needed - 1)

    def render(self, data: bytes, view: View) -> tuple[Runs, bool]:
        """Take runs of like records at once, the others one by one."""
        runs: Runs = []
        start, end = 0, len(data)
        while start < end:
            stop = 0 if view.details else _run_end(data, start, end)
            found = _render_run(data[start:stop], view) if stop else None
            if found is None:
                stop = stop or (data.rfind(b"\n", start, start + _STRIDE) + 1) or data.find(b"\n", start) + 1
                found = _render_each(data[start:stop], view)
            runs += found[0]
            if found[1]:
                return runs, True
            start = stop
        return runs, False


def _foot(data: bytes, start: int) -> bytes:
    """Return what follows the text of the record at `start`; nothing when it is no whole line of text."""
    stop = data.find(b"\n", start) + 1
    at = data.rfind(_STREAM, start, stop)
    return data[at:stop] if at >= 0 and data.startswith(_HEAD, start) else b""


def _run_end(data: bytes, start: int, end: int) -> int:
    """Return where the run of records ends that differ from the one at `start` in their text only; 0 if too short."""
    foot = _foot(data, start)
    if not foot:
        return 0
    low = data.find(b"\n", start) + 1
    probe = min(end - 1, start + _RUN_LINES * (low - start))
    if not data.endswith(foot, start, data.find(b"\n", probe) + 1):
        return 0
    high = end
    while low < high:
        middle = (low + high) // 2
        stop = data.find(b"\n", middle, end) + 1
        if data.endswith(foot, start, stop):
            low = stop
        else:
            high = middle
    return low


def _render_run(data: bytes, view: View) -> tuple[Runs, bool] | None:
    """Return the text of like records; None when some of it is escaped, or they are not alike after all."""
    foot = _foot(data, 0)
    place = foot.rfind(_TIME) + len(_TIME)
    moment = foot[place : foot.find(b'"', place)]
    stream = foot[len(_STREAM) : foot.find(b'"', len(_STREAM))].decode()
    if view.until and moment.decode() > view.until:
        return [], True
    if stream not in view.streams or moment.decode() < view.since:
        return [], False
    stamp = moment + b" " if view.timestamps else b""
    text = data[len(_HEAD) : -len(foot)].replace(foot + _HEAD, b"\n" + stamp)
    # A quote or an escape of the text itself has a backslash; any other would be a record's that was not alike.
    if b"\\" in text or b'"' in text:
        return None
    return [(stream, b"".join((stamp, text, b"\n")))], False


def _render_each(lines: bytes, view: View) -> tuple[Runs, bool]:
    records = _decode(lines)
    past = False
    if view.since:
        records = [record for record in records if record.time >= view.since]
    if view.until:
        kept = [record for record in records if record.time <= view.until]
        past = len(kept) < len(records)
        records = kept
    runs: Runs = []
    plain = not view.timestamps and not view.details
    current = ""
    texts: list[str] = []
    for record in records:
        if record.stream not in view.streams:
            continue
        if record.stream != current:
            if texts:
                runs.append((current, "".join(texts).encode("utf-8", "surrogatepass")))
            current, texts = record.stream, []
        texts.append(record.log if plain else _decorate(record, view))
    if texts:
        runs.append((current, "".join(texts).encode("utf-8", "surrogatepass")))
    return runs, past


def _decode(lines: bytes) -> list[Record]:
    """Decode complete lines; a line that is no record (a crash of the host tore it) is left out."""
    try:
        return _decoder.decode_lines(lines)
    except msgspec.DecodeError:
        records = []
        for line in lines.splitlines():
            try:
                records.append(_decoder.decode(line))
            except msgspec.DecodeError:
                continue
        return records


def _decorate(record: Record, view: View) -> str:
    details = ""
    if view.details:
        pairs = (f"{_escaped(key)}={_escaped(value)}" for key, value in sorted(record.attrs.items()))
        details = ",".join(pairs) + " "
    stamp = f"{record.time} " if view.timestamps else ""
    return stamp + details + record.log


def _escaped(text: str) -> str:
    """Escape as Go's url.QueryEscape does; `urllib.parse` would cost each reader two megabytes."""
    shown = (chr(byte) if byte in _UNRESERVED else "+" if byte == 0x20 else f"%{byte:02X}" for byte in text.encode())
    return "".join(shown)
