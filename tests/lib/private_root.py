"""A root directory of one's own, in namespaces of its own: what stands in a directory, over the machine's
files, and nothing that is written there reaches the machine."""

import os
import shutil
import subprocess

import processes

# $1: a directory that both sides share, at the same path; /run lies in it as well.  $2: what lies over the
# machine's files.  $3: "cgroup" to have the namespace's own cgroups mounted.  The rest is a command.
ENTER = r"""
set -e
shared=$1 over=$2 cgroup=$3
shift 3
mount --make-rprivate /
mkdir -p "$shared/run" "$shared/layers" "$shared/root"
root=$shared/root
mount -t tmpfs -o mode=755 layers "$shared/layers"
mkdir "$shared/layers/upper" "$shared/layers/work"
cp -a "$over/." "$shared/layers/upper"
mount -t overlay -o "lowerdir=/,upperdir=$shared/layers/upper,workdir=$shared/layers/work" root "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount -t sysfs sys "$root/sys" 2>/dev/null || mount --rbind /sys "$root/sys"
[ -z "$cgroup" ] || mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount --bind "$shared/run" "$root/run"
mkdir -p "$root$shared"
mount --bind "$shared" "$root$shared"
cd "$root"
mkdir -p .machine
/sbin/pivot_root . .machine
umount -l .machine
rmdir .machine
exec "$@"
"""

NAMESPACES = ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"]


def unavailable():
    """Why this user can have no such root here; None where it can."""
    if os.getuid() != 0:
        return "only root can make the namespaces that it takes"
    done = subprocess.run([*NAMESPACES, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          check=False)
    return None if done.returncode == 0 else f"no namespaces here: {done.stderr.strip()}"


class PrivateRoot:
    """shared: a directory that inside has the same path and contents as outside.  `over` (below it) is what a
    caller fills with files by their path in the new root, before enter()."""

    def __init__(self, shared):
        self.shared = shared
        self.over = os.path.join(shared, "over")
        os.makedirs(self.over)
        self.process = None

    def place(self, path, source, mode=0o755):
        """A copy of a file, or the text of one, at a path of the new root."""
        target = self.over + path
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if isinstance(source, bytes):
            with open(target, "wb") as file:
                file.write(source)
        else:
            shutil.copy(source, target)
        os.chmod(target, mode)

    def directory(self, path, mode):
        os.makedirs(self.over + path, exist_ok=True)
        os.chmod(self.over + path, mode)

    def _command(self, arguments, prefix, cgroup, namespaces):
        return [*prefix, *namespaces, *(["--cgroup"] if cgroup else []), "sh", "-c", ENTER, "enter", self.shared,
                self.over, "yes" if cgroup else "", *arguments]

    def enter(self, *arguments, prefix=(), cgroup=False, namespaces=tuple(NAMESPACES), **how):
        """Start a program as process 1 there.  prefix: what runs the whole, from outside."""
        self.process = processes.start(self._command(arguments, prefix, cgroup, namespaces), **how)

    def first(self):
        """The pid of process 1 inside, as it is called outside."""
        return processes.wait_until(lambda: processes.descendants(self.process.pid), "the first process")[0]

    def inside(self, *arguments, namespaces=("--mount", "--pid", "--net", "--ipc", "--uts")):
        """What runs one more command in there, while process 1 lives."""
        return ["nsenter", f"--target={self.first()}", *namespaces, *arguments]

    def path(self, path):
        """A path of the new root, as it is reached from outside."""
        return f"/proc/{self.first()}/root{path}"

    def leave(self):
        """Process 1 is killed, and everything in there with it."""
        if self.process is None:
            return
        processes.kill_all(processes.descendants(self.process.pid) or [self.process.pid])
        self.process.wait(processes.PATIENCE)
        self.process = None
