"""Predict and train: remote models and what guards them, local models, algorithms."""
