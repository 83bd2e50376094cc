"""Searches: the query language, sorting and what is shown of a hit."""
