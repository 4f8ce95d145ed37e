"""Asks who has IPv4 addresses, by ARP requests of its own: each line of standard input holds addresses, each line of standard output
is a JSON object of them, with all MAC addresses that answered.

    asker.py INTERFACE OWN-ADDRESS
"""
import json, socket, sys, time

interface, own = sys.argv[1], socket.inet_aton(sys.argv[2])
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
wire.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE: all may answer at once.
wire.bind((interface, 0x0806))
mac = wire.getsockname()[4]


def hear(answers, until):
    """Gathers answers until then, or until nothing more comes for 60 ms once all have answered."""
    while (left := until - time.monotonic()) > 0:
        silent = all(answers.values())
        wire.settimeout(min(left, 0.06) if silent else left)
        try:
            frame = wire.recv(128)
        except (socket.timeout, BlockingIOError):
            if silent:
                return
            continue
        if len(frame) < 42 or frame[20:22] != b"\0\2" or frame[0:6] != mac:
            continue
        address = socket.inet_ntoa(frame[28:32])
        if address in answers:
            answers[address].add(frame[22:28].hex(":"))


for line in sys.stdin:
    answers = {address: set() for address in line.split()}
    wire.setblocking(False)
    try:
        while True:
            wire.recv(128)
    except BlockingIOError:
        pass
    for i, address in enumerate(answers):
        request = b"\0\1\x08\0\6\4\0\1" + mac + own + bytes(6) + socket.inet_aton(address)
        wire.settimeout(1)
        wire.send(b"\xff" * 6 + mac + b"\x08\x06" + request)
        if i % 50 == 49:
            hear(answers, time.monotonic() + 0.005)
    hear(answers, time.monotonic() + 0.5)
    print(json.dumps({address: sorted(found) for address, found in answers.items()}), flush=True)
