"""Request bodies: reading them, and refusing them in the words of the real parsers."""
