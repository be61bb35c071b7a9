"""What comes out of a run: files, written atomically."""

from asyncgen.dataset.jsonl import json_line, write_json_lines

__all__ = ["json_line", "write_json_lines"]
