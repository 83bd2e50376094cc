"""What OpenSearch itself answers: the cluster, its settings, indices and pipelines.

Needed by the page of settings, safe delete (pipelines), guardrails (stop words) and what clients ask first.
"""
