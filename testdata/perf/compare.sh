#!/usr/bin/env bash
# Times our products, OpenBLAS's and BLIS's in turn and prints, for each shape, the best
# of all rounds in GFLOP/s, our speed divided by theirs, and our share of the processor's
# limit. BLIS_ARCH_TYPE is the number of a kernel in BLIS 0.9: 0 is skx, 3 is haswell.
#
#	apt-get install gcc libopenblas-dev libblis-dev
#	testdata/perf/compare.sh [THREADS [ROUNDS [KERNEL]]]    # 1, 5, AVX-512 or AVX2
set -euo pipefail
cd "$(dirname "$0")/../.."
threads=${1:-1} rounds=${2:-5} kernel=${3:-AVX-512}
case $kernel in
AVX-512) bench='^BenchmarkMul$' openblas=SkylakeX blis=0 peak=avx512 ;;
AVX2) bench='^BenchmarkKernel$/^AVX2$' openblas=Haswell blis=3 peak=avx2 ;;
*) echo "$0: no kernel $kernel: want AVX-512 or AVX2" >&2; exit 2 ;;
esac

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
go test -c -o "$bin/ours" .
for library in openblas blis; do
	gcc -O2 testdata/perf/dgemm.c -o "$bin/$library" -l$library
done
gcc -O3 -march=native testdata/perf/peak.c -o "$bin/peak"

# dgemm.c takes the best of 25 times of a few milliseconds, so ours are short too.
for _ in $(seq "$rounds"); do
	"$bin/peak"
	"$bin/ours" -test.run '^$' -test.bench "$bench" -test.cpu "$threads" -test.benchtime 10ms -test.count 12
	OPENBLAS_CORETYPE=$openblas OPENBLAS_NUM_THREADS=$threads "$bin/openblas" | sed 's/$/ openblas/'
	BLIS_ARCH_TYPE=$blis BLIS_NUM_THREADS=$threads "$bin/blis" | sed 's/$/ blis/'
done | awk -v peak="$peak" -v threads="$threads" '
	function better(of, name, v) { if (v + 0 > of[name] + 0) of[name] = v }
	$1 == peak { if ($2 > limit) limit = $2 }
	/^Benchmark/ {
		for (n = split($1, part, "/"); n > 0; n--) {
			split(part[n], pair, "=")
			value[pair[1]] = pair[2]
		}
		sub(/-[0-9]+$/, "", value["n"])
		name = value["op"] " " value["m"] "×" value["k"] "×" value["n"]
		if (!(name in ours)) order[++count] = name
		better(ours, name, $5)
	}
	/^(NN|TN|NT)\// {
		sub("NN/", "Mul ", $1); sub("TN/", "TMul ", $1); sub("NT/", "MulT ", $1); gsub("x", "×", $1)
		if ($NF == "blis") better(blis, $1, $(NF-1)); else better(openblas, $1, $(NF-1))
	}
	END {
		printf "| product | GFLOP/s | OpenBLAS | ours ÷ OpenBLAS | BLIS | ours ÷ BLIS | of the limit, %.1f |\n|---|---|---|---|---|---|---|\n", limit * threads
		for (i = 1; i <= count; i++) {
			name = order[i]
			printf "| %s | %.1f | %.1f | %.2f | %.1f | %.2f | %.0f %% |\n", name, ours[name], openblas[name], ours[name] / openblas[name],
				blis[name], ours[name] / blis[name], 100 * ours[name] / limit / threads
			a += log(ours[name] / openblas[name])
			b += log(ours[name] / blis[name])
		}
		printf "| geometric mean | | | %.2f | | %.2f | |\n", exp(a / count), exp(b / count)
	}'
