// setns(2) for tests: moves the calling thread, so the test itself, into another network namespace. What it opens and
// what it starts from then on (also with execFileSync) belongs there.

#define NAPI_VERSION 8
#include <node_api.h>

#include <errno.h>
#include <sched.h>

static napi_value Enter(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, out = nullptr;
  int32_t fd = -1;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_int32(env, argument, &fd);
  napi_create_int32(env, setns(fd, CLONE_NEWNET) < 0 ? -errno : 0, &out);
  return out;
}

NAPI_MODULE_INIT() {
  napi_value enter;
  napi_create_function(env, "enter", NAPI_AUTO_LENGTH, Enter, nullptr, &enter);
  napi_set_named_property(env, exports, "enter", enter);
  return exports;
}
