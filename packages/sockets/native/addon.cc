// A thin layer over Linux sockets for JavaScript. It knows no protocol: socket addresses, options, filters and
// messages are bytes that TypeScript lays out. What it adds to plain system calls is the waiting (uv_poll on the
// environment's own loop, so no thread and no busy loop) and reading in batches (recvmmsg).
//
// Everything an environment (main thread or worker) reads goes into one arena of slots which all of its sockets share,
// since a batch is consumed before the next one is read. JavaScript is called once a batch, with the number of slots
// filled; lengths, sender addresses and hop limits lie in arrays beside them.
//
// Every method returns 0 or a count, or a negative errno.

#define NAPI_VERSION 8
#include <node_api.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uv.h"

#ifndef SO_ATTACH_FILTER
#define SO_ATTACH_FILTER 26
#define SO_DETACH_FILTER 27
#endif

namespace {

constexpr unsigned kSlots = 64;
// Not a power of two: slots a power of two apart would compete for the same cache lines.
constexpr size_t kSlotSize = 65536 + 192;
constexpr size_t kNameSize = 32;
constexpr size_t kControlSize = 64;
// Batches read in a row before other handles of the loop get their turn.
constexpr int kRounds = 16;

enum ReceiveFlags { kWantName = 1, kWantHopLimit = 2 };

struct Socket;

struct Environment {
  napi_env env;
  uv_loop_s* loop;
  napi_async_cleanup_hook_handle cleanup;
  napi_ref arena;
  napi_ref socket_class;
  Socket* sockets;
  size_t closing;
  bool ending;
  uint8_t* data;
  uint8_t* names;
  int32_t* lengths;
  int32_t* hop_limits;
  mmsghdr messages[kSlots];
  iovec vectors[kSlots];
  alignas(cmsghdr) uint8_t control[kSlots][kControlSize];
};

struct Socket {
  Environment* owner;
  Socket* previous;
  Socket* next;
  int fd;
  int flags;
  bool writing;
  uv_poll_s* poll;
  napi_async_context context;
  napi_ref self;
  napi_ref handler;
};

void End(Environment* environment) {
  if (!environment->ending || environment->closing != 0) return;
  napi_remove_async_cleanup_hook(environment->cleanup);
  free(environment);
}

// Ends the waiting. The JavaScript object may be collected from here on.
void StopPolling(Socket* socket) {
  Environment* environment = socket->owner;
  if (socket->poll != nullptr) {
    uv_poll_stop(socket->poll);
    auto* handle = reinterpret_cast<uv_handle_s*>(socket->poll);
    uv_handle_set_data(handle, environment);
    socket->poll = nullptr;
    environment->closing++;
    uv_close(handle, [](uv_handle_s* closed) {
      auto* owner = static_cast<Environment*>(uv_handle_get_data(closed));
      free(closed);
      owner->closing--;
      End(owner);
    });
  }
  napi_env env = environment->env;
  if (socket->context != nullptr) napi_async_destroy(env, socket->context);
  if (socket->handler != nullptr) napi_delete_reference(env, socket->handler);
  if (socket->self != nullptr) napi_delete_reference(env, socket->self);
  socket->context = nullptr;
  socket->handler = nullptr;
  socket->self = nullptr;
}

// Takes the descriptor out of the socket: whoever calls this owns it.
int Release(Socket* socket) {
  int fd = socket->fd;
  // A socket that is not open may outlive its environment.
  if (fd < 0) return -1;
  StopPolling(socket);
  socket->fd = -1;
  if (socket->previous != nullptr) socket->previous->next = socket->next;
  else socket->owner->sockets = socket->next;
  if (socket->next != nullptr) socket->next->previous = socket->previous;
  socket->previous = nullptr;
  socket->next = nullptr;
  return fd;
}

void Close(Socket* socket) {
  int fd = Release(socket);
  if (fd >= 0) close(fd);
}

void CleanUp(napi_async_cleanup_hook_handle, void* data) {
  auto* environment = static_cast<Environment*>(data);
  while (environment->sockets != nullptr) Close(environment->sockets);
  napi_delete_reference(environment->env, environment->arena);
  napi_delete_reference(environment->env, environment->socket_class);
  environment->ending = true;
  End(environment);
}

// Calls the handler with one number. False when the socket was closed, or stopped waiting, meanwhile.
bool Deliver(Socket* socket, int32_t value) {
  napi_env env = socket->owner->env;
  uv_poll_s* poll = socket->poll;
  napi_value self, handler, argument, result;
  if (napi_get_reference_value(env, socket->self, &self) != napi_ok ||
      napi_get_reference_value(env, socket->handler, &handler) != napi_ok ||
      napi_create_int32(env, value, &argument) != napi_ok) {
    return false;
  }
  // Runs microtasks and nextTick callbacks as well once the handler returns.
  napi_make_callback(env, socket->context, self, handler, 1, &argument, &result);
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) {
    napi_value error;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
  }
  return socket->fd >= 0 && socket->poll != nullptr && socket->poll == poll;
}

int32_t HopLimitOf(msghdr* message) {
  for (cmsghdr* c = CMSG_FIRSTHDR(message); c != nullptr; c = CMSG_NXTHDR(message, c)) {
    bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL;
    bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT;
    if (!v4 && !v6) continue;
    int value;
    memcpy(&value, CMSG_DATA(c), sizeof value);
    return value;
  }
  return -1;
}

int ReadBatch(Socket* socket) {
  Environment* environment = socket->owner;
  bool want_name = (socket->flags & kWantName) != 0;
  bool want_control = (socket->flags & kWantHopLimit) != 0;
  for (unsigned i = 0; i < kSlots; i++) {
    msghdr* header = &environment->messages[i].msg_hdr;
    header->msg_name = want_name ? environment->names + i * kNameSize : nullptr;
    header->msg_namelen = want_name ? kNameSize : 0;
    header->msg_control = want_control ? environment->control[i] : nullptr;
    header->msg_controllen = want_control ? kControlSize : 0;
  }
  int count;
  do {
    count = recvmmsg(socket->fd, environment->messages, kSlots, MSG_DONTWAIT, nullptr);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return -errno;
  for (int i = 0; i < count; i++) {
    mmsghdr* message = &environment->messages[i];
    bool whole = (message->msg_hdr.msg_flags & MSG_TRUNC) == 0;
    environment->lengths[i] = whole ? static_cast<int32_t>(message->msg_len) : -1;
    if (want_control) environment->hop_limits[i] = HopLimitOf(&message->msg_hdr);
  }
  return count;
}

int StartPolling(Socket* socket);

void OnPoll(uv_poll_s* handle, int status, int) {
  auto* socket = static_cast<Socket*>(uv_handle_get_data(reinterpret_cast<uv_handle_s*>(handle)));
  napi_env env = socket->owner->env;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  // Keeps the object, and so `socket`, alive while we are here, whatever the handler closes.
  napi_value self;
  bool open = napi_get_reference_value(env, socket->self, &self) == napi_ok;
  if (open && socket->writing) {
    uv_poll_stop(handle);
    Deliver(socket, 0);
  } else if (open) {
    if (status < 0) {
      // libuv stops a handle on POLLERR. Reading the error clears it; one that cannot be read would come back for ever.
      int error = 0;
      socklen_t length = sizeof error;
      getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &length);
      open = Deliver(socket, error == 0 ? -EIO : -error) && error != 0;
      if (open) StartPolling(socket);
    }
    for (int round = 0; open && round < kRounds; round++) {
      int count = ReadBatch(socket);
      if (count == 0 || count == -EAGAIN) break;
      // A batch that is not full was the last one; what comes later wakes us again.
      open = Deliver(socket, count) && count == static_cast<int>(kSlots);
    }
  }
  napi_close_handle_scope(env, scope);
}

int StartPolling(Socket* socket) {
  return uv_poll_start(socket->poll, socket->writing ? kUvWritable : kUvReadable, OnPoll);
}

struct Bytes {
  uint8_t* data;
  size_t length;
};

struct Call {
  Socket* socket;
  napi_value self;
  napi_value arguments[3];
};

bool Begin(napi_env env, napi_callback_info info, Call* call) {
  size_t count = 3;
  void* wrapped = nullptr;
  if (napi_get_cb_info(env, info, &count, call->arguments, &call->self, nullptr) == napi_ok &&
      napi_unwrap(env, call->self, &wrapped) == napi_ok) {
    call->socket = static_cast<Socket*>(wrapped);
    return true;
  }
  napi_throw_type_error(env, nullptr, "not a socket");
  return false;
}

bool ToInt(napi_env env, napi_value value, int32_t* out) {
  if (napi_get_value_int32(env, value, out) == napi_ok) return true;
  napi_throw_type_error(env, nullptr, "expected a number");
  return false;
}

bool ToBytes(napi_env env, napi_value value, Bytes* out) {
  napi_typedarray_type type;
  void* data;
  if (napi_get_typedarray_info(env, value, &type, &out->length, &data, nullptr, nullptr) == napi_ok &&
      type == napi_uint8_array) {
    out->data = static_cast<uint8_t*>(data);
    return true;
  }
  napi_throw_type_error(env, nullptr, "expected a Uint8Array");
  return false;
}

napi_value FromInt(napi_env env, int64_t value) {
  napi_value out = nullptr;
  napi_create_int32(env, static_cast<int32_t>(value), &out);
  return out;
}

napi_value Result(napi_env env, ssize_t value) { return FromInt(env, value < 0 ? -errno : value); }

napi_value Construct(napi_env env, napi_callback_info info) {
  napi_value self;
  void* environment;
  if (napi_get_cb_info(env, info, nullptr, nullptr, &self, &environment) != napi_ok) return nullptr;
  auto* socket = static_cast<Socket*>(calloc(1, sizeof(Socket)));
  if (socket == nullptr) {
    napi_throw_error(env, "ENOMEM", "out of memory");
    return nullptr;
  }
  socket->owner = static_cast<Environment*>(environment);
  socket->fd = -1;
  napi_status status = napi_wrap(
      env, self, socket,
      [](napi_env, void* data, void*) {
        Close(static_cast<Socket*>(data));
        free(data);
      },
      nullptr, nullptr);
  if (status != napi_ok) {
    free(socket);
    napi_throw_error(env, nullptr, "the socket object could not be made");
    return nullptr;
  }
  return self;
}

// Puts a descriptor into a socket that has none.
void Own(Socket* socket, int fd) {
  socket->fd = fd;
  socket->next = socket->owner->sockets;
  if (socket->next != nullptr) socket->next->previous = socket;
  socket->owner->sockets = socket;
}

// open(domain, type, protocol)
napi_value Open(napi_env env, napi_callback_info info) {
  Call call;
  int32_t domain, type, protocol;
  if (!Begin(env, info, &call) || !ToInt(env, call.arguments[0], &domain) || !ToInt(env, call.arguments[1], &type) ||
      !ToInt(env, call.arguments[2], &protocol)) {
    return nullptr;
  }
  if (call.socket->fd >= 0) return FromInt(env, -EBADF);
  int fd = ::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd < 0) return FromInt(env, -errno);
  Own(call.socket, fd);
  return FromInt(env, 0);
}

// adopt(descriptor): opens another descriptor of a socket that somebody else owns, to set options on.
napi_value Adopt(napi_env env, napi_callback_info info) {
  Call call;
  int32_t descriptor;
  if (!Begin(env, info, &call) || !ToInt(env, call.arguments[0], &descriptor)) return nullptr;
  if (call.socket->fd >= 0) return FromInt(env, -EBADF);
  int fd = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return FromInt(env, -errno);
  Own(call.socket, fd);
  return FromInt(env, 0);
}

// close(): may be called again.
napi_value CloseSocket(napi_env env, napi_callback_info info) {
  Call call;
  if (!Begin(env, info, &call)) return nullptr;
  Close(call.socket);
  return nullptr;
}

struct Closing {
  napi_async_work work;
  napi_deferred deferred;
  int fd;
};

// closeLater(): as close(), but on the thread pool, since closing a packet socket waits some milliseconds for the
// kernel's other processors. Gives a promise that never rejects.
napi_value CloseLater(napi_env env, napi_callback_info info) {
  Call call;
  if (!Begin(env, info, &call)) return nullptr;
  int fd = Release(call.socket);
  napi_value promise = nullptr, name;
  auto* closing = static_cast<Closing*>(calloc(1, sizeof(Closing)));
  if (closing != nullptr && napi_create_promise(env, &closing->deferred, &promise) == napi_ok) {
    closing->fd = fd;
    auto execute = [](napi_env, void* data) {
      auto* closing = static_cast<Closing*>(data);
      if (closing->fd >= 0) close(closing->fd);
      closing->fd = -1;
    };
    auto complete = [](napi_env env, napi_status, void* data) {
      auto* closing = static_cast<Closing*>(data);
      // Cancelled before it ran, when the environment ends.
      if (closing->fd >= 0) close(closing->fd);
      napi_value nothing;
      if (napi_get_undefined(env, &nothing) == napi_ok) napi_resolve_deferred(env, closing->deferred, nothing);
      napi_delete_async_work(env, closing->work);
      free(closing);
    };
    if (napi_create_string_utf8(env, "CARILLON_CLOSE", NAPI_AUTO_LENGTH, &name) == napi_ok &&
        napi_create_async_work(env, nullptr, name, execute, complete, closing, &closing->work) == napi_ok &&
        napi_queue_async_work(env, closing->work) == napi_ok) {
      return promise;
    }
  }
  free(closing);
  if (fd >= 0) close(fd);
  napi_throw_error(env, nullptr, "the socket was closed, but its end cannot be waited for");
  return nullptr;
}

// detach(): the descriptor, which now belongs to the caller.
napi_value Detach(napi_env env, napi_callback_info info) {
  Call call;
  if (!Begin(env, info, &call)) return nullptr;
  int fd = Release(call.socket);
  return FromInt(env, fd < 0 ? -EBADF : fd);
}

// duplicate(): another descriptor of the same socket, which belongs to the caller.
napi_value Duplicate(napi_env env, napi_callback_info info) {
  Call call;
  if (!Begin(env, info, &call)) return nullptr;
  return Result(env, fcntl(call.socket->fd, F_DUPFD_CLOEXEC, 0));
}

// setInt(level, option, value)
napi_value SetInt(napi_env env, napi_callback_info info) {
  Call call;
  int32_t level, option, value;
  if (!Begin(env, info, &call) || !ToInt(env, call.arguments[0], &level) || !ToInt(env, call.arguments[1], &option) ||
      !ToInt(env, call.arguments[2], &value)) {
    return nullptr;
  }
  return Result(env, setsockopt(call.socket->fd, level, option, &value, sizeof value));
}

// setBytes(level, option, bytes)
napi_value SetBytes(napi_env env, napi_callback_info info) {
  Call call;
  int32_t level, option;
  Bytes bytes;
  if (!Begin(env, info, &call) || !ToInt(env, call.arguments[0], &level) || !ToInt(env, call.arguments[1], &option) ||
      !ToBytes(env, call.arguments[2], &bytes)) {
    return nullptr;
  }
  return Result(env, setsockopt(call.socket->fd, level, option, bytes.data, static_cast<socklen_t>(bytes.length)));
}

// getBytes(level, option, into): the number of bytes written.
napi_value GetBytes(napi_env env, napi_callback_info info) {
  Call call;
  int32_t level, option;
  Bytes bytes;
  if (!Begin(env, info, &call) || !ToInt(env, call.arguments[0], &level) || !ToInt(env, call.arguments[1], &option) ||
      !ToBytes(env, call.arguments[2], &bytes)) {
    return nullptr;
  }
  auto length = static_cast<socklen_t>(bytes.length);
  int result = getsockopt(call.socket->fd, level, option, bytes.data, &length);
  return result < 0 ? FromInt(env, -errno) : FromInt(env, length);
}

// filter(program): an array of struct sock_filter; none removes the filter.
napi_value Filter(napi_env env, napi_callback_info info) {
  Call call;
  Bytes bytes;
  if (!Begin(env, info, &call) || !ToBytes(env, call.arguments[0], &bytes)) return nullptr;
  int fd = call.socket->fd;
  size_t count = bytes.length / sizeof(sock_filter);
  if (count == 0) {
    int none = 0;
    int result = setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none);
    return result < 0 && errno == ENOENT ? FromInt(env, 0) : Result(env, result);
  }
  if (count > UINT16_MAX) return FromInt(env, -EINVAL);
  sock_fprog program = {static_cast<uint16_t>(count), reinterpret_cast<sock_filter*>(bytes.data)};
  return Result(env, setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
}

// bind(name), connect(name)
template <int (*Act)(int, const sockaddr*, socklen_t)>
napi_value WithName(napi_env env, napi_callback_info info) {
  Call call;
  Bytes name;
  if (!Begin(env, info, &call) || !ToBytes(env, call.arguments[0], &name)) return nullptr;
  auto* address = reinterpret_cast<const sockaddr*>(name.data);
  return Result(env, Act(call.socket->fd, address, static_cast<socklen_t>(name.length)));
}

// localName(into), remoteName(into): the number of bytes written.
template <int (*Ask)(int, sockaddr*, socklen_t*)>
napi_value NameOf(napi_env env, napi_callback_info info) {
  Call call;
  Bytes name;
  if (!Begin(env, info, &call) || !ToBytes(env, call.arguments[0], &name)) return nullptr;
  auto length = static_cast<socklen_t>(name.length);
  int result = Ask(call.socket->fd, reinterpret_cast<sockaddr*>(name.data), &length);
  return result < 0 ? FromInt(env, -errno) : FromInt(env, length);
}

// listen(backlog)
napi_value Listen(napi_env env, napi_callback_info info) {
  Call call;
  int32_t backlog;
  if (!Begin(env, info, &call) || !ToInt(env, call.arguments[0], &backlog)) return nullptr;
  return Result(env, listen(call.socket->fd, backlog));
}

// send(bytes): to where the socket is bound or connected.
napi_value Send(napi_env env, napi_callback_info info) {
  Call call;
  Bytes bytes;
  if (!Begin(env, info, &call) || !ToBytes(env, call.arguments[0], &bytes)) return nullptr;
  return Result(env, send(call.socket->fd, bytes.data, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL));
}

// sendTo(bytes, name)
napi_value SendTo(napi_env env, napi_callback_info info) {
  Call call;
  Bytes bytes, name;
  if (!Begin(env, info, &call) || !ToBytes(env, call.arguments[0], &bytes) || !ToBytes(env, call.arguments[1], &name)) {
    return nullptr;
  }
  auto* address = reinterpret_cast<const sockaddr*>(name.data);
  return Result(env, sendto(call.socket->fd, bytes.data, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address,
                            static_cast<socklen_t>(name.length)));
}

napi_value Wait(napi_env env, Call* call, napi_value handler, int flags, bool writing) {
  Socket* socket = call->socket;
  if (socket->fd < 0) return FromInt(env, -EBADF);
  StopPolling(socket);
  auto* poll = static_cast<uv_poll_s*>(calloc(1, uv_handle_size(kUvPoll)));
  if (poll == nullptr) return FromInt(env, -ENOMEM);
  int error = uv_poll_init(socket->owner->loop, poll, socket->fd);
  if (error < 0) {
    free(poll);
    return FromInt(env, error);
  }
  uv_handle_set_data(reinterpret_cast<uv_handle_s*>(poll), socket);
  socket->poll = poll;
  socket->flags = flags;
  socket->writing = writing;
  napi_value name;
  if (napi_create_string_utf8(env, "CARILLON_SOCKET", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_async_init(env, call->self, name, &socket->context) != napi_ok ||
      napi_create_reference(env, call->self, 1, &socket->self) != napi_ok ||
      napi_create_reference(env, handler, 1, &socket->handler) != napi_ok) {
    StopPolling(socket);
    return FromInt(env, -ENOMEM);
  }
  error = StartPolling(socket);
  if (error < 0) StopPolling(socket);
  return FromInt(env, error);
}

// receive(flags, handler): from now on handler(count) for each batch, handler(-errno) for an error.
napi_value Receive(napi_env env, napi_callback_info info) {
  Call call;
  int32_t flags;
  if (!Begin(env, info, &call) || !ToInt(env, call.arguments[0], &flags)) return nullptr;
  return Wait(env, &call, call.arguments[1], flags, false);
}

// writable(handler): calls handler(0) once, when the socket can be written to or has failed.
napi_value Writable(napi_env env, napi_callback_info info) {
  Call call;
  if (!Begin(env, info, &call)) return nullptr;
  return Wait(env, &call, call.arguments[0], 0, true);
}

// interfaceIndex(name): 0 when there is none.
napi_value InterfaceIndex(napi_env env, napi_callback_info info) {
  size_t count = 1, length;
  napi_value argument;
  char name[IF_NAMESIZE + 1];
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok ||
      napi_get_value_string_utf8(env, argument, name, sizeof name, &length) != napi_ok) {
    napi_throw_type_error(env, nullptr, "expected an interface name");
    return nullptr;
  }
  return FromInt(env, length >= IF_NAMESIZE ? 0 : if_nametoindex(name));
}

// interfaceName(index): empty when there is none.
napi_value InterfaceName(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, out = nullptr;
  int32_t index;
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok || !ToInt(env, argument, &index)) {
    return nullptr;
  }
  char name[IF_NAMESIZE];
  if (if_indextoname(static_cast<unsigned>(index), name) == nullptr) name[0] = '\0';
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &out);
  return out;
}

// schedule(policy, priority): of the calling thread. The C library of some systems refuses what their kernel can do.
napi_value Schedule(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  int32_t policy;
  sched_param parameters = {};
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) != napi_ok || !ToInt(env, arguments[0], &policy) ||
      !ToInt(env, arguments[1], &parameters.sched_priority)) {
    return nullptr;
  }
  return Result(env, syscall(SYS_sched_setscheduler, 0, policy, &parameters));
}

// The arena as JavaScript sees it: slots, slotSize, nameSize, data, names, lengths, hopLimits.
bool MakeArena(napi_env env, Environment* environment, napi_value arena) {
  napi_value buffer, view, number;
  void* memory;
  const struct {
    const char* name;
    napi_typedarray_type type;
    size_t bytes;
    size_t count;
    void** where;
  } arrays[] = {
      {"data", napi_uint8_array, kSlots * kSlotSize, kSlots * kSlotSize, reinterpret_cast<void**>(&environment->data)},
      {"names", napi_uint8_array, kSlots * kNameSize, kSlots * kNameSize, reinterpret_cast<void**>(&environment->names)},
      {"lengths", napi_int32_array, kSlots * 4, kSlots, reinterpret_cast<void**>(&environment->lengths)},
      {"hopLimits", napi_int32_array, kSlots * 4, kSlots, reinterpret_cast<void**>(&environment->hop_limits)},
  };
  for (const auto& array : arrays) {
    if (napi_create_arraybuffer(env, array.bytes, &memory, &buffer) != napi_ok ||
        napi_create_typedarray(env, array.type, array.count, buffer, 0, &view) != napi_ok ||
        napi_set_named_property(env, arena, array.name, view) != napi_ok) {
      return false;
    }
    *array.where = memory;
  }
  const struct {
    const char* name;
    size_t value;
  } numbers[] = {{"slots", kSlots}, {"slotSize", kSlotSize}, {"nameSize", kNameSize}};
  for (const auto& entry : numbers) {
    if (napi_create_uint32(env, static_cast<uint32_t>(entry.value), &number) != napi_ok ||
        napi_set_named_property(env, arena, entry.name, number) != napi_ok) {
      return false;
    }
  }
  for (unsigned i = 0; i < kSlots; i++) {
    environment->vectors[i].iov_base = environment->data + i * kSlotSize;
    environment->vectors[i].iov_len = 65536;
    environment->messages[i].msg_hdr.msg_iov = &environment->vectors[i];
    environment->messages[i].msg_hdr.msg_iovlen = 1;
  }
  return napi_object_freeze(env, arena) == napi_ok;
}

napi_value Fail(napi_env env, Environment* environment) {
  free(environment);
  napi_throw_error(env, nullptr, "the socket addon could not be set up");
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  auto* environment = static_cast<Environment*>(calloc(1, sizeof(Environment)));
  if (environment == nullptr) return Fail(env, environment);
  environment->env = env;
  const napi_property_descriptor methods[] = {
#define METHOD(name, function) {name, nullptr, function, nullptr, nullptr, nullptr, napi_default_method, nullptr}
      METHOD("open", Open),
      METHOD("adopt", Adopt),
      METHOD("close", CloseSocket),
      METHOD("closeLater", CloseLater),
      METHOD("detach", Detach),
      METHOD("duplicate", Duplicate),
      METHOD("setInt", SetInt),
      METHOD("setBytes", SetBytes),
      METHOD("getBytes", GetBytes),
      METHOD("filter", Filter),
      METHOD("bind", WithName<bind>),
      METHOD("connect", WithName<connect>),
      METHOD("localName", NameOf<getsockname>),
      METHOD("remoteName", NameOf<getpeername>),
      METHOD("listen", Listen),
      METHOD("send", Send),
      METHOD("sendTo", SendTo),
      METHOD("receive", Receive),
      METHOD("writable", Writable),
  };
  napi_value socket_class, arena;
  if (napi_get_uv_event_loop(env, &environment->loop) != napi_ok ||
      napi_define_class(env, "Socket", NAPI_AUTO_LENGTH, Construct, environment, sizeof methods / sizeof *methods, methods,
                        &socket_class) != napi_ok ||
      napi_create_object(env, &arena) != napi_ok || !MakeArena(env, environment, arena) ||
      napi_create_reference(env, arena, 1, &environment->arena) != napi_ok ||
      napi_create_reference(env, socket_class, 1, &environment->socket_class) != napi_ok) {
    return Fail(env, environment);
  }
  const napi_property_descriptor surface[] = {
      {"Socket", nullptr, nullptr, nullptr, nullptr, socket_class, napi_enumerable, nullptr},
      {"arena", nullptr, nullptr, nullptr, nullptr, arena, napi_enumerable, nullptr},
      METHOD("interfaceIndex", InterfaceIndex),
      METHOD("interfaceName", InterfaceName),
      METHOD("schedule", Schedule),
#undef METHOD
  };
  if (napi_define_properties(env, exports, sizeof surface / sizeof *surface, surface) != napi_ok ||
      napi_add_async_cleanup_hook(env, CleanUp, environment, &environment->cleanup) != napi_ok) {
    return Fail(env, environment);
  }
  return exports;
}
