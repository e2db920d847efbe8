// Sums of columns in one order, for gradients of biases and of weights that are vectors.
#include "long_sum.cuh"

const int COLUMNS = 32;  // per block; a thread takes every LINES-th row of one
const int LINES = 8;

// y_j = Σ_r a_rj b_rj. a, b: rows `lead_a`, `lead_b` elements apart; without b, of a alone.
template <typename T>
__device__ __forceinline__ void column_sums(const T *a, i64 lead_a, const T *b, i64 lead_b, T *y, i64 rows, int columns) {
  __shared__ LongSum<T> sums[LINES][COLUMNS];
  int lane = threadIdx.x % COLUMNS;
  int line = threadIdx.x / COLUMNS;
  int column = blockIdx.x * COLUMNS + lane;
  LongSum<T> total = {};
  if (column < columns) {
#pragma unroll 4
    for (i64 row = line; row < rows; row += LINES) {
      double value = a[row * lead_a + column];
      total.add(b ? value * b[row * lead_b + column] : value);
    }
  }
  sums[line][lane] = total;
  __syncthreads();
  if (line == 0 && column < columns) {
    for (int i = 1; i < LINES; i++) {
      total.add(sums[i][lane]);
    }
    y[column] = static_cast<T>(total.value());
  }
}

#define COLUMN_SUMS(type, T)                                                                              \
  extern "C" __global__ void column_sums_##type(const T *a, i64 lead_a, const T *b, i64 lead_b, T *y, i64 rows, \
                                                int columns) {                                            \
    column_sums(a, lead_a, b, lead_b, y, rows, columns);                                                  \
  }

COLUMN_SUMS(f32, float)
COLUMN_SUMS(f64, double)
