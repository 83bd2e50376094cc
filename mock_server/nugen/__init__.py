"""Nugen Intelligence, as documented.

Needed by the vendor's page of undeploying and by the checks of the profile `nugen`.
"""
