"""A stateful stand-in for the model servers that the suite judges."""
