// The few functions of libuv that we call, declared here because Node's own copy of uv.h is not always installed.
// They, and the numbers below, have been stable since libuv 1.0 (uv_handle_*: 1.19); Node exports them.
#pragma once
#include <stddef.h>

extern "C" {
struct uv_loop_s;
struct uv_handle_s;
struct uv_poll_s;
typedef void (*uv_poll_cb)(struct uv_poll_s* handle, int status, int events);
typedef void (*uv_close_cb)(struct uv_handle_s* handle);

size_t uv_handle_size(int type);
void* uv_handle_get_data(const struct uv_handle_s* handle);
void uv_handle_set_data(struct uv_handle_s* handle, void* data);
int uv_poll_init(struct uv_loop_s* loop, struct uv_poll_s* handle, int fd);
int uv_poll_start(struct uv_poll_s* handle, int events, uv_poll_cb cb);
int uv_poll_stop(struct uv_poll_s* handle);
void uv_close(struct uv_handle_s* handle, uv_close_cb cb);
}

enum { kUvPoll = 8 };
enum { kUvReadable = 1, kUvWritable = 2 };
