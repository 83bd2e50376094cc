"""The watch over every exchange: what any answer owes its client, whichever check happened to ask."""
