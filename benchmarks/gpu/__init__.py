"""All that a CUDA machine can say in eight minutes: parity, kernels, throughput, end to end, latency, training."""
