"""What is read out of a run's events and results: its chain of hashes, its lessons, its claims, its shortened inputs."""

from dataclasses import replace

from stretto.core.audit import GENESIS, Envelope, broken_link, seal
from stretto.core.claims import MOST_CLAIMS, Said, claims, contradictions
from stretto.core.compress import fitted, size
from stretto.core.domain import Cost, Delivery, RunStatus, Task, Verdict
from stretto.core.events import AttemptCompleted, AttemptStarted, Event, RunEnded, TaskAdded
from stretto.core.learning import Learned, Lessons, learned
