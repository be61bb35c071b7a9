"""Asking a model so that no answer is lost: one session of it, and a fixed set of questions."""
