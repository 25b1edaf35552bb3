// Memory and copies of libcudart. The memory of the device is memory of the host, zeroed, and unmapped when it is freed.
#include "stand_in.h"

#include <sys/mman.h>

#include <cstring>
#include <map>
#include <string>

static std::map<const char *, size_t> &blocks = *new std::map<const char *, size_t>;  // bytes by address; never freed
static size_t used = 0;                                                               // bytes

static size_t capacity() { return setting("CUDA_STAND_IN_MEMORY", 80ll << 30); }

static bool on_device(const void *address) {
    Lock lock(mutex());
    auto next = blocks.upper_bound((const char *)address);
    if (next == blocks.begin()) return false;
    auto &[start, bytes] = *--next;
    return (const char *)address < start + bytes;
}

// Writes the copy down. False where an address is not on the side that `kind` says.
static bool say_copy(const void *to, const void *from, size_t bytes, int kind) {
    static const char *names[] = {"on host", "to device", "to host", "on device"};  // as CUDA numbers them
    int really = 2 * on_device(from) + on_device(to);
    stand_in_say("copy", (std::string(names[really]) + " " + std::to_string(bytes)).c_str());
    return kind == really;
}

extern "C" {
int cudaMalloc(void **made, size_t bytes) {
    Lock lock(mutex());
    if (capturing()) return NOT_WHILE_CAPTURING;
    if (used + bytes > capacity()) return NO_MEMORY;
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return NO_MEMORY;
    blocks[(const char *)memory] = bytes;
    used += bytes;
    *made = memory;
    return SUCCESS;
}

int cudaFree(void *memory) {
    if (!memory) return SUCCESS;
    stand_in_say("wait", "free");
    if (capturing()) return NOT_WHILE_CAPTURING;
    drain_all();
    Lock lock(mutex());
    auto found = blocks.find((const char *)memory);
    if (found == blocks.end()) return INVALID_VALUE;
    used -= found->second;
    munmap(memory, found->second);
    blocks.erase(found);
    return SUCCESS;
}

int cudaMemGetInfo(size_t *free, size_t *total) {
    Lock lock(mutex());
    *total = capacity();
    *free = *total - used;
    return SUCCESS;
}

int cudaMemcpy(void *to, const void *from, size_t bytes, int kind) {
    if (!say_copy(to, from, bytes, kind)) return INVALID_VALUE;
    if (capturing()) return NOT_WHILE_CAPTURING;
    drain_all(true);  // and no other stream
    memcpy(to, from, bytes);
    return SUCCESS;
}

int cudaMemcpyAsync(void *to, const void *from, size_t bytes, int kind, void *handle) {
    if (!say_copy(to, from, bytes, kind)) return INVALID_VALUE;
    Stream &stream = stream_of(handle);
    if (on_device(from)) {
        push(stream, [=] { memmove(to, from, bytes); });
        if (!on_device(to)) drain(stream);  // memory of the host is written before the call returns
    } else {
        std::string read((const char *)from, bytes);  // and read before it returns
        push(stream, [=] { memcpy(to, read.data(), bytes); });
    }
    return SUCCESS;
}
}
