"""Stand-ins for covdata, for the faults that the real one can't be made to show, and wrappers around the
real one that let a test see or steer it."""

import glob
import os

import processes

# The setting for those that leave marks in files: in the sandbox covdata can change none.
MARKING = {"GOVERAGE_SANDBOX": "off"}


def _script(work, name, text):
    path = os.path.join(work.mkdir("tools"), name)
    with open(path, "w") as out:
        out.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    return path


def hanging(work):
    """Never ends by itself, nor does its child."""
    return _script(work, "hanging", "sleep 1000 &\nexec sleep 1000\n")


def stubborn(work):
    """As hanging, and deaf to SIGTERM."""
    return _script(work, "stubborn", "trap '' TERM\nsleep 1000 &\nwhile :; do sleep 1000; done\n")


def failing(work, words, status=1):
    return _script(work, "failing", f"echo first words >&2\necho {words!r} >&2\nexit {status}\n")


def talkative(work):
    """Fails after 4 MB of words."""
    return _script(work, "talkative", """
i=0
while [ $i -lt 1000 ]; do
	printf '%4096s\\n' x >&2
	i=$((i + 1))
done
echo the very last words >&2
exit 1
""")


def killed(work):
    """Dies of a signal."""
    return _script(work, "killed", "kill -SEGV $$\n")


def gated(work, covdata):
    """(path, directory): the real covdata, but it leaves a file in `directory` when it starts, and goes on
    only once there is a file named "go" there."""
    place = work.mkdir("gate")
    return _script(work, "gated", f"""
touch {place}/started.$$
while [ ! -e {place}/go ]; do sleep 0.05; done
exec {covdata} "$@"
"""), place


def clean_gate(directory):
    """Closed, and nobody has come to it."""
    for name in glob.glob(directory + "/*"):
        os.unlink(name)


def begun(directory, count):
    """Wait until the gated covdata has started so often."""
    processes.wait_until(lambda: len(glob.glob(directory + "/started.*")) >= count, f"{count} covdata to run")


def open_gate(directory):
    with open(directory + "/go", "wb"):
        pass


def spying(work, covdata):
    """(path, file): the real covdata, but what it was handed is written down first: arguments, environment,
    signals; and its open descriptors, in a second file with ".fds" behind its name."""
    place = work.join("spied")
    return _script(work, "spying", f"""
{{
	echo "arguments: $*"
	env | sed 's/^/environment: /'
	while read -r line; do case $line in Sig*) echo "$line" ;; esac; done </proc/$$/status
}} >{place} 2>/dev/null
ls -l /proc/$$/fd >{place}.fds
exec {covdata} "$@"
"""), place


def counted(work, covdata):
    """(path, call): the real covdata, each run of which writes down how many are running; the call gives these
    numbers.  Who starts last sees them all."""
    place = work.mkdir("running")
    counts = work.join("counts")

    def numbers():
        if not os.path.exists(counts):
            return []
        with open(counts) as lines:
            return [int(line) for line in lines]

    return _script(work, "counted", f"""
touch {place}/$$
ls {place} | wc -l >>{counts}
{covdata} "$@"
status=$?
rm {place}/$$
exit $status
"""), numbers


def limited(work, program, words):
    """The program under limits, in the words of ulimit."""
    return _script(work, "limited", f'ulimit {words}\nexec {program} "$@"\n')
