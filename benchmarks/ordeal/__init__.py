"""Killing, starving and crowding real runs, and holding them to the provider's own log."""
