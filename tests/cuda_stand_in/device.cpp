// Devices of libcudart, each of Hopper's architecture (sm_90), by which ONNX Runtime chooses kernels; and the log.
#include "stand_in.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

static thread_local int current = 0;

long long setting(const char *name, long long otherwise) { return getenv(name) ? atoll(getenv(name)) : otherwise; }

static int count() { return setting("CUDA_STAND_IN_DEVICES", 1); }

extern "C" {
void stand_in_say(const char *what, const char *detail) {
    static FILE *log = getenv("CUDA_STAND_IN_LOG") ? fopen(getenv("CUDA_STAND_IN_LOG"), "a") : nullptr;
    if (!log) return;
    Lock lock(mutex());
    fprintf(log, "%d %s %s\n", current, what, detail);
    fflush(log);
}

int cudaGetDeviceCount(int *devices) {
    *devices = count();
    return SUCCESS;
}

int cudaGetDevice(int *device) {
    *device = current;
    return SUCCESS;
}

int cudaSetDevice(int device) {
    if (device < 0 || device >= count()) return INVALID_DEVICE;
    current = device;
    return SUCCESS;
}

// cudaDeviceProp of CUDA 13: what may be asked for, by where it stands in its 1,008 bytes.
int cudaGetDeviceProperties(char *properties, int device) {
    memset(properties, 0, 1008);
    snprintf(properties, 256, "CUDA stand-in %d", device);
    auto put = [=](int place, int value) { memcpy(properties + place, &value, sizeof value); };
    put(296, 49152);                                         // sharedMemPerBlock
    put(304, 65536);                                         // regsPerBlock
    put(308, 32);                                            // warpSize
    put(320, 1024);                                          // maxThreadsPerBlock
    put(324, 1024), put(328, 1024), put(332, 64);            // maxThreadsDim
    put(336, 2147483647), put(340, 65535), put(344, 65535);  // maxGridSize
    put(360, 9);                                             // major
    put(384, 132);                                           // multiProcessorCount
    put(604, 2048);                                          // maxThreadsPerMultiProcessor
    put(624, 233472);                                        // sharedMemPerMultiprocessor
    put(672, 232448);                                        // sharedMemPerBlockOptin
    return SUCCESS;
}
}
