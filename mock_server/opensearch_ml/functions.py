"""What a model can be: the functions that the node knows by name."""

from __future__ import annotations

from mlconform.mock_server.opensearch_ml.errors import illegal_argument

LOCAL_FUNCTIONS = (
    "TEXT_EMBEDDING",
    "SPARSE_ENCODING",
    "SPARSE_TOKENIZE",
    "TEXT_SIMILARITY",
    "QUESTION_ANSWERING",
)
FUNCTIONS = frozenset(
    {
        *("REMOTE", *LOCAL_FUNCTIONS),
        *("KMEANS", "LINEAR_REGRESSION", "LOGISTIC_REGRESSION", "FIT_RCF", "BATCH_RCF", "RCF_SUMMARIZE"),
        *("AD_LIBSVM", "ANOMALY_LOCALIZATION", "METRICS_CORRELATION", "AGENT", "CONNECTOR"),
        *("SAMPLE_ALGO", "LOCAL_SAMPLE_CALCULATOR"),
    }
)


def require_function(name: str) -> str:
    """The name, in capitals. Raises ApiError 400 for one that is no function."""
    function = name.upper()
    if function not in FUNCTIONS:
        raise illegal_argument("Wrong function name")
    return function
