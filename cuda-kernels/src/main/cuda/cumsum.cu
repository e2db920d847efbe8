// Running sums along one axis: y_i = Σ_(j ≤ i) x_j. f32 sums in double; i32 in 64 bits, and what does not fit is reported as `op`.
//
// Short lines, and many neighbouring ones, take a thread each; others a block. A few long lines are cut into chunks: first the
// sum of each chunk, then the sums of those before it, then each chunk from there.
#include "folds.cuh"

template <typename T>
__device__ __forceinline__ T held(Wide<T> sum, int op, int *error) {
  Fits<Sum<T>>::check(sum, op, error);
  return static_cast<T>(sum);
}

const int ITEMS = 4;  // neighbouring elements of a thread

// The sum of v over all threads of the block before this one; adds that of all of them to *carry.
template <typename S>
__device__ __forceinline__ S scan_block(S v, S *carry) {
  __shared__ S sums[THREADS / 32];
  int lane = threadIdx.x % 32;
  int warp = threadIdx.x / 32;
  for (int delta = 1; delta < 32; delta *= 2) {
    S other = __shfl_up_sync(0xffffffffu, v, delta);
    v = lane >= delta ? plus(other, v) : v;
  }
  S before = __shfl_up_sync(0xffffffffu, v, 1);
  before = lane > 0 ? before : 0;
  __syncthreads();  // everyone has read the sums of the last turn
  if (lane == 31) {
    sums[warp] = v;
  }
  __syncthreads();
  S start = *carry;
  S all = *carry;
  for (int w = 0; w < THREADS / 32; w++) {
    all = plus(all, sums[w]);
    start = w < warp ? all : start;
  }
  *carry = all;
  return plus(start, before);
}

// Block (l, c) takes chunk c of line l; before [lines, chunks], or null if there is one chunk.
template <typename T>
__device__ __forceinline__ void cumsum(const T *x, T *y, const Wide<T> *before, const Positions<2> &lines, i64 x_step,
                                       i64 y_step, i64 n, i64 chunk, int op, int *error) {
  Offsets<2> at = offsets(lines, blockIdx.x);
  const T *from = x + at.of[0];
  T *to = y + at.of[1];
  i64 begin = blockIdx.y * chunk;
  i64 end = begin + chunk < n ? begin + chunk : n;
  Wide<T> carry = before ? before[static_cast<i64>(blockIdx.x) * gridDim.y + blockIdx.y] : 0;
  for (i64 tile = begin; tile < end; tile += THREADS * ITEMS) {
    i64 first = tile + threadIdx.x * ITEMS;
    T item[ITEMS];
    Wide<T> own = 0;
    for (int k = 0; k < ITEMS; k++) {
      item[k] = first + k < end ? from[(first + k) * x_step] : T(0);
      own = plus<Wide<T>>(own, item[k]);
    }
    Wide<T> sum = scan_block(own, &carry);
    for (int k = 0; k < ITEMS && first + k < end; k++) {
      sum = plus<Wide<T>>(sum, item[k]);
      to[(first + k) * y_step] = held<T>(sum, op, error);
    }
  }
}

// totals [lines, chunks].
template <typename T>
__device__ __forceinline__ void totals_of_chunks(const T *x, Wide<T> *totals, const Positions<2> &lines, i64 x_step, i64 n,
                                                 i64 chunk) {
  Team team = team_of(THREADS, 1);
  i64 begin = blockIdx.y * chunk;
  i64 end = begin + chunk < n ? begin + chunk : n;
  Wide<T> sum = 0;
  each_of_line(x + offsets(lines, blockIdx.x).of[0], x_step, begin, end, team,
               [&sum](T v, i64 i) { sum = Sum<T>::add(sum, v, i); });
  sum = merged<Sum<T>>(sum, team);
  if (threadIdx.x == 0) {
    totals[static_cast<i64>(blockIdx.x) * gridDim.y + blockIdx.y] = sum;
  }
}

// Each of the chunks of a line becomes the sum of those before it, in place. A block per line.
template <typename S>
__device__ __forceinline__ void sums_before(S *totals, int chunks) {
  S *line = totals + static_cast<i64>(blockIdx.x) * chunks;
  S carry = 0;
  for (int tile = 0; tile < chunks; tile += THREADS) {
    int c = tile + threadIdx.x;
    S sum = scan_block(c < chunks ? line[c] : S(0), &carry);
    if (c < chunks) {
      line[c] = sum;
    }
  }
}

template <typename T>
__device__ __forceinline__ void cumsum_serial(const T *x, T *y, const Positions<2> &lines, i64 x_step, i64 y_step, i64 n,
                                              int op, int *error) {
  for (i64 line = first_element(); line < lines.count; line += all_threads()) {
    Offsets<2> at = offsets(lines, line);
    LongSum<T> sum = {};
    for (i64 i = 0; i < n; i++) {
      sum.add(x[at.of[0] + i * x_step]);
      y[at.of[1] + i * y_step] = held<T>(sum.value(), op, error);
    }
  }
}

#define CUMSUM(type, T)                                                                                                   \
  extern "C" __global__ void cumsum_##type(const T *x, T *y, const Wide<T> *before, Positions<2> lines, i64 x_step,       \
                                           i64 y_step, i64 n, i64 chunk, int op, int *error) {                            \
    cumsum(x, y, before, lines, x_step, y_step, n, chunk, op, error);                                                     \
  }                                                                                                                       \
  extern "C" __global__ void cumsum_##type##_totals(const T *x, Wide<T> *totals, Positions<2> lines, i64 x_step, i64 n,   \
                                                    i64 chunk) {                                                          \
    totals_of_chunks(x, totals, lines, x_step, n, chunk);                                                                 \
  }                                                                                                                       \
  extern "C" __global__ void cumsum_##type##_before(Wide<T> *totals, int chunks) { sums_before(totals, chunks); }         \
  extern "C" __global__ void cumsum_##type##_serial(const T *x, T *y, Positions<2> lines, i64 x_step, i64 y_step, i64 n,  \
                                                    int op, int *error) {                                                 \
    cumsum_serial(x, y, lines, x_step, y_step, n, op, error);                                                             \
  }

CUMSUM(f32, float)
CUMSUM(f64, double)
CUMSUM(i32, int)
