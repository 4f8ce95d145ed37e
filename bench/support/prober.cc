// Asks for the MAC address of an IPv4 or IPv6 address and measures the answers. To be run in the asking namespace:
//   prober INTERFACE TARGET latency COUNT     one request at a time; the time until its answer is read
//   prober INTERFACE TARGET rate PER_SECOND SECONDS     many at once (0 per second: as many as one thread can send)
// Prints one line of JSON. Numbers are microseconds or counts.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

using Bytes = std::vector<uint8_t>;

[[noreturn]] void fail(const char *what) {
  perror(what);
  exit(1);
}

uint64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return uint64_t(t.tv_sec) * 1000000000ull + uint64_t(t.tv_nsec);
}

void sleepUntil(uint64_t at) {
  timespec t{time_t(at / 1000000000ull), long(at % 1000000000ull)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr);
}

Bytes macOf(const char *name) {
  ifreq request{};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (ioctl(fd, SIOCGIFHWADDR, &request) < 0) fail("SIOCGIFHWADDR");
  close(fd);
  auto *mac = reinterpret_cast<uint8_t *>(request.ifr_hwaddr.sa_data);
  return Bytes(mac, mac + 6);
}

Bytes addressOf(const char *name, int family) {
  ifaddrs *all = nullptr;
  if (getifaddrs(&all) < 0) fail("getifaddrs");
  for (ifaddrs *one = all; one; one = one->ifa_next) {
    if (!one->ifa_addr || one->ifa_addr->sa_family != family || strcmp(one->ifa_name, name) != 0) continue;
    if (family == AF_INET) {
      auto *bytes = reinterpret_cast<uint8_t *>(&reinterpret_cast<sockaddr_in *>(one->ifa_addr)->sin_addr);
      return Bytes(bytes, bytes + 4);
    }
    auto *bytes = reinterpret_cast<uint8_t *>(&reinterpret_cast<sockaddr_in6 *>(one->ifa_addr)->sin6_addr);
    return Bytes(bytes, bytes + 16);
  }
  fprintf(stderr, "%s has no such address\n", name);
  exit(1);
}

void put(Bytes &to, const Bytes &what) { to.insert(to.end(), what.begin(), what.end()); }

Bytes arpRequest(const Bytes &mac, const Bytes &source, const Bytes &target) {
  Bytes frame(6, 0xff);
  put(frame, mac);
  put(frame, {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1});
  put(frame, mac);
  put(frame, source);
  put(frame, Bytes(6, 0));
  put(frame, target);
  return frame;
}

Bytes solicitation(const Bytes &mac, const Bytes &source, const Bytes &target) {
  Bytes group = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, target[13], target[14], target[15]};
  Bytes frame = {0x33, 0x33, group[12], group[13], group[14], group[15]};
  put(frame, mac);
  put(frame, {0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255});
  put(frame, source);
  put(frame, group);
  put(frame, {135, 0, 0, 0, 0, 0, 0, 0});
  put(frame, target);
  put(frame, {1, 1});
  put(frame, mac);
  uint32_t sum = 32 + 58;
  for (size_t i = 22; i < frame.size(); i += 2) sum += uint32_t(frame[i]) << 8 | frame[i + 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  frame[56] = uint8_t(~sum >> 8);
  frame[57] = uint8_t(~sum);
  return frame;
}

/** Only answers for the target pass. */
std::vector<sock_filter> answers(const Bytes &target) {
  std::vector<sock_filter> program;
  auto word = [&](size_t i) { return uint32_t(target[i]) << 24 | target[i + 1] << 16 | target[i + 2] << 8 | target[i + 3]; };
  std::vector<std::pair<std::pair<uint16_t, uint32_t>, uint32_t>> tests;
  if (target.size() == 4) {
    tests = {{{BPF_H, 20}, 2}, {{BPF_W, 28}, word(0)}};
  } else {
    tests = {{{BPF_B, 20}, 58}, {{BPF_B, 54}, 136}};
    for (uint32_t i = 0; i < 16; i += 4) tests.push_back({{BPF_W, 62 + i}, word(i)});
  }
  for (size_t i = 0; i < tests.size(); i++) {
    auto miss = uint8_t((tests.size() - 1 - i) * 2 + 1);
    program.push_back(BPF_STMT(uint16_t(BPF_LD | tests[i].first.first | BPF_ABS), tests[i].first.second));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, tests[i].second, 0, miss));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 0xffff));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
  return program;
}

int packetSocket(const char *name, uint16_t type, const Bytes &target) {
  int fd = socket(AF_PACKET, SOCK_RAW, 0);
  if (fd < 0) fail("socket");
  int one = 1;
  setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
  auto program = answers(target);
  sock_fprog filter{uint16_t(program.size()), program.data()};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0) fail("SO_ATTACH_FILTER");
  sockaddr_ll at{};
  at.sll_family = AF_PACKET;
  at.sll_protocol = htons(type);
  at.sll_ifindex = int(if_nametoindex(name));
  if (bind(fd, reinterpret_cast<sockaddr *>(&at), sizeof at) < 0) fail("bind");
  return fd;
}

/** Nanoseconds until the answer; -1 when none comes within a second. */
int64_t ask(int fd, const Bytes &frame) {
  uint8_t buffer[256];
  uint64_t start = now();
  if (send(fd, frame.data(), frame.size(), 0) < 0) return -1;
  pollfd waiting{fd, POLLIN, 0};
  if (poll(&waiting, 1, 1000) <= 0) return -1;
  if (recv(fd, buffer, sizeof buffer, 0) < 0) return -1;
  return int64_t(now() - start);
}

void latency(int fd, const Bytes &frame, size_t count) {
  std::vector<double> times;
  size_t lost = 0;
  for (size_t i = 0; i < count + count / 5 && lost < 20; i++) {
    int64_t taken = ask(fd, frame);
    if (taken < 0) lost++;
    else if (i >= count / 5) times.push_back(double(taken) / 1000);  // the first sixth warms up
    usleep(100);
  }
  if (times.empty()) {
    fprintf(stderr, "nobody answers\n");
    exit(1);
  }
  std::sort(times.begin(), times.end());
  auto at = [&](double part) { return times[std::min(times.size() - 1, size_t(double(times.size()) * part))]; };
  printf("{\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"count\":%zu,\"lost\":%zu}\n", at(.5), at(.9), at(.99), times.size(), lost);
}

/** The kernel counts what passes the filter, whether or not there is room to keep it: nothing is read. */
uint64_t matched(int fd) {
  tpacket_stats stats{};
  socklen_t size = sizeof stats;
  if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) < 0) fail("PACKET_STATISTICS");
  return stats.tp_packets;
}

void rate(int fd, Bytes &frame, uint64_t perSecond, double seconds) {
  const size_t most = 64;
  iovec part{frame.data(), frame.size()};
  mmsghdr batch[most]{};
  for (auto &one : batch) {
    one.msg_hdr.msg_iov = &part;
    one.msg_hdr.msg_iovlen = 1;
  }
  matched(fd);
  uint64_t sent = 0, start = now(), end = start + uint64_t(seconds * 1e9);
  for (uint64_t t = start; t < end; t = now()) {
    uint64_t due = perSecond == 0 ? sent + most : std::min<uint64_t>(sent + most, (t - start) * perSecond / 1000000000ull);
    if (due <= sent) {
      sleepUntil(t + 200000);
      continue;
    }
    int count = sendmmsg(fd, batch, unsigned(due - sent), 0);
    if (count > 0) sent += uint64_t(count);
  }
  double took = double(now() - start) / 1e9;
  uint64_t answered = matched(fd);
  usleep(300000);
  uint64_t late = matched(fd);
  printf("{\"sent\":%llu,\"answered\":%llu,\"answeredPerSecond\":%.0f,\"sentPerSecond\":%.0f}\n", (unsigned long long)sent,
         (unsigned long long)(answered + late), double(answered) / took, double(sent) / took);
}

}  // namespace

int main(int count, char **args) {
  if (count < 5) {
    fprintf(stderr, "usage: prober INTERFACE TARGET latency COUNT | rate PER_SECOND SECONDS\n");
    return 2;
  }
  const char *name = args[1];
  int family = strchr(args[2], ':') ? AF_INET6 : AF_INET;
  Bytes target(family == AF_INET ? 4 : 16);
  if (inet_pton(family, args[2], target.data()) != 1) fail(args[2]);
  Bytes mac = macOf(name), source = addressOf(name, family);
  Bytes frame = family == AF_INET ? arpRequest(mac, source, target) : solicitation(mac, source, target);
  int fd = packetSocket(name, family == AF_INET ? ETH_P_ARP : ETH_P_IPV6, target);
  if (strcmp(args[3], "latency") == 0) latency(fd, frame, strtoul(args[4], nullptr, 10));
  else rate(fd, frame, strtoull(args[4], nullptr, 10), count > 5 ? atof(args[5]) : 1);
  return 0;
}
