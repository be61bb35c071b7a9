"""Measures the filter on texts of the user's own, beside what others would use for it."""
