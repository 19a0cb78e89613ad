"""cv2.kmeans on colours, with identical labels.

It repeats the steps of OpenCV from a given state of its random generator:
k-means++ centres with three trials each, ten rounds, centres summed in float32
and in the order of the samples. As the colours are whole numbers, the
distances do not depend on the order of summation.
"""

import numpy as np

from .compiled import compiled

NUM_CLUSTERS = 5
_TRIALS = 3
_ROUNDS = 10
_BLOCK = 256  # points at a time; they stay in the L1 cache
_WHOLE = 2**24  # float32 holds all whole numbers up to here


def random_state(seed: int) -> np.ndarray:
    """The state of OpenCV's random generator after ``cv2.setRNGSeed``.

    ``(1,)`` uint64 from a 32-bit int; :func:`cluster` advances it.
    """
    # setRNGSeed converts its int to an unsigned 64-bit number.
    return np.array([seed % 2**64 or 2**32 - 1], np.uint64)


@compiled
def cluster(points: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Cluster colours as OpenCV's GrabCut does before its first iteration.

    Args:
        points: ``(3, N)`` uint8, N >= 1.
        state: From :func:`random_state`; advanced.

    Returns:
        ``(N,)`` uint8 in ``0..min(5, N) - 1``.
    """
    num_clusters = min(NUM_CLUSTERS, points.shape[1])
    # With one cluster, OpenCV stops after the second round.
    labels = np.zeros(points.shape[1], np.uint8)
    centers = _first_centers(points, num_clusters, state)
    if num_clusters == 1:
        return labels
    _assign(points, centers, labels)
    for round_ in range(1, _ROUNDS):
        moved = _move_centers(points, centers, num_clusters, labels)
        if round_ == _ROUNDS - 1 or moved <= _EPSILON:
            break
        _assign(points, centers, labels)
    return labels


_EPSILON = float(np.finfo(np.float32).eps) ** 2


@compiled
def _next(state: np.ndarray) -> np.uint64:
    """32 random bits: OpenCV's multiply-with-carry generator."""
    low = np.uint64(0xFFFFFFFF)
    state[0] = (state[0] & low) * np.uint64(4164903690) + (
        state[0] >> np.uint64(32)
    )
    return state[0] & low


@compiled
def _uniform(state: np.ndarray) -> float:
    """A random number in [0, 1) from 64 random bits."""
    high = _next(state)
    return float((high << np.uint64(32)) | _next(state)) * 2.0**-64


@compiled
def _first_centers(
    points: np.ndarray, num_clusters: int, state: np.ndarray
) -> np.ndarray:
    """k-means++: of three candidates, the one with the least distances.

    Returns:
        ``(5, 3)`` float32; infinite beyond ``num_clusters``, because loops
        over a constant 5 are much faster.
    """
    n = points.shape[1]
    centers = np.full((NUM_CLUSTERS, 3), np.inf, np.float32)
    candidates = np.full((_TRIALS, 3), np.inf, np.float32)
    totals = np.empty((_TRIALS, (n + _BLOCK - 1) // _BLOCK), np.int32)
    centers[0] = points[:, np.int64(_next(state) % np.uint64(n))]
    _add_distances(points, centers, candidates, totals)
    best = 0
    for k in range(1, num_clusters):
        total = float(totals[best].sum())
        for t in range(_TRIALS):
            left = _uniform(state) * total
            point = _draw(points, centers, totals[best], left)
            candidates[t] = points[:, point]
        _add_distances(points, centers, candidates, totals)
        best = 0
        for t in range(1, _TRIALS):
            if totals[t].sum() < totals[best].sum():
                best = t
        centers[k] = candidates[best]
    return centers


@compiled
def _add_distances(
    points: np.ndarray,
    centers: np.ndarray,
    candidates: np.ndarray,
    totals: np.ndarray,
) -> None:
    """Sum the squared distances to the nearest centre or the candidate.

    For each candidate alone and block by block. A total is at most
    256 * 3 * 255**2, which fits an int32.
    """
    nearest = np.empty(_BLOCK, np.float32)
    for block in range(totals.shape[1]):
        part = points[:, block * _BLOCK : (block + 1) * _BLOCK]
        x, y, z = part[0], part[1], part[2]
        for i in range(len(x)):
            nearest[i] = _least_distance(x[i], y[i], z[i], centers)
        for t in range(_TRIALS):
            total = np.int32(0)
            for i in range(len(x)):
                distance = _distance(x[i], y[i], z[i], candidates, t)
                total += np.int32(min(distance, nearest[i]))
            totals[t, block] = total


@compiled
def _least_distance(x: int, y: int, z: int, centers: np.ndarray) -> float:
    """The squared distance to the nearest centre."""
    least = np.float32(np.inf)
    for k in range(NUM_CLUSTERS):
        least = min(_distance(x, y, z, centers, k), least)
    return least


@compiled
def _distance(x: int, y: int, z: int, centers: np.ndarray, k: int) -> float:
    """The squared distance to centre ``k``."""
    dx = np.float32(x) - centers[k, 0]
    dy = np.float32(y) - centers[k, 1]
    dz = np.float32(z) - centers[k, 2]
    return dx * dx + dy * dy + dz * dz


@compiled
def _draw(
    points: np.ndarray, centers: np.ndarray, totals: np.ndarray, left: float
) -> int:
    """The first point up to which the distances add up to ``left``.

    OpenCV subtracts one distance after the other. They are whole numbers and
    ``left`` shrinks, so no subtraction rounds, and blocks can be skipped.
    """
    point, last = 0, points.shape[1] - 1
    for total in totals[:-1]:
        if left - total <= 0:
            break
        left -= total
        point += _BLOCK
    while point < last:
        x, y, z = points[:, point]
        left -= _least_distance(x, y, z, centers)
        if left <= 0:
            break
        point += 1
    return point


@compiled
def _assign(
    points: np.ndarray, centers: np.ndarray, labels: np.ndarray
) -> None:
    """Label each point with its nearest centre; ties go to the first."""
    x, y, z = points[0], points[1], points[2]
    for i in range(len(labels)):
        best, least = np.int32(0), np.float32(np.inf)
        for k in range(NUM_CLUSTERS):
            distance = _distance(x[i], y[i], z[i], centers, k)
            best = np.int32(k) if distance < least else best
            least = min(distance, least)
        labels[i] = best


@compiled
def _move_centers(
    points: np.ndarray,
    centers: np.ndarray,
    num_clusters: int,
    labels: np.ndarray,
) -> float:
    """Move centres to the means; return the largest squared move."""
    before = centers.copy()
    counts = np.zeros(num_clusters, np.int64)
    centers[:num_clusters] = 0
    _add_colors(points, labels, centers, counts)
    for k in range(num_clusters):
        if counts[k] == 0:
            _refill(points, centers, labels, counts, k)
    farthest = 0.0
    for k in range(num_clusters):
        scale = np.float32(1) / np.float32(counts[k])
        way = 0.0
        for c in range(3):
            centers[k, c] *= scale
            step = float(centers[k, c]) - float(before[k, c])
            way += step * step
        farthest = max(farthest, way)
    return farthest


@compiled
def _add_colors(
    points: np.ndarray,
    labels: np.ndarray,
    sums: np.ndarray,
    counts: np.ndarray,
) -> None:
    """Add the points to the float32 sums of their clusters, and count them.

    As long as the sums stay whole numbers that float32 holds, the order does
    not matter, and integers can be added many at a time; 256 of them fit an
    uint16. Beyond, each addition rounds, so they follow OpenCV's order.
    """
    for start in range(0, len(labels), _BLOCK):
        part = points[:, start : start + _BLOCK]
        x, y, z = part[0], part[1], part[2]
        mine = labels[start : start + _BLOCK]
        for k in range(NUM_CLUSTERS):  # constant, and not in a function of
            # its own: several times as fast
            count = a = b = c = np.uint16(0)
            for i in range(len(mine)):
                is_mine = mine[i] == k
                count = np.uint16(count + is_mine)
                a = np.uint16(a + (x[i] if is_mine else np.uint8(0)))
                b = np.uint16(b + (y[i] if is_mine else np.uint8(0)))
                c = np.uint16(c + (z[i] if is_mine else np.uint8(0)))
            if count == 0:
                continue
            counts[k] += count
            largest = max(sums[k, 0] + a, sums[k, 1] + b, sums[k, 2] + c)
            if largest <= _WHOLE:
                sums[k, 0] += a
                sums[k, 1] += b
                sums[k, 2] += c
            else:
                _add_in_order(x, y, z, mine, k, sums[k])


@compiled
def _add_in_order(
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    labels: np.ndarray,
    k: int,
    sums: np.ndarray,
) -> None:
    """Add the points of cluster ``k`` to its sums, one after the other."""
    a, b, c = sums[0], sums[1], sums[2]
    for i in range(len(labels)):
        if labels[i] == k:
            a += np.float32(x[i])
            b += np.float32(y[i])
            c += np.float32(z[i])
    sums[0], sums[1], sums[2] = a, b, c


@compiled
def _refill(
    points: np.ndarray,
    sums: np.ndarray,
    labels: np.ndarray,
    counts: np.ndarray,
    empty: int,
) -> None:
    """Give an empty cluster the farthest point of the largest one."""
    largest = np.argmax(counts)
    center = sums[largest] * (np.float32(1) / np.float32(counts[largest]))
    farthest, most = -1, np.float32(0)
    for i in range(len(labels)):
        if labels[i] == largest:
            step = points[:, i] - center
            distance = step[0] ** 2 + step[1] ** 2 + step[2] ** 2
            if distance >= most:
                farthest, most = i, distance
    counts[largest] -= 1
    counts[empty] += 1
    labels[farthest] = empty
    sums[largest] -= points[:, farthest]
    sums[empty] += points[:, farthest]
