"""OpenSearch ML Commons, as documented.

Needed by the pages of the model APIs, their recordings, and the clients in `tests/clients`.
"""
