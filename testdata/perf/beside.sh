#!/bin/sh
# Times the article's run on MNIST beside other work, each program in turn, and prints the median in seconds:
#
#	sh testdata/perf/beside.sh DIR ROUNDS TRAIN…
#
# DIR has MNIST's files, and each TRAIN is a compiled cmd/train. It takes about 2 minutes a round for each.
set -eu
dir=$1 rounds=$2
shift 2
out=$(mktemp -d)
trap 'kill $others 2>/dev/null; rm -rf "$out"' EXIT
others=

# once TRAIN prints how long one run takes, and twice TRAIN how long two at once.
now() { date +%s.%N; }
go() { "$1" -data "$dir" -limit 5000 -holdout 0.2 -out "$out/$2" >/dev/null 2>&1; rm -rf "${out:?}/$2"; }
once() { from=$(now); go "$1" a; echo "$(now) - $from" | bc; }
twice() { from=$(now); go "$1" a & go "$1" b; wait $!; echo "$(now) - $from" | bc; }

# measure HOW WHAT prints for each program the median of some rounds.
measure() {
	for round in $(seq "$rounds"); do
		for train; do "$how" "$train" >>"$out/$(basename "$train").times"; done
	done
	for train; do
		sort -n "$out/$(basename "$train").times" | awk -v what="$what" -v train="$train" \
			'{ t[NR] = $1 } END { printf "%-32s %-20s %.2f\n", what, train, t[int((NR + 1) / 2)] }'
		rm "$out/$(basename "$train").times"
	done
}
busy() { nice -n "$1" sh -c 'while :; do :; done' & others="$others $!"; }

how=once what=alone measure "$@"
how=twice what='two at once' measure "$@"
export GOMAXPROCS=64
how=once what='alone, GOMAXPROCS=64' measure "$@"
export GOMAXPROCS=1
how=once what='alone, GOMAXPROCS=1' measure "$@"
unset GOMAXPROCS
busy 0
how=once what='beside a busy process' measure "$@"
export GOMAXPROCS=1
how=once what='the same, GOMAXPROCS=1' measure "$@"
unset GOMAXPROCS
kill $others
others=
for i in 1 2 3 4; do busy 10; done
how=once what='beside four at nice 10' measure "$@"
export GOMAXPROCS=1
how=once what='the same, GOMAXPROCS=1' measure "$@"
