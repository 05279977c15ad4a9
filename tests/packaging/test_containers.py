#!/usr/bin/python3
"""scripts/containers/: the Dockerfiles are built and their images run, by the engine of container_engine.py, and the
Kubernetes manifest is run as a pod, with its users, capabilities and mounts.  The whole program runs in namespaces of
its own, so that port 7777 is free and nothing is mounted outside."""

import fcntl
import glob
import os
import re
import socket
import struct
import subprocess
import sys

import shipped  # finds the library

import container_engine as engine
import fastcgi_client
import go_fixture
import http_client
import private_root
import processes
import tap
import tree
import web_server
from answer import check_common

CONTAINERS = os.path.join(tree.SOURCE, "scripts", "containers")
MANIFEST = os.path.join(CONTAINERS, "kubernetes-sidecar.yaml")
PROFILE = "/v1/cover/profile"
PORT = 7777
CAP_SYS_PTRACE = 19
INSIDE = "GOVERAGE_TEST_INSIDE"

# What may stand in the manifest; whatever else Kubernetes knows is not needed here, and a slip would be ignored by it.
FIELDS = {
    "container": {"name", "image", "command", "env", "securityContext", "resources", "volumeMounts"},
    "container security": {"allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities"},
    "pod": {"shareProcessNamespace", "automountServiceAccountToken", "securityContext", "containers", "volumes"},
    "pod security": {"runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "seccompProfile"},
    "mount": {"name", "mountPath", "subPath", "readOnly"}, "volume": {"name", "emptyDir"},
    "emptyDir": {"medium", "sizeLimit"}, "variable": {"name", "value"},
    "document": {"apiVersion", "kind", "metadata", "spec"}, "deployment": {"replicas", "selector", "template"},
}


def enter_namespaces():
    """This program again, as process 1 of its own namespaces, with a loopback interface of its own."""
    if INSIDE not in os.environ:
        command = [*private_root.NAMESPACES, "--mount-proc", sys.executable, *sys.argv]
        os.execvpe(command[0], command, {**os.environ, INSIDE: "yes"})
    with socket.socket() as sock:
        flags = struct.pack("16sh14x", b"lo", 1)  # IFF_UP
        fcntl.ioctl(sock, 0x8914, flags)  # SIOCSIFFLAGS


# --- the manifest -----------------------------------------------------------------------------------------------

def fields(what, given):
    unknown = set(given) - FIELDS[what]
    assert not unknown, f"unknown in {what}: {unknown}"
    return given


def manifest(out):
    import yaml  # comes with yamllint
    with open(MANIFEST, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    with out.check("yamllint has nothing to say about the manifest"):
        rules = "{extends: default, rules: {line-length: {max: 120}, document-start: disable, " \
                "comments: {min-spaces-from-content: 1}}}"
        shipped.run("yamllint", "--strict", "-d", rules, MANIFEST)
    with out.check("its fields are Kubernetes' own"):
        deployment = fields("deployment", fields("document", document)["spec"])
        tap.equal((document["apiVersion"], document["kind"]), ("apps/v1", "Deployment"), "what it is")
        labels = deployment["template"]["metadata"]["labels"]
        tap.equal(deployment["selector"]["matchLabels"], labels, "the selector")
        pod = fields("pod", deployment["template"]["spec"])
        fields("pod security", pod["securityContext"])
        for volume in pod["volumes"]:
            fields("emptyDir", fields("volume", volume)["emptyDir"])
        names = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            fields("container security", fields("container", container)["securityContext"])
            for variable in container["env"]:
                assert isinstance(fields("variable", variable)["value"], str), f"not a string: {variable}"
            for mount in container["volumeMounts"]:
                assert fields("mount", mount)["name"] in names, mount
    with out.check("it gives no privilege to anybody"):
        tap.equal(pod["shareProcessNamespace"], True, "shareProcessNamespace")
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"], "root"
        for container in pod["containers"]:
            tap.equal(container["securityContext"]["capabilities"], {"drop": ["ALL"]}, "capabilities")
            tap.equal(container["securityContext"]["allowPrivilegeEscalation"], False, "escalation")
    return pod


class Pod:
    """The containers of the manifest, side by side in one PID namespace."""

    def __init__(self, work, pod, images):
        self.work, self.pod, self.images = work, pod, images
        self.user = "{runAsUser}:{runAsGroup}".format(**pod["securityContext"])
        self.volumes, self.running, self.logs = {}, {}, {}
        for volume in pod["volumes"]:
            self.volumes[volume["name"]] = path = work.mkdir(f"volume-{volume['name']}")
            os.chmod(path, 0o2777)  # fsGroup
        for container in pod["containers"]:
            self._prepare(container, images[container["name"]])

    def _prepare(self, container, image):
        engine.furnish(image)
        for mount in container["volumeMounts"]:
            source = os.path.join(self.volumes[mount["name"]], mount.get("subPath", ""))
            os.makedirs(source, exist_ok=True)
            os.chmod(source, 0o2777)
            engine.bind(image, source, mount["mountPath"], mount.get("readOnly", False))
        if container["securityContext"].get("readOnlyRootFilesystem"):
            engine.mount("-o", "remount,ro", image.root)

    def start(self, name, user=None, capabilities=()):
        container = next(c for c in self.pod["containers"] if c["name"] == name)
        self.logs[name] = self.work.join(f"{name}.log")
        self.running[name] = engine.start(
            self.images[name], container.get("command"), {v["name"]: v["value"] for v in container["env"]},
            user or self.user, capabilities, self.logs[name])
        return self.running[name]

    def stop(self, name):
        return processes.stop(self.running.pop(name))

    def words(self):
        text = ""
        for log in self.logs.values():
            with open(log, encoding="utf-8", errors="replace") as file:
                text += file.read()
        return text


def answering(pod, name="goverage"):
    def asked():
        assert pod.running[name].poll() is None, f"it ended: {pod.words()}"
        try:
            return http_client.request(PORT, "GET", "/v1/cover/nowhere").status == 404
        except OSError:
            return False
    processes.wait_until(asked, "the sidecar")


def read(answer, engine_name=None):
    tap.equal(answer.status, 200, f"status (with {tap.shorten(answer.body)})")
    check_common(answer)
    tap.equal(answer.header("goverage-live"), "read=1 denied=0 gone=0 unsupported=0 ended=0 lost=0", "Goverage-Live")
    tap.contains(answer.text(), "mode: atomic\n", "the profile")
    tap.contains(answer.text(), "/main.go:", "the profile")
    if engine_name:
        tap.equal(answer.header("goverage-engine"), engine_name, "Goverage-Engine")


def run_pod(out, work, pod, images):
    pod = Pod(work, pod, images)
    try:
        pod.start("shop")
        processes.wait_until(lambda: os.listdir(pod.volumes["coverage"]), "the service")
        with out.check("the pod: one user and group, no capability, read-only roots: the service is read"):
            pod.start("goverage")
            answering(pod)
            read(http_client.request(PORT, "POST", PROFILE, body=b""), "covdata")
        with out.check("the pod: clear has its place"):
            tap.equal(http_client.request(PORT, "POST", "/v1/cover/clear", body=b"").status, 200, "status")
            assert http_client.request(PORT, "POST", PROFILE, body=b"").header("goverage-baseline"), "no baseline"
            pod.stop("goverage")
        with out.check("the pod: root without a capability is denied, which is an error with a reason"):
            pod.start("goverage", user="0:0")
            answering(pod)
            answer = http_client.request(PORT, "POST", PROFILE + "?total=true", body=b"")
            tap.equal(answer.status, 500, "status")
            tap.contains(answer.text(), "CAP_SYS_PTRACE", "the sentence")
            pod.stop("goverage")
        with out.check("the pod: root with CAP_SYS_PTRACE, and nothing else, reads it"):
            pod.start("goverage", user="0:0", capabilities=(CAP_SYS_PTRACE,))
            answering(pod)
            answer = http_client.request(PORT, "POST", PROFILE + "?total=true", body=b"")
            tap.equal(answer.status, 200, f"status (with {tap.shorten(answer.body)})")
            tap.contains(answer.header("goverage-live"), "read=1 denied=0", "Goverage-Live")
    finally:
        if out.failed:
            out.diag(pod.words()[-4000:])
        for name in list(pod.running):
            pod.stop(name)


# --- the Dockerfiles --------------------------------------------------------------------------------------------

def sources(work):
    """A clean tree, as a checkout is."""
    directory = work.mkdir("context")
    shipped.run("tar", "-xf", shipped.tarball(work.path), "-C", directory, "--strip-components=1")
    return directory


def alpine(out, builder):
    dockerfile = os.path.join(CONTAINERS, "Dockerfile.alpine")
    images = {}
    with out.check("Dockerfile.alpine: the service is built, with coverage by ARG_MODE"):
        images["shop"] = builder.build(dockerfile, "shop", ARG_MODE="automation_test")
        plain = builder.build(dockerfile, "shop")
        sizes = [os.path.getsize(image.root + "/app/your-app") for image in (images["shop"], plain)]
        assert sizes[0] > sizes[1], f"with coverage {sizes[0]} bytes, without {sizes[1]}"
        engine.remove(plain)
    with out.check("Dockerfile.alpine: goverage-fcgi is built, with lighttpd, and covdata in /usr/bin"):
        images["goverage"] = builder.build(dockerfile, "goverage", ARG_MODE="automation_test")
        tap.equal(images["goverage"].ports, [PORT], "EXPOSE")
        for image in images.values():
            tap.equal(image.user, "65532:65532", "USER")
        assert os.access(images["goverage"].root + "/usr/bin/covdata", os.X_OK), "no covdata"
    return images


def with_its_own_words(out, work, image):
    """The ENTRYPOINT as it stands: it listens for everybody, since docker publishes the port."""
    with out.check("Dockerfile.alpine: its ENTRYPOINT listens on the port that is published"):
        log = work.join("entrypoint.log")
        with open(image.root + "/etc/goverage/lighttpd.conf", encoding="utf-8") as file:
            tap.contains(file.read(), 'server.bind := "0.0.0.0"', "the configuration")
        process = engine.start(image, log=log)
        try:
            processes.wait_until(lambda: processes.can_connect(("127.0.0.2", PORT)) or process.poll() is not None,
                                 "the port")
            with open(log, encoding="utf-8") as file:
                tap.equal(process.poll(), None, file.read())
        finally:
            processes.stop(process)


def empty(out, work, builder, libraries):
    """The empty image.  On this machine musl and the static libraries come from scripts/static-program."""
    builder.more.update(CC="musl-gcc", PKG_CONFIG_LIBDIR=libraries)
    with out.check("Dockerfile.empty: the image holds one program"):
        image = builder.build(os.path.join(CONTAINERS, "Dockerfile.empty"))
        tap.equal(shipped.files(image.root), [image.root + "/goverage.fcgi"], "files")
    return image


def empty_answers(out, work, image, shop):
    coverage, run_dir = work.mkdir("empty-coverage"), work.mkdir("empty-run")
    for path in (coverage, run_dir):
        os.chown(path, 65532, 65532)
    for one in (image, shop):
        engine.furnish(one)
        engine.bind(one, coverage, "/coverage", one is image)
    engine.bind(image, run_dir, "/run/goverage")
    engine.mount("-o", "remount,ro", image.root)
    log = work.join("empty.log")
    with out.check("Dockerfile.empty: its responder reads the service, without a capability"):
        running = [engine.start(shop)]
        try:
            processes.wait_until(lambda: os.listdir(coverage), "the service")
            running.append(engine.start(image, log=log))
            address = os.path.join(run_dir, "goverage.sock")
            processes.wait_until(lambda: running[1].poll() is not None or
                                 os.path.exists(address) and processes.can_connect(address), "the responder")
            with open(log, encoding="utf-8") as file:
                tap.equal(running[1].poll(), None, file.read())
            read(fastcgi_client.request(address), "builtin")
        finally:
            statuses = [processes.stop(process) for process in reversed(running)]
        tap.equal(statuses[0], 0, "exit status of the responder")


# --- the container recipe of goverage ---------------------------------------------------------------------------

RUN_SH = b"""#!/bin/sh
mkdir -p /tmp/coverage
env GOCOVERDIR="/tmp/coverage/" /app/your-app &
exec env GOCOVERDIR=/tmp/coverage GOVERAGE_PROGRAM=/usr/lib/cgi-bin/goverage.fcgi /app/servers/run lighttpd-fastcgi
"""


def recipe_of_goverage(out, work):
    """The layout that goverage's README describes: one container, covdata in /usr/bin, GOCOVERDIR=/tmp/coverage, a
    script that runs all, port 7777; the service is scripts/serve --demo's, and the library is not in it."""
    root = private_root.PrivateRoot(work.mkdir("recipe"))
    root.place("/app/your-app", shipped.demo())
    root.place("/usr/bin/covdata", go_fixture.covdata())
    root.place("/usr/lib/cgi-bin/goverage.fcgi", tree.program())
    for path in glob.glob(os.path.join(tree.SOURCE, "scripts", "servers", "*")):
        root.place("/app/servers/" + os.path.basename(path), path, os.stat(path).st_mode & 0o777)
    root.place("/app/run.sh", RUN_SH)
    log = work.join("recipe.log")
    with out.check("goverage's recipe: covdata in /usr/bin, GOCOVERDIR=/tmp/coverage, curl -X POST localhost:7777"):
        with open(log, "wb") as file:
            # The network is this program's own.
            namespaces = [word for word in private_root.NAMESPACES if word != "--net"]
            root.enter("/bin/sh", "/app/run.sh", namespaces=namespaces, stdin=subprocess.DEVNULL, stdout=file,
                       stderr=file, env={"PATH": "/usr/local/bin:/usr/bin:/bin"})
        try:
            processes.wait_until(lambda: processes.can_connect(("127.0.0.1", PORT)) or
                                 root.process.poll() is not None, "port 7777")
            with open(log, encoding="utf-8") as file:
                tap.equal(root.process.poll(), None, file.read())

            def profile(*arguments):
                return shipped.run("curl", "--silent", "--show-error", "--include", "-X", "POST",
                                   f"http://localhost:{PORT}{PROFILE}", *arguments)

            said = processes.wait_until(lambda: (text := profile()).startswith("HTTP/1.1 200") and text, "200")
            tap.contains(said, "Goverage-Engine: covdata", "the head")
            tap.contains(said, "Goverage-Live: read=1 denied=0", "the head")
            tap.contains(said, "/main.go:", "the profile")
            said = profile("-H", "Content-Type: application/json", "-d", '{"skipFile": [".*main.*"]}')
            assert said.startswith("HTTP/1.1 200") and "/main.go:" not in said, said
            assert re.search(r"/handlers\.go:", said), said
        finally:
            root.leave()


def main():
    lacking = web_server.missing("lighttpd", "curl", "yamllint")
    if lacking or private_root.unavailable():
        tap.skip_all(private_root.unavailable() or f"{lacking} is not installed")
    try:
        go_fixture.covdata()
        go = go_fixture.go()
    except go_fixture.Unavailable as error:
        tap.skip_all(error)
    # From the net, if they are not there yet; in the namespaces there is none.
    libraries = shipped.run(os.path.join(tree.SOURCE, "scripts", "static-program"), "--libraries").splitlines()[-1]
    enter_namespaces()
    processes.alarm(1800)
    os.umask(0o022)
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        recipe_of_goverage(out, work)
        pod = manifest(out)
        place = work.mkdir("engine")
        engine.mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", place)
        cache = go_fixture.go_environment()["GOCACHE"]
        os.makedirs(cache, exist_ok=True)
        shared = [os.environ.get("GOVERAGE_GO_DIR") or os.path.join(tree.SOURCE, ".go"), cache,
                  os.environ.get("GOVERAGE_STATIC_DIR") or os.path.join(tree.SOURCE, ".static")]
        builder = engine.Engine(place, sources(work), go, [path for path in shared if os.path.isdir(path)],
                                {"GOCACHE": cache, "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local",
                                 "GOPROXY": "off"})
        images = alpine(out, builder)
        if not out.failed:
            with_its_own_words(out, work, images["goverage"])
            run_pod(out, work, pod, images)
            image = empty(out, work, builder, libraries)
            shop = builder.build(os.path.join(CONTAINERS, "Dockerfile.alpine"), "shop", ARG_MODE="automation_test")
            empty_answers(out, work, image, shop)
        subprocess.run(["umount", "-R", "-l", place], check=False)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
