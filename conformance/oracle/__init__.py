"""The abstract lifecycle that a check holds a target to: states, transitions, time windows."""
