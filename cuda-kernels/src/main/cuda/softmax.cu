// Softmax and its logarithm along one axis: y = e^(x − m) / Σ e^(x − m), y = x − m − ln Σ e^(x − m), m = max x.
#include "folds.cuh"

// Lines of n elements start where `lines` says, of x, then of y; a block takes a few. Twice over x: the second time it comes
// from a cache, unless lines are very long.
template <bool Log, typename T>
__device__ __forceinline__ void softmax(const T *x, T *y, const Positions<2> &lines, i64 x_step, i64 y_step, i64 n,
                                        int lanes, int rows) {
  using F = LogSumExp<T>;
  Team team = team_of(lanes, rows);
  i64 line = static_cast<i64>(blockIdx.x) * team.folds + team.fold;
  bool mine = line < lines.count;
  Offsets<2> at = offsets(lines, mine ? line : 0);
  typename F::State state = F::empty();
  if (mine) {
    each_of_line(x + at.of[0], x_step, 0, n, team, [&state](T v, i64 i) { state = F::add(state, v, i); });
  }
  state = merged_for_all<F>(state, team);
  if (mine) {
    T max = state.max;
    if (Log) {
      // NaN everywhere if the greatest is infinite, by the definition.
      T log_sum = static_cast<T>(log1p(state.rest)) + (max - max);
      map_line(x + at.of[0], x_step, y + at.of[1], y_step, n, team, [=](T v, i64) { return v - max - log_sum; });
    } else {
      T scale = static_cast<T>(1 / (state.rest + 1)) + (max - max);
      map_line(x + at.of[0], x_step, y + at.of[1], y_step, n, team, [=](T v, i64) { return exp(v - max) * scale; });
    }
  }
}

#define SOFTMAX(name, type, T, log)                                                                                      \
  extern "C" __global__ void name##_##type(const T *x, T *y, Positions<2> lines, i64 x_step, i64 y_step, i64 n, int lanes, \
                                           int rows) {                                                                   \
    softmax<log>(x, y, lines, x_step, y_step, n, lanes, rows);                                                           \
  }

SOFTMAX(softmax, f32, float, false)
SOFTMAX(softmax, f64, double, false)
SOFTMAX(logSoftmax, f32, float, true)
SOFTMAX(logSoftmax, f64, double, true)
