// What the parts of the stand-in share: a device that does its work as late as CUDA allows, and a log of what it is told.
#pragma once
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

// CUDA's numbers for errors, as far as they are needed.
enum { SUCCESS = 0, INVALID_VALUE = 1, NO_MEMORY = 2, INVALID_DEVICE = 101, NOT_WHILE_CAPTURING = 900 };

using Work = std::function<void()>;
using Lock = std::lock_guard<std::recursive_mutex>;

struct Stream {
    bool blocking;  // ordered with the default stream
    std::deque<Work> queue = {};
};

std::recursive_mutex &mutex();
long long setting(const char *name, long long otherwise);  // a number from the environment

Stream &stream_of(void *handle);
void push(Stream &stream, Work work);  // into the graph where the stream is being captured
void drain(Stream &stream);
void drain_all(bool blocking_only = false);  // true: what the default stream waits for
bool capturing();  // nothing may wait or allocate then

extern "C" {
void stand_in_say(const char *what, const char *detail);  // a line of the log
void stand_in_launch(const char *kernel, void *stream);
}
