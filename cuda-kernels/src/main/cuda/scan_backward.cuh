// A recurrence over a whole sequence in one launch, backwards.
//
// A block owns the units it owned on the way there, and the same weights. A step's dh is the sum over all blocks of what
// their gates' gradients give through their columns of wh: every block multiplies its own dz [N, gates] by its columns,
// for all H, and leaves the result where the owners of those units look after the barrier. That hands around H numbers
// per row and block; reading the dz of all would be 4 H. Owners add the blocks' shares in their order.
//
// T is the type of all numbers but S: that of the weights a block keeps and of the gradients they are multiplied by.
#pragma once
#include "recurrence.cuh"
#include "shares.cuh"
#include "tensor_shares.cuh"

// One launch for T steps.
template <typename C, typename T, typename S>
struct ScanBackward {
  static constexpr int G = C::GATES;
  static constexpr int P = products_with_h<C>();
  static constexpr int K = products<C>();
  static constexpr int V = pack<T>();

  const Backward<T> &b;
  Units units;
  GridBarrier barrier;
  int rows;    // N in whole packs
  int count;   // items: own units × rows, the row running fastest
  int groups;  // how many threads share the blocks' shares of an item
  Shares<T, S, P, K> own_share;
  T *sums;     // [groups, count] dh, in parts
  T *dh, *dc;  // [count] what passes by the products
  T *shares;   // global, [2, blocks (whose), blocks (by whom), count]
  int parity = 0;

  __device__ __forceinline__ ScanBackward(
      const Backward<T> &b, int own, int resident, S *scratch, T *shares, u32 *arrived, S *shared)
      : b(b),
        units(b.hidden, own),
        barrier{arrived, 0},
        rows((b.rows + V - 1) / V * V),
        count(own * rows),
        groups(max(1, static_cast<int>(blockDim.x) / (count / V))),
        own_share(b.hidden, own, rows, resident, scratch, shared),
        shares(shares) {
    sums = reinterpret_cast<T *>(own_share.end());
    dh = sums + groups * count;
    dc = dh + count;
    own_share.du = reinterpret_cast<S *>(dc + count);
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

  // Hands du's gates [FROM, TO) times their weights to the owners of the units, and receives what is for this block.
  template <int FROM, int TO>
  __device__ __forceinline__ void exchange() {
    __syncthreads();
    T *round = shares + static_cast<i64>(parity) * gridDim.x * gridDim.x * count;
    parity = 1 - parity;
    own_share.template multiply<FROM, TO>([&](int owner, int unit) {
      return round + (static_cast<i64>(owner) * gridDim.x + blockIdx.x) * count + unit * rows;
    });
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

  __device__ __forceinline__ void hand_over(int product, int row, int unit, T value) const {
    own_share.put(product, unit - units.first, row, value);
  }

  // Gates [FROM, TO).
  template <int FROM, int TO>
  __device__ __forceinline__ void hand_over(const Pull<T> &p, int row, int unit) const {
#pragma unroll
    for (int g = FROM; g < TO; g++) {
      hand_over(g, row, unit, p.du[g]);
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
      hand_over(K - 1, row, unit, p.dz[G - 1]);
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
      hand_over<0, G>(p, row, unit);
#pragma unroll
      for (int i = 0; i < LOOKS - 1; i++) {
        hand_over(P + i, row, unit, p.du[i]);
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
      hand_over<C::RESETS ? 1 : 0, G>(p, row, unit);
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
        hand_over<0, 1>(p, row, unit);
        put<C>(b, time.t, row, unit, p, 0, 1);
      });
    }
    exchange<0, P>();
  }

  __device__ __forceinline__ void run() {
    own_share.fetch(units, b.wh, b.wn);
    own_share.clear();
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
      if (C::LOOKS) {
        hand_over(K - 1, row, unit, T(0));
      }
    });
    if constexpr (C::LOOKS) {
      exchange<P, K>();
    }
    if (C::HAS_C) {
      items([&](int row, int unit, int item) {
        T looked = C::LOOKS ? received(item) : T(0);
        b.dc_first[static_cast<i64>(row) * b.hidden + unit] = dc[item] + looked;
      });
    }
  }
};
