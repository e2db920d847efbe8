// Stable sorting along one axis, NaN greatest: items of a key and a position, all different, which makes any sort of them
// stable. Tiles are sorted in shared memory (bitonic: Batcher 1968); longer lines merge sorted runs, each item finding its place
// by binary search in the other run.
#include "common.cuh"

const int TILE = 2048;

// Keys that are ordered as unsigned numbers as the values are; 0 and −0 are equal.
__device__ __forceinline__ u32 key_of(float x) {
  u32 bits = __float_as_uint(x == 0 ? 0.0f : x);
  return x != x ? 0xffffffffu : bits >> 31 ? ~bits : bits | 0x80000000u;
}
__device__ __forceinline__ u64 key_of(double x) {
  u64 bits = static_cast<u64>(__double_as_longlong(x == 0 ? 0.0 : x));
  return x != x ? ~0ull : bits >> 63 ? ~bits : bits | 0x8000000000000000ull;
}
__device__ __forceinline__ u32 key_of(int x) { return static_cast<u32>(x) ^ 0x80000000u; }

template <typename Key>
struct Item;
template <>
struct Item<u32> {
  u64 word;  // the key, then the position
};
template <>
struct Item<u64> {
  u64 key;
  u32 position;
};
template <typename T>
using ItemOf = Item<decltype(key_of(T()))>;

__device__ __forceinline__ Item<u32> item(u32 key, u32 position) { return {static_cast<u64>(key) << 32 | position}; }
__device__ __forceinline__ Item<u64> item(u64 key, u32 position) { return {key, position}; }
__device__ __forceinline__ u32 position(const Item<u32> &x) { return static_cast<u32>(x.word); }
__device__ __forceinline__ u32 position(const Item<u64> &x) { return x.position; }
__device__ __forceinline__ bool before(const Item<u32> &a, const Item<u32> &b) { return a.word < b.word; }
__device__ __forceinline__ bool before(const Item<u64> &a, const Item<u64> &b) {
  return a.key < b.key || (a.key == b.key && a.position < b.position);
}

// Where the lines start: of x, then of both results.
template <typename T>
struct Lines {
  const T *x;
  T *values;
  int *indices;
  i64 x_step;
  i64 y_step;

  __device__ __forceinline__ void write(const Offsets<2> &at, i64 i, u32 from) const {
    values[at.of[1] + i * y_step] = x[at.of[0] + from * x_step];
    indices[at.of[1] + i * y_step] = static_cast<int>(from);
  }
};

// A block sorts several tiles of `padded` items, a power of two. If a line has one tile, that is the result; else the items
// go to items [lines, n].
template <typename T>
__device__ __forceinline__ void sort_tiles(const Lines<T> &all, ItemOf<T> *items, const Positions<2> &lines, i64 n,
                                           int padded, int per_block, int descending) {
  using Key = decltype(key_of(T()));
  __shared__ ItemOf<T> tile[TILE];
  i64 tiles = (n + padded - 1) / padded;  // of a line
  i64 first = static_cast<i64>(blockIdx.x) * per_block;
  int count = per_block * padded;
  for (int k = threadIdx.x; k < count; k += blockDim.x) {
    i64 number = first + k / padded;
    i64 i = number % tiles * padded + k % padded;
    tile[k] = item(static_cast<Key>(~Key(0)), 0xffffffffu);  // after all others
    if (number / tiles < lines.count && i < n) {
      Key key = key_of(all.x[offsets(lines, number / tiles).of[0] + i * all.x_step]);
      tile[k] = item(descending ? static_cast<Key>(~key) : key, static_cast<u32>(i));
    }
  }
  for (int size = 2; size <= padded; size *= 2) {
    for (int stride = size / 2; stride > 0; stride /= 2) {
      __syncthreads();
      for (int pair = threadIdx.x; pair < count / 2; pair += blockDim.x) {
        int low = 2 * pair - (pair & (stride - 1));
        bool ascending = (low & (padded - 1) & size) == 0;
        ItemOf<T> a = tile[low];
        ItemOf<T> b = tile[low + stride];
        if (before(b, a) == ascending) {
          tile[low] = b;
          tile[low + stride] = a;
        }
      }
    }
  }
  __syncthreads();
  for (int k = threadIdx.x; k < count; k += blockDim.x) {
    i64 number = first + k / padded;
    i64 i = number % tiles * padded + k % padded;
    i64 line = number / tiles;
    if (line < lines.count && i < n) {
      if (items) {
        items[line * n + i] = tile[k];
      } else {
        all.write(offsets(lines, line), i, position(tile[k]));
      }
    }
  }
}

// Pairs of sorted runs become sorted runs of twice the length; from, to [lines, n].
template <typename I>
__device__ __forceinline__ void merge_runs(const I *from, I *to, i64 count, i64 n, i64 run) {
  for (i64 e = first_element(); e < count; e += all_threads()) {
    i64 i = e % n;
    const I *line = from + (e - i);
    i64 start = i / run * run;
    i64 other = (i / run ^ 1) * run;
    i64 low = other < n ? other : n;
    i64 high = other + run < n ? other + run : n;
    I own = line[i];
    while (low < high) {
      i64 middle = (low + high) / 2;
      if (before(line[middle], own)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    i64 passed = other < n ? low - other : 0;
    to[e - i + (start < other ? start : other) + (i - start) + passed] = own;
  }
}

template <typename T>
__device__ __forceinline__ void write_sorted(const Lines<T> &all, const ItemOf<T> *items, const Positions<2> &lines, i64 n) {
  for (i64 e = first_element(); e < lines.count * n; e += all_threads()) {
    all.write(offsets(lines, e / n), e % n, position(items[e]));
  }
}

#define SORT(type, T)                                                                                                      \
  extern "C" __global__ void sort_##type##_tiles(const T *x, T *values, int *indices, void *items, Positions<2> lines,     \
                                                 i64 x_step, i64 y_step, i64 n, int padded, int per_block,                 \
                                                 int descending) {                                                         \
    sort_tiles(Lines<T>{x, values, indices, x_step, y_step}, static_cast<ItemOf<T> *>(items), lines, n, padded, per_block, \
               descending);                                                                                                \
  }                                                                                                                        \
  extern "C" __global__ void sort_##type##_merge(const void *from, void *to, i64 count, i64 n, i64 run) {                  \
    merge_runs(static_cast<const ItemOf<T> *>(from), static_cast<ItemOf<T> *>(to), count, n, run);                         \
  }                                                                                                                        \
  extern "C" __global__ void sort_##type##_write(const T *x, T *values, int *indices, const void *items,                   \
                                                 Positions<2> lines, i64 x_step, i64 y_step, i64 n) {                      \
    write_sorted(Lines<T>{x, values, indices, x_step, y_step}, static_cast<const ItemOf<T> *>(items), lines, n);           \
  }

SORT(f32, float)
SORT(f64, double)
SORT(i32, int)
