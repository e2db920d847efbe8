// CUDA C++ on the host: what the kernels of this folder use of the language, for g++.
//
// Included before a .cu file, it makes that file compile as ordinary C++. Not here, because kernels here do without:
// atomics on floating-point numbers (their order is the scheduler's), __device__ variables that are written, textures,
// inline PTX, tensor cores. `extern __shared__` is spelled DYNAMIC_SHARED (common.cuh).
#pragma once
#define __CUDA_EMULATOR__ 1

#include <math.h>
#include <stdlib.h>
#include <type_traits>
#include <utility>
#include "scheduler.h"

#define __global__ __attribute__((unused))
#define __device__
#define __host__
#define __constant__ static const
#define __shared__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define __align__(n) alignas(n)

// --- vector types

#define EMULATED_VECTORS(T, type, bytes)                                             \
  struct alignas(2 * bytes) T##2 { type x, y; };                                     \
  struct alignas(4 * bytes > 16 ? 16 : 4 * bytes) T##4 { type x, y, z, w; };         \
  inline T##2 make_##T##2(type x, type y) { return {x, y}; }                         \
  inline T##4 make_##T##4(type x, type y, type z, type w) { return {x, y, z, w}; }
EMULATED_VECTORS(float, float, 4)
EMULATED_VECTORS(double, double, 8)
EMULATED_VECTORS(int, int, 4)
EMULATED_VECTORS(uint, unsigned, 4)
EMULATED_VECTORS(uchar, unsigned char, 1)
#undef EMULATED_VECTORS

// --- barriers; where they are called from is for the error messages

#define SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(SITE) { emulator::blockBarrier({file, line}); }
inline void __syncwarp(unsigned mask = 0xffffffffu, SITE) { emulator::leave(emulator::meet(mask, 0, {file, line})); }
inline void __nanosleep(unsigned, SITE) { emulator::poll({file, line}); }
// The barrier of a cooperative launch, over all its blocks.
inline void emulated_grid_sync(SITE) { emulator::gridBarrier({file, line}); }

inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}

// --- warp shuffles and votes

namespace emulator {

template <typename T>
inline T exchange(unsigned mask, T value, int source, int width, Site site) {
  static_assert(sizeof(T) <= 8, "a shuffle moves at most 8 bytes");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  Meeting *meeting = meet(mask, bits, site);
  int lane = device->thread % WARP;
  int first = lane / width * width;
  // Outside the segment a lane keeps its own value.
  int from = source < first || source >= first + width ? lane : source;
  if (!(mask >> from & 1)) {
    fail("shuffle: " + doing(*device->block, device->thread, Wait::WARP, site) + " with mask " + hex(mask) +
         " reads lane " + std::to_string(from) + ", which is not in it");
  }
  memcpy(&value, &meeting->values[from], sizeof value);
  leave(meeting);
  return value;
}

inline int lane() { return device->thread % WARP; }

inline unsigned ballot(unsigned mask, bool vote, Site site) {
  Meeting *meeting = meet(mask, vote, site);
  unsigned votes = 0;
  for (unsigned i = 0; i < WARP; i++) {
    if (mask >> i & 1 && meeting->values[i]) {
      votes |= 1u << i;
    }
  }
  leave(meeting);
  return votes;
}

}  // namespace emulator

template <typename T>
inline T __shfl_sync(unsigned mask, T value, int source, int width = 32, SITE) {
  int lane = emulator::lane();
  return emulator::exchange(mask, value, lane / width * width + (source & (width - 1)), width, {file, line});
}
template <typename T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, SITE) {
  return emulator::exchange(mask, value, emulator::lane() - static_cast<int>(delta), width, {file, line});
}
template <typename T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, SITE) {
  return emulator::exchange(mask, value, emulator::lane() + static_cast<int>(delta), width, {file, line});
}
template <typename T>
inline T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, SITE) {
  return emulator::exchange(mask, value, emulator::lane() ^ bits, width, {file, line});
}
inline unsigned __ballot_sync(unsigned mask, int vote, SITE) { return emulator::ballot(mask, vote, {file, line}); }
inline int __any_sync(unsigned mask, int vote, SITE) { return emulator::ballot(mask, vote, {file, line}) != 0; }
inline int __all_sync(unsigned mask, int vote, SITE) { return emulator::ballot(mask, vote, {file, line}) == mask; }
#undef SITE

// --- atomics on integers; each returns what was there before

template <typename T, typename F>
inline T emulated_atomic(T *address, F next) {
  static_assert(std::is_integral_v<T>, "no atomics on floating-point numbers: their sums would depend on the order");
  T old = *address;
  *address = next(old);
  return old;
}
template <typename T>
inline T atomicAdd(T *at, std::type_identity_t<T> v) { return emulated_atomic(at, [=](T o) { return T(o + v); }); }
template <typename T>
inline T atomicSub(T *at, std::type_identity_t<T> v) { return emulated_atomic(at, [=](T o) { return T(o - v); }); }
template <typename T>
inline T atomicExch(T *at, std::type_identity_t<T> v) { return emulated_atomic(at, [=](T) { return v; }); }
template <typename T>
inline T atomicMin(T *at, std::type_identity_t<T> v) { return emulated_atomic(at, [=](T o) { return o < v ? o : v; }); }
template <typename T>
inline T atomicMax(T *at, std::type_identity_t<T> v) { return emulated_atomic(at, [=](T o) { return o > v ? o : v; }); }
template <typename T>
inline T atomicAnd(T *at, std::type_identity_t<T> v) { return emulated_atomic(at, [=](T o) { return T(o & v); }); }
template <typename T>
inline T atomicOr(T *at, std::type_identity_t<T> v) { return emulated_atomic(at, [=](T o) { return T(o | v); }); }
template <typename T>
inline T atomicXor(T *at, std::type_identity_t<T> v) { return emulated_atomic(at, [=](T o) { return T(o ^ v); }); }
template <typename T>
inline T atomicCAS(T *at, std::type_identity_t<T> expected, std::type_identity_t<T> v) {
  return emulated_atomic(at, [=](T o) { return o == expected ? v : o; });
}

// --- loads, bits, arithmetic

template <typename T> inline T __ldg(const T *at) { return *at; }
template <typename T> inline T __ldcg(const T *at) { return *at; }
template <typename T> inline void __stcg(T *at, T value) { *at = value; }

template <typename To, typename From>
inline To emulated_bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}
inline int __float_as_int(float x) { return emulated_bits<int>(x); }
inline unsigned __float_as_uint(float x) { return emulated_bits<unsigned>(x); }
inline float __int_as_float(int x) { return emulated_bits<float>(x); }
inline float __uint_as_float(unsigned x) { return emulated_bits<float>(x); }
inline long long __double_as_longlong(double x) { return emulated_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return emulated_bits<double>(x); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(x); }
inline unsigned __brev(unsigned x) {
  unsigned y = 0;
  for (int i = 0; i < 32; i++) {
    y |= (x >> i & 1) << (31 - i);
  }
  return y;
}
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<uint64_t>(a) * b >> 32; }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return static_cast<unsigned __int128>(a) * b >> 64;
}

inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
inline long long min(long long a, long long b) { return a < b ? a : b; }
inline long long max(long long a, long long b) { return a > b ? a : b; }
inline float rsqrt(float x) { return static_cast<float>(1 / sqrt(static_cast<double>(x))); }
inline double rsqrt(double x) { return 1 / sqrt(x); }
inline void sincospi(double x, double *s, double *c) { sincos(x * M_PI, s, c); }

using std::isfinite;
using std::isinf;
using std::isnan;
