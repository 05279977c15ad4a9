"""wrk at the web servers: the profile beside a static file of the same size from the same server, by turns."""

import contextlib
import os
import subprocess

import processes
import web_server
import wrk
from corpus_bench import PROFILE, corpus

SECONDS = int(os.environ.get("BENCH_LOAD_SECONDS") or 3)
CONNECTIONS = (1, 16, 256)
# the last: whether each request has a connection of its own (Apache closes idle ones when it is busy)
SERVERS = (("lighttpd-fastcgi", None, False), ("apache-fcgid", None, True), ("caddy", "listen-unix", False))
STATIC = "/static.txt"

APACHE = """ServerRoot {directory}
PidFile {directory}/pid
ErrorLog {directory}/error.log
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
User {user}
Group {group}
DocumentRoot {directory}
ServerName localhost
Listen 127.0.0.1:{port}
"""


@contextlib.contextmanager
def static_server(name, server, work, body):
    """The port of the same web server with the file: lighttpd's own, or a second server."""
    directory = server.run_dir if name.startswith("lighttpd") else work.mkdir(f"static-{name}")
    with open(os.path.join(directory, STATIC[1:]), "wb") as out:
        out.write(body)
    if name.startswith("lighttpd"):
        yield server.port
        return
    port = processes.free_ports(1)[0]
    if name.startswith("apache"):
        user, group = ("www-data", "www-data") if os.getuid() == 0 else (f"#{os.getuid()}", f"#{os.getgid()}")
        configuration = os.path.join(directory, "apache.conf")
        with open(configuration, "w") as out:
            out.write(APACHE.format(directory=directory, port=port, user=user, group=group))
        command = ["apache2", "-D", "FOREGROUND", "-f", configuration]
    else:
        command = ["caddy", "file-server", "--root", directory, "--listen", f"127.0.0.1:{port}"]
    env = {"PATH": f"/usr/bin:/bin:{web_server.SBIN}", "XDG_DATA_HOME": directory, "XDG_CONFIG_HOME": directory}
    process = processes.start(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        processes.wait_until(lambda: processes.can_connect(("127.0.0.1", port)), f"{command[0]} to listen")
        yield port
    finally:
        processes.stop(process)


def responders(server):
    """(processes, descriptors, KiB resident) of the program behind the server, in all, once it is idle."""
    pids = [pid for pid in processes.descendants(server.process.pid)
            if os.path.basename(processes.command(pid).split(" ")[0]) == "goverage.fcgi"]
    processes.wait_until(lambda: all(len(os.listdir(f"/proc/{pid}/task")) <= 2 for pid in pids), "idle threads to end")
    return len(pids), sum(map(processes.open_descriptors, pids)), sum(map(processes.resident_kib, pids))


def ratio(one, other):
    return f"{one / other:.2f}" if other else "-"


def words(load):
    refused = load.counts.get("refused", 0)
    return (f"{load.rate:8.0f}/s  p50 {load.p50:7.2f}  p90 {load.p90:7.2f}  p99 {load.p99:7.2f} ms"
            + (f"  {refused} refused" if refused else ""))


def measure(work, server, static_port, connections, close):
    """The static file and the profile, one after the other."""
    static = wrk.run(work, static_port, STATIC, None, connections, SECONDS, method="GET", close=close)
    profile = wrk.run(work, server.port, PROFILE, None, connections, SECONDS, close=close)
    print(f"    {connections:4} connections   profile  {words(profile)}\n"
          f"                       static   {words(static)}\n"
          f"                       profile / static: requests {ratio(profile.rate, static.rate)}, "
          f"p50 {ratio(profile.p50, static.p50)}, p99 {ratio(profile.p99, static.p99)}", flush=True)


def run_server(work, name, backend, close, settings):
    server = web_server.WebServer(name, backend, work, settings)
    try:
        body = server.request("POST", PROFILE, body=b"").body
        print(f"  {name}, {len(body)} bytes", flush=True)
        start = responders(server)
        with static_server(name, server, work, body) as static_port:
            for connections in CONNECTIONS:
                measure(work, server, static_port, connections, close)
        for when, held in (("start", start), ("end", responders(server))):
            print("    at the %s: %d process(es) with %d descriptors, %d KiB resident" % (when, *held), flush=True)
    finally:
        server.stop()


def run(work, covdata):
    print(f"load: {SECONDS} s each", flush=True)
    settings = {"GOCOVERDIR": corpus("small"), "GOVERAGE_COVDATA": work.install(covdata), "GOVERAGE_LIVE": "off"}
    for name, backend, close in SERVERS:
        run_server(work, name, backend, close, settings)
