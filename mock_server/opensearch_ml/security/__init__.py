"""A cluster with users: who calls, what a role allows, and which models and connectors are open to whom."""
