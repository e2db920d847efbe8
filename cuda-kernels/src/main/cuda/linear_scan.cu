// The linear recurrence along one axis: h_i = a_i h_(i−1) + b_i, from h_0 = b_0. f32 is carried in double; what does
// not fit i32 is reported as `op`.
#include "folds.cuh"

// a, b, h: lines that start as `lines` says, h first, then a and b. A thread per line.
template <typename T>
__device__ __forceinline__ void linear_scan(const T *a, const T *b, T *h, const Positions<3> &lines, i64 h_step, i64 a_step,
                                            i64 b_step, i64 n, int op, int *error) {
  for (i64 line = first_element(); line < lines.count; line += all_threads()) {
    Offsets<3> at = offsets(lines, line);
    Wide<T> carried = b[at.of[2]];
    h[at.of[0]] = static_cast<T>(carried);
    for (i64 i = 1; i < n; i++) {
      Wide<T> factor = a[at.of[1] + i * a_step];
      carried = plus<Wide<T>>(times<Wide<T>>(factor, carried), b[at.of[2] + i * b_step]);
      Fits<Sum<T>>::check(carried, op, error);
      h[at.of[0] + i * h_step] = static_cast<T>(carried);
    }
  }
}

#define LINEAR_SCAN(type, T)                                                                                       \
  extern "C" __global__ void linearScan_##type(const T *a, const T *b, T *h, Positions<3> lines, i64 h_step,        \
                                               i64 a_step, i64 b_step, i64 n, int op, int *error) {                 \
    linear_scan(a, b, h, lines, h_step, a_step, b_step, n, op, error);                                              \
  }

LINEAR_SCAN(f32, float)
LINEAR_SCAN(f64, double)
LINEAR_SCAN(i32, int)
