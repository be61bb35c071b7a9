"""The durable record of a run's answers: the only truth on disk."""

from asyncgen.journal.committing import Committer, transaction
from asyncgen.journal.journal import Journal, JournalReader
from asyncgen.journal.lock import RunLock
from asyncgen.journal.rows import request_digest

__all__ = ["Committer", "Journal", "JournalReader", "RunLock", "request_digest", "transaction"]
