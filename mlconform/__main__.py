"""`python -m mlconform` is the command `mlconform`."""

from mlconform.conformance.cli import main

main()
