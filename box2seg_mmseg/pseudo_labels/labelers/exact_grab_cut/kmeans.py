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
_BLOCK = 512  # points at a time; they stay in the L1 cache
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
        points: ``(3, N)`` float32 of whole numbers in ``0..255``, N >= 1.
        state: From :func:`random_state`; advanced.

    Returns:
        ``(N,)`` int32 in ``0..min(5, N) - 1``.
    """
    num_clusters = min(NUM_CLUSTERS, points.shape[1])
    # With one cluster, OpenCV stops after the second round.
    labels = np.zeros(points.shape[1], np.int32)
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
    first = np.int64(_next(state) % np.uint64(n))
    centers[0] = points[:, first]
    nearest = np.full(n, np.inf, np.float32)
    total = float(_approach(points, first, nearest, nearest))
    best, trial = np.empty_like(nearest), np.empty_like(nearest)
    for k in range(1, num_clusters):
        best_total, best_point = np.inf, -1
        for _ in range(_TRIALS):
            point = _draw(nearest, _uniform(state) * total)
            trial_total = float(_approach(points, point, nearest, trial))
            if trial_total < best_total:
                best_total, best_point = trial_total, point
                best, trial = trial, best
        centers[k] = points[:, best_point]
        total = best_total
        nearest, best = best, nearest
    return centers


@compiled
def _draw(nearest: np.ndarray, left: float) -> int:
    """The first point up to which the distances add up to ``left``.

    OpenCV subtracts one distance after the other. They are whole numbers and
    ``left`` shrinks, so no subtraction rounds, and blocks can be skipped.
    """
    last = len(nearest) - 1
    point = 0
    while point + _BLOCK <= last:
        total = np.int32(0)  # at most 512 * 3 * 255**2, which fits
        for i in range(point, point + _BLOCK):
            total += np.int32(nearest[i])
        if left - total <= 0:
            break
        left -= total
        point += _BLOCK
    while point < last:
        left -= nearest[point]
        if left <= 0:
            break
        point += 1
    return point


@compiled
def _approach(
    points: np.ndarray, center: int, nearest: np.ndarray, out: np.ndarray
) -> int:
    """Squared distances to the nearest centre after adding a centre."""
    x, y, z = points[0], points[1], points[2]
    cx, cy, cz = x[center], y[center], z[center]
    total = np.int64(0)
    for i in range(len(nearest)):
        dx, dy, dz = x[i] - cx, y[i] - cy, z[i] - cz
        out[i] = min(dx * dx + dy * dy + dz * dz, nearest[i])
        total += np.int64(out[i])
    return total


@compiled
def _assign(
    points: np.ndarray, centers: np.ndarray, labels: np.ndarray
) -> None:
    """Label each point with its nearest centre; ties go to the first."""
    x, y, z = points[0], points[1], points[2]
    for i in range(len(labels)):
        best, least = np.int32(0), np.float32(np.inf)
        for k in range(NUM_CLUSTERS):
            dx = x[i] - centers[k, 0]
            dy = y[i] - centers[k, 1]
            dz = z[i] - centers[k, 2]
            distance = dx * dx + dy * dy + dz * dz
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
    for start in range(0, len(labels), _BLOCK):
        block = slice(start, start + _BLOCK)
        x, y, z = points[0][block], points[1][block], points[2][block]
        mine = labels[block]
        for k in range(num_clusters):
            counts[k] += _add_cluster(x, y, z, mine, k, centers[k])
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
def _add_cluster(
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    labels: np.ndarray,
    k: int,
    sums: np.ndarray,
) -> int:
    """Add the points of a cluster to its float32 sums; return their number.

    As long as the sums stay whole numbers that float32 holds, the order does
    not matter, and integers can be added several at a time. Beyond, each
    addition rounds, so they follow OpenCV's order.
    """
    count = a = b = c = np.int32(0)
    for i in range(len(labels)):
        is_mine = np.int32(labels[i] == k)
        count += is_mine
        a += is_mine * np.int32(x[i])
        b += is_mine * np.int32(y[i])
        c += is_mine * np.int32(z[i])
    if max(sums[0] + a, sums[1] + b, sums[2] + c) <= _WHOLE:
        sums[0] += a
        sums[1] += b
        sums[2] += c
    else:
        for i in range(len(labels)):
            if labels[i] == k:
                sums[0] += x[i]
                sums[1] += y[i]
                sums[2] += z[i]
    return count


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
