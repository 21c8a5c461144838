"""Makes the archives that the Go tests read, as NumPy writes them:

    python3 testdata/npz/make.py testdata/npz

Their bytes are the same each time, up to the version of NumPy and of zlib. Made
with NumPy 1.24.
"""
import sys
import warnings

import numpy as np

into = sys.argv[1] + "/"
ints = [[0, 1, 127], [100, 2, 3]]
signed = [[0, -1, 127], [-128, 2, 3]]
# inf, -inf, nan, -0.0, the smallest subnormals of float64 and float16, 1/3
floats = [[np.inf, -np.inf, np.nan], [-0.0, 5e-324, 2.0**-24], [1 / 3, -2.5, 65504]]

arrays = {"F": np.asfortranarray([[1.0, 2, 3], [4, 5, 6]]), "F_be": np.array([[1, 2, 3], [4, 5, 6]], ">i2", order="F")}
for order in "<>":
    for size in "248":
        arrays[f"{order}f{size}"] = np.array(floats).astype(order + "f" + size)
        arrays[f"{order}i{size}"] = np.array(signed, order + "i" + size)
        arrays[f"{order}u{size}"] = np.array(ints, order + "u" + size)
arrays["i1"], arrays["u1"] = np.array(signed, "i1"), np.array(ints, "u1")
arrays["bool"] = np.array([[True, False], [False, True]])
arrays["rank3"] = np.arange(24.0).reshape(2, 3, 4)
arrays["rank3F"] = np.asfortranarray(arrays["rank3"])
arrays["rank0"], arrays["rank1"] = np.array(2.5), np.array([1.0, 2, 3])
arrays["0x3"], arrays["3x0"], arrays["empty"] = np.zeros((0, 3)), np.zeros((3, 0)), np.array([])
arrays["i8_ends"] = np.array([-(2**63), 2**63 - 1])
arrays["u8_end"] = np.array([2**64 - 1], "u8")
arrays["dir/β 1"] = np.array([[7.0]])


class Stream:
    """A file that cannot seek, for which zipfile puts the sizes after the data."""

    read = None  # NumPy takes what has it for a file

    def __init__(self, name):
        self.file = open(name, "wb")

    def write(self, data):
        return self.file.write(data)

    def flush(self):
        self.file.flush()


np.savez(into + "savez.npz", **arrays)
np.savez_compressed(into + "savez_compressed.npz", **arrays)
np.savez(Stream(into + "stream.npz"), W1=np.array([[1.0, 2], [3, 4]]), b1=np.array([[5.0, 6]]))
np.savez_compressed(
    into + "refused.npz",
    rank4=np.zeros((2, 3, 4, 5)),
    object=np.array([None]),
    unicode=np.array(["β", "text"]),
    bytes=np.array([b"text"]),
    record=np.array([(1, 2.0)], [("x", "<i4"), ("y", "<f8")]),
    complex=np.array([1j]),
    time=np.array(["2024-01-01"], "M8[D]"),
    longdouble=np.array([1], "f16"),
)
# Three spiral arms of 30 points each, as someone else's data set might be saved.
turn, arm = np.meshgrid(np.linspace(0.2, 1, 30), range(3))
angle = 2 * np.pi * (turn + arm / 3)
points = np.stack([turn * np.cos(angle), turn * np.sin(angle)], -1).reshape(-1, 2)
np.savez(into + "spirals.npz", points=points.astype("f4"), arm=arm.ravel())
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    for version in (2, 3):
        with open(f"{into}version{version}.npy", "wb") as f:
            np.lib.format.write_array(f, np.array([[1.0, 2], [3, 4]]), (version, 0))
