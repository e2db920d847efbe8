// Softmax and cross entropy in one: loss = ln Σ e^x − x[target] of rows of logits [rows, classes], 0 where the target is NONE;
// d x = g (softmax(x) − onehot(target)). Forward reads the logits once and keeps, of each row, max x, Σ e^(x − max), and that
// sum without the target: its share less 1, where that is nearly 1, comes from the others.
#include "folds.cuh"

const int NONE = -2147483647 - 1;  // LayerComposites.NO_TARGET

// losses [rows], kept [rows, 3]; op and error: what to report a target beyond the classes as, and where.
template <typename T>
__device__ __forceinline__ void forward(const T *x, const int *targets, T *losses, double *kept, i64 rows, int classes,
                                        int lanes, int op, int *error) {
  using F = LogSumExp<T>;
  Team team = team_of(lanes, 1);
  i64 row = static_cast<i64>(blockIdx.x) * team.folds + team.fold;
  const T *line = x + row * classes;
  typename F::State state = F::empty();
  if (row < rows) {
    each_of_line(line, 1, 0, classes, team, [&state](T v, i64 i) { state = F::add(state, v, i); });
  }
  state = merged<F>(state, team);
  if (row >= rows || team.lane != 0) {
    return;
  }
  int target = targets[row];
  if (target != NONE && (target < 0 || target >= classes)) {
    report(error, op, target, classes);
    target = NONE;
  }
  if (target == NONE) {
    losses[row] = T(0);
    return;
  }
  double rest = state.rest + (state.max - state.max);  // NaN if the greatest is infinite
  T below = state.max - line[target];
  kept[3 * row] = state.max;
  kept[3 * row + 1] = rest + 1;
  // Where the target is not the greatest, the greatest stays: nothing is lost.
  kept[3 * row + 2] = below == 0 ? rest : 1 + (rest - exp(-below));
  // Not (max + ln Σ) − x: that would round away a small loss beside a large maximum.
  losses[row] = static_cast<T>(below + log1p(rest));
}

// dx [rows, classes]; g [rows], g_step apart.
template <typename T>
__device__ __forceinline__ void backward(const T *x, const int *targets, const double *kept, const T *g, i64 g_step, T *dx,
                                         i64 rows, int classes, int lanes) {
  Team team = team_of(lanes, 1);
  i64 row = static_cast<i64>(blockIdx.x) * team.folds + team.fold;
  if (row >= rows) {
    return;
  }
  int target = targets[row];
  T flow = target >= 0 && target < classes ? g[row * g_step] : T(0);
  bool any = flow != 0;  // nothing flows: also into a row that holds NaN
  T max = any ? static_cast<T>(kept[3 * row]) : T(0);
  double share = any ? flow / kept[3 * row + 1] : 0;
  T scale = static_cast<T>(share);
  T hit = any ? static_cast<T>(-share * kept[3 * row + 2]) : T(0);
  map_line(x + row * classes, 1, dx + row * classes, 1, classes, team,
           [=](T v, i64 i) { return !any ? T(0) : i == target ? hit : exp(v - max) * scale; });
}

#define CROSS_ENTROPY(type, T)                                                                                            \
  extern "C" __global__ void cross_entropy_##type##_forward(const T *x, const int *targets, T *losses, double *kept,      \
                                                            i64 rows, int classes, int lanes, int op, int *error) {       \
    forward(x, targets, losses, kept, rows, classes, lanes, op, error);                                                   \
  }                                                                                                                       \
  extern "C" __global__ void cross_entropy_##type##_backward(const T *x, const int *targets, const double *kept,          \
                                                             const T *g, i64 g_step, T *dx, i64 rows, int classes,        \
                                                             int lanes) {                                                 \
    backward(x, targets, kept, g, g_step, dx, rows, classes, lanes);                                                      \
  }

CROSS_ENTROPY(f32, float)
CROSS_ENTROPY(f64, double)
