// Random numbers: element i is a function of (seed, counter, i) alone, the same as on the CPU (carousel.tensor.op.Distribution).
#include "philox.cuh"

// Where a fill starts to draw: a number of the host's, or, in a replay, what it has written for this run.
__device__ __forceinline__ i64 first_block(i64 counter, const i64 *moved) { return moved ? *moved : counter; }

// y [n]: the upper 24 bits of word i mod 4 of block counter + i/4, in [0, 1). A thread takes a block.
extern "C" __global__ void random_uniform_f32(i64 seed, i64 counter, const i64 *moved, float *y, i64 n) {
  i64 first = first_block(counter, moved);
  for (i64 block = first_element(); block * 4 < n; block += all_threads()) {
    Words words = philox(seed, first + block);
    for (int k = 0; k < 4 && block * 4 + k < n; k++) {
      y[block * 4 + k] = static_cast<float>(uniform_bits(words.of[k])) * 0x1p-24f;
    }
  }
}

// y [n]: the upper 53 bits of half i mod 2 of block counter + i/2, in [0, 1). A thread takes a block.
extern "C" __global__ void random_uniform_f64(i64 seed, i64 counter, const i64 *moved, double *y, i64 n) {
  i64 first = first_block(counter, moved);
  for (i64 block = first_element(); block * 2 < n; block += all_threads()) {
    Words words = philox(seed, first + block);
    for (int k = 0; k < 2 && block * 2 + k < n; k++) {
      y[block * 2 + k] = unit(words.of[2 * k], words.of[2 * k + 1]);
    }
  }
}

// Box and Muller (1958): u, v of one block give two numbers.
__device__ __forceinline__ void box_muller(Words words, double *first, double *second) {
  double u = unit(words.of[0], words.of[1]);
  double angle = 6.28318530717958647692 * unit(words.of[2], words.of[3]);
  double radius = sqrt(-2 * log1p(-u));
  *first = radius * cos(angle);
  *second = radius * sin(angle);
}

// y [n]: elements 2b and 2b+1 from block counter + b. A thread takes a block.
#define NORMAL(type, T)                                                                                               \
  extern "C" __global__ void random_normal_##type(i64 seed, i64 counter, const i64 *moved, T *y, i64 n) {             \
    i64 from = first_block(counter, moved);                                                                           \
    for (i64 block = first_element(); block * 2 < n; block += all_threads()) {                                        \
      double first, second;                                                                                           \
      box_muller(philox(seed, from + block), &first, &second);                                                        \
      y[block * 2] = static_cast<T>(first);                                                                           \
      if (block * 2 + 1 < n) {                                                                                        \
        y[block * 2 + 1] = static_cast<T>(second);                                                                    \
      }                                                                                                               \
    }                                                                                                                 \
  }

NORMAL(f32, float)
NORMAL(f64, double)

// y [n], BOOL: whether 64 random bits are below those of a probability, of which `upper`, in [0, 2^32], are the first 32.
extern "C" __global__ void random_bernoulli(i64 seed, i64 counter, const i64 *moved, i64 upper, i64 lower, u8 *y,
                                            i64 n) {
  i64 first = first_block(counter, moved);
  for (i64 block = first_element(); block * 4 < n; block += all_threads()) {
    Words words = philox(seed, first + block);
    for (int k = 0; k < 4 && block * 4 + k < n; k++) {
      i64 word = words.of[k];
      y[block * 4 + k] = word == upper ? philox(seed, first + block, TIES).of[k] < lower : word < upper;
    }
  }
}
