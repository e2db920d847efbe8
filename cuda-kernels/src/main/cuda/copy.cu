// Copies between layouts and types, and fills: y_i = x_i, y_i = value.
#include "map.cuh"
#include "scalar.cuh"

// x, y: elements laid out as `at` says, y first.
#define COPY(from, From, to, To)                                                            \
  extern "C" __global__ void copy_##from##_##to(const From *x, To *y, Positions<2> at) {    \
    map(at, Inputs<1>(), [](From x) -> To { return cast<To>(x); }, y, x);                   \
  }

#define COPIES(from, From)     \
  COPY(from, From, f32, float)  \
  COPY(from, From, f64, double) \
  COPY(from, From, i32, int)    \
  COPY(from, From, bool, Bool)

COPIES(f32, float)
COPIES(f64, double)
COPIES(i32, int)
COPIES(bool, u8)

// y: elements laid out as `at` says. The value is cast once, here, as a copy casts it.
#define FILL(type, T)                                                                         \
  extern "C" __global__ void fill_##type(double value, T *y, Positions<1> at) {               \
    T element = cast<T>(value);                                                               \
    map(at, Inputs<>(), [element]() -> T { return element; }, y);                             \
  }

FILL(f32, float)
FILL(f64, double)
FILL(i32, int)
FILL(bool, Bool)
