// Reading and adding at positions given by an index. What is added to one place is added in the order of the index: either a
// thread goes through a whole line, or the index was sorted before, stably, and a thread takes all that goes to one place.
#include "long_sum.cuh"

__device__ __forceinline__ bool within(int index, int size, int op, int *error) {
  if (index >= 0 && index < size) {
    return true;
  }
  report(error, op, index, size);
  return false;
}

// A sum as an element: of whole numbers one that does not fit is reported, and wraps.
template <typename T> __device__ __forceinline__ T total(const LongSum<T> &sum, int, int *) { return static_cast<T>(sum.value()); }
template <> __device__ __forceinline__ int total(const LongSum<int> &sum, int op, int *error) {
  int y = static_cast<int>(sum.value());
  if (y != sum.value()) {
    report(error, op, 0, DOES_NOT_FIT);
  }
  return y;
}

// y_i = x[i, with index_i along one axis]: y, index, x as `at` says, x with stride 0 on that axis, whose stride is `step`.
// Elements are moved, not read, so that only their size counts; of whole slices several are moved at once.
template <typename Unit>
__device__ __forceinline__ void gather(const Unit *x, const int *index, Unit *y, const Positions<3> &at, i64 step, int size,
                                       int op, int *error) {
  for (i64 i = first_element(); i < at.count; i += all_threads()) {
    Offsets<3> element = offsets(at, i);
    int k = index[element.of[1]];
    if (within(k, size, op, error)) {
      y[element.of[0]] = x[element.of[2] + k * step];
    }
  }
}

typedef Pack<u32, 4> u128;

#define GATHER(bytes, Unit)                                                                                           \
  extern "C" __global__ void gather_##bytes(const Unit *x, const int *index, Unit *y, Positions<3> at, i64 step, int size, \
                                            int op, int *error) {                                                     \
    gather(x, index, y, at, step, size, op, error);                                                                   \
  }

GATHER(1, u8)
GATHER(4, u32)
GATHER(8, u64)
GATHER(16, u128)

// Lines along the axis start where `lines` says: of index, y, source; `steps` from one element of each to the next. A thread
// takes a line of n elements. Not of whole numbers, which would wrap where a sum leaves their range.
template <typename T>
__device__ __forceinline__ void scatter_lines(T *y, const int *index, const T *source, const Positions<3> &lines,
                                              i64 index_step, i64 y_step, i64 source_step, i64 n, int size, int op,
                                              int *error) {
  for (i64 line = first_element(); line < lines.count; line += all_threads()) {
    Offsets<3> at = offsets(lines, line);
    for (i64 i = 0; i < n; i++) {
      int k = index[at.of[0] + i * index_step];
      if (within(k, size, op, error)) {
        T *place = y + at.of[1] + k * y_step;
        *place = plus(*place, source[at.of[2] + i * source_step]);
      }
    }
  }
}

// The same with a thread per element of the sorted index, lines [lines, n], and where each came from: the first of equal ones
// adds them all.
template <typename T>
__device__ __forceinline__ void scatter_sorted(T *y, const int *sorted, const int *origins, const T *source,
                                               const Positions<3> &lines, i64 y_step, i64 source_step, i64 n, int size,
                                               int op, int *error) {
  for (i64 e = first_element(); e < lines.count * n; e += all_threads()) {
    i64 first = e % n;
    Offsets<3> at = offsets(lines, e / n);
    const int *line = sorted + at.of[0];
    int k = line[first];
    if ((first > 0 && line[first - 1] == k) || !within(k, size, op, error)) {
      continue;
    }
    LongSum<T> sum = {};
    sum.add(y[at.of[1] + k * y_step]);
    for (i64 i = first; i < n && line[i] == k; i++) {
      sum.add(source[at.of[2] + origins[at.of[0] + i] * source_step]);
    }
    y[at.of[1] + k * y_step] = total(sum, op, error);
  }
}

// y[o, k, c] += source[o, i, c] for index_i = k; slices of y and source as `slices` says, [outer, inner], and `steps` between
// them. Neighbouring threads take neighbouring elements of one slice.
template <typename T>
__device__ __forceinline__ void add_slices(T *y, const int *sorted, const int *origins, const T *source,
                                           const Positions<2> &slices, i64 y_step, i64 source_step, int n, int size, int op,
                                           int *error) {
  for (int first = blockIdx.y; first < n; first += gridDim.y) {
    int k = sorted[first];
    if ((first > 0 && sorted[first - 1] == k) || !within(k, size, op, error)) {
      continue;
    }
    for (i64 e = first_element(); e < slices.count; e += all_threads()) {
      Offsets<2> at = offsets(slices, e);
      LongSum<T> sum = {};
      sum.add(y[at.of[0] + k * y_step]);
#pragma unroll 4
      for (int i = first; i < n && sorted[i] == k; i++) {
        sum.add(source[at.of[1] + origins[i] * source_step]);
      }
      y[at.of[0] + k * y_step] = total(sum, op, error);
    }
  }
}

#define LINES(type, T)                                                                                                     \
  extern "C" __global__ void scatterAdd_##type##_lines(T *y, const int *index, const T *source, Positions<3> lines,        \
                                                       i64 index_step, i64 y_step, i64 source_step, i64 n, int size,       \
                                                       int op, int *error) {                                               \
    scatter_lines(y, index, source, lines, index_step, y_step, source_step, n, size, op, error);                           \
  }

#define ADD(type, T)                                                                                                       \
  extern "C" __global__ void scatterAdd_##type##_sorted(T *y, const int *sorted, const int *origins, const T *source,      \
                                                        Positions<3> lines, i64 y_step, i64 source_step, i64 n, int size,  \
                                                        int op, int *error) {                                              \
    scatter_sorted(y, sorted, origins, source, lines, y_step, source_step, n, size, op, error);                            \
  }                                                                                                                        \
  extern "C" __global__ void indexAdd_##type(T *y, const int *sorted, const int *origins, const T *source,                 \
                                             Positions<2> slices, i64 y_step, i64 source_step, int n, int size, int op,    \
                                             int *error) {                                                                 \
    add_slices(y, sorted, origins, source, slices, y_step, source_step, n, size, op, error);                               \
  }

LINES(f32, float)
LINES(f64, double)
ADD(f32, float)
ADD(f64, double)
ADD(i32, int)
