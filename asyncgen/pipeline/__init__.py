"""Self-Instruct: what to ask, what to keep, when to stop. Decisions are plain functions."""
