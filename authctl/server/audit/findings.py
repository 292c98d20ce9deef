"""The verdict on a trail: what was checked, and everything that does not fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MOST_FINDINGS = 200
"""More are counted, not kept: after a wholesale change every row is a finding."""


class Status(StrEnum):
    """The verdict in one word; altered outweighs truncated."""

    INTACT = "intact"
    ALTERED = "altered"
    TRUNCATED = "truncated"


class FindingKind(StrEnum):
    """What can be wrong."""

    ROW_ALTERED = "row_altered"
    ROWS_MISSING = "rows_missing"
    ROW_REPEATED = "row_repeated"
    TAIL_MISSING = "tail_missing"
    HEAD_DIFFERS = "head_differs"
    WRITER_UNKNOWN = "writer_unknown"
    WRITER_MISSING = "writer_missing"
    KEY_UNKNOWN = "key_unknown"
    ANCHORS_INVALID = "anchors_invalid"
    CHECKPOINT_INVALID = "checkpoint_invalid"
    CHECKPOINT_CONTRADICTED = "checkpoint_contradicted"
    CHECKPOINT_MISSING = "checkpoint_missing"
    REMOVAL_CONTRADICTED = "removal_contradicted"
    ERASURE_UNEXPLAINED = "erasure_unexplained"
    ERASURE_CONTRADICTED = "erasure_contradicted"
    RESET_UNEXPLAINED = "reset_unexplained"
    LINE_ALTERED = "line_altered"
    LINE_FOREIGN = "line_foreign"
    LINE_WITHOUT_ROW = "line_without_row"
    LINES_MISSING = "lines_missing"
    FILE_TAIL_MISSING = "file_tail_missing"
    LINE_NOT_ERASED = "line_not_erased"
    ARCHIVE_ALTERED = "archive_altered"
    ARCHIVE_ROWS_MISSING = "archive_rows_missing"


_TRUNCATION = frozenset(
    {
        FindingKind.TAIL_MISSING,
        FindingKind.WRITER_MISSING,
        FindingKind.CHECKPOINT_MISSING,
        FindingKind.LINE_WITHOUT_ROW,
        FindingKind.FILE_TAIL_MISSING,
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit, and where: the sequence is the first that is concerned."""

    kind: FindingKind
    writer_id: str
    seq: int
    event_id: str | None
    sentence: str


@dataclass(slots=True)
class Counts:
    """How much was looked at.

    rows      of the table and of the archive
    archived  of these, rows that only the archive has
    removed   rows that are gone, as a signed event tells
    erased    rows whose personal fields are gone, as a signed event tells
    """

    writers: int = 0
    rows: int = 0
    archived: int = 0
    removed: int = 0
    erased: int = 0
    checkpoints: int = 0
    lines: int = 0
    lines_repeated: int = 0
    lines_of_removed_rows: int = 0
    lines_of_earlier_trails: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a verification.

    findings        in the order of discovery, at most `MOST_FINDINGS`
    total_findings  how many there were
    notes           what could not be checked, and why
    """

    status: Status
    findings: tuple[Finding, ...]
    total_findings: int
    counts: Counts
    notes: tuple[str, ...] = ()

    @property
    def is_intact(self) -> bool:
        """Whether everything fits."""
        return self.status is Status.INTACT


@dataclass(slots=True)
class Report:
    """A verdict in the making."""

    counts: Counts = field(default_factory=Counts)
    notes: list[str] = field(default_factory=list)
    _findings: list[Finding] = field(default_factory=list)
    _total: int = 0
    _is_altered: bool = False

    def add(self, kind: FindingKind, writer_id: str, seq: int, event_id: str | None, sentence: str) -> None:
        """Something does not fit."""
        self._total += 1
        self._is_altered = self._is_altered or kind not in _TRUNCATION
        if len(self._findings) < MOST_FINDINGS:
            self._findings.append(Finding(kind, writer_id, seq, event_id, sentence))

    def verdict(self) -> Verdict:
        """What it comes to."""
        status = Status.INTACT
        if self._total:
            status = Status.ALTERED if self._is_altered else Status.TRUNCATED
        return Verdict(status, tuple(self._findings), self._total, self.counts, tuple(self.notes))
