// What all kernels share: names of types, where elements lie, and loops over them.
#pragma once

typedef long long i64;
typedef unsigned long long u64;
typedef unsigned int u32;
typedef unsigned char u8;  // BOOL: 0 or 1

const int MAX_RANK = 8;

// Where the elements of N operands of one shape lie, axes merged as far as strides allow (Positions.java writes it).
template <int N>
struct Positions {
  i64 count;                 // elements
  i64 strides[N][MAX_RANK];  // in elements; 0 repeats, negative walks backwards
  int dims[MAX_RANK];        // outermost first
  int rank;                  // 0 when there is one element
  int packed;                // 1: every operand is contiguous, and 16-byte packs of the first are aligned in all
};

// The offset of one element in each of N operands.
template <int N>
struct Offsets {
  i64 of[N];
};

// The index arithmetic of one element, in 32 bits where they suffice: a 64-bit division costs many times as much.
template <typename Index, int N>
__device__ __forceinline__ Offsets<N> offsets_as(const Positions<N> &at, i64 element) {
  Offsets<N> result = {};
  Index rest = static_cast<Index>(element);
  for (int k = at.rank - 1; k >= 0; k--) {
    Index dim = static_cast<Index>(at.dims[k]);
    Index next = k > 0 ? rest / dim : 0;
    Index here = rest - next * dim;
    for (int n = 0; n < N; n++) {
      result.of[n] += static_cast<i64>(here) * at.strides[n][k];
    }
    rest = next;
  }
  return result;
}

template <int N>
__device__ __forceinline__ Offsets<N> offsets(const Positions<N> &at, i64 element) {
  return at.count <= 0x7fffffff ? offsets_as<u32>(at, element) : offsets_as<u64>(at, element);
}

// Elements that one thread moves at once.
template <typename T, int W>
struct alignas(sizeof(T) * W) Pack {
  T of[W];
};

template <int W, typename T>
__device__ __forceinline__ Pack<T, W> load(const T *x, i64 pack) {
  return reinterpret_cast<const Pack<T, W> *>(x)[pack];
}

template <int W, typename T>
__device__ __forceinline__ void store(T *y, i64 pack, const Pack<T, W> &value) {
  reinterpret_cast<Pack<T, W> *>(y)[pack] = value;
}

// The number of this thread in the grid, and of all threads: loops over elements go in such steps.
__device__ __forceinline__ i64 first_element() { return static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ __forceinline__ i64 all_threads() { return static_cast<i64>(gridDim.x) * blockDim.x; }

// Notes what is wrong with an index, once, for the host to throw at the next read (DeviceErrors.java); op is a number of
// DeviceErrors.Op, error its four words. A size of DOES_NOT_FIT says that a result is none of i32.
constexpr int DOES_NOT_FIT = -1;

__device__ __forceinline__ void report(int *error, int op, int index, int size) {
  if (atomicCAS(&error[0], 0, op) == 0) {
    error[1] = index;
    error[2] = size;
  }
}

// Dynamic shared memory: `DYNAMIC_SHARED(float, tile);` declares float *tile.
#ifdef __CUDA_EMULATOR__
#define DYNAMIC_SHARED(type, name) type *name = reinterpret_cast<type *>(emulator::dynamicShared())
#else
#define DYNAMIC_SHARED(type, name)                 \
  extern __shared__ __align__(16) u8 carousel_dynamic_shared[]; \
  type *name = reinterpret_cast<type *>(carousel_dynamic_shared)
#endif
