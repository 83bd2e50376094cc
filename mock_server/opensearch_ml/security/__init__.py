"""A cluster with users: who calls, what a role allows, and which models and connectors are open to whom.

Needed by the page of model access control and the recordings of a secured node.
"""
