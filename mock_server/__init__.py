"""A stateful stand-in for the model servers that the suite judges."""

from mock_server.clock import Clock
from mock_server.core import Request, Response
from mock_server.faults import MUTANTS, Mutant
from mock_server.opensearch_ml.behaviours import BEHAVIOURS
from mock_server.opensearch_ml.security.accounts import DEFAULT_PASSWORD, USERS, Security
from mock_server.server import DEFAULT_DOCS_VERSION, DEFAULT_NODES, PROFILES, MockServer

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
