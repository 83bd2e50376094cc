"""One run: its options, what it judges and by what, its checks as they end, and its record."""
