"""Events of a run, the verdicts drawn from them, and the reports made of both."""
