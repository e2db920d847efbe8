// Reductions over axes: y_o = fold of x_(o,i) over i. A line per row of carousel.tensor.op.Reduce.
//
// What is left of x's axes is `kept` (x, then y); what goes is `reduced`. Block (b, c) folds chunk c of several outputs; if
// there is more than one chunk, their states [outputs, chunks] are merged by a second kernel. Sums and products of i32 that do
// not fit are reported as `op`.
#include "folds.cuh"

template <typename F, typename In, typename Out>
__device__ __forceinline__ void reduce(const In *x, Out *y, typename F::State *states, const Positions<2> &kept,
                                       const Positions<1> &reduced, int lanes, int rows, i64 chunk, int op,
                                       int *error) {
  Team team = team_of(lanes, rows);
  i64 output = static_cast<i64>(blockIdx.x) * team.folds + team.fold;
  i64 begin = blockIdx.y * chunk;
  i64 end = begin + chunk < reduced.count ? begin + chunk : reduced.count;
  typename F::State state = F::empty();
  Offsets<2> at = {};
  if (output < kept.count) {
    at = offsets(kept, output);
    const In *line = x + at.of[0];
    if (reduced.rank <= 1) {
      each_of_line(line, reduced.strides[0][0], begin, end, team,
                   [&state](In v, i64 i) { state = F::add(state, v, i); });
    } else {
      for (i64 i = begin + team.lane; i < end; i += lanes) {
        state = F::add(state, line[offsets(reduced, i).of[0]], i);
      }
    }
  }
  state = merged<F>(state, team);
  if (team.lane == 0 && output < kept.count) {
    if (gridDim.y == 1) {
      Fits<F>::check(state, op, error);
      y[at.of[1]] = F::end(state, reduced.count);
    } else {
      states[output * gridDim.y + blockIdx.y] = state;
    }
  }
}

// A warp per output.
template <typename F, typename Out>
__device__ __forceinline__ void merge_chunks(const typename F::State *states, Out *y, const Positions<2> &kept,
                                             int chunks, i64 count, int op, int *error) {
  Team team = team_of(32, 1);
  i64 output = static_cast<i64>(blockIdx.x) * team.folds + team.fold;
  typename F::State state = F::empty();
  for (int c = team.lane; c < chunks && output < kept.count; c += 32) {
    state = F::merge(state, states[output * chunks + c]);
  }
  state = merged<F>(state, team);
  if (team.lane == 0 && output < kept.count) {
    Fits<F>::check(state, op, error);
    y[offsets(kept, output).of[1]] = F::end(state, count);
  }
}

#define REDUCE(name, type, In, Out, ...)                                                                                \
  extern "C" __global__ void reduce_##name##_##type(const In *x, Out *y, void *states, Positions<2> kept,               \
                                                    Positions<1> reduced, int lanes, int rows, i64 chunk, int op,       \
                                                    int *error) {                                                       \
    reduce<__VA_ARGS__>(x, y, static_cast<__VA_ARGS__::State *>(states), kept, reduced, lanes, rows, chunk, op, error); \
  }                                                                                                                     \
  extern "C" __global__ void reduce_##name##_##type##_chunks(const void *states, Out *y, Positions<2> kept, int chunks,  \
                                                             i64 count, int op, int *error) {                           \
    merge_chunks<__VA_ARGS__>(static_cast<const __VA_ARGS__::State *>(states), y, kept, chunks, count, op, error);      \
  }

#define FLOATING(name, F)                \
  REDUCE(name, f32, float, float, F<float>) \
  REDUCE(name, f64, double, double, F<double>)
#define NUMERIC(name, F) \
  FLOATING(name, F)      \
  REDUCE(name, i32, int, int, F<int>)
#define POSITION(name, sign)                                \
  REDUCE(name, f32, float, int, FirstExtreme<float, sign>)   \
  REDUCE(name, f64, double, int, FirstExtreme<double, sign>) \
  REDUCE(name, i32, int, int, FirstExtreme<int, sign>)

NUMERIC(sum, Total)
FLOATING(mean, Mean)
NUMERIC(max, Greatest)
NUMERIC(min, Smallest)
NUMERIC(prod, Product)
FLOATING(logSumExp, LogSumExp)
FLOATING(norm, Norm)
REDUCE(wideNorm, f32, float, double, WideNorm<float>)
REDUCE(wideNorm, f64, double, double, WideNorm<double>)
POSITION(argmax, 1)
POSITION(argmin, -1)
REDUCE(any, bool, u8, u8, Any)
REDUCE(all, bool, u8, u8, All)
