"""A rate with a burst, for what one client of this process does."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Bucket:
    """Lets `rate` a second through, and up to `burst` at once.

    Attributes:
        left: what may come now.
    """

    rate: float
    burst: float
    left: float = field(init=False)
    filled_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.left = self.burst

    def take(self, amount: float) -> bool:
        """Whether there was room for so much more."""
        now = time.monotonic()
        self.left = min(self.burst, self.left + (now - self.filled_at) * self.rate) - amount
        self.filled_at = now
        return self.left >= 0
