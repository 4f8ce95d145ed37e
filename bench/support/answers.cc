// Two programs over UDP, port 7000, to be run in hosts of a lab:
//   answers serve NAME            answers every datagram, from the address that was asked, with itself and NAME
//   answers ask TARGET EVERY_MS   asks TARGET that often until it is told to end, and prints a line for everything it notices:
//                                 "> NUMBER NS" sent, "< NUMBER NS NAME" answered; NS are nanoseconds of CLOCK_MONOTONIC
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

const uint16_t port = 7000;

[[noreturn]] void fail(const char *what) {
  perror(what);
  exit(1);
}

int64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t(t.tv_sec) * 1000000000 + t.tv_nsec;
}

int udp(int family) {
  int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("socket");
  return fd;
}

void option(int fd, int level, int name) {
  int one = 1;
  if (setsockopt(fd, level, name, &one, sizeof one) < 0) fail("setsockopt");
}

/** A socket that learns which of the host's addresses was asked. */
int listener(int family) {
  int fd = udp(family);
  if (family == AF_INET) {
    option(fd, IPPROTO_IP, IP_PKTINFO);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    if (bind(fd, reinterpret_cast<sockaddr *>(&at), sizeof at) < 0) fail("bind");
  } else {
    option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
    sockaddr_in6 at{};
    at.sin6_family = AF_INET6;
    at.sin6_port = htons(port);
    if (bind(fd, reinterpret_cast<sockaddr *>(&at), sizeof at) < 0) fail("bind");
  }
  return fd;
}

/** Leaves the choice of the interface to the routes: the address that was asked may be on another one. */
void anyInterface(msghdr &message) {
  for (cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
      auto *info = reinterpret_cast<in_pktinfo *>(CMSG_DATA(part));
      info->ipi_spec_dst = info->ipi_addr;
      info->ipi_ifindex = 0;
    } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
      reinterpret_cast<in6_pktinfo *>(CMSG_DATA(part))->ipi6_ifindex = 0;
    }
  }
}

void answer(int fd, const std::string &name) {
  for (;;) {
    char text[512], control[256];
    sockaddr_in6 peer{};
    iovec part{text, sizeof text - name.size() - 1};
    msghdr message{&peer, sizeof peer, &part, 1, control, sizeof control, 0};
    ssize_t size = recvmsg(fd, &message, 0);
    if (size < 0) return;
    memcpy(text + size, name.data(), name.size());
    part.iov_len = size_t(size) + name.size();
    anyInterface(message);
    // Where the asker cannot be reached, it notices.
    (void)!sendmsg(fd, &message, 0);
  }
}

[[noreturn]] void serve(const std::string &name) {
  pollfd waiting[] = {{listener(AF_INET), POLLIN, 0}, {listener(AF_INET6), POLLIN, 0}};
  puts("ready");
  fflush(stdout);
  for (;;) {
    poll(waiting, 2, -1);
    for (auto &one : waiting)
      if (one.revents) answer(one.fd, " " + name);
  }
}

int connected(const char *target) {
  int fd = -1;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  sockaddr *to = nullptr;
  socklen_t size = 0;
  if (inet_pton(AF_INET, target, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    to = reinterpret_cast<sockaddr *>(&v4);
    size = sizeof v4;
  } else if (inet_pton(AF_INET6, target, &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    to = reinterpret_cast<sockaddr *>(&v6);
    size = sizeof v6;
  } else {
    fail(target);
  }
  fd = udp(to->sa_family);
  if (connect(fd, to, size) < 0) fail("connect");
  return fd;
}

[[noreturn]] void ask(const char *target, int64_t every) {
  int fd = connected(target);
  int64_t next = now();
  for (uint64_t number = 0;;) {
    int64_t time = now();
    if (time >= next) {
      std::string text = std::to_string(number);
      // An error of an earlier datagram may be reported here; then this one counts as unanswered.
      (void)!send(fd, text.data(), text.size(), 0);
      printf("> %llu %lld\n", static_cast<unsigned long long>(number), static_cast<long long>(time));
      number++;
      // After a pause of the machine it goes on in step, and does not make up for what it missed.
      next = std::max(next + every, time + every / 2);
    }
    pollfd waiting{fd, POLLIN, 0};
    int64_t left = std::max<int64_t>(0, next - now());
    timespec span{time_t(left / 1000000000), long(left % 1000000000)};
    ppoll(&waiting, 1, &span, nullptr);
    char back[512];
    for (ssize_t size; (size = recv(fd, back, sizeof back - 1, 0)) >= 0;) {
      back[size] = 0;
      char *name = strchr(back, ' ');
      if (name) printf("< %.*s %lld%s\n", int(name - back), back, static_cast<long long>(now()), name);
    }
    fflush(stdout);
  }
}

}  // namespace

int main(int count, char **args) {
  if (count == 3 && strcmp(args[1], "serve") == 0) serve(args[2]);
  if (count == 4 && strcmp(args[1], "ask") == 0) ask(args[2], int64_t(atof(args[3]) * 1e6));
  fprintf(stderr, "usage: answers serve NAME | ask TARGET EVERY_MS\n");
  return 2;
}
