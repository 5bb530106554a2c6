"""The SDK: one Client for the embedded engine and for a service, over the same HTTP interface.

Light: nothing of the engine is imported here; httpx2 only once a Client is made.
"""

from pilotfish.client.client import Client
from pilotfish.client.errors import (
    Busy,
    Denied,
    EngineFailed,
    Failed,
    JobPaused,
    Missing,
    OverBudget,
    Rejected,
    ServiceError,
    TimedOut,
    Unreachable,
    WrongState,
)
from pilotfish.client.job import Job
from pilotfish.client.results import (
    Added,
    Budget,
    Collection,
    Document,
    Estimate,
    ItemError,
    JobView,
    Reason,
    Result,
)

__all__ = [
    "Added",
    "Budget",
    "Busy",
    "Client",
    "Collection",
    "Denied",
    "Document",
    "EngineFailed",
    "Estimate",
    "Failed",
    "ItemError",
    "Job",
    "JobPaused",
    "JobView",
    "Missing",
    "OverBudget",
    "Reason",
    "Rejected",
    "Result",
    "ServiceError",
    "TimedOut",
    "Unreachable",
    "WrongState",
]
