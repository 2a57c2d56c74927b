"""Which process runs which tests."""

from __future__ import annotations

from xdist.scheduler import LoadGroupScheduling
from xdist.workermanage import WorkerController


class FromBothEnds(LoadGroupScheduling):
    """File by file; the first process begins at one end of the line, the others at the other.

    Tests that start a site come first in the line. A site is five processes, which wait as often
    as they work, and tests without one always work: so the two run beside each other, and sites
    run beside sites only at the end. Tests of an `xdist_group` stay together, in place of those of
    a file.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        if node is not self.nodes[0]:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return scope if scope != nodeid else nodeid.partition("::")[0]
