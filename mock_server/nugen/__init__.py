"""Nugen Intelligence, as documented."""
