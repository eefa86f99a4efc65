// Compiled by verify and not started: a kernel that uses what the device and its headers offer.
#include <cuda_runtime.h>

__global__ void scaled(const float* from, float* to, float factor, int length) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at < length) to[at] = __fmaf_rn(from[at], factor, 1.0f);
}

int launched(const float* from, float* to, int length) {
  scaled<<<(length + 255) / 256, 256>>>(from, to, 2.0f, length);
  return static_cast<int>(cudaGetLastError());
}
