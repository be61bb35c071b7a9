"""A process at work is asked and told: lines over a Unix socket in its folder."""

from asyncgen.control.client import ask
from asyncgen.control.server import serving

__all__ = ["ask", "serving"]
