// What kernels share that run a whole sequence: a barrier of the grid, and weights that stay in shared memory.
#pragma once
#include "bf16.cuh"

// A barrier of all blocks of a cooperative launch. Counts up from 0; `goal` is what it has counted when all are there.
struct GridBarrier {
  u32 *arrived;
  u32 goal;

  // Writes of the whole block become visible to all blocks that wait afterwards.
  __device__ __forceinline__ void arrive() {
    goal += gridDim.x;
    __syncthreads();
    if (threadIdx.x == 0) {
      __threadfence();
      atomicAdd(arrived, 1u);
    }
  }

  __device__ __forceinline__ void wait() {
    if (threadIdx.x == 0) {
      while (*static_cast<volatile u32 *>(arrived) < goal) {
#ifdef __CUDA_EMULATOR__
        __nanosleep(0);
#endif
      }
      __threadfence();
    }
    __syncthreads();
  }
};

// 16 bytes: what one instruction moves.
template <typename T>
__device__ constexpr int pack() {
  return 16 / sizeof(T);
}

// Copies 16 bytes that another block wrote to shared memory: past the L1 cache, which may hold what was there before.
__device__ __forceinline__ void copy_async(void *shared, const void *global) {
#if !defined(__CUDA_EMULATOR__) && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;"
               :
               : "r"(static_cast<u32>(__cvta_generic_to_shared(shared))), "l"(global)
               : "memory");
#else
  *static_cast<uint4 *>(shared) = __ldcg(static_cast<const uint4 *>(global));
#endif
}

// Ends a group of copies; awaits all groups but the last N.
__device__ __forceinline__ void copy_group() {
#if !defined(__CUDA_EMULATOR__) && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
template <int N>
__device__ __forceinline__ void await_copies() {
#if !defined(__CUDA_EMULATOR__) && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#endif
}

template <typename T>
__device__ __forceinline__ Pack<T, pack<T>()> load_past_l1(const T *x) {
  union {
    uint4 raw;
    Pack<T, pack<T>()> value;
  } both;
  both.raw = __ldcg(reinterpret_cast<const uint4 *>(x));
  return both.value;
}

// The units a block owns.
struct Units {
  int hidden;  // H
  int own;     // units per block; the last block may have fewer that exist
  int first;   // the first of this block's

  __device__ __forceinline__ Units(int hidden, int own) : hidden(hidden), own(own), first(blockIdx.x * own) {}
};

// Columns of packs, in shared memory or beyond it. Columns have an odd length there, so that those side by side lie in
// different banks.
template <typename T>
struct Columns {
  T *w;
  int stride;  // packs

  __device__ __forceinline__ const T *column(int i) const { return w + static_cast<i64>(i) * stride * pack<T>(); }
};

// Fetches elements [from, to) of the recurrent weights' columns [first, last) = (product, unit): wh [H, P·H] is for the
// first P products, wn [H, (K−P)·H] for the others. Zeros where units or rows do not exist.
template <int P, int K, typename T, typename S>
__device__ __forceinline__ void fetch_columns(
    Columns<S> to_columns, const Units &units, const T *wh, const T *wn, int first, int last, int from, int to) {
  int columns = last - first;
  for (int i = threadIdx.x; i < (to - from) * columns; i += blockDim.x) {
    int k = from + i / columns;
    int column = first + i % columns;
    int gate = column / units.own;
    int unit = units.first + column - gate * units.own;
    T value = 0;
    if (k < units.hidden && unit < units.hidden) {
      value = gate < P ? wh[(static_cast<i64>(k) * P + gate) * units.hidden + unit]
                       : wn[(static_cast<i64>(k) * (K - P) + gate - P) * units.hidden + unit];
    }
    to_columns.w[static_cast<i64>(column - first) * to_columns.stride * pack<S>() + k - from] = Stored<S>::of(value);
  }
}
