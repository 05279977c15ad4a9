"""Just enough of a container engine to build the Dockerfiles of this tree and to run what they make, in namespaces
that the caller is in already.  In place of Alpine stands this machine's own Debian: every package that a recipe
installs must have its counterpart installed here.  An instruction that is not known is an error."""

import ctypes
import glob
import json
import os
import re
import shlex
import shutil
import subprocess

import processes

# Alpine's packages, and what has the same in Debian.
PACKAGES = {"autoconf": "autoconf", "automake": "automake", "fcgi": "libfcgi0ldbl", "fcgi-dev": "libfcgi-dev",
            "gcc": "gcc", "json-c": "libjson-c5", "json-c-dev": "libjson-c-dev", "lighttpd": "lighttpd",
            "make": "make", "musl-dev": "libc6-dev", "oniguruma": "libonig5", "oniguruma-dev": "libonig-dev",
            "pkgconf": "pkg-config"}

APK = "#!/bin/sh\n[ \"$1 $2\" = 'add --no-cache' ] || exit 2\nshift 2\nfor name; do case $name in\n" + "".join(
    f"{name}) package={package} ;;\n" for name, package in PACKAGES.items()) + """*) echo "no package $name"; exit 1 ;;
esac
dpkg-query -W -f '${db:Status-Status}' "$package" | grep -qx installed || { echo "no $package here"; exit 1; }
done
"""

BASES = re.compile(r"(golang:1\.\d+-alpine|alpine:3\.\d+|scratch)$")  # a release, and no "latest"
WITH_JSON = ("ENTRYPOINT", "CMD")
CAP_LAST = 63
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38


def parse(text):
    """[(instruction, flags, rest)] of a Dockerfile."""
    lines = [line for line in text.splitlines() if not re.match(r"\s*(#|$)", line)]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = []
    for line in joined.splitlines():
        word, rest = line.split(None, 1)
        assert word == word.upper(), f"not an instruction: {line}"
        flags = {}
        while match := re.match(r"--(\w+)=(\S+)\s+", rest):
            flags[match[1]] = match[2]
            rest = rest[match.end():]
        if word in WITH_JSON:
            words = json.loads(rest)
            assert words and all(isinstance(w, str) for w in words), line
        found.append((word, flags, rest.strip()))
    return found


class Image:
    """What a stage has become: its root directory, and how it is run."""

    def __init__(self, root):
        self.root, self.env, self.user = root, {}, "0:0"
        self.work, self.entrypoint, self.command, self.ports = "/", [], [], []


class Engine:
    """place: an empty directory, on a file system of its own in memory.  context: the root of the sources.  go: the
    go command of a release.  shared: directories that every build sees.  more: variables that a RUN is given
    besides: a cache for Go, for one."""

    def __init__(self, place, context, go, shared, more):
        self.place, self.context, self.go, self.shared, self.more = place, context, go, shared, more
        self.count = 0
        self.alpine = os.path.join(place, "alpine")
        os.makedirs(os.path.join(self.alpine, "usr/local/sbin"))
        apk = os.path.join(self.alpine, "usr/local/sbin/apk")
        with open(apk, "w", encoding="ascii") as file:
            file.write(APK)
        os.chmod(apk, 0o755)

    def build(self, dockerfile, target=None, **args):
        """The image of the last stage, or of the one that is named."""
        with open(dockerfile, encoding="utf-8") as file:
            instructions = parse(file.read())
        stages, image, last, given = {}, None, target, {}
        for word, flags, rest in instructions:
            if word == "FROM":
                if image and last and last in stages:
                    break
                base, name = (rest.split(" AS ") + [str(len(stages))])[:2]
                image = stages[name] = self._start(base)
                given = {}
            elif word == "ARG":
                given[rest] = args.get(rest, "")
            else:
                getattr(self, "_" + word.lower())(image, flags, rest, stages, given)
        return stages[last] if last else image

    def _start(self, base):
        assert BASES.match(base), f"FROM {base}"
        self.count += 1
        at = os.path.join(self.place, f"stage{self.count}")
        root = os.path.join(at, "root")
        for name in ("root", "upper", "work", "nothing"):
            os.makedirs(os.path.join(at, name))
        lower = os.path.join(at, "nothing") if base == "scratch" else f"{self.alpine}:/"
        mount("-t", "overlay", "-o", f"lowerdir={lower},upperdir={at}/upper,workdir={at}/work", "overlay", root)
        image = Image(root)
        image.env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        if base != "scratch":
            for name in ("/dev", "/proc"):
                mount("--rbind", name, root + name)
            mount("-t", "tmpfs", "tmpfs", root + "/tmp")
            for path in self.shared:  # where it lies in /tmp, which is another one there
                os.makedirs(root + path, exist_ok=True)
                mount("--rbind", path, root + path)
        if base.startswith("golang"):
            image.env["PATH"] = os.path.dirname(self.go) + ":" + image.env["PATH"]
        return image

    @staticmethod
    def _env(image, _flags, rest, _stages, _given):
        for word in shlex.split(rest):
            name, equals, value = word.partition("=")
            assert equals, rest
            image.env[name] = value

    @staticmethod
    def _workdir(image, _flags, rest, _stages, _given):
        image.work = os.path.join(image.work, rest)
        os.makedirs(image.root + image.work, exist_ok=True)

    @staticmethod
    def _user(image, _flags, rest, _stages, _given):
        assert re.fullmatch(r"\d+:\d+", rest), f"USER {rest}: numbers, so that it is known not to be root"
        image.user = rest

    @staticmethod
    def _expose(image, _flags, rest, _stages, _given):
        image.ports.append(int(rest))

    @staticmethod
    def _entrypoint(image, _flags, rest, _stages, _given):
        image.entrypoint, image.command = json.loads(rest), []

    @staticmethod
    def _cmd(image, _flags, rest, _stages, _given):
        image.command = json.loads(rest)

    def _run(self, image, flags, rest, _stages, given):
        assert not flags, flags
        done = subprocess.run(["chroot", image.root, "/bin/sh", "-c", f"cd {shlex.quote(image.work)} && {rest}"],
                              env={**image.env, **given, **self.more}, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900, check=False)
        said = "\n".join(done.stdout.splitlines()[-25:])
        assert done.returncode == 0, f"RUN {rest}: {done.returncode}\n{said}"

    def _copy(self, image, flags, rest, stages, _given):
        assert set(flags) <= {"from", "chown"}, flags
        *sources, target = rest.split()
        origin = stages[flags["from"]].root if "from" in flags else self.context
        into = os.path.join(image.root, os.path.join(image.work, target).lstrip("/"))
        for source in sources:
            found = glob.glob(os.path.join(origin, source.lstrip("/")))
            assert found, f"COPY {rest}: there is no {source}"
            for path in found:
                self._copy_one(path, into, target.endswith(("/", ".")) or os.path.isdir(into), flags.get("chown"))

    @staticmethod
    def _copy_one(path, into, directory, owner):
        os.makedirs(into if directory else os.path.dirname(into), exist_ok=True)
        what = [path + "/."] if os.path.isdir(path) else [path]
        subprocess.run(["cp", "-a", *what, into], check=True, timeout=300)
        if owner:
            subprocess.run(["chown", "-R", owner, into], check=True, timeout=60)


def mount(*arguments):
    done = subprocess.run(["mount", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    assert done.returncode == 0, f"mount {arguments}: {done.stdout}"


def furnish(image):
    """What every engine puts into a root: /proc, and /dev with the devices that have no owner."""
    for name in ("/proc", "/dev"):
        os.makedirs(image.root + name, exist_ok=True)
        subprocess.run(["umount", "-l", image.root + name], stderr=subprocess.DEVNULL, check=False)
    mount("-t", "proc", "proc", image.root + "/proc")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", image.root + "/dev")
    for name in ("/dev/null", "/dev/zero", "/dev/urandom"):
        open(image.root + name, "w", encoding="ascii").close()
        mount("--bind", name, image.root + name)
    os.mkdir(image.root + "/dev/shm")


def bind(image, source, path, read_only=False):
    os.makedirs(image.root + path, exist_ok=True)
    mount("--bind", source, image.root + path)
    if read_only:
        mount("-o", "remount,bind,ro", image.root + path)


def start(image, arguments=None, env=None, user=None, capabilities=(), log=None):
    """Run an image as user and group, with these capabilities and no more, and none to be gained."""
    uid, gid = (int(number) for number in (user or image.user).split(":"))
    libc = ctypes.CDLL(None, use_errno=True)

    def enter():
        for number in range(CAP_LAST):
            if number not in capabilities:
                libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
        os.chroot(image.root)
        os.chdir(image.work)
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")

    with open(log or os.devnull, "ab") as out:
        return processes.start(arguments or image.entrypoint + image.command, env={**image.env, **(env or {})},
                               stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=enter)


def remove(image):
    subprocess.run(["umount", "-R", "-l", image.root], stderr=subprocess.DEVNULL, check=False)
    shutil.rmtree(os.path.dirname(image.root), ignore_errors=True)
