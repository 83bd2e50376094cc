"""OpenSearch ML Commons, as documented."""
