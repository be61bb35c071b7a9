"""The durable record of a run's answers: the only truth on disk."""

from asyncgen.journal.journal import Journal, JournalReader
from asyncgen.journal.lock import RunLock

__all__ = ["Journal", "JournalReader", "RunLock"]
