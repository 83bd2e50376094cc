"""Searches: the query language, sorting and what is shown of a hit.

Needed by the pages of the searches of models, groups, connectors, tasks and agents, and by every client's.
"""
