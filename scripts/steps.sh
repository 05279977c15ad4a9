# Steps, suites and what they counted: how scripts/check runs things and tells of them.  To be read in by the . of
# a shell that has set root, build (the ordinary one), logs and jobs.

passed=0
failed=0
skipped=0

announce() {
	printf '%-44s ' "$1"
}

tail_of() {
	echo "    --- the end of $1:"
	tail -n "${2:-40}" "$1" | sed 's/^/    /'
}

# step NAME COMMAND...: one test; its output goes to a log that is shown if it fails.
step() {
	local name=$1 log=$logs/${1// /-}.log started=$SECONDS
	shift
	announce "$name"
	if "$@" >"$log" 2>&1 </dev/null; then
		passed=$((passed + 1))
		echo "passed ($((SECONDS - started)) s)"
	else
		failed=$((failed + 1))
		echo "FAILED ($((SECONDS - started)) s)"
		tail_of "$log"
		return 1
	fi
}

# --- what the harness of automake left --------------------------------------------------------------

# left_in DIRECTORY NAME: files of that name that the tests of a build left; the builds inside build/ are others.
left_in() {
	find "$1" -path "$1/check" -prune -o -path "$1/tests/fixtures" -prune -o -path '*/tests/*' -name "$2" -type f \
		-print
}

# results DIRECTORY: one word for each test that the harness ran there.
results() {
	left_in "$1" '*.trs' | xargs -r -d '\n' sed -n 's/^:test-result: *\([A-Z]*\).*/\1/p'
}

# bad_logs DIRECTORY: the logs of the tests that failed or were skipped.
bad_logs() {
	left_in "$1" '*.trs' | xargs -r -d '\n' grep -l -E '^:test-result: *(FAIL|XPASS|ERROR|SKIP)' |
		sed 's/\.trs$/.log/'
}

# took NAME DIRECTORY: how long each test took there, as tests/lib/timed wrote it.
took() {
	left_in "$2" '*.trs' | sed 's/\.trs$/.log/' | xargs -r -d '\n' awk -v suite="$1" -v dir="$2/" '
		/^# took [0-9.]+ s, worked [0-9.]+ \+ [0-9.]+ s$/ {
			name = substr(FILENAME, length(dir) + 1)
			sub(/\.log$/, "", name)
			printf "%8.1f %8.1f   %s (%s)\n", $3, $6 + $8, name, suite
		}' >>"$logs/took"
}

# slowest: of all the tests that were run.
slowest() {
	[ -s "$logs/took" ] || return 0
	printf '\nThe slowest tests, in seconds:\n    took   worked\n'
	sort -rn "$logs/took" | sed 20q
	awk '{ took += $1; worked += $2 } END { printf "%8.1f %8.1f   all %d\n\n", took, worked, NR }' "$logs/took"
}

# show_bad NAME DIRECTORY
show_bad() {
	local log
	bad_logs "$2" >"$logs/bad"
	while read -r log; do
		echo "    --- $log:"
		grep -E '^(not ok|Bail out)|# SKIP' "$log" | sed 's/^/    /'
		tail_of "$log" 15
	done <"$logs/bad"
}

# count NAME DIRECTORY STATUS: adds what the harness left there; the status is that of make check.
count() {
	local name=$1 dir=$2 status=$3 good bad none
	good=$(results "$dir" | grep -c -E '^(PASS|XFAIL)$')
	bad=$(results "$dir" | grep -c -E '^(FAIL|XPASS|ERROR)$')
	none=$(results "$dir" | grep -c '^SKIP$')
	if [ "$((good + bad + none))" -eq 0 ] || { [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
		bad=$((bad + 1)) # something outside the tests is wrong
	fi
	passed=$((passed + good))
	failed=$((failed + bad))
	skipped=$((skipped + none))
	echo "$good passed, $bad failed, $none skipped ($((SECONDS - started)) s)"
	took "$name" "$dir"
	show_bad "$name" "$dir"
	[ "$bad" -eq 0 ] || [ -s "$logs/bad" ] || {
		grep -E 'error:|\*\*\* ' "$logs/$name.log" | head -n 20 | sed 's/^/    /'
		tail_of "$logs/$name.log"
	}
}

# --- builds and their tests -------------------------------------------------------------------------

# build_in DIRECTORY TARGET [CONFIGURE-ARGUMENT...]
build_in() (
	dir=$1
	target=$2
	shift 2
	mkdir -p "$dir" &&
		cd "$dir" &&
		"$root/configure" --enable-werror "$@" &&
		make -j"$jobs" "$target"
)

# suite NAME DIRECTORY SIDE-BY-SIDE TESTS [CONFIGURE-ARGUMENT...]: a build of its own, and these of its tests, so
# many of them at once; the slow ones begin, or they would be what is waited for at the end.  A TESTS is expanded by
# make.  Fails where there is no build to test.
suite() {
	local name=$1 dir=$2 side_by_side=$3 tests started
	tests="\$(filter $4,$slow_tests) \$(filter-out $slow_tests,$4)"
	shift 4
	step "$name build" build_in "$dir" all "$@" || return
	step "$name build of the tests" make -C "$dir" -j"$jobs" check TESTS= || return
	left_in "$dir" '*.trs' | xargs -r -d '\n' rm -f
	announce "$name tests"
	started=$SECONDS
	make -C "$dir" -k -j"$side_by_side" check "TESTS=${tests//[$'\n\t']/ }" >"$logs/$name.log" 2>&1 </dev/null
	count "$name" "$dir" $?
	return 0
}
