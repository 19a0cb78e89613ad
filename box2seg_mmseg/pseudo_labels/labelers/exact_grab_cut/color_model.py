"""Mixtures of Gaussians over colours, as OpenCV's GrabCut learns them.

A model is a ``(5, 11)`` float64 array with one row per component: its weight,
the 3 values of its mean, the upper triangle of its inverse covariance row by
row, and the determinant of its covariance. A component without samples has
weight 0.

Colours are ``(3, N)`` uint8 arrays, one row per channel, so that the inner
loops can process several pixels at once.
"""

import math

import numpy as np

from .compiled import compiled
from .kmeans import NUM_CLUSTERS

# OpenCV's threshold, and what it adds to the variances of a covariance that is
# almost singular.
_SINGULAR, _ADDED_VARIANCE = 1e-6, 0.01
# Stands for an infinite cost: larger than the sum of a pixel's links and than
# the cost of any float64 probability above 0.
_HIGHEST_COST = 1e4
_LOG_OF_LEAST_FLOAT = -745.2  # exp() of a lower value is 0
_LOG_OF_PRECISION = -37.0  # 1 + exp() of a lower value is 1
_BLOCK = 512  # pixels at a time; their values stay in the L1 cache


@compiled
def learn(colors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Learn the model of colours; ``(N,)`` uint8 labels in ``0..4``."""
    sums = np.zeros((NUM_CLUSTERS, 10), np.int64)
    _add(sums, colors[0], colors[1], colors[2], labels)
    return _model(sums)


@compiled
def relearn(
    definite: np.ndarray, probable: np.ndarray, model: np.ndarray
) -> np.ndarray:
    """Assign each colour to its most probable component and learn again.

    The colours come in two parts, of which the first, the larger one, need
    not be copied when the second changes. The sums are integers, so the order
    does not matter.
    """
    # OpenCV compares densities without the weights of the components.
    terms = _log_factors(model)
    sums = np.zeros((NUM_CLUSTERS, 10), np.int64)
    labels = np.empty(_BLOCK, np.uint8)
    for colors in (definite, probable):
        for start in range(0, colors.shape[1], _BLOCK):
            block = slice(start, start + _BLOCK)
            x, y, z = colors[0][block], colors[1][block], colors[2][block]
            mine = labels[: len(x)]
            _most_probable(x, y, z, model, terms, mine)
            _add(sums, x, y, z, mine)
    return _model(sums)


@compiled
def _most_probable(x, y, z, model, terms, labels) -> None:
    for i in range(len(labels)):
        # If all densities are 0, OpenCV takes the first component.
        label, best = np.int32(0), _LOG_OF_LEAST_FLOAT
        for k in range(NUM_CLUSTERS):
            value = terms[k] - 0.5 * _distance(x[i], y[i], z[i], model, k)
            label = np.int32(k) if value > best else label
            best = max(value, best)
        labels[i] = label


@compiled
def cost(colors: np.ndarray, model: np.ndarray) -> np.ndarray:
    """The cost of assigning colours to a model.

    Returns:
        ``(N,)`` float64, the negative logarithm of the probability; where
        the probability is 0 in float64, a cost larger than the sum of a
        pixel's links.
    """
    terms = _log_factors(model) + np.log(model[:, 0])
    result = np.empty(colors.shape[1])
    logs = np.empty((NUM_CLUSTERS, _BLOCK))
    best = np.empty(_BLOCK)
    for start in range(0, len(result), _BLOCK):
        stop = min(start + _BLOCK, len(result))
        x, y, z = (
            colors[0][start:stop],
            colors[1][start:stop],
            colors[2][start:stop],
        )
        best[:] = -np.inf
        for k in range(NUM_CLUSTERS):
            row = logs[k]
            for i in range(stop - start):
                row[i] = terms[k] - 0.5 * _distance(x[i], y[i], z[i], model, k)
                best[i] = max(row[i], best[i])
        for i in range(stop - start):
            if best[i] < _LOG_OF_LEAST_FLOAT:
                result[start + i] = _HIGHEST_COST
                continue
            total = 0.0
            for k in range(NUM_CLUSTERS):
                gap = logs[k, i] - best[i]
                if gap > _LOG_OF_PRECISION:
                    total += math.exp(gap) if gap < 0 else 1.0
            result[start + i] = -best[i]
            if total > 1:
                result[start + i] -= math.log(total)
    return result


@compiled
def _log_factors(model: np.ndarray) -> np.ndarray:
    """Logarithms of the densities' factors; -inf without samples.

    They leave out the constant factor, as OpenCV does.
    """
    result = np.full(NUM_CLUSTERS, -np.inf)
    for k in range(NUM_CLUSTERS):
        if model[k, 0] > 0:
            result[k] = -0.5 * math.log(model[k, 10])
    return result


@compiled
def _distance(
    x: float, y: float, z: float, model: np.ndarray, k: int
) -> float:
    """The squared Mahalanobis distance of a colour from component ``k``."""
    x -= model[k, 1]
    y -= model[k, 2]
    z -= model[k, 3]
    a, b, c = model[k, 4], model[k, 5], model[k, 6]
    d, e, f = model[k, 7], model[k, 8], model[k, 9]
    return (
        x * (x * a + y * b + z * c)
        + y * (x * b + y * d + z * e)
        + z * (x * c + y * e + z * f)
    )


@compiled
def _add(
    sums: np.ndarray,
    x_values: np.ndarray,
    y_values: np.ndarray,
    z_values: np.ndarray,
    labels: np.ndarray,
) -> None:
    """Sum colours, channels and their products exactly, as integers."""
    for i in range(len(labels)):
        x = np.int64(x_values[i])
        y = np.int64(y_values[i])
        z = np.int64(z_values[i])
        row = sums[labels[i]]
        row[0] += 1
        row[1] += x
        row[2] += y
        row[3] += z
        row[4] += x * x
        row[5] += x * y
        row[6] += x * z
        row[7] += y * y
        row[8] += y * z
        row[9] += z * z


@compiled
def _model(sums: np.ndarray) -> np.ndarray:
    """The model from the sums of :func:`_add`."""
    model = np.zeros((NUM_CLUSTERS, 11))
    total = sums[:, 0].sum()
    for k in range(NUM_CLUSTERS):
        count = sums[k, 0]
        if count == 0:
            continue
        x, y, z, xx, xy, xz, yy, yz, zz = sums[k, 1:] * (1.0 / count)
        a, b, c = xx - x * x, xy - x * y, xz - x * z
        d, e, f = yy - y * y, yz - y * z, zz - z * z
        determinant = _determinant(a, b, c, d, e, f)
        if determinant <= _SINGULAR:
            a += _ADDED_VARIANCE
            d += _ADDED_VARIANCE
            f += _ADDED_VARIANCE
            determinant = _determinant(a, b, c, d, e, f)
        model[k, 0] = count / total
        model[k, 1], model[k, 2], model[k, 3] = x, y, z
        model[k, 4] = (d * f - e * e) / determinant
        model[k, 5] = (c * e - b * f) / determinant
        model[k, 6] = (b * e - c * d) / determinant
        model[k, 7] = (a * f - c * c) / determinant
        model[k, 8] = (b * c - a * e) / determinant
        model[k, 9] = (a * d - b * b) / determinant
        model[k, 10] = determinant
    return model


@compiled
def _determinant(
    a: float, b: float, c: float, d: float, e: float, f: float
) -> float:
    """Determinant of a symmetric matrix ((a, b, c), (b, d, e), (c, e, f))."""
    return a * (d * f - e * e) - b * (b * f - e * c) + c * (b * e - d * c)
