"""`python -m conformance` is the command `mlconform`."""

from conformance.cli import main

main()
