"""How much processor time and memory processes have used, from /proc (Linux)."""

import os
from collections.abc import Iterator
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PARENT, OWN, OF_CHILDREN = 1, slice(11, 13), slice(13, 15)
"""Fields of /proc/<pid>/stat, counted after the name; `man 5 proc` counts from the pid, 1."""


def seconds(root: int) -> float:
    """Return the processor seconds of a process and all it started, also those that have ended."""
    ticks = 0
    for pid in family(root):
        fields = _stat(pid)
        if fields:
            ticks += sum(map(int, fields[OWN]))
            ticks += sum(map(int, fields[OF_CHILDREN]))
    return ticks / TICKS_PER_SECOND


def family(root: int) -> Iterator[int]:
    """Yield a process and its living descendants."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(entry.name))
        if fields:
            parents[int(entry.name)] = int(fields[PARENT])
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += [child for child, parent in parents.items() if parent == pid]


def resident_mb(pid: int) -> float:
    """Return the resident memory of one process in MB (10⁶ bytes)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _stat(pid: int) -> list[str]:
    """Return the fields after the process's name; empty when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()
