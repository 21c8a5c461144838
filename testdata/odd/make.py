# Draws what is no digit: 14 kinds, 8 drawings of each, of 28×28 pixels as MNIST's: 20 pixels on
# the longer side and the centre of mass in the middle. python3 make.py writes odd-idx3-ubyte.gz
# beside it: 14×8×784 bytes in an IDX file, the kinds in the order of KINDS.
import gzip
import pathlib
import struct

import numpy as np

rng = np.random.default_rng(1)
turn = lambda from_, to, n=30: np.radians(np.linspace(from_, to, n))


def ellipse(x, y, rx, ry, from_=0, to=360):
    a = turn(from_, to)
    return np.stack([x + rx * np.cos(a), y + ry * np.sin(a)], 1)


def heart():
    t = turn(0, 360, 60)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return [np.stack([16 * np.sin(t) ** 3, -y], 1)]


def scribble():
    return [rng.uniform(0, 1, (rng.integers(8, 16), 2))]


def face():
    hair = [np.array([[-0.6 + 0.3 * k, -1.25], [-0.5 + 0.25 * k, -0.85]]) for k in range(5)]
    return [ellipse(0, 0, 0.8, 1), ellipse(-0.3, -0.3, 0.15, 0.08), ellipse(0.3, -0.3, 0.15, 0.08),
            np.array([[0, -0.2], [-0.1, 0.2], [0.1, 0.2]]), ellipse(0, 0.5, 0.3, 0.12)] + hair


def text():  # words of letters that are a stroke each, in lines that run down: a page on its side
    lines = []
    for x in range(0, 10):
        y = 0.0
        while y < 12:
            for _ in range(rng.integers(2, 7)):
                lines.append(np.array([[x, y], [x + rng.uniform(0.2, 0.6), y + rng.uniform(-0.2, 0.2)]]))
                y += 0.35
            y += 0.5
    return lines


KINDS = {
    'A': lambda: [[[0, 2], [0.8, 0], [1.6, 2]], [[0.3, 1.3], [1.3, 1.3]]],
    'b': lambda: [[[0, 0], [0, 2]], ellipse(0.5, 1.5, 0.5, 0.5)],
    'X': lambda: [[[0, 0], [1.5, 2]], [[1.5, 0], [0, 2]]],
    'heart': heart,
    'scribble': scribble,
    'smiley': lambda: [ellipse(0, 0, 1, 1), [[-0.35, -0.3]], [[0.35, -0.3]], ellipse(0, 0.05, 0.55, 0.5, 20, 160)],
    '47': lambda: [[[0.5, 0], [0, 1.2], [1, 1.2]], [[0.7, 0.5], [0.7, 2]], [[1.4, 0], [2.4, 0], [1.8, 2]]],
    'blank': lambda: [],
    'black': None,
    'line': lambda: [[[0, 0], [2, rng.uniform(-0.3, 0.3)]]],
    'dots': lambda: [[p] for p in rng.uniform(0, 1, (rng.integers(5, 10), 2))],
    'noise': None,
    'text': text,
    'face': face,
}


def draw(lines, thick, size=280):
    """Returns a picture of strokes that are so thick, turned and stretched a little."""
    a, stretch = np.radians(rng.uniform(-7, 7)), rng.uniform(0.9, 1.1)
    lines = [np.asarray(p, float) @ np.array([[np.cos(a) * stretch, np.sin(a)], [-np.sin(a), np.cos(a)]]) for p in lines]
    points = np.concatenate(lines)
    low, room = points.min(0), size - 2 * thick - 4
    lines = [(p - low) * room / np.ptp(points, 0).max() + thick + 2 for p in lines]
    y, x = np.mgrid[0:size, 0:size] + 0.5
    ink = np.zeros((size, size))
    for p in lines:
        for q, r in zip(p, np.concatenate([p[1:], p[-1:]])):
            d = r - q
            at = np.clip(((x - q[0]) * d[0] + (y - q[1]) * d[1]) / max(d @ d, 1e-9), 0, 1)
            far = np.hypot(x - q[0] - at * d[0], y - q[1] - at * d[1])
            ink = np.maximum(ink, np.clip(thick - far + 0.5, 0, 1))
    return ink


def centred(ink):
    """Returns the picture cut out, scaled to 20 pixels and centred by its mass in 28×28."""
    rows, cols = np.nonzero(ink.any(1))[0], np.nonzero(ink.any(0))[0]
    ink = ink[rows[0]:rows[-1] + 1, cols[0]:cols[-1] + 1]
    k = max(ink.shape) / 20
    mass = ink.sum()
    mx, my = (ink.sum(0) @ (np.arange(ink.shape[1]) + 0.5)) / mass, (ink.sum(1) @ (np.arange(ink.shape[0]) + 0.5)) / mass
    edges = lambda m: np.arange(29) * k + m - (14 + (m / k) % 1) * k
    share = lambda e, n: np.clip(np.minimum(e[1:, None], np.arange(n) + 1) - np.maximum(e[:-1, None], np.arange(n)), 0, 1)
    small = share(edges(my), ink.shape[0]) @ ink @ share(edges(mx), ink.shape[1]).T / (k * k)
    return np.floor(255 * np.clip(small, 0, 1) + 0.5)


images = []
for kind, lines in KINDS.items():
    for n in range(8):
        image = np.zeros((28, 28))
        if kind == 'black':
            image[:, :] = 255
            if n % 2:
                image = np.pad(np.full((20, 20), 255), 4)
        elif kind == 'noise':
            image = rng.integers(0, 256, (28, 28)) if n % 2 else 255 * (rng.random((28, 28)) < 0.1 + 0.05 * n)
        elif kind != 'blank':
            image = centred(draw(lines(), thick=[8, 11, 14, 17][n % 4] * {'face': 0.6, '47': 0.6, 'text': 0.2}.get(kind, 1)))
        images.append(image.astype(np.uint8).reshape(784))
data = struct.pack('>HBB3I', 0, 8, 3, len(KINDS), 8, 784) + np.array(images).tobytes()
with gzip.GzipFile(pathlib.Path(__file__).parent / 'odd-idx3-ubyte.gz', 'wb', mtime=0) as f:
    f.write(data)
