// The products of a forward scan, on the cores that all arithmetic is done by.
#pragma once
#include "persistent.cuh"

const int ROWS_PER_THREAD = 4;

// The sums of the K products of a block's units over all H: thread ↔ (4 rows, a unit, every n-th pack). T: of sums; S: of
// what is multiplied.
template <typename T, typename S, int K>
struct Products {
  static constexpr int V = pack<S>();
  static constexpr int R = ROWS_PER_THREAD;

  int rows;    // N
  int own;
  int groups;  // of rows; a thread's rows are this far apart, so that neighbours' lie in different banks
  int slices;  // how many threads share the packs of a sum
  int unit, group, part;

  // A thread's parts of sums.
  template <int COUNT>
  struct Parts {
    T of[R][COUNT];
  };

  // Packs from one column (row) to the next, of so many: odd, so that those side by side lie in different banks.
  static __device__ __forceinline__ int stride(int packs) { return packs | 1; }

  __device__ __forceinline__ Products(int rows, int own)
      : rows(rows), own(own), groups((rows + R - 1) / R), slices(blockDim.x / (groups * own)) {
    int position = threadIdx.x % (groups * own);
    unit = position % own;
    group = position / own;
    part = threadIdx.x / (groups * own);
  }

  __device__ __forceinline__ int whole_rows() const { return groups * R; }

  __device__ __forceinline__ bool takes_part() const { return part < slices; }

  // Adds packs [from, to) of x·w for products [FROM, FROM + COUNT). x: rows of a chunk of packs that begins with number
  // x_first; w: columns that begin with number w_first.
  template <int FROM, int COUNT>
  __device__ __forceinline__ void add(
      Parts<COUNT> &sums, Columns<S> x, int x_first, Columns<S> w, int w_first, int from, int to) const {
    const S *columns[COUNT];
#pragma unroll
    for (int g = 0; g < COUNT; g++) {
      columns[g] = w.column((FROM + g) * own + unit) - w_first * V;
    }
    const S *line = x.column(group) - x_first * V;
    int next = groups * x.stride * V;
    // The first pack from `from` on that is this thread's: those whose number is `part` modulo `slices`.
    int first = from + (part - from % slices + slices) % slices;
    for (int p = first; p < to; p += slices) {
      Pack<S, V> a[R];
#pragma unroll
      for (int r = 0; r < R; r++) {
        a[r] = load<V>(line + r * next, p);
      }
#pragma unroll
      for (int g = 0; g < COUNT; g++) {
        Pack<S, V> b = load<V>(columns[g], p);
#pragma unroll
        for (int r = 0; r < R; r++) {
#pragma unroll
          for (int i = 0; i < V; i++) {
            sums.of[r][g] += a[r].of[i] * b.of[i];
          }
        }
      }
    }
  }

  // partial [slices, K, whole rows, own]
  template <int FROM, int COUNT>
  __device__ __forceinline__ void leave(T *partial, const Parts<COUNT> &sums) const {
#pragma unroll
    for (int g = 0; g < COUNT; g++) {
#pragma unroll
      for (int r = 0; r < R; r++) {
        partial[at(part, FROM + g, r * groups + group, unit)] = sums.of[r][g];
      }
    }
  }

  // One sum, its parts added in their order.
  __device__ __forceinline__ T sum(const T *partial, int product, int row, int unit) const {
    T total = partial[at(0, product, row, unit)];
    for (int s = 1; s < slices; s++) {
      total += partial[at(s, product, row, unit)];
    }
    return total;
  }

  __device__ __forceinline__ int at(int part, int product, int row, int unit) const {
    return ((part * K + product) * groups * R + row) * own + unit;
  }
};
