"""Small real web services in Go that are built as anybody builds them, run, and are asked for pages."""

import http.client
import os
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import go_fixture
import processes
import uuid

# main returns when standard input is closed, and no block begins after that: what was counted before it is
# what the exit file says.
FILES = {
    "go.mod": "module example.com/{name}\n\ngo 1.20\n",
    "main.go": """package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, routes())
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	io.Copy(io.Discard, os.Stdin)
}
""",
    "routes.go": """package main

import (
	"fmt"
	"net/http"
	"strconv"

	"example.com/{name}/stock"
)

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/price", price)
	mux.HandleFunc("/primes", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, len(stock.Primes(number(r, "below"))))
	})
	return mux
}

func number(r *http.Request, name string) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil {
		return 0
	}
	return n
}

func price(w http.ResponseWriter, r *http.Request) {
	sum, err := stock.Price(number(r, "pieces"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, sum)
}
""",
    "stock/stock.go": """package stock

import "errors"

// Price of some pieces, in cents.
func Price(pieces int) (int, error) {
	switch {
	case pieces <= 0:
		return 0, errors.New("how many?")
	case pieces < 10:
		return 300 * pieces, nil
	case pieces < 100:
		return 250 * pieces, nil
	}
	return bulk(pieces), nil
}

func bulk(pieces int) int {
	return 200 * pieces
}
""",
    "stock/primes.go": """package stock

import "sync"

// Primes has no business here but to be at work, in several goroutines.
func Primes(below int) []int {
	var (
		wait  sync.WaitGroup
		parts [4][]int
	)
	for i := range parts {
		wait.Add(1)
		go func(part int) {
			defer wait.Done()
			for n := 2 + part; n < below; n += len(parts) {
				if prime(n) {
					parts[part] = append(parts[part], n)
				}
			}
		}(i)
	}
	wait.Wait()
	var all []int
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

func prime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return true
}
""",
}

# What the pages are asked for, in turns: some paths are taken late and seldom.
PAGES = ("/price?pieces=3", "/primes?below=500", "/price?pieces=30", "/primes?below=2000", "/price",
         "/price?pieces=300", "/nowhere")


def build(name, mode, release):
    """The path of the program: go build -cover -ldflags="-s -w", kept for all tests."""
    command = go_fixture.go(release)
    directory = os.path.join(go_fixture.CACHE, f"http-{name}-{mode}-{release}")
    program = os.path.join(directory, name)
    with go_fixture.locked(directory):
        if os.path.exists(program):
            return program
        source = source_of(name, directory)
        new = f"{program}.{uuid.uuid4().hex}"
        subprocess.run([command, "build", "-cover", f"-covermode={mode}", "-ldflags=-s -w", "-o", new, "."],
                       cwd=source, env=dict(go_fixture.go_environment(), GOFLAGS="-mod=mod -buildvcs=false"),
                       check=True, timeout=900)
        os.rename(new, program)
    return program


def source_of(name, directory):
    """Write the sources below the directory; their path."""
    source = os.path.join(directory, "src")
    for file, text in FILES.items():
        path = os.path.join(source, file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text.replace("{name}", name))
    return source


class Service:
    """A running service; end() lets it return from main."""

    def __init__(self, program, gocoverdir, prefix=()):
        self.process = processes.start([*prefix, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, cwd="/",
                                       env={"PATH": "/usr/bin:/bin", "GOCOVERDIR": gocoverdir})
        self.pid = self.process.pid
        self.port = int(self.process.stdout.readline() or 0)
        assert self.port, "the service did not start"

    def get(self, *pages):
        """Ask for pages, one after the other, on one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=processes.PATIENCE)
        for page in pages:
            ask(connection, page)
        connection.close()

    def end(self):
        """Its exit status."""
        if self.process.poll() is None:
            self.process.stdin.close()
        status = self.process.wait(processes.PATIENCE)
        self.process.stdout.close()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
        self.end()


def ask(connection, page):
    connection.request("GET", page)
    connection.getresponse().read()


class Load:
    """A thread that asks a service for page after page, until the end of the with statement, when the last
    answer is there.  At first it asks for one page alone; open() adds the next one."""

    def __init__(self, service):
        self.service = service
        self.answers = 0
        self.failure = None
        self._reach = 1
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=processes.PATIENCE)
        try:
            while not self._stop.is_set():
                ask(connection, PAGES[self.answers % self._reach])
                self.answers += 1
        except OSError as error:
            self.failure = error
        finally:
            connection.close()

    def open(self):
        """One page more, which has been asked for when this returns."""
        self._reach = min(self._reach + 1, len(PAGES))
        target = self.answers + self._reach + 1
        processes.wait_until(lambda: self.answers >= target or self.failure, "the service under load")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, *rest):
        self._stop.set()
        self._thread.join()
        assert kind or not self.failure, f"the service under load: {self.failure}"
