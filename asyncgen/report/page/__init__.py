"""The one-file page: markup, style, script and the tasks packed into it."""
