"""Predict and train: remote models and what guards them, local models, algorithms.

Needed by the pages of predict, batch predict, train, connectors, guardrails and rate limits.
"""
