"""The minimum cut of a grid of pixels, by incremental breadth-first search.

The algorithm is from Goldberg, Hed, Kaplan, Tarjan and Werneck, "Maximum Flows
by Incremental Breadth-First Search", ESA 2011. Two trees grow level by level,
one from the source, one towards the sink, until they touch in no place where
flow could pass. The flow is kept when the weights of the terminals change, so
cutting a slightly different graph costs little.

All capacities are integers, so flows are exact. Of all minimum cuts, the one
with the smallest source's side is unique, whatever the maximum flow is.
"""

import numpy as np

from .compiled import compiled_without_counting
from .pixel_links import STEPS_X, STEPS_Y
from .search_trees import (
    END,
    FIRST,
    LEVEL,
    SOURCE,
    TERMINAL,
    Graph,
    activate,
    augment,
)


class MaxFlow:
    """A graph whose nodes are pixels, linked to their eight neighbours.

    Args:
        links: ``(H, W, 8)`` int32, the capacity from a node to its neighbour
            in the order of ``STEPS_Y`` and ``STEPS_X``; the two capacities of
            a pair must not add up to more than an int32 holds. The outermost
            rows and columns must have no links, so that the search needs no
            test for the border. The flow changes the array.
    """

    def __init__(self, links: np.ndarray) -> None:
        height, width = links.shape[:2]
        n = height * width
        self._shape = height, width
        self._graph = Graph(
            steps=(STEPS_Y * width + STEPS_X).astype(np.uint64),
            residual=links.reshape(-1),
            free=np.zeros((2, n), np.uint8),
            excess=np.zeros(n, np.int64),
            state=np.zeros(n, np.int32),
            tops=np.ones(2, np.int64),
            orphans=np.full(n + 2, END),
            next_orphan=np.empty(n, np.uint32),
            active=np.full(2, END),
            next_active=np.empty((2, n), np.uint32),
            is_active=np.zeros((2, n), np.bool_),
        )
        _find_free(self._graph)

    @property
    def excess(self) -> np.ndarray:
        """``(H, W)`` int64: remaining weights of the terminals.

        Values above 0 are capacity from the source, below 0 to the sink. Add
        to the array to change the graph before the next cut.
        """
        return self._graph.excess.reshape(self._shape)

    def cut(self) -> np.ndarray:
        """The source's side of the minimum cut, ``(H, W)`` bool.

        These are the nodes that the source still reaches at maximum flow.
        """
        _fill(self._graph)
        return self._graph.state.reshape(self._shape) > 0


@compiled_without_counting
def _find_free(graph: Graph) -> None:
    """Fill the masks of the links with free capacity."""
    for i in range(len(graph.residual)):
        node, d = i >> 3, i & 7
        if graph.residual[i] > 0:
            other = np.uint64(node) + graph.steps[d]
            graph.free[1, node] |= 1 << d
            graph.free[0, other] |= 1 << (d ^ 1)


@compiled_without_counting
def _fill(graph: Graph) -> None:
    """Grow the trees in turns until one is complete, then the source tree."""
    for node in range(len(graph.excess)):
        graph.state[node] = 0
        if graph.excess[node] != 0:
            side = np.int64(graph.excess[node] < 0)
            graph.state[node] = ((1 << LEVEL) | TERMINAL) * (1 - 2 * side)
            activate(graph, side, np.uint64(node))
    side = np.int64(SOURCE)  # without the type, numba compiles more versions
    graph.tops[:] = 1
    while graph.active[SOURCE] != END:
        if graph.active[side] == END:
            side = np.int64(SOURCE)
        _grow(graph, side)
        graph.tops[side] += 1
        side = 1 - side
    # A sink tree that is not complete still has nodes in its list.
    graph.active[:] = END
    graph.is_active[:] = False


@compiled_without_counting
def _grow(graph: Graph, side: int) -> None:
    """Add a level to a tree and saturate each path to the other tree."""
    sign = 1 - 2 * side
    top = graph.tops[side]
    added = END
    while graph.active[side] != END:
        node = np.uint64(graph.active[side])
        graph.active[side] = graph.next_active[side, node]
        if (graph.state[node] * sign) >> LEVEL == top + 1:
            graph.next_active[side, node] = added
            added = np.uint32(node)
            continue
        graph.is_active[side, node] = False
        directions = 255  # in which there may be something to do
        # An augmentation can move the node to another level.
        while (graph.state[node] * sign) >> LEVEL == top:
            outside = 0
            for d in range(8):
                state = graph.state[node + graph.steps[d]] * sign
                outside |= (state <= 0) << d
            outside &= graph.free[1 - side, node] & directions
            if outside == 0:
                break
            d = np.int64(FIRST[outside])
            directions = 256 - (1 << d)
            other = node + graph.steps[d]
            if graph.state[other] == 0:
                graph.state[other] = (((top + 1) << LEVEL) | (d ^ 1)) * sign
                activate(graph, side, other)
            elif side == SOURCE:
                augment(graph, node, other, d, side)
            else:
                augment(graph, other, node, d ^ 1, side)
    graph.active[side] = added
