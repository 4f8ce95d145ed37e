"""Asks for an IPv6 address as a host that leaves its link-layer address out (RFC 4861 section 4.3): solicit.py ADDRESS INTERFACE.
Prints the flags byte and the link-layer address of the first answer."""
import socket
import struct
import sys
import time

address, interface = sys.argv[1:3]
target = socket.inet_pton(socket.AF_INET6, address)
group = socket.inet_pton(socket.AF_INET6, "ff02::1:ff00:0")[:13] + target[13:]
raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
solicitation = struct.pack("!BBHI", 135, 0, 0, 0) + target
index = socket.if_nametoindex(interface)
end = time.monotonic() + 5
raw.settimeout(1)
while time.monotonic() < end:
    raw.sendto(solicitation, (socket.inet_ntop(socket.AF_INET6, group), 0, 0, index))
    try:
        answer = raw.recv(1500)
    except TimeoutError:
        continue
    if answer[0] == 136 and answer[8:24] == target and answer[24:26] == b"\x02\x01":
        print("%02x" % answer[4], ":".join("%02x" % byte for byte in answer[26:32]))
        sys.exit(0)
sys.exit(1)
