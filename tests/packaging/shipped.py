"""What an installation consists of, and make, run in the build that is tested."""

import fcntl
import glob
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import go_fixture
import tree
import uuid

# Directories of the tree whose files are all among the examples, by their place there.
EXAMPLES = {"scripts/servers": "", "scripts/containers": "containers", "scripts/systemd": "systemd"}


def examples():
    """The paths below the directory of examples: every file that somebody put into those directories."""
    found = [os.path.join(place, name) for directory, place in EXAMPLES.items()
             for name in os.listdir(os.path.join(tree.SOURCE, directory))]
    assert len(found) > 10, found
    return sorted(found)


def files(root):
    """The paths of all that is no directory, from `root` on."""
    return sorted(os.path.join(directory, name) for directory, folders, names in os.walk(root)
                  for name in names + [f for f in folders if os.path.islink(os.path.join(directory, f))])


def directories(root):
    return sorted(os.path.join(directory, name) for directory, folders, _ in os.walk(root) for name in folders
                  if not os.path.islink(os.path.join(directory, name)))


def make(*arguments):
    """make in the build, as somebody types it, though make itself runs the tests."""
    env = {name: value for name, value in os.environ.items()
           if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "DESTDIR", "TESTS")}
    run("make", "-C", tree.BUILD, *arguments, env=env)


def tarball(directory):
    """make dist; the path of the tarball's copy in `directory`.  One test at a time: all make it in one place."""
    with open(os.path.join(tree.BUILD, "dist.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make("dist")
        newest = max(glob.glob(os.path.join(tree.BUILD, "goverage-fcgi-*.tar.xz")), key=os.path.getmtime)
        return shutil.copy(newest, directory)


def run(*command, **how):
    """A command that has to succeed; what it said."""
    how = {"stdin": subprocess.DEVNULL, "timeout": 900, **how}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          **how)
    said = "\n".join(done.stdout.splitlines()[-30:])
    assert done.returncode == 0, f"{' '.join(command)}: status {done.returncode}\n{said}"
    return done.stdout


def demo():
    """The path of the service of scripts/demo, built with coverage as anybody builds it."""
    program = os.path.join(go_fixture.CACHE, "demo", "shop")
    os.makedirs(os.path.dirname(program), exist_ok=True)
    new = f"{program}.{uuid.uuid4().hex}"
    run(go_fixture.go(), "build", "-cover", "-buildvcs=false", "-o", new, ".",
        cwd=os.path.join(tree.SOURCE, "scripts", "demo"), env=go_fixture.go_environment())
    os.rename(new, program)
    return program
