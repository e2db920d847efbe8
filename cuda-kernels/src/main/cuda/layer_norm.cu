// Layer normalisation of rows x [rows, width]: y = x̂ gain + bias, x̂ = (x − μ) r, r = 1/√(σ² + ε), σ² biased.
// Forward keeps (μ, r) of each row. With a = g gain: d x = r (a − mean a − x̂ mean(a x̂)); d gain = Σ g x̂ and d bias = Σ g over rows.
#include "folds.cuh"

// Two sums.
struct Sums {
  double a, b;
};

struct TwoSums {
  using State = Sums;
  static __device__ Sums empty() { return {0, 0}; }
  static __device__ Sums merge(Sums x, Sums y) { return {x.a + y.a, x.b + y.b}; }
};

// A mean as two numbers of T, so that values far from 0 are centred to the last place: v − high is exact there.
template <typename T>
struct Centre {
  T high, low;
  __device__ explicit Centre(double mean) : high(static_cast<T>(mean)), low(static_cast<T>(mean - high)) {}
  __device__ T of(T v) const { return (v - high) - low; }
};

// gain, bias [width]; epsilon: one element; kept [rows, 2].
template <typename T>
__device__ __forceinline__ void forward(const T *x, const T *gain, const T *bias, const T *epsilon, T *y, double *kept,
                                        i64 rows, i64 width, int lanes) {
  Team team = team_of(lanes, 1);
  i64 row = static_cast<i64>(blockIdx.x) * team.folds + team.fold;
  bool mine = row < rows;
  i64 count = mine ? width : 0;
  const T *line = x + row * width;
  double sum = 0;
  each_of_line(line, 1, 0, count, team, [&sum](T v, i64) { sum += v; });
  double mean = merged_for_all<Sum<double>>(sum, team) / width;
  double squares = 0;
  each_of_line(line, 1, 0, count, team, [&squares, mean](T v, i64) { squares += (v - mean) * (v - mean); });
  double variance = merged_for_all<Sum<double>>(squares, team) / width;
  double scale = rsqrt(variance + *epsilon);
  if (mine && team.lane == 0) {
    kept[2 * row] = mean;
    kept[2 * row + 1] = scale;
  }
  Centre<T> m(mean);
  T r = static_cast<T>(scale);
  map_line(line, 1, y + row * width, 1, count, team, [=](T v, i64 i) { return m.of(v) * r * gain[i] + bias[i]; });
}

// g, dx [rows, width].
template <typename T>
__device__ __forceinline__ void backward(const T *x, const T *gain, const double *kept, const T *g, T *dx, i64 rows,
                                         i64 width, int lanes) {
  Team team = team_of(lanes, 1);
  i64 row = static_cast<i64>(blockIdx.x) * team.folds + team.fold;
  bool mine = row < rows;
  i64 count = mine ? width : 0;
  const T *line = x + row * width;
  const T *flow = g + row * width;
  Centre<T> m(mine ? kept[2 * row] : 0);
  T r = static_cast<T>(mine ? kept[2 * row + 1] : 0);
  Sums sums = {0, 0};
  each_of_line(flow, 1, 0, count, team, [&sums, line, gain, m, r](T v, i64 i) {
    T a = v * gain[i];
    sums.a += a;
    sums.b += a * (m.of(line[i]) * r);
  });
  sums = merged_for_all<TwoSums>(sums, team);
  T mean = static_cast<T>(sums.a / width);
  T slope = static_cast<T>(sums.b / width);
  map_line(line, 1, dx + row * width, 1, count, team,
           [=](T v, i64 i) { return r * (flow[i] * gain[i] - mean - m.of(v) * r * slope); });
}

template <typename T>
__device__ __forceinline__ void write_parameters(Sums sums, i64 column, T *d_gain, T *d_bias) {
  d_gain[column] = static_cast<T>(sums.a);
  d_bias[column] = static_cast<T>(sums.b);
}

// Block (b, c) sums chunk c of the rows for several columns; states [width, chunks] if there is more than one chunk.
template <typename T>
__device__ __forceinline__ void parameters(const T *x, const double *kept, const T *g, T *d_gain, T *d_bias, Sums *states,
                                           i64 rows, i64 width, int lanes, i64 chunk) {
  Team team = team_of(lanes, 0);
  i64 column = static_cast<i64>(blockIdx.x) * team.folds + team.fold;
  i64 begin = blockIdx.y * chunk;
  i64 end = begin + chunk < rows ? begin + chunk : rows;
  Sums sums = {0, 0};
  for (i64 row = begin + team.lane; row < end && column < width; row += lanes) {
    T flow = g[row * width + column];
    Centre<T> m(kept[2 * row]);
    T r = static_cast<T>(kept[2 * row + 1]);
    sums.a += flow * (m.of(x[row * width + column]) * r);
    sums.b += flow;
  }
  sums = merged<TwoSums>(sums, team);
  if (team.lane == 0 && column < width) {
    if (gridDim.y == 1) {
      write_parameters(sums, column, d_gain, d_bias);
    } else {
      states[column * gridDim.y + blockIdx.y] = sums;
    }
  }
}

// A warp per column.
template <typename T>
__device__ __forceinline__ void merge_chunks(const Sums *states, T *d_gain, T *d_bias, i64 width, int chunks) {
  Team team = team_of(32, 1);
  i64 column = static_cast<i64>(blockIdx.x) * team.folds + team.fold;
  Sums sums = {0, 0};
  for (int c = team.lane; c < chunks && column < width; c += 32) {
    sums = TwoSums::merge(sums, states[column * chunks + c]);
  }
  sums = merged<TwoSums>(sums, team);
  if (team.lane == 0 && column < width) {
    write_parameters(sums, column, d_gain, d_bias);
  }
}

#define LAYER_NORM(type, T)                                                                                               \
  extern "C" __global__ void layer_norm_##type##_forward(const T *x, const T *gain, const T *bias, const T *epsilon, T *y, \
                                                         double *kept, i64 rows, i64 width, int lanes) {                  \
    forward(x, gain, bias, epsilon, y, kept, rows, width, lanes);                                                         \
  }                                                                                                                       \
  extern "C" __global__ void layer_norm_##type##_backward(const T *x, const T *gain, const double *kept, const T *g,      \
                                                          T *dx, i64 rows, i64 width, int lanes) {                        \
    backward(x, gain, kept, g, dx, rows, width, lanes);                                                                   \
  }                                                                                                                       \
  extern "C" __global__ void layer_norm_##type##_parameters(const T *x, const double *kept, const T *g, T *d_gain,        \
                                                            T *d_bias, void *states, i64 rows, i64 width, int lanes,      \
                                                            i64 chunk) {                                                  \
    parameters(x, kept, g, d_gain, d_bias, static_cast<Sums *>(states), rows, width, lanes, chunk);                       \
  }                                                                                                                       \
  extern "C" __global__ void layer_norm_##type##_chunks(const void *states, T *d_gain, T *d_bias, i64 width, int chunks) { \
    merge_chunks(static_cast<const Sums *>(states), d_gain, d_bias, width, chunks);                                       \
  }

LAYER_NORM(f32, float)
LAYER_NORM(f64, double)
