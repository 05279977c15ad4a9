"""Real Go programs, built with `go build -cover`, the coverage files that they leave behind, and covdata's
own textfmt of them, which is what the program under test is measured by.

What is built is kept for all tests together: in the build directory, or in GOVERAGE_FIXTURES, so that several
builds of the program under test can share it."""

import contextlib
import fcntl
import functools
import os
import shutil
import subprocess

import tap
import tree
import uuid

CACHE = os.environ.get("GOVERAGE_FIXTURES") or os.path.join(tree.BUILD, "tests", "fixtures")

# The release whose covdata comes prebuilt, and the newest one, where it does not.
RELEASE = "1.23"
NEWEST = "1.27"

# A directory name on which a pattern like (.*a){12}$ costs more than any budget allows.
LONG_NAME = "a" * 60

SHOP = {
    "go.mod": "module example.com/shop\n\ngo 1.20\n",
    "main.go": """package main

import (
	"os"

	"example.com/shop/cart"
	"example.com/shop/%s"
	"example.com/shop/tax"
)

func main() {
	c := cart.New(cart.Mock{})
	for range os.Args {
		c.Add(2, 300)
	}
	if c.Empty() {
		panic("the cart is empty")
	}
	if long.Twice(int(tax.Of(c.Sum()))) == 0 {
		os.Exit(1)
	}
}
""" % LONG_NAME,
    "cart/cart.go": """package cart

type Stock interface{ Has(n int) bool }

type Cart struct {
	stock Stock
	sum   int
}

func New(s Stock) *Cart { return &Cart{stock: s} }

func (c *Cart) Add(n, price int) bool {
	if !c.stock.Has(n) {
		return false
	}
	for i := 0; i < n; i++ {
		c.sum += price
	}
	return true
}

func (c *Cart) Empty() bool { return c.sum == 0 }

func (c *Cart) Sum() int { return c.sum }

func (c *Cart) Drop() {
	c.sum = 0
}
""",
    "cart/cart_mock.go": """package cart

type Mock struct{}

func (Mock) Has(n int) bool {
	if n < 0 {
		return false
	}
	return true
}
""",
    "tax/tax.go": """package tax

func Of(sum int) float64 {
	switch {
	case sum > 100000:
		return 0.3 * float64(sum)
	case sum > 100:
		return 0.2 * float64(sum)
	}
	return 0
}
""",
    LONG_NAME + "/long.go": "package long\n\nfunc Twice(n int) int { return 2 * n }\n",
}

TILL = {
    "go.mod": "module example.com/till\n\ngo 1.20\n",
    "main.go": """package main

func main() {
	if ring(1) != 1 {
		panic("no bell")
	}
}

func ring(n int) int { return n }
""",
}


def functions(first, end):
    return "package main\n" + "".join(
        "\nfunc f%d(n int) int {\n\tif n > 1 {\n\t\treturn 2\n\t}\n\treturn n\n}\n" % i
        for i in range(first, end))


# Its profile, some 600 KB, is larger than what a socket takes without a reader.
WIDE = {
    "go.mod": "module example.com/wide\n\ngo 1.20\n",
    "main.go": "package main\n\nfunc main() { f0(1) }\n",
    "few.go": functions(0, 2000),
    "more.go": functions(2000, 5000),
}

MODULES = {"shop": SHOP, "till": TILL, "wide": WIDE}


class Unavailable(Exception):
    """This machine has no such Go release; the message says why."""


@contextlib.contextmanager
def locked(directory=CACHE):
    """Tests run side by side, and build the same things in the same places."""
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.lru_cache(None)
def _toolchain(*args):
    script = os.path.join(tree.SOURCE, "scripts", "go-toolchain")
    done = subprocess.run([script, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=900)
    if done.returncode != 0:
        raise Unavailable(f"scripts/go-toolchain {' '.join(args)}: {done.stderr.strip()[-300:]}")
    return done.stdout.strip().splitlines()[-1]


def go(release=RELEASE):
    """The path of the go command of a release."""
    with locked():
        return _toolchain(release)


def covdata(release=RELEASE):
    """The path of the covdata program of a release."""
    with locked():
        return _toolchain("--covdata", release)


def covdata_or_skip():
    """As covdata(); where there is none the test program says so, and ends."""
    try:
        return covdata()
    except Unavailable as error:
        tap.skip_all(error)


def go_environment():
    """Nothing of the person's own configuration, and no network."""
    home = os.path.join(CACHE, "home")
    os.makedirs(home, exist_ok=True)
    return {"PATH": "/usr/bin:/bin", "HOME": home, "GOCACHE": os.path.join(CACHE, "gocache"),
            "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GO111MODULE": "on",
            "GOENV": "off", "CGO_ENABLED": "0"}


def build(module, mode, release=RELEASE):
    """The path of a covered program: a module of MODULES, a counter mode, a Go release."""
    command = go(release)
    name = f"{module}-{mode}-{release}"
    with locked():
        program = os.path.join(CACHE, name, module)
        if os.path.exists(program):
            return program
        source = os.path.join(CACHE, name, "src")
        shutil.rmtree(os.path.join(CACHE, name), ignore_errors=True)
        for file, text in MODULES[module].items():
            path = os.path.join(source, file)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as out:
                out.write(text)
        subprocess.run([command, "build", "-cover", f"-covermode={mode}", "-coverpkg=./...",
                        "-o", program + ".new", "."], cwd=source, env=go_environment(), check=True,
                       timeout=600)
        os.rename(program + ".new", program)
        return program


def run(program, directory, *args):
    """Let a covered program leave its files in `directory`."""
    os.makedirs(directory, exist_ok=True)
    subprocess.run([program, *args], env={"GOCOVERDIR": directory}, check=True, timeout=60)


def textfmt(directories, release=RELEASE):
    """What covdata says: the profile as bytes."""
    return textfmt_by(covdata(release), directories)


def textfmt_by(tool, directories):
    output = os.path.join(CACHE, f"textfmt.{uuid.uuid4().hex}")
    try:
        subprocess.run([tool, "textfmt", f"-i={directories}", f"-o={output}"], check=True, timeout=60,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(output, "rb") as text:
            return text.read()
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(output)


def files(directory, kind):
    """The names of the coverage files of a kind ("covmeta", "covcounters") in a directory."""
    return sorted(name for name in os.listdir(directory) if name.startswith(kind + "."))


class Scenes:
    """Coverage directories in the states that a server meets, each made when it is first asked for.  One of
    them at a time stands at `path`, which is GOCOVERDIR for the server under test."""

    NAMES = ("good", "two-programs", "meta-only", "empty", "missing", "mixed-modes", "damaged")

    def __init__(self, work, release=RELEASE):
        self.work = work
        self.release = release
        self.path = work.join("coverage")
        self.current = None
        self.profiles = {}

    def _made(self, name):
        directory = self.work.join(f"scene-{name}")
        if os.path.isdir(directory) or name == "missing":
            return directory
        new = directory + ".new"
        os.mkdir(new)
        if name not in ("empty",):
            shop = build("shop", "atomic", self.release)
            run(shop, new)
            run(shop, new, "more", "arguments")
        if name == "two-programs":
            run(build("till", "atomic", self.release), new)
        if name == "meta-only":
            for counters in files(new, "covcounters"):
                os.unlink(os.path.join(new, counters))
        if name == "mixed-modes":
            run(build("till", "set", self.release), new)
        self.profiles[name] = b"" if name == "mixed-modes" else textfmt(new, self.release)
        if name == "damaged":
            self._damage(new)
        os.rename(new, directory)
        return directory

    @staticmethod
    def _damage(directory):
        """A third counter file, cut off in the middle: the good ones are still worth reading."""
        whole = files(directory, "covcounters")[0]
        with open(os.path.join(directory, whole), "rb") as source:
            data = source.read()
        stem, pid, time = whole.rsplit(".", 2)
        with open(os.path.join(directory, f"{stem}.{pid}.{int(time) + 1}"), "wb") as target:
            target.write(data[:len(data) // 2])

    def enter(self, name):
        """Put this scene at `path`; gives covdata's profile of what is good in it."""
        if self.current != name:
            if self.current not in (None, "missing"):
                os.rename(self.path, self.work.join(f"scene-{self.current}"))
            self.current = "missing"
            directory = self._made(name)
            if name != "missing":
                os.rename(directory, self.path)
            self.current = name
        return self.profiles.get(name, b"")


def filtered(profile, skip=(), cover=()):
    """The profile without the files that match a pattern of skip; of cover, only those that match one.  For
    patterns that mean the same to Python as to Go."""
    import re
    lines = profile.splitlines(keepends=True)
    kept = lines[:1]
    for line in lines[1:]:
        path = line.split(b":")[0].decode()
        if cover and not any(re.search(p, path) for p in cover):
            continue
        if not any(re.search(p, path) for p in skip):
            kept.append(line)
    return b"".join(kept)
