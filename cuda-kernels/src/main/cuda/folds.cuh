// What reductions compute (carousel.tensor.op.Reduce), as folds. f32 sums in double: the memory is what takes the time.
#pragma once
#include "fold.cuh"
#include "scalar.cuh"

template <typename T> struct WideOf { using type = double; };
template <> struct WideOf<int> { using type = int; };
template <typename T> using Wide = typename WideOf<T>::type;

template <typename T> __device__ __forceinline__ T infinity();
template <> __device__ __forceinline__ float infinity() { return __int_as_float(0x7f800000); }
template <> __device__ __forceinline__ double infinity() { return __longlong_as_double(0x7ff0000000000000ll); }

template <typename T> __device__ __forceinline__ T lowest() { return -infinity<T>(); }
template <> __device__ __forceinline__ int lowest() { return -2147483647 - 1; }
template <typename T> __device__ __forceinline__ T highest() { return infinity<T>(); }
template <> __device__ __forceinline__ int highest() { return 2147483647; }

template <typename T>
struct Sum {
  using State = Wide<T>;
  static __device__ State empty() { return 0; }
  static __device__ State add(State s, T x, i64) { return plus<State>(s, x); }
  static __device__ State merge(State a, State b) { return plus(a, b); }
  static __device__ T end(State s, i64) { return static_cast<T>(s); }
};

template <typename T>
struct Mean : Sum<T> {
  static __device__ T end(double s, i64 n) { return static_cast<T>(s / n); }
};

template <typename T>
struct Product {
  using State = Wide<T>;
  static __device__ State empty() { return 1; }
  static __device__ State add(State s, T x, i64) { return times<State>(s, x); }
  static __device__ State merge(State a, State b) { return times(a, b); }
  static __device__ T end(State s, i64) { return static_cast<T>(s); }
};

template <typename T>
struct Greatest {
  using State = T;
  static __device__ T empty() { return lowest<T>(); }
  static __device__ T add(T s, T x, i64) { return greater(s, x); }
  static __device__ T merge(T a, T b) { return greater(a, b); }
  static __device__ T end(T s, i64) { return s; }
};

template <typename T>
struct Smallest {
  using State = T;
  static __device__ T empty() { return highest<T>(); }
  static __device__ T add(T s, T x, i64) { return smaller(s, x); }
  static __device__ T merge(T a, T b) { return smaller(a, b); }
  static __device__ T end(T s, i64) { return s; }
};

template <typename T>
struct Placed {
  T value;
  int at;  // −1 for none
};

// The first greatest element, or with Sign −1 the first smallest; the first NaN, if there is one.
template <typename T, int Sign>
struct FirstExtreme {
  using State = Placed<T>;
  static __device__ State empty() { return {0, -1}; }
  static __device__ State add(State s, T x, i64 i) { return merge(s, {x, static_cast<int>(i)}); }
  static __device__ State merge(State a, State b) {
    bool earlier = b.at >= 0 && (a.at < 0 || b.at < a.at);
    if (a.at < 0 || b.at < 0) {
      return earlier ? b : a;
    }
    if (a.value != a.value || b.value != b.value) {
      return b.value == b.value ? a : a.value == a.value || earlier ? b : a;
    }
    bool better = Sign > 0 ? b.value > a.value : b.value < a.value;
    return better || (b.value == a.value && earlier) ? b : a;
  }
  static __device__ int end(State s, i64) { return s.at; }
};

// The greatest x so far and what Σ e^(x − max) is more than its own 1, beside which small terms would be rounded away; −1
// before there is any.
template <typename T>
struct Exponentials {
  T max;
  double rest;
};

template <typename T>
struct LogSumExp {
  using State = Exponentials<T>;
  static __device__ State empty() { return {-infinity<T>(), -1}; }
  static __device__ State add(State s, T x, i64) {
    if (x > s.max) {
      return {x, (s.rest + 1) * exp(s.max - x)};
    }
    // An infinity less itself is none of 0.
    return {s.max, s.rest + (x == s.max ? T(1) : exp(x - s.max))};
  }
  static __device__ State merge(State a, State b) {
    if (a.max == b.max) {
      return {a.max, a.rest + (b.rest + 1)};
    }
    State high = a.max > b.max ? a : b;
    State low = a.max > b.max ? b : a;
    return {high.max, high.rest + (low.rest + 1) * exp(low.max - high.max)};
  }
  static __device__ T end(State s, i64) {
    bool finite = s.max - s.max == 0 || s.rest != s.rest;
    return finite ? static_cast<T>(s.max + log1p(s.rest)) : s.max;
  }
};

// √Σx²; squares of floats neither overflow nor vanish in double.
template <typename T>
struct Norm {
  using State = double;
  static __device__ State empty() { return 0; }
  static __device__ State add(State s, T x, i64) { return s + static_cast<double>(x) * x; }
  static __device__ State merge(State a, State b) { return a + b; }
  static __device__ T end(State s, i64) { return static_cast<T>(sqrt(s)); }
};

// Squares of doubles are summed in three classes, of which two are scaled (Blue, ACM TOMS 4, 1978).
struct ThreeSums {
  double small, medium, big;
};

template <>
struct Norm<double> {
  using State = ThreeSums;
  static __device__ State empty() { return {0, 0, 0}; }
  static __device__ State add(State s, double x, i64) {
    double size = fabs(x);
    if (size > 0x1p486) {
      s.big += (size * 0x1p-538) * (size * 0x1p-538);
    } else if (size < 0x1p-511) {
      s.small += (size * 0x1p537) * (size * 0x1p537);
    } else {
      s.medium += size * size;
    }
    return s;
  }
  static __device__ State merge(State a, State b) { return {a.small + b.small, a.medium + b.medium, a.big + b.big}; }
  static __device__ double end(State s, i64) {
    if (s.big > 0 && s.medium == s.medium) {
      return sqrt(s.big + s.medium * 0x1p-538 * 0x1p-538) * 0x1p538;
    }
    if (s.small > 0 && s.medium < 0x1p-900) {
      return sqrt(s.small + s.medium * 0x1p537 * 0x1p537) * 0x1p-537;
    }
    return sqrt(s.medium);
  }
};

// The norm in double, whatever T is.
template <typename T>
struct WideNorm : Norm<double> {};

struct Any {
  using State = int;
  static __device__ int empty() { return 0; }
  static __device__ int add(int s, u8 x, i64) { return s | x; }
  static __device__ int merge(int a, int b) { return a | b; }
  static __device__ u8 end(int s, i64) { return s != 0; }
};

struct All {
  using State = int;
  static __device__ int empty() { return 1; }
  static __device__ int add(int s, u8 x, i64) { return s & (x != 0); }
  static __device__ int merge(int a, int b) { return a & b; }
  static __device__ u8 end(int s, i64) { return s != 0; }
};
