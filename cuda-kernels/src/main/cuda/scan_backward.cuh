// A recurrence over a whole sequence in one launch, backwards.
//
// A block owns the units it owned on the way there, and the same weights. A step's dh is the sum over all blocks of what
// their gates' gradients give through their columns of wh: every block multiplies its own dz [N, gates] by its columns,
// for all H, and leaves the result where the owners of those units look after the barrier. That hands around H numbers
// per row and block; reading the dz of all would be 4 H. Owners add the blocks' shares in their order.
//
// T is the type of all numbers but S: that of the weights a block keeps and of the gradients they are multiplied by.
#pragma once
#include "cells.cuh"
#include "persistent.cuh"

// What a backward scan is given; the first lines as Forward left them.
template <typename T>
struct Backward {
  const T *gates;
  const T *wh, *wn;
  const T *v[MOST_VECTORS];
  const T *h, *c, *kept;
  const T *dy;               // [T,N,H]; null for zeros
  const T *dh_last, *dc_last;  // [N,H], of the final state; null for zeros
  const int *lengths;
  T *dz;                     // [T,N,B·H]: gradients of the gates' sums; B = G, or G + 1 with that of the last gate's product
  T *dh_first, *dc_first;    // [N,H], of the initial state
  int steps, rows, hidden, lead, reverse;
};

// Reads what the gradient of a step of one unit reads of the way there.
template <typename C, typename T>
__device__ __forceinline__ void get(const Backward<T> &b, Time time, int row, int unit, Pull<T> &p) {
  i64 cell = static_cast<i64>(time.t) * b.rows + row;
#pragma unroll
  for (int g = 0; g < C::GATES; g++) {
    p.gates[g] = b.gates[(cell * C::GATES + g) * b.hidden + unit];
  }
#pragma unroll
  for (int i = 0; i < C::VECTORS; i++) {
    p.v[i] = b.v[i][unit];
  }
  i64 before = static_cast<i64>(time.before * b.rows + row) * b.lead + unit;
  i64 after = static_cast<i64>(time.after * b.rows + row) * b.lead + unit;
  p.kept = C::KEEPS ? b.kept[cell * b.lead + unit] : T(0);
  p.h = C::READS_H ? b.h[before] : T(0);
  p.c = C::HAS_C ? b.c[before] : T(0);
  p.next_c = C::HAS_C ? b.c[after] : T(0);
}

// Writes the gradients of the sums of gates [from, to) of one unit.
template <typename C, typename T>
__device__ __forceinline__ void put(const Backward<T> &b, int t, int row, int unit, const Pull<T> &p, int from, int to) {
  constexpr int blocks = C::GATES + C::SPLITS;
  T *dz = b.dz + (static_cast<i64>(t) * b.rows + row) * blocks * b.hidden + unit;
#pragma unroll
  for (int g = 0; g < C::GATES; g++) {
    if (g >= from && g < to) {
      dz[g * b.hidden] = p.dz[g];
    }
  }
  if (C::SPLITS) {
    dz[C::GATES * b.hidden] = p.du[C::GATES - 1];
  }
}

// One launch for T steps.
template <typename C, typename T, typename S>
struct ScanBackward {
  static constexpr int G = C::GATES;
  static constexpr int P = products_with_h<C>();
  static constexpr int K = products<C>();
  static constexpr int V = pack<T>();  // rows that a thread multiplies at once
  static constexpr int U = pack<S>();  // units likewise

  const Backward<T> &b;
  Units units;
  GridBarrier barrier;
  int packs;
  int resident;  // columns of weights in shared memory; the others lie `beyond`
  int rows;    // N in whole packs
  int count;   // items: own units × rows, the row running fastest
  int groups;  // how many threads share the blocks' shares of an item
  Columns<S> w, beyond;
  S *du;       // [K·own, rows] gradients of the products' columns
  T *sums;     // [groups, count] dh, in parts
  T *dh, *dc;  // [count] what passes by the products
  T *shares;   // global, [2, blocks (whose), blocks (by whom), count]
  int parity = 0;

  __device__ __forceinline__ ScanBackward(
      const Backward<T> &b, int own, int resident, S *scratch, T *shares, u32 *arrived, S *shared)
      : b(b),
        units(b.hidden, own),
        barrier{arrived, 0},
        packs((b.hidden + U - 1) / U),
        resident(resident),
        shares(shares) {
    rows = (b.rows + V - 1) / V * V;
    count = own * rows;
    groups = max(1, static_cast<int>(blockDim.x) / (count / V));
    w = {shared, packs | 1};
    beyond = {scratch + static_cast<i64>(blockIdx.x) * (K * own - resident) * w.stride * U, w.stride};
    sums = reinterpret_cast<T *>(shared + static_cast<i64>(resident) * w.stride * U);
    dh = sums + groups * count;
    dc = dh + count;
    du = reinterpret_cast<S *>(dc + count);
  }

  // Calls body(row, unit, item) for the block's share of all rows.
  template <typename Body>
  __device__ __forceinline__ void items(Body body) const {
    for (int item = threadIdx.x; item < count; item += blockDim.x) {
      int own = item / rows;
      int row = item - own * rows;
      if (row < b.rows && units.first + own < b.hidden) {
        body(row, units.first + own, item);
      }
    }
  }

  __device__ __forceinline__ bool live(int t, int row) const { return b.lengths == nullptr || t < b.lengths[row]; }

  // What came through the products of the step that follows in time.
  __device__ __forceinline__ T received(int item) const {
    T total = sums[item];
    for (int g = 1; g < groups; g++) {
      total += sums[g * count + item];
    }
    return total;
  }

  // Adds what columns [from, to) of the weights make of their gradients, for 16 bytes of units and of rows.
  __device__ __forceinline__ void add(T (&share)[U][V], Columns<S> k, int first, int from, int to, int p, int r) const {
    for (int column = from; column < to; column++) {
      Pack<T, V> a = numbers<V>(du + column * rows, r);
      Pack<T, U> weights = numbers<U>(k.column(column - first), p);
#pragma unroll
      for (int i = 0; i < U; i++) {
#pragma unroll
        for (int j = 0; j < V; j++) {
          share[i][j] += weights.of[i] * a.of[j];
        }
      }
    }
  }

  // Hands du's gates [FROM, TO) times their weights to the owners of the units, and receives what is for this block.
  template <int FROM, int TO>
  __device__ __forceinline__ void exchange() {
    __syncthreads();
    T *round = shares + static_cast<i64>(parity) * gridDim.x * gridDim.x * count;
    parity = 1 - parity;
    int row_packs = rows / V;
    int from_column = FROM * units.own;
    int to_column = TO * units.own;
    for (int tile = threadIdx.x; tile < row_packs * packs; tile += blockDim.x) {
      int p = tile / row_packs;
      int r = tile - p * row_packs;
      T share[U][V] = {};  // [unit][row]
      add(share, w, 0, from_column, min(to_column, resident), p, r);
      add(share, beyond, resident, max(from_column, resident), to_column, p, r);
      int owner = p * U / units.own;
      int unit = p * U - owner * units.own;
#pragma unroll
      for (int i = 0; i < U; i++) {
        if (p * U + i < b.hidden) {
          Pack<T, V> rows_of_unit;
#pragma unroll
          for (int j = 0; j < V; j++) {
            rows_of_unit.of[j] = share[i][j];
          }
          T *to = round + (static_cast<i64>(owner) * gridDim.x + blockIdx.x) * count + unit * rows;
          store<V>(to, r, rows_of_unit);
        }
        unit++;
        if (unit == units.own) {
          unit = 0;
          owner++;
        }
      }
    }
    barrier.arrive();
    barrier.wait();
    int packs = count / V;
    const T *from = round + static_cast<i64>(blockIdx.x) * gridDim.x * count;
    for (int i = threadIdx.x; i < packs * groups; i += blockDim.x) {
      int group = i / packs;
      int item = (i - group * packs) * V;
      Pack<T, V> total = {};
#pragma unroll 8
      for (int block = group; block < gridDim.x; block += groups) {
        Pack<T, V> share = load_past_l1(from + static_cast<i64>(block) * count + item);
#pragma unroll
        for (int j = 0; j < V; j++) {
          total.of[j] += share.of[j];
        }
      }
      store<V>(sums + group * count, item / V, total);
    }
    __syncthreads();
  }

  __device__ __forceinline__ void hand_over(const Pull<T> &p, int item, int from, int to) {
#pragma unroll
    for (int g = 0; g < G; g++) {
      if (g >= from && g < to) {
        du[g * count + item] = Stored<S>::of(p.du[g]);
      }
    }
  }

  // A step of a cell that looks. Products with c' are pulled together with the one with c of the step before, so that
  // there are two exchanges in a step.
  __device__ __forceinline__ void step_looking(Time time, bool last) {
    items([&](int row, int unit, int item) {
      Pull<T> p = {};
      p.dh = dh[item] + (last ? T(0) : received(item));
      if (live(time.t, row)) {
        get<C>(b, time, row, unit, p);
        if (b.dy) {
          p.dh += b.dy[(static_cast<i64>(time.t) * b.rows + row) * b.hidden + unit];
        }
        C::pull_look(p);
      }
      dh[item] = p.dh;
      du[(P + LOOKS - 1) * count + item] = Stored<S>::of(p.dz[G - 1]);
    });
    exchange<P, K>();
    items([&](int row, int unit, int item) {
      Pull<T> p = {};
      p.dh = dh[item];
      p.dc = dc[item] + received(item);
      if (live(time.t, row)) {
        get<C>(b, time, row, unit, p);
        C::backward(p);
      } else {
        p.before_h = p.dh;
        p.before_c = p.dc;
      }
      dh[item] = p.before_h;
      dc[item] = p.before_c;
      hand_over(p, item, 0, G);
#pragma unroll
      for (int i = 0; i < LOOKS - 1; i++) {
        du[(P + i) * count + item] = Stored<S>::of(p.du[i]);
      }
      put<C>(b, time.t, row, unit, p, 0, G);
    });
    exchange<0, P>();
  }

  __device__ __forceinline__ void step(Time time, bool last) {
    items([&](int row, int unit, int item) {
      bool on = live(time.t, row);
      Pull<T> p = {};
      p.dh = dh[item] + (last ? T(0) : received(item));
      p.dc = dc[item];
      if (on) {
        get<C>(b, time, row, unit, p);
        if (b.dy) {
          p.dh += b.dy[(static_cast<i64>(time.t) * b.rows + row) * b.hidden + unit];
        }
        C::backward(p);
      } else {
        p.before_h = p.dh;
        p.before_c = p.dc;
      }
      dh[item] = p.before_h;
      if (C::HAS_C) {
        dc[item] = p.before_c;
      }
      hand_over(p, item, C::RESETS ? 1 : 0, G);
      put<C>(b, time.t, row, unit, p, C::RESETS ? 1 : 0, G);
    });
    if constexpr (C::RESETS) {
      exchange<P, G>();
      items([&](int row, int unit, int item) {
        Pull<T> p = {};
        p.before_h = dh[item];
        if (live(time.t, row)) {
          get<C>(b, time, row, unit, p);
          C::pull_reset(p, received(item));
        }
        dh[item] = p.before_h;
        hand_over(p, item, 0, 1);
        put<C>(b, time.t, row, unit, p, 0, 1);
      });
    }
    exchange<0, P>();
  }

  __device__ __forceinline__ void run() {
    fetch_columns<P, K>(w, units, b.wh, b.wn, 0, resident, 0, packs * U);
    fetch_columns<P, K>(beyond, units, b.wh, b.wn, resident, K * units.own, 0, packs * U);
    for (int i = threadIdx.x; i < K * count; i += blockDim.x) {
      du[i] = Stored<S>::of(T(0));  // units and rows that do not exist stay 0
    }
    for (int i = threadIdx.x; i < 2 * count; i += blockDim.x) {
      dh[i] = T(0);  // likewise, and dc
    }
    __syncthreads();
    items([&](int row, int unit, int item) {
      i64 at = static_cast<i64>(row) * b.hidden + unit;
      dh[item] = b.dh_last ? b.dh_last[at] : T(0);
      dc[item] = b.dc_last ? b.dc_last[at] : T(0);
    });
    for (int k = b.steps - 1; k >= 0; k--) {
      Time time(k, b.steps, b.reverse);
      bool last = k == b.steps - 1;
      if constexpr (C::LOOKS) {
        step_looking(time, last);
      } else {
        step(time, last);
      }
    }
    items([&](int row, int unit, int item) {
      b.dh_first[static_cast<i64>(row) * b.hidden + unit] = dh[item] + received(item);
    });
    if constexpr (C::LOOKS) {
      exchange<P, K - 1>();
    }
    if (C::HAS_C) {
      items([&](int row, int unit, int item) {
        T looked = C::LOOKS ? received(item) : T(0);
        b.dc_first[static_cast<i64>(row) * b.hidden + unit] = dc[item] + looked;
      });
    }
  }
};
