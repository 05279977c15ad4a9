"""A real web server, started by scripts/servers/run, exactly as an operator would."""

import os
import re
import shutil
import subprocess
import tempfile

import http_client
import processes
import tree

RUN = os.path.join(tree.SOURCE, "scripts", "servers", "run")
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"

# The servers, and what must be installed for each.
PROGRAMS = {"apache-fcgid": ("apache2", "/usr/lib/apache2/modules/mod_fcgid.so"),
            "apache-cgid": ("apache2",), "apache-proxy-fcgi": ("apache2", "spawn-fcgi"),
            "lighttpd-fastcgi": ("lighttpd",), "lighttpd-cgi": ("lighttpd",),
            "lighttpd-spawn-fcgi": ("lighttpd", "spawn-fcgi"), "caddy": ("caddy", "spawn-fcgi"),
            "nginx": ("nginx", "spawn-fcgi")}


def missing(*programs):
    """The first of these programs (or files, by their path) that is not installed, or None."""
    path = os.environ.get("PATH", "/usr/bin:/bin") + ":" + SBIN
    return next((name for name in programs
                 if not (os.path.exists(name) if "/" in name else shutil.which(name, path=path))), None)


COMMENT = re.compile(r"^(\s*)#(\S)")


def turn_on(text, heading):
    """The configuration with the lines below the heading as no comments; how many these were."""
    lines, found, on = [], 0, False
    for line in text.split("\n"):
        on = line.strip().startswith(heading) or (on and COMMENT.match(line) is not None)
        if on and COMMENT.match(line):
            line, found = COMMENT.sub(r"\1\2", line), found + 1
        lines.append(line)
    return "\n".join(lines), found


def copy_of_scripts(work):
    """A copy of the scripts and configurations that every user may read."""
    place = tempfile.mkdtemp(prefix="servers", dir=work.path)
    shutil.copytree(os.path.dirname(RUN), place, dirs_exist_ok=True)
    os.chmod(place, 0o755)
    return place


def scripts_with(heading, work, names):
    """A copy of the scripts and configurations, with the lines below the heading turned on in those of the
    servers `names`; scripts/servers/run in it."""
    place = copy_of_scripts(work)
    for name in names:
        for path in (os.path.join(place, name + ending) for ending in (".conf", ".Caddyfile")):
            if os.path.exists(path):
                with open(path) as file:
                    text, found = turn_on(file.read(), heading)
                assert found, f"{path} has no lines below '{heading}'"
                with open(path, "w") as file:
                    file.write(text)
    return os.path.join(place, "run")


class WebServer:
    """name, backend: as scripts/servers/run takes them.  settings: GOCOVERDIR and so on.  user: the id of
    another user who starts it (only root can do that).  run: the script, beside which its configurations lie."""

    def __init__(self, name, backend, work, settings, user=None, run=RUN):
        self.name = name
        self.port, fcgi_port = processes.free_ports(2)
        self.log = work.join("server.log")
        self.run_dir = tempfile.mkdtemp(prefix="run", dir=work.path)
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GOVERAGE_PROGRAM": work.program,
               "COVERAGE_HTTP_PORT": str(self.port), "GOVERAGE_FCGI_PORT": str(fcgi_port),
               "GOVERAGE_RUN_DIR": self.run_dir, **settings}
        if user is not None:
            os.chown(self.run_dir, user, user)
            if run == RUN:  # the sources may lie where only root can read
                run = os.path.join(copy_of_scripts(work), "run")
        arguments = [run, name] + ([backend] if backend else [])
        if user is not None:
            arguments = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] + arguments
        with open(self.log, "wb") as log:
            self.process = processes.start(arguments, env=env, stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=log)
        try:
            processes.wait_until(self._answers, f"{name} to answer")
        except AssertionError as error:
            processes.stop(self.process)
            raise AssertionError(f"{error}\n{self.log_text()}") from None

    def _answers(self):
        assert self.process.poll() is None, f"the server ended with {self.process.returncode}"
        try:
            # 404 comes from the program, so that the program is there as well.
            return http_client.request(self.port, "GET", "/v1/cover/nowhere").status == 404
        except OSError:
            return False

    def log_text(self):
        text = ""
        for path in (self.log, os.path.join(self.run_dir, "error.log")):
            if os.path.exists(path):
                with open(path, "rb") as log:
                    text += log.read().decode("utf-8", "replace")
        return text

    def request(self, method, target, **how):
        return http_client.request(self.port, method, target, **how)

    def stop(self):
        """The exit status of scripts/servers/run."""
        return processes.stop(self.process)
