"""Request bodies: reading them, and refusing them in the words of the real parsers.

Needed by every operation with a body; the words by the recordings of refusals (`wire_errors`).
"""
