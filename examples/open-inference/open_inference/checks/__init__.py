"""The checks of the Open Inference Protocol."""
