// Streams and graphs of libcudart. Work is done only when something waits for it: what is read, overwritten or freed too
// early gives wrong answers here always, and on a real device sometimes.
#include "stand_in.h"

#include <cstdint>
#include <list>
#include <vector>

using Graph = std::vector<Work>;

// Never freed: ONNX Runtime still calls when the process ends, after destructors have run.
static Stream &default_stream = *new Stream{true};
static std::list<Stream *> &streams = *new std::list<Stream *>{&default_stream};
static Stream *captured = nullptr;
static Graph *graph = nullptr;

// What computes the logits, and belongs behind the kernels of the run that this thread has begun.
static thread_local void (*logits_of_run)() = nullptr;
static thread_local Stream *launched_on = nullptr;  // where kernels have no logits behind them yet

std::recursive_mutex &mutex() {
    static auto *made = new std::recursive_mutex;
    return *made;
}

Stream &stream_of(void *handle) {
    return (uintptr_t)handle <= 2 ? default_stream : *(Stream *)handle;  // 1 and 2 are names for the default stream
}

bool capturing() { return captured; }

void push(Stream &stream, Work work) {
    Lock lock(mutex());
    if (&stream == captured)
        graph->push_back(std::move(work));
    else
        stream.queue.push_back(std::move(work));
}

void drain(Stream &stream) {
    for (;;) {
        Work work;
        {
            Lock lock(mutex());
            if (stream.queue.empty()) return;
            work = std::move(stream.queue.front());
            stream.queue.pop_front();
        }
        work();  // without the lock: it may call Python
    }
}

void drain_all(bool blocking_only) {
    std::unique_lock<std::recursive_mutex> lock(mutex());
    auto all = streams;
    lock.unlock();
    for (Stream *stream : all)
        if (stream->blocking || !blocking_only) drain(*stream);
}

static void push_logits() {
    if (logits_of_run && launched_on) push(*launched_on, logits_of_run);
    launched_on = nullptr;
}

extern "C" {
void stand_in_launch(const char *kernel, void *stream) {
    launched_on = &stream_of(stream);
    stand_in_say(launched_on == captured ? "capture" : "launch", kernel);
}

// Of cuBLAS, whose handles know no stream here.
void stand_in_product(const char *name) { stand_in_say(captured ? "capture" : "launch", name); }

// `compute` is to be done as if it were the last kernel of all that this thread launches until stand_in_run_ends.
void stand_in_run_begins(void (*compute)()) {
    logits_of_run = compute;
    launched_on = nullptr;
}

void stand_in_run_ends() {
    push_logits();
    logits_of_run = nullptr;
}

int cudaStreamCreateWithFlags(void **made, unsigned flags) {
    Lock lock(mutex());
    streams.push_back(new Stream{!(flags & 1)});
    *made = streams.back();
    return SUCCESS;
}

int cudaStreamDestroy(void *handle) {
    drain(stream_of(handle));
    Lock lock(mutex());
    streams.remove(&stream_of(handle));
    return SUCCESS;
}

int cudaStreamSynchronize(void *handle) {
    Stream &stream = stream_of(handle);
    stand_in_say("wait", &stream == &default_stream ? "default stream" : "stream");
    if (capturing()) return NOT_WHILE_CAPTURING;
    push_logits();
    &stream == &default_stream ? drain_all(true) : drain(stream);
    return SUCCESS;
}

int cudaDeviceSynchronize() {
    stand_in_say("wait", "device");
    if (capturing()) return NOT_WHILE_CAPTURING;
    push_logits();
    drain_all();
    return SUCCESS;
}

int cudaStreamBeginCapture(void *stream, int) {
    Lock lock(mutex());
    if (captured || &stream_of(stream) == &default_stream) return NOT_WHILE_CAPTURING;
    captured = &stream_of(stream);
    graph = new Graph;
    return SUCCESS;
}

int cudaStreamEndCapture(void *, void **made) {
    push_logits();
    Lock lock(mutex());
    captured = nullptr;
    *made = graph;
    return SUCCESS;
}

int cudaGraphInstantiate(void **made, void *from, unsigned long long) {
    *made = new Graph(*(Graph *)from);
    return SUCCESS;
}

int cudaGraphLaunch(void *handle, void *stream) {
    stand_in_say("launch", "graph");
    for (Work &work : *(Graph *)handle) push(stream_of(stream), work);
    return SUCCESS;
}
}
