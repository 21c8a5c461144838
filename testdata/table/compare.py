"""cmd/table beside scikit-learn's MLPClassifier and MLPRegressor, all three with their defaults.

    python3 testdata/table/compare.py

needs Go and Debian's python3-sklearn. For each of five tables of scikit-learn and each of
ten seeds it makes one split, a fifth of the rows to test on, and both train on the same
rows and are tested on the same rows. For scikit-learn the inputs, and the target of
MLPRegressor, are standardized by the training rows, as cmd/table does. Both have one
thread. Of the time of training, scikit-learn's fit and what cmd/table says after "trained
in", it takes the least of three runs, because a machine may be busy with other work. It
prints the mean over the seeds, as a table of Markdown.
"""
import csv, os, re, subprocess, sys, tempfile, time, warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GOMAXPROCS"):
    os.environ[name] = "1"

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

TABLES = [("iris", datasets.load_iris), ("wine", datasets.load_wine), ("breast cancer", datasets.load_breast_cancer),
          ("digits, 8×8", datasets.load_digits), ("diabetes", datasets.load_diabetes)]
SEEDS, REPEATS = range(1, 11), 3


def write(name, columns, X, y):
    with open(name, "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(columns + ["target"])
        w.writerows(list(x) + [v] for x, v in zip(X, y))


def ours(command, folder, seed, number):
    """The score on the test rows and the seconds of training, and those of the process."""
    args = [command, "-target", "target", "-test", folder + "/test.csv", "-out", folder + "/out", "-seed", str(seed)]
    training, process = [], []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        run = subprocess.run(args + [folder + "/train.csv"], capture_output=True, text=True, check=True)
        process.append(time.perf_counter() - begin)
        number_of, unit = re.search(r"trained in ([\d.]+)(m?s)", run.stderr).groups()
        training.append(float(number_of) / (1000 if unit == "ms" else 1))
    score = re.search(r"R² (\S+)," if number else r"Accuracy: (\S+)", run.stdout)[1]
    return float(score), min(training), min(process)


def theirs(seed, number, X, y, Xt, yt):
    scaler = StandardScaler().fit(X)
    if number:
        mean, std = y.mean(), y.std()
        y, yt = (y - mean) / std, (yt - mean) / std
    X, Xt, times = scaler.transform(X), scaler.transform(Xt), []
    for _ in range(REPEATS):
        model = (MLPRegressor if number else MLPClassifier)(random_state=seed)
        begin = time.perf_counter()
        model.fit(X, y)
        times.append(time.perf_counter() - begin)
    return model.score(Xt, yt), min(times)


def main():
    warnings.simplefilter("ignore")  # the default of 200 epochs is too few for it to converge
    with tempfile.TemporaryDirectory() as folder:
        command = folder + "/table"
        subprocess.run(["go", "build", "-o", command, "./cmd/table"], check=True)
        print("| table | scikit-learn | cmd/table | seconds of training: scikit-learn | cmd/table | quotient | seconds of cmd/table's process |")
        print("|---|---|---|---|---|---|---|")
        for name, load in TABLES:
            data, number, rows = load(), name == "diabetes", []
            names = data.target if number else np.array([str(n) for n in data.target_names])[data.target]
            if name.startswith("digits"):
                names = np.array(["digit " + n for n in names])
            for seed in SEEDS:
                train, test = train_test_split(np.arange(len(data.target)), test_size=0.2, random_state=seed,
                                               stratify=None if number else data.target)
                for part, rows_of in (("train", train), ("test", test)):
                    write(f"{folder}/{part}.csv", [str(n) for n in data.feature_names], data.data[rows_of], names[rows_of])
                rows.append(theirs(seed, number, data.data[train], data.target[train], data.data[test], data.target[test])
                            + ours(command, folder, seed, number))
            score, fit, our_score, training, process = np.mean(rows, axis=0)
            print(f"| {name} | {score:.4f} | {our_score:.4f} | {fit:.4f} | {training:.4f} | {fit / training:.1f} | {process:.3f} |", flush=True)


main()
