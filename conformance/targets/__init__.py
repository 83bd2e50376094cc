"""The one way to talk to an implementation under test."""
