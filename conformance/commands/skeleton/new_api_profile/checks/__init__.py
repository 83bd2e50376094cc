"""The checks of new-api."""
