// A block's share of the gradients of all units in a backward scan, on the cores that all arithmetic is done by.
#pragma once
#include "persistent.cuh"

// The gradients of K products of a block's units times their columns of weights: thread ↔ 16 bytes of units × of rows. T:
// of sums; S: of what is multiplied.
template <typename T, typename S, int P, int K>
struct Shares {
  static constexpr int V = pack<T>();

  int hidden, own;
  int rows;      // N in whole packs
  int packs;     // of units
  int resident;  // columns of weights in shared memory; the others lie `beyond`
  Columns<T> w, beyond;
  T *du;  // [K·own, rows]

  // du takes its place later, where the owner of the shared memory wants it.
  __device__ __forceinline__ Shares(int hidden, int own, int rows, int resident, T *scratch, T *shared)
      : hidden(hidden), own(own), rows(rows), packs((hidden + V - 1) / V), resident(resident) {
    w = {shared, packs | 1};
    beyond = {scratch + static_cast<i64>(blockIdx.x) * (K * own - resident) * w.stride * V, w.stride};
  }

  // The end of the weights that stay.
  __device__ __forceinline__ T *end() const { return w.w + static_cast<i64>(resident) * w.stride * V; }

  __device__ __forceinline__ void fetch(const Units &units, const T *wh, const T *wn) const {
    fetch_columns<P, K>(w, units, wh, wn, 0, resident, 0, packs * V);
    fetch_columns<P, K>(beyond, units, wh, wn, resident, K * own, 0, packs * V);
  }

  // Units and rows that do not exist stay 0.
  __device__ __forceinline__ void clear() const {
    for (int i = threadIdx.x; i < K * own * rows; i += blockDim.x) {
      du[i] = T(0);
    }
  }

  __device__ __forceinline__ void put(int product, int unit, int row, T value) const {
    du[(product * own + unit) * rows + row] = value;
  }

  // Adds what columns [from, to) of the weights make of their gradients.
  __device__ __forceinline__ void add(T (&share)[V][V], Columns<T> k, int first, int from, int to, int p, int r) const {
    for (int column = from; column < to; column++) {
      Pack<T, V> a = load<V>(du + column * rows, r);
      Pack<T, V> weights = load<V>(k.column(column - first), p);
#pragma unroll
      for (int i = 0; i < V; i++) {
#pragma unroll
        for (int j = 0; j < V; j++) {
          share[i][j] += weights.of[i] * a.of[j];
        }
      }
    }
  }

  // Of products [FROM, TO); to(owner, unit): where the rows of one of a block's units go.
  template <int FROM, int TO, typename To>
  __device__ __forceinline__ void multiply(To to) const {
    int row_packs = rows / V;
    int from_column = FROM * own;
    int to_column = TO * own;
    for (int tile = threadIdx.x; tile < row_packs * packs; tile += blockDim.x) {
      int p = tile / row_packs;
      int r = tile - p * row_packs;
      T share[V][V] = {};  // [unit][row]
      add(share, w, 0, from_column, min(to_column, resident), p, r);
      add(share, beyond, resident, max(from_column, resident), to_column, p, r);
      int owner = p * V / own;
      int unit = p * V - owner * own;
#pragma unroll
      for (int i = 0; i < V; i++) {
        if (p * V + i < hidden) {
          Pack<T, V> rows_of_unit;
#pragma unroll
          for (int j = 0; j < V; j++) {
            rows_of_unit.of[j] = share[i][j];
          }
          store<V>(to(owner, unit), r, rows_of_unit);
        }
        unit++;
        if (unit == own) {
          unit = 0;
          owner++;
        }
      }
    }
  }
};
