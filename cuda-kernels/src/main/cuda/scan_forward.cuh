// A recurrence over a whole sequence in one launch, forwards.
//
// A block owns some units with all their gates. Their recurrent weights stay in shared memory, as does their c; each
// step a block reads the h of all units, a tile of rows at a time, and adds its units' new h, which the others see
// after the barrier. States have a place of their own for each step: nothing is overwritten that a block may still read.
#pragma once
#include "cells.cuh"
#include "persistent.cuh"

const int ROWS_PER_THREAD = 4;

// What a forward scan is given. States lie [T+1, N, lead], rows of whole packs: the initial one first, or last in reverse.
template <typename T>
struct Forward {
  T *gates;            // [T,N,G·H] x·wx; becomes the activated gates
  const T *bias;       // [G·H]
  const T *wh, *wn;    // see Slice
  const T *v[MOST_VECTORS];
  T *h, *c;            // states; c may be null
  T *kept;             // [T,N,lead]; may be null
  T *y;                // [T,N,H]
  const int *lengths;  // [N]; null if all rows are T long
  int steps, rows, hidden, lead, reverse;
};

// Writes what a step of one unit gave, or for rows past their end, that nothing changed.
template <typename C, typename T>
__device__ __forceinline__ void put(const Forward<T> &f, Time time, int row, int unit, const Step<T> &s, bool live) {
  i64 at = static_cast<i64>(time.after * f.rows + row) * f.lead + unit;
  f.h[at] = live ? s.next_h : s.h;
  if (C::HAS_C) {
    f.c[at] = live ? s.next_c : s.c;
  }
  i64 cell = static_cast<i64>(time.t) * f.rows + row;
#pragma unroll
  for (int g = 0; g < C::GATES; g++) {
    f.gates[(cell * C::GATES + g) * f.hidden + unit] = s.gates[g];
  }
  if (C::KEEPS && !C::RESETS) {
    f.kept[cell * f.lead + unit] = s.kept;
  }
  f.y[cell * f.hidden + unit] = live ? s.next_h : T(0);
}

// The sums of the gates of a block's units over all H, for a tile of rows: thread ↔ (4 rows, a unit, every S-th pack).
template <typename T, int GATES>
struct Products {
  static constexpr int V = pack<T>();
  static constexpr int R = ROWS_PER_THREAD;

  Slice<T, GATES> slice;
  int tile;    // rows; a multiple of R
  int groups;  // of rows; a thread's rows are this far apart, so that neighbours' lie in different banks
  int slices;  // how many threads share the packs of a sum
  int unit, group, part;

  __device__ __forceinline__ Products(const Slice<T, GATES> &slice, int tile)
      : slice(slice), tile(tile), groups(tile / R), slices(blockDim.x / (groups * slice.own)) {
    int position = threadIdx.x % (groups * slice.own);
    unit = position % slice.own;
    group = position / slice.own;
    part = threadIdx.x / (groups * slice.own);
  }

  // Starts copying rows of a state [N, lead] to shared memory.
  __device__ __forceinline__ void fetch(T *x, const T *state, int first, int rows, int lead) const {
    int count = min(tile, rows - first) * slice.packs;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
      int row = i / slice.packs;
      int pack = i - row * slice.packs;
      copy_async(x + (row * slice.stride + pack) * V, state + static_cast<i64>(first + row) * lead + pack * V);
    }
  }

  // partial [slices, GATES, tile, own]: the sums of gates [FROM, TO) of x·w, in parts.
  template <int FROM, int TO>
  __device__ __forceinline__ void multiply(const T *x, const T *w, T *partial) const {
    if (part >= slices) {
      return;
    }
    T sums[R][TO - FROM] = {};
    const T *columns[TO - FROM];
#pragma unroll
    for (int g = FROM; g < TO; g++) {
      columns[g - FROM] = slice.column(w, g, unit);
    }
    const T *lines = x + group * slice.stride * V;
    int next = groups * slice.stride * V;
    for (int p = part; p < slice.packs; p += slices) {
      Pack<T, V> a[R];
#pragma unroll
      for (int r = 0; r < R; r++) {
        a[r] = load<V>(lines + r * next, p);
      }
#pragma unroll
      for (int g = 0; g < TO - FROM; g++) {
        Pack<T, V> b = load<V>(columns[g], p);
#pragma unroll
        for (int r = 0; r < R; r++) {
#pragma unroll
          for (int i = 0; i < V; i++) {
            sums[r][g] += a[r].of[i] * b.of[i];
          }
        }
      }
    }
#pragma unroll
    for (int g = FROM; g < TO; g++) {
#pragma unroll
      for (int r = 0; r < R; r++) {
        partial[at(part, g, r * groups + group, unit)] = sums[r][g - FROM];
      }
    }
  }

  // One sum, its parts added in their order.
  __device__ __forceinline__ T sum(const T *partial, int gate, int row, int unit) const {
    T total = partial[at(0, gate, row, unit)];
    for (int s = 1; s < slices; s++) {
      total += partial[at(s, gate, row, unit)];
    }
    return total;
  }

  __device__ __forceinline__ int at(int part, int gate, int row, int unit) const {
    return ((part * GATES + gate) * tile + row) * slice.own + unit;
  }
};

// One launch for T steps. tile: rows whose h lies in shared memory at once, twice if that is not all of them.
template <typename C, typename T>
struct ScanForward {
  static constexpr int G = C::GATES;
  static constexpr int P = C::RESETS ? G - 1 : G;  // gates that wh leads to
  static constexpr int V = pack<T>();

  const Forward<T> &f;
  Slice<T, G> slice;
  Products<T, G> products;
  GridBarrier barrier;
  T *w, *x, *partial, *c;
  int buffer;  // elements of a tile

  __device__ __forceinline__ ScanForward(const Forward<T> &f, int own, int tile, u32 *arrived, T *shared)
      : f(f), slice(f.hidden, own), products(slice, tile), barrier{arrived, 0} {
    w = shared;
    buffer = tile * slice.stride * V;
    x = w + slice.size();
    partial = x + (tile < f.rows ? 2 : 1) * buffer;
    c = partial + products.slices * G * tile * own;
  }

  __device__ __forceinline__ bool live(int t, int row) const { return f.lengths == nullptr || t < f.lengths[row]; }

  // The part of a step's sums that does not wait for other blocks.
  __device__ __forceinline__ void input(Step<T> &s, int t, int row, int unit) const {
    const T *z = f.gates + (static_cast<i64>(t) * f.rows + row) * G * f.hidden + unit;
#pragma unroll
    for (int g = 0; g < G; g++) {
      s.z[g] = z[g * f.hidden];
    }
  }

  __device__ __forceinline__ void constants(Step<T> &s, int unit) const {
#pragma unroll
    for (int g = 0; g < G; g++) {
      s.z[g] += f.bias[g * f.hidden + unit];
    }
#pragma unroll
    for (int i = 0; i < C::VECTORS; i++) {
      s.v[i] = f.v[i][unit];
    }
  }

  // Calls body(first, x) for each tile of rows of a state, while the next one is on its way.
  template <typename Before, typename Body>
  __device__ __forceinline__ void tiles(const T *state, Before before, Body body) {
    products.fetch(x, state, 0, f.rows, f.lead);
    copy_group();
    int parity = 0;
    for (int first = 0; first < f.rows; first += products.tile) {
      int following = first + products.tile;
      if (following < f.rows) {
        products.fetch(x + (1 - parity) * buffer, state, following, f.rows, f.lead);
        copy_group();
        before(first);
        await_copies<1>();
      } else {
        before(first);
        await_copies<0>();
      }
      __syncthreads();
      body(first, x + parity * buffer);
      parity = 1 - parity;
    }
  }

  // Calls body(row, unit, item) for the block's share of a tile; item counts from 0 in it.
  template <typename Body>
  __device__ __forceinline__ void items(int first, Body body) const {
    int count = min(products.tile, f.rows - first) * slice.own;
    for (int item = threadIdx.x; item < count; item += blockDim.x) {
      int row = item / slice.own;
      int unit = slice.first + item - row * slice.own;
      if (unit < f.hidden) {
        body(first + row, unit, item);
      }
    }
  }

  __device__ __forceinline__ T before_h(Time time, int row, int unit) const {
    return __ldcg(f.h + static_cast<i64>(time.before * f.rows + row) * f.lead + unit);
  }

  __device__ __forceinline__ void step(Time time) {
    Step<T> ahead;  // the input of this thread's first item, read while the tile arrives
    tiles(
        f.h + static_cast<i64>(time.before) * f.rows * f.lead,
        [&](int first) {
          items(first, [&](int row, int unit, int item) {
            if (item < static_cast<int>(blockDim.x)) {
              input(ahead, time.t, row, unit);
            }
          });
        },
        [&](int first, const T *tile) {
          products.template multiply<0, P>(tile, w, partial);
          __syncthreads();
          items(first, [&](int row, int unit, int item) {
            Step<T> s = ahead;
            if (item >= static_cast<int>(blockDim.x)) {
              input(s, time.t, row, unit);
            }
            constants(s, unit);
#pragma unroll
            for (int g = 0; g < P; g++) {
              s.u[g] = products.sum(partial, g, row - first, unit - slice.first);
            }
            s.h = before_h(time, row, unit);
            if constexpr (C::RESETS) {
              reset(s, time, row, unit);
            } else {
              T *own_c = c + row * slice.own + unit - slice.first;
              s.c = C::HAS_C ? *own_c : T(0);
              C::forward(s);
              bool on = live(time.t, row);
              if (C::HAS_C && on) {
                *own_c = s.next_c;
              }
              put<C>(f, time, row, unit, s, on);
            }
          });
        });
    barrier.arrive();
    barrier.wait();
  }

  __device__ __forceinline__ void reset(Step<T> &s, Time time, int row, int unit) const {
    C::reset(s);
    i64 cell = static_cast<i64>(time.t) * f.rows + row;
#pragma unroll
    for (int g = 0; g < P; g++) {
      f.gates[(cell * G + g) * f.hidden + unit] = s.gates[g];
    }
    f.kept[cell * f.lead + unit] = s.kept;
  }

  // The second stage of a cell that resets: the product of what was kept.
  __device__ __forceinline__ void second(Time time) {
    tiles(
        f.kept + static_cast<i64>(time.t) * f.rows * f.lead,
        [](int) {},
        [&](int first, const T *tile) {
          products.template multiply<P, G>(tile, w, partial);
          __syncthreads();
          items(first, [&](int row, int unit, int) {
            Step<T> s;
            input(s, time.t, row, unit);
#pragma unroll
            for (int g = 0; g < P; g++) {
              s.gates[g] = s.z[g];  // as the first stage left them
            }
            s.z[P] += f.bias[P * f.hidden + unit];
            s.u[P] = products.sum(partial, P, row - first, unit - slice.first);
            s.h = before_h(time, row, unit);
            C::forward(s);
            put<C>(f, time, row, unit, s, live(time.t, row));
          });
        });
    barrier.arrive();
    barrier.wait();
  }

  __device__ __forceinline__ void run() {
    slice.template fetch<P>(w, f.wh, f.wn);
    if (C::HAS_C) {
      int start = Time(0, f.steps, f.reverse).before;
      for (int item = threadIdx.x; item < f.rows * slice.own; item += blockDim.x) {
        int row = item / slice.own;
        int unit = slice.first + item - row * slice.own;
        c[item] = unit < f.hidden ? f.c[static_cast<i64>(start * f.rows + row) * f.lead + unit] : T(0);
      }
    }
    __syncthreads();
    for (int k = 0; k < f.steps; k++) {
      Time time(k, f.steps, f.reverse);
      step(time);
      if constexpr (C::RESETS) {
        second(time);
      }
    }
  }
};
