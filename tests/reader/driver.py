"""The built-in reader as a program (read_textfmt.c), and covdata beside it."""

import os
import resource
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import tree

PROGRAM = os.environ.get("READ_TEXTFMT") or os.path.join(tree.BUILD, "tests", "reader", "read_textfmt")


class Answer:
    """What the reader says: a profile with words about it, or an error."""

    def __init__(self, words, text, error=None):
        self.text = text
        self.error = error  # "STATUS MESSAGE"
        self.words = dict(word.split("=", 1) for word in words.split() if "=" in word)

    def number(self, word):
        return int(self.words[word])

    def profile(self):
        assert self.error is None, f"the reader says: {self.error}"
        return self.text


def read(dirs, *options):
    """A process of its own, as under CGI."""
    done = subprocess.run([PROGRAM, *options, dirs], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120)
    said = done.stderr.decode("utf-8", "replace")
    assert done.returncode in (0, 1), f"the reader ended with {done.returncode}: {said[-2000:]}"
    lines = [line for line in said.splitlines() if line.startswith(("programs=", "error "))]
    assert lines, f"the reader says nothing: {said[-2000:]}"
    if done.returncode:
        return Answer("", b"", lines[-1][len("error "):])
    return Answer(lines[-1], done.stdout)


class Server:
    """One process that keeps its state from request to request, as under FastCGI."""

    def __init__(self, dirs, *options):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([PROGRAM, "--serve", *options, dirs], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.stdin.close()
        status = self.process.wait(timeout=60)
        self.log.seek(0)
        said = self.log.read()
        self.log.close()
        self.process.stdout.close()
        if exc[0] is None:
            assert status == 0, f"the reader ended with {status}: {said[-2000:]}"

    def ask(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        head = self.process.stdout.readline().decode("utf-8", "replace").strip()
        if head.startswith("error "):
            return Answer("", b"", head[len("error "):])
        assert head.startswith("ok "), f"the reader is gone: {head}"
        size = int(head.split()[1])
        text = self.process.stdout.read(size)
        assert len(text) == size, "the reader broke off"
        return Answer(head, text)

    def poll(self):
        return self.ask("poll")


def covdata(tool, dirs):
    """(exit status, text) of covdata textfmt.  Damaged files can make it allocate and loop for minutes."""
    with tempfile.NamedTemporaryFile(prefix="goverage-textfmt-") as out:
        try:
            done = subprocess.run([tool, "textfmt", f"-i={dirs}", f"-o={out.name}"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=10,
                                  env={"GOMAXPROCS": "1", "GOTRACEBACK": "none"}, preexec_fn=_limits)
        except subprocess.TimeoutExpired:
            return -1, b""
        with open(out.name, "rb") as text:
            return done.returncode, text.read()


def _limits():
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
