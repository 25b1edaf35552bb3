// Kernels of libcudart: they compute nothing, and are written down by the names under which the provider registers them.
#include "stand_in.h"

#include <cstdlib>
#include <unordered_map>

struct Size {
    unsigned x, y, z;
};

static std::unordered_map<const void *, const char *> &names = *new std::unordered_map<const void *, const char *>;
// What a launch's two calls hand on.
static thread_local Size grid, block;
static thread_local size_t shared;
static thread_local void *stream;

extern "C" {
void **__cudaRegisterFatBinary(void *) { return (void **)calloc(1, sizeof(void *)); }

void __cudaRegisterFunction(void **, const void *kernel, char *, const char *name, int, void *, void *, void *, void *,
                            int *) {
    names[kernel] = name;
}

unsigned __cudaPushCallConfiguration(Size grid_, Size block_, size_t shared_, void *stream_) {
    grid = grid_, block = block_, shared = shared_, stream = stream_;
    return SUCCESS;
}

int __cudaPopCallConfiguration(Size *grid_, Size *block_, size_t *shared_, void **stream_) {
    *grid_ = grid, *block_ = block, *shared_ = shared, *stream_ = stream;
    return SUCCESS;
}

int __cudaGetKernel(const void **kernel, const void *function) {
    *kernel = function;
    return SUCCESS;
}

int __cudaLaunchKernel(const void *kernel, Size, Size, void **, size_t, void *stream) {
    stand_in_launch(names.at(kernel), stream);
    return SUCCESS;
}
}
