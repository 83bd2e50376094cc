"""The checks, one folder a profile."""
