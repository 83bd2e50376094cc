"""Checks of Nugen Intelligence."""
