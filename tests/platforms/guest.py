"""A virtual machine with a kernel of the distribution, emulated, so that it needs no rights and no KVM.  In it a shell
script runs as the first process, with busybox and the files that it is given, and says line by line what is right:
"ok - name" or "not ok - name", the way the Test Anything Protocol has it."""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
for place in ("lib", "live", "minimal"):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", place))

# pylint: disable=wrong-import-position
import tap
import tree

QEMU = {
    "amd64": (["qemu-system-x86_64", "-machine", "pc", "-cpu", "max"], "ttyS0"),
    "arm64": (["qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72"], "ttyAMA0"),
}
COMMON = ["-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024", "-display", "none", "-monitor", "none",
          "-serial", "stdio", "-nic", "none", "-no-reboot"]

# Before a script: the places that programs want, two ordinary users, and a word for a check.
PREAMBLE = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t securityfs security /sys/kernel/security
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /tmp /etc
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=1777 tmp /tmp
printf 'root:x:0:0::/:/bin/sh\\nservice:x:1000:1000::/:/bin/sh\\nother:x:1001:1001::/:/bin/sh\\n' >/etc/passwd

# ok NAME COMMAND...: what the command says is shown where it fails.
ok() {
	name=$1
	shift
	if "$@" >/tmp/said 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' /tmp/said
	fi
}
"""
END = "\necho end of the script\npoweroff -f\n"


class Archive:
    """What the kernel unpacks into its first file system (cpio, "new ASCII")."""

    def __init__(self):
        self.data = bytearray()
        self.count = 0

    def add(self, name, mode, content=b"", device=(0, 0)):
        self.count += 1
        encoded = name.encode() + b"\0"
        fields = (self.count, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(encoded), 0)
        self.data += b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        self._pad()
        self.data += content
        self._pad()

    def _pad(self):
        self.data += b"\0" * (-len(self.data) % 4)

    def whole(self):
        self.add("TRAILER!!!", 0)
        return bytes(self.data)


def _contents(path):
    with open(path, "rb") as file:
        return file.read()


class Guest:
    """The machine of an architecture; `programs` are paths here by their paths there."""

    def __init__(self, work, architecture, programs):
        script = os.path.join(tree.SOURCE, "scripts", "guest-system")
        done = subprocess.run([script, architecture], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=1800, check=False)
        assert done.returncode == 0, f"scripts/guest-system {architecture}: {done.stderr[-500:]}"
        self.architecture, self.programs, self.work = architecture, programs, work
        self.system = done.stdout.strip()

    def _archive(self, script):
        archive = Archive()
        programs = {"bin/busybox": os.path.join(self.system, "busybox"), **self.programs}
        folders = {"dev", "proc", "sys"} | {os.path.dirname(path) for path in programs}
        for folder in sorted(folders):
            archive.add(folder, 0o040755)
        archive.add("dev/console", 0o020600, device=(5, 1))
        archive.add("init", 0o100755, (PREAMBLE + script + END).encode())
        for path, here in programs.items():
            archive.add(path, 0o100755, _contents(here))
        return archive.whole()

    def run(self, script, seconds):
        """The lines that the script said; the machine is switched off by it, or after so many seconds."""
        archive = self.work.join("initrd")
        with open(archive, "wb") as file:
            file.write(self._archive(script))
        qemu, console = QEMU[self.architecture]
        command = [*qemu, *COMMON, "-kernel", os.path.join(self.system, "vmlinuz"), "-initrd", archive,
                   "-append", f"console={console} quiet loglevel=1 panic=-1 rdinit=/init"]
        try:
            said = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=seconds, check=False).stdout
        except subprocess.TimeoutExpired as late:
            said = (late.stdout or b"") + b"\n(no end within %d seconds)\n" % seconds
        return said.decode("utf-8", "replace").replace("\r", "").splitlines()


def judge(out, lines, names):
    """Passes on what a script said: each of these names, and that it came to its end."""
    verdicts, words = {}, []
    for line in lines:
        for word, good in (("ok - ", True), ("not ok - ", False)):
            if line.startswith(word):
                verdicts[line[len(word):]] = good
        if line.startswith(("#", "not ok")):
            words.append(line)
    for name in names:
        out.ok(verdicts.get(name), name, "it was not said" if name not in verdicts else "")
    out.ok("end of the script" in lines, "the script came to its end", "\n".join(lines[-20:]))
    out.ok(set(verdicts) <= set(names), "nothing else was said", set(verdicts) - set(names))
    if out.failed:
        out.diag("\n".join(words))


def missing(architecture):
    """The program that is not installed here, or None."""
    program = QEMU[architecture][0][0]
    found = any(os.access(os.path.join(place, program), os.X_OK) for place in os.environ["PATH"].split(":"))
    return None if found else program


def needed(architecture):
    lacking = missing(architecture)
    if lacking:
        tap.skip_all(f"{lacking} is not installed; scripts/packages deep installs it")
