"""What OpenSearch itself answers: the cluster, its settings, indices and pipelines."""
