"""What is still to be done about files that no row of an app speaks of any more."""

from django.db import models


class LeftFile(models.Model):
    """A stored file whose row is gone, and that the storage did not delete when it was asked.

    Attributes:
        name: in the storage.
        tried_at: when it was asked last.
    """

    name = models.CharField(max_length=200)
    tried_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name
