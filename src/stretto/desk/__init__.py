"""The counter over which people and programs deal with runs; servers and pages have nothing else."""

from stretto.desk.desk import Asked, Desk, Page
from stretto.desk.following import Followed, Following
from stretto.desk.offering import Offer
from stretto.desk.team import Team

__all__ = ["Asked", "Desk", "Followed", "Following", "Offer", "Page", "Team"]
