"""Whether the suite notices a server that is wrong: deliberate faults of the mock, and altered answers."""
