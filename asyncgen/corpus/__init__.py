"""Corpora: files of texts in four formats, read and written byte for byte, and their filter."""
