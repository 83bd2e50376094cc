"""A stateful stand-in for the model servers that the suite judges."""

from mlconform.mock_server.clock import Clock
from mlconform.mock_server.core import Request, Response
from mlconform.mock_server.faults import MUTANTS, Mutant
from mlconform.mock_server.opensearch_ml.behaviours import BEHAVIOURS
from mlconform.mock_server.opensearch_ml.security.accounts import DEFAULT_PASSWORD, USERS, Security
from mlconform.mock_server.server import DEFAULT_DOCS_VERSION, DEFAULT_NODES, PROFILES, MockServer

__all__ = [
    "BEHAVIOURS",
    "DEFAULT_DOCS_VERSION",
    "DEFAULT_NODES",
    "DEFAULT_PASSWORD",
    "MUTANTS",
    "PROFILES",
    "USERS",
    "Clock",
    "MockServer",
    "Mutant",
    "Request",
    "Response",
    "Security",
]
