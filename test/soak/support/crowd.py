"""Connects many times to a host, and says nothing: crowd.py ADDRESS PORTS COUNT SECONDS"""
import socket, sys, time

address, ports, count, seconds = sys.argv[1], sys.argv[2].split(","), int(sys.argv[3]), float(sys.argv[4])
held = []
for i in range(count):
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex((address, int(ports[i % len(ports)])))
    held.append(one)
time.sleep(seconds)
