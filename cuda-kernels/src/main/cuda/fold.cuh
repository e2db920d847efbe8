// Folds: many elements become one state, which threads of a block share. The order in which states are merged follows from
// sizes alone.
//
// A fold F has a type State and functions empty(), add(state, x, i) for element i, merge(state, state) and end(state, n).
#pragma once
#include "common.cuh"

const int THREADS = 256;  // of a block, as Grid.THREADS

// How the threads of a block share its folds: each has `lanes` threads, a power of two. Where the elements of one fold lie
// side by side its lanes are neighbours (rows); else threads of neighbouring folds are (columns).
struct Team {
  int rows;
  int lanes;
  int folds;  // of the block
  int fold;   // of this thread, counted within the block
  int lane;   // of this thread
};

__device__ __forceinline__ Team team_of(int lanes, int rows) {
  int folds = blockDim.x / lanes;
  int thread = threadIdx.x;
  return rows ? Team{rows, lanes, folds, thread / lanes, thread % lanes}
              : Team{rows, lanes, folds, thread % folds, thread / folds};
}

// A value from another of `width` neighbouring threads, the one that `get` asks for by a shuffle; any type of whole words.
template <typename T, typename G>
__device__ __forceinline__ T shuffled(T value, G get) {
  const int WORDS = sizeof(T) / 4;
  u32 words[WORDS];
  memcpy(words, &value, sizeof(T));
  for (int w = 0; w < WORDS; w++) {
    words[w] = get(words[w]);
  }
  memcpy(&value, words, sizeof(T));
  return value;
}

// The fold of all lanes, in lane 0. All threads of the block come here.
template <typename F>
__device__ __forceinline__ typename F::State merged(typename F::State own, const Team &team) {
  __shared__ typename F::State waiting[THREADS];
  int thread = threadIdx.x;
  if (team.rows) {
    int width = team.lanes < 32 ? team.lanes : 32;
    for (int delta = width / 2; delta > 0; delta /= 2) {
      own = F::merge(own, shuffled(own, [=](u32 word) { return __shfl_down_sync(0xffffffffu, word, delta, width); }));
    }
    if (team.lanes > 32) {
      if (thread % 32 == 0) {
        waiting[thread / 32] = own;
      }
      __syncthreads();
      for (int warp = 1; team.lane == 0 && warp < team.lanes / 32; warp++) {
        own = F::merge(own, waiting[thread / 32 + warp]);
      }
    }
    return own;
  }
  if (team.lanes > 1) {
    waiting[thread] = own;
  }
  for (int half = team.lanes / 2; half > 0; half /= 2) {
    __syncthreads();
    if (team.lane < half) {
      own = F::merge(own, waiting[thread + half * team.folds]);
      waiting[thread] = own;
    }
  }
  return own;
}

// The fold of all lanes, in each of them. It may be called again: between reading what is shared and writing it anew there is
// always a barrier.
template <typename F>
__device__ __forceinline__ typename F::State merged_for_all(typename F::State own, const Team &team) {
  __shared__ typename F::State result[THREADS];
  own = merged<F>(own, team);
  if (team.rows && team.lanes <= 32) {
    int width = team.lanes;
    return shuffled(own, [=](u32 word) { return __shfl_sync(0xffffffffu, word, 0, width); });
  }
  if (team.lanes > 1) {
    if (team.lane == 0) {
      result[team.fold] = own;
    }
    __syncthreads();
    own = result[team.fold];
  }
  return own;
}

// Elements of a line that one lane takes at once: 16 bytes.
template <typename T>
__device__ constexpr int line_pack() {
  return 16 / sizeof(T);
}

// What a lane sees of the elements begin to end of a line: f(x_i, i), packs in turn in rows, elements in columns. A line is
// contiguous if its stride is 1; an unaligned one is read element by element in the same order.
template <typename T, typename G>
__device__ __forceinline__ void each_of_line(const T *x, i64 stride, i64 begin, i64 end, const Team &team, G f) {
  constexpr int W = line_pack<T>();
  if (!team.rows) {
#pragma unroll 4
    for (i64 i = begin + team.lane; i < end; i += team.lanes) {
      f(x[i * stride], i);
    }
    return;
  }
  bool packed = stride == 1 && reinterpret_cast<u64>(x + begin) % 16 == 0;
  for (i64 p = begin + static_cast<i64>(team.lane) * W; p < end; p += static_cast<i64>(team.lanes) * W) {
    if (packed && p + W <= end) {
      Pack<T, W> pack = load<W>(x + begin, (p - begin) / W);
      for (int k = 0; k < W; k++) {
        f(pack.of[k], p + k);
      }
    } else {
      for (int k = 0; k < W && p + k < end; k++) {
        f(x[(p + k) * stride], p + k);
      }
    }
  }
}

// y_i = f(x_i, i) for all n elements of a line, shared as in each_of_line.
template <typename T, typename G>
__device__ __forceinline__ void map_line(const T *x, i64 stride, T *y, i64 y_stride, i64 n, const Team &team, G f) {
  constexpr int W = line_pack<T>();
  bool packed = team.rows && stride == 1 && y_stride == 1 && (reinterpret_cast<u64>(x) | reinterpret_cast<u64>(y)) % 16 == 0;
  i64 done = 0;
  if (packed) {
    for (i64 p = team.lane; p < n / W; p += team.lanes) {
      Pack<T, W> pack = load<W>(x, p);
      for (int k = 0; k < W; k++) {
        pack.of[k] = f(pack.of[k], p * W + k);
      }
      store<W>(y, p, pack);
    }
    done = n / W * W;
  }
  for (i64 i = done + team.lane; i < n; i += team.lanes) {
    y[i * y_stride] = f(x[i * stride], i);
  }
}
