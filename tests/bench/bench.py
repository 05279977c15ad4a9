#!/usr/bin/python3
"""make bench: this program beside bare covdata on the same directories, in the same run.

Nothing is asserted: machines are noisy.  The commands take turns, round by round, and each ratio is the median of
the ratios of its rounds, so that a machine that slows down slows both."""

import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import cgi_client  # noqa: E402
import fastcgi_client  # noqa: E402
import go_fixture  # noqa: E402
import processes  # noqa: E402
import tree  # noqa: E402

CORPORA = ("small", "medium", "large")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
MIB = 1 << 20


def corpus(name):
    """The directory of a corpus; it is built at the first time, offline, from the Go tree's own commands."""
    script = os.path.join(tree.SOURCE, "tests", "bench", "corpora")
    place = os.environ.get("GOVERAGE_CORPORA") or os.path.join(tree.BUILD, "tests", "corpora")
    subprocess.run([script, place, name], stdout=subprocess.DEVNULL, check=True)
    return os.path.join(place, name)


def timed(call):
    start = time.perf_counter()
    value = call()
    return time.perf_counter() - start, value


def run_covdata(covdata, directory, output):
    """Bare covdata, as a person would run it; gives its peak resident memory in bytes."""
    process = subprocess.Popen([covdata, "textfmt", f"-i={directory}", f"-o={output}"])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"covdata ended with {process.returncode}"
    return usage.ru_maxrss * 1024


def peak_resident(pid):
    """Of the process itself, in bytes."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def row(what, seconds, ratios, note=""):
    middle = statistics.median(seconds) * 1e3
    ratio = f"{statistics.median(ratios):6.3f}" if ratios else "     1"
    print(f"  {what:<26} {middle:9.1f} ms   {ratio} x covdata   {note}", flush=True)


def settings_for(covdata, directory):
    return {"PATH": "/usr/bin:/bin", "GOCOVERDIR": directory, "GOVERAGE_COVDATA": covdata,
            "GOVERAGE_LIVE": "off", "GOVERAGE_TIMEOUT": "300"}


def bench_corpus(name, work, covdata):
    directory = corpus(name)
    settings = settings_for(covdata, directory)
    output = work.join("profile")
    pattern = b'{"skipFile":["_test\\\\.go$","/internal/"]}'
    times = {"covdata": [], "cgi": [], "fcgi": [], "filtered": []}
    with processes.Listener(work.program, settings, work.join(f"{name}.sock"), work.join("log")) as server:
        for warm_up in [True] + [False] * ROUNDS:
            seconds, covdata_peak = timed(lambda: run_covdata(covdata, directory, output))
            with open(output, "rb") as text:
                oracle = text.read()
            taken = {"covdata": seconds}
            taken["cgi"], by_cgi = timed(lambda: cgi_client.request(work.cgi, settings))
            taken["fcgi"], by_fcgi = timed(lambda: fastcgi_client.request(server.address))
            taken["filtered"], _ = timed(lambda: fastcgi_client.request(server.address, body=pattern))
            assert by_cgi.body == oracle and by_fcgi.body == oracle, "not covdata's bytes"
            if not warm_up:
                for key, value in taken.items():
                    times[key].append(value)
        peak = peak_resident(server.pid)
    ratios = {key: [mine / bare for mine, bare in zip(values, times["covdata"])]
              for key, values in times.items()}
    print(f"{name}: {len(os.listdir(directory))} files, {len(oracle) / MIB:.1f} MiB of profile, "
          f"{ROUNDS} rounds")
    row("covdata textfmt", times["covdata"], None, f"peak {covdata_peak / MIB:.0f} MiB")
    row("CGI", times["cgi"], ratios["cgi"])
    row("FastCGI", times["fcgi"], ratios["fcgi"],
        f"peak of the responder {peak / MIB:.1f} MiB: the answer + {(peak - len(oracle)) / MIB:.1f} MiB")
    row("FastCGI, two patterns", times["filtered"], ratios["filtered"])


def main():
    covdata = go_fixture.covdata()
    with tree.WorkDirectory() as work:
        for name in sys.argv[1:] or CORPORA:
            bench_corpus(name, work, covdata)
    return 0


if __name__ == "__main__":
    sys.exit(main())
