"""Normalises digits by their moments as digits.go does, as a reference for its test:

    python3 testdata/npz/deskew.py

reads the first digits of the embedded sample's test part and writes
testdata/npz/deskewed.npz: for each the image and the normalised image, 784 grey values
in a row. The formula is the one of MNIST.Deskew's comment.
"""
import gzip
import os

import numpy as np

here = os.path.dirname(__file__)
with gzip.open(os.path.join(here, "../mnist/t10k-images-idx3-ubyte.gz")) as f:
    images = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 28, 28)[:12]


def deskew(image):
    i, j = np.mgrid[:28, :28]
    p = image.astype(float)
    if not p.any():
        return image
    mx, my = (p * j).sum() / p.sum(), (p * i).sum() / p.sum()
    xx, xy, yy = (((p * a * b).sum() * p.sum() - (p * a).sum() * (p * b).sum()) / p.sum() ** 2
                  for a, b in [(j, j), (j, i), (i, i)])
    s = np.clip(xy / yy, -1, 1) if yy else 0
    gx = np.sqrt(np.clip(np.sqrt(max(0, xx - 2 * s * xy + s * s * yy)) / 3.6, 0.4, 1.6))
    gy = np.sqrt(np.clip(np.sqrt(yy) / 5.4, 0.6, 1.5))
    u, v = j - 13.5, i - 13.5
    x, y = mx + s * (gy * v) + gx * u, my + gy * v
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = x - left, y - top
    padded = np.pad(p, 60)
    at = lambda i, j: padded[np.clip(i, -60, 87) + 60, np.clip(j, -60, 87) + 60]
    above = at(top, left) * (1 - fx) + at(top, left + 1) * fx
    below = at(top + 1, left) * (1 - fx) + at(top + 1, left + 1) * fx
    return np.floor(above * (1 - fy) + below * fy + 0.5).astype(np.uint8)


extremes = np.zeros((5, 28, 28), np.uint8)  # blank, a pixel, all ink, a row, a slanted line
extremes[1, 3, 25] = 255
extremes[2] = 255
extremes[3, 0] = 200
for k in range(28):
    extremes[4, 10 + k // 7, k] = 255
images = np.concatenate([images, extremes])
np.savez_compressed(os.path.join(here, "deskewed.npz"), images=images.reshape(-1, 784),
                    deskewed=np.array([deskew(image) for image in images]).reshape(-1, 784))
