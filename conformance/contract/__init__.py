"""Pages to contract: what the documentation promises, with its sources."""
