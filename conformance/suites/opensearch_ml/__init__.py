"""Checks of OpenSearch ML Commons."""
