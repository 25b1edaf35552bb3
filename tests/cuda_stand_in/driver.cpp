// The driver, libcuda: how many devices there are, and for which CUDA. CUDA_STAND_IN_DEVICES=0 is a machine without any.
#include <cstdio>
#include <cstdlib>

static int setting(const char *name, int otherwise) { return getenv(name) ? atoi(getenv(name)) : otherwise; }

extern "C" {
int cuDeviceGetCount(int *devices) {
    *devices = setting("CUDA_STAND_IN_DEVICES", 1);
    return 0;
}

int cuInit(unsigned) {
    int devices;
    cuDeviceGetCount(&devices);
    return devices ? 0 : 100;  // CUDA_ERROR_NO_DEVICE
}

int cuDriverGetVersion(int *version) {
    *version = setting("CUDA_STAND_IN_DRIVER", 13000);
    return 0;
}

int cuDeviceGet(int *device, int index) {
    *device = index;
    return 0;
}

int cuDeviceGetName(char *name, int bytes, int device) {
    snprintf(name, bytes, "CUDA stand-in %d", device);
    return 0;
}
}
