"""Who owns a run: this process, told from every other that lives or ever lived, here or elsewhere."""

import os
import socket
from dataclasses import dataclass

import msgspec
import psutil


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process: host, boot of the host, process id and the moment it was started."""

    host: str
    boot: float
    pid: int
    born: float

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    def encode(self) -> str:
        return msgspec.json.encode(self).decode()

    @staticmethod
    def decode(raw: str) -> "Owner":
        return msgspec.json.decode(raw, type=Owner)

    def surely_dead(self) -> bool:
        """Whether this process is known not to live any more; of other hosts nothing is known."""
        here = this_process()
        if self.host != here.host:
            return False
        if abs(self.boot - here.boot) > 60:
            return True
        try:
            process = psutil.Process(self.pid)
            return bool(abs(process.create_time() - self.born) > 2 or process.status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True
        except psutil.AccessDenied:
            return False


def this_process() -> Owner:
    """Give the owner that this process is."""
    pid = os.getpid()
    return Owner(host=socket.gethostname(), boot=psutil.boot_time(), pid=pid, born=psutil.Process(pid).create_time())
