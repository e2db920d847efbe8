// What kernels share that run a whole sequence: a barrier of the grid, and weights that stay in shared memory.
#pragma once
#include "common.cuh"

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

// The order of a sequence: step k is at time t, and reads state `before` of T + 1 to write state `after`.
struct Time {
  int t, before, after;

  __device__ __forceinline__ Time(int k, int steps, int reverse)
      : t(reverse ? steps - 1 - k : k), before(reverse ? t + 1 : t), after(reverse ? t : t + 1) {}
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

// The units a block owns, and the recurrent weights that lead to their gates: column (gate, unit) of wh [H, ...],
// packed along its H rows. Rows of packs have an odd length, so that columns side by side lie in different banks.
template <typename T, int GATES>
struct Slice {
  static constexpr int V = pack<T>();

  int hidden;  // H
  int own;     // units per block; the last block may have fewer that exist
  int first;   // the first of this block's
  int packs;   // of a column
  int stride;  // packs from one column to the next

  __device__ __forceinline__ Slice(int hidden, int own)
      : hidden(hidden), own(own), first(blockIdx.x * own), packs((hidden + V - 1) / V), stride(packs | 1) {}

  __device__ __forceinline__ i64 size() const { return static_cast<i64>(GATES) * own * stride * V; }

  __device__ __forceinline__ const T *column(const T *w, int gate, int unit) const {
    return w + static_cast<i64>(gate * own + unit) * stride * V;
  }

  // w: shared. wh [H, P·H] leads to the first P gates, wn [H, H] to the last if P < GATES.
  template <int P>
  __device__ __forceinline__ void fetch(T *w, const T *wh, const T *wn) const {
    int columns = GATES * own;
    int count = packs * V * columns;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
      int k = i / columns;
      int column = i - k * columns;
      int gate = column / own;
      int unit = first + column - gate * own;
      T value = 0;
      if (k < hidden && unit < hidden) {
        value = gate < P ? wh[(static_cast<i64>(k) * P + gate) * hidden + unit]
                         : wn[static_cast<i64>(k) * hidden + unit];
      }
      w[static_cast<i64>(column) * stride * V + k] = value;
    }
  }
};
