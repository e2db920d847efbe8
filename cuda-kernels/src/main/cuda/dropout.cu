// Dropout with a mask: y_i = x_i · scale where kept_i, else 0.
#include "map.cuh"

// x, kept, y: elements laid out as `at` says, y first; scale: one element.
#define DROPOUT(type, T)                                                                                                \
  extern "C" __global__ void dropout_##type(const T *x, const u8 *kept, const T *scale, T *y, Positions<3> at) {        \
    T factor = *scale;                                                                                                  \
    map(at, Inputs<1, 2>(), [factor](T x, u8 kept) -> T { return kept ? x * factor : T(0); }, y, x, kept);              \
  }

DROPOUT(f32, float)
DROPOUT(f64, double)
