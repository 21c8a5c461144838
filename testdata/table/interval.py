"""The intervals of cmd/table -interval beside NumPy's around a model of scikit-learn.

    python3 testdata/table/interval.py FOLDER TABLE:TARGET...

needs Go and Debian's python3-sklearn. FOLDER has tables, TABLE.csv.gz; diabetes is scikit-learn's.
With each of ten seeds a quarter of the rows, at most 1,000, are to test on, as many to calibrate on,
and the others to fit on. On the same rows split conformal intervals around HistGradientBoosting with
its defaults are computed in NumPy. As a table of Markdown it prints means over the seeds:

- the share of the test rows that are in their interval; k/(n+1), which it should be if the margin is
  the distance of rank k of n; and by how many standard errors the two differ: how many of a seed's test
  rows are in their interval is beta-binomial, whatever the table and the model;
- the width of the intervals, and relative to those around HistGradientBoosting, with their share;
- if all inputs are numbers and none is missing, the mean width of intervals with a local scale (Lei et
  al. 2018, section 5.2), relative to equal ones. The scale is the deviation of the networks' answers
  for the row, plus its median over the calibration rows.
"""
import io, os, subprocess, sys, tempfile, warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GOMAXPROCS"):
    os.environ[name] = "1"

import numpy as np, pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.preprocessing import OrdinalEncoder

LEVEL, SEEDS = 0.9, range(1, 11)


def members(model, rows):
    """What each network answers, networks × rows, as the README of cmd/table computes it."""
    p, X = np.load(model), []
    for v, edges in zip(rows.to_numpy(float).T, p["edges"]):
        e = edges[~np.isnan(edges)]
        X += [v] + [np.clip((v - a) / (b - a), 0, 1) for a, b in zip(e, e[1:]) if len(e) > 2]
    A = (np.array(X).T - p["mean"]) / p["std"]
    for n in "123":
        A = np.maximum(0, A @ p["W" + n] + p["b" + n])
    return (A @ p["W4"] + p["b4"])[:, :, 0] * p["target_std"] + p["target_mean"]


def margin(off):
    rank = int(np.ceil(LEVEL * (len(off) + 1) - 1e-9))
    return np.sort(off)[rank - 1]


def measure(command, data, target, seed, folder):
    order = np.random.default_rng(seed).permutation(len(data))
    quarter = min(len(data) // 4, 1000)
    test, calibration, fit = (data.iloc[i] for i in (order[:quarter], order[quarter:2 * quarter], order[2 * quarter:]))
    model = folder + "/out/model.npz"
    for part, name in ((fit, "fit"), (calibration, "calibration"), (test, "test")):
        part.to_csv(f"{folder}/{name}.csv", index=False)
    subprocess.run([command, "-target", target, "-test", folder + "/calibration.csv", "-interval", str(LEVEL),
                    "-seed", str(seed), "-out", folder + "/out", folder + "/fit.csv"], check=True, capture_output=True)

    def answers(name):
        run = subprocess.run([command, "-model", model, f"{folder}/{name}.csv"], check=True, capture_output=True, text=True)
        d = pd.read_csv(io.StringIO(run.stdout))
        return [d[f"predicted {target}{end}"].to_numpy(float) for end in ("", " from", " to")]

    truth, (answer, low, high) = test[target].to_numpy(float), answers("test")
    off = abs(calibration[target].to_numpy(float) - answers("calibration")[0])
    assert abs((high - low) / 2 - margin(off)).max() < 1e-4 * abs(answer).max()
    ours = np.mean((low <= truth) & (truth <= high)), 2 * margin(off)

    X = [part.drop(columns=target) for part in (fit, calibration, test)]
    names = [c for c in data.columns.drop(target) if data[c].dtype == object]
    local = np.nan
    if not names and not X[0].isna().any(axis=None):
        known, new = members(model, X[1]), members(model, X[2])
        assert abs(new.mean(axis=0) - answer).max() < 1e-4 * abs(answer).max()
        least = np.median(known.std(axis=0))
        local = 2 * margin(off / (known.std(axis=0) + least)) * np.mean(new.std(axis=0) + least) / ours[1]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan).fit(X[0][names].astype(str))
    X = [np.hstack([encoder.transform(x[names].astype(str)), x.drop(columns=names).to_numpy(float)]) for x in X]
    trees = HistGradientBoostingRegressor(random_state=0, categorical_features=list(range(len(names))) or None)
    trees.fit(X[0], fit[target])
    theirs = margin(abs(calibration[target] - trees.predict(X[1])))
    return *ours, ours[1] / (2 * theirs), np.mean(abs(truth - trees.predict(X[2])) <= theirs), local


def main():
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        command = folder + "/table"
        subprocess.run(["go", "build", "-o", command, "./cmd/table"], check=True)
        print("| table, target | rows | share | expected | standard errors | width | relative | share | local scale |")
        print("|---|---|---|---|---|---|---|---|---|")
        for name, target in (word.split(":") for word in sys.argv[2:]):
            data = (load_diabetes(as_frame=True, scaled=False).frame if name == "diabetes"
                    else pd.read_csv(f"{sys.argv[1]}/{name}.csv.gz"))
            rows = [measure(command, data, target, seed, folder) for seed in SEEDS]
            share, width, relative, trees, local = np.mean(rows, axis=0)
            n = min(len(data) // 4, 1000)  # rows to calibrate on, and as many to test on
            k = np.ceil(LEVEL * (n + 1) - 1e-9)
            expected, b = k / (n + 1), n + 1 - k
            deviation = np.sqrt(k * b * (2 * n + 1) / (n * (n + 1) ** 2 * (n + 2)) / len(SEEDS))
            print(f"| {name}, {target} | {len(data)} | {share:.3f} | {expected:.3f} | {(share - expected) / deviation:+.1f}"
                  f" | {width:.4g} | {relative:.2f} | {trees:.3f} | {local:.3f} |", flush=True)


main()
