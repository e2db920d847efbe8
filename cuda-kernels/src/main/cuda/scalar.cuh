// Functions of numbers that CUDA's library lacks, as carousel.tensor.op defines them. T is float, double or int.
#pragma once
#include "common.cuh"

// Whole numbers wrap, as in Java; C++ leaves the overflow of int undefined.
template <typename T> __device__ __forceinline__ T plus(T a, T b);
template <typename T> __device__ __forceinline__ T minus(T a, T b);
template <typename T> __device__ __forceinline__ T times(T a, T b);
// Each rounded by itself, also where rows follow each other in a formula: never contracted to a fused multiply-add.
template <> __device__ __forceinline__ float plus(float a, float b) { return __fadd_rn(a, b); }
template <> __device__ __forceinline__ float minus(float a, float b) { return __fadd_rn(a, -b); }
template <> __device__ __forceinline__ float times(float a, float b) { return __fmul_rn(a, b); }
template <> __device__ __forceinline__ double plus(double a, double b) { return __dadd_rn(a, b); }
template <> __device__ __forceinline__ double minus(double a, double b) { return __dadd_rn(a, -b); }
template <> __device__ __forceinline__ double times(double a, double b) { return __dmul_rn(a, b); }
template <> __device__ __forceinline__ int plus(int a, int b) { return static_cast<int>(static_cast<u32>(a) + b); }
template <> __device__ __forceinline__ i64 plus(i64 a, i64 b) { return a + b; }
template <> __device__ __forceinline__ int minus(int a, int b) { return static_cast<int>(static_cast<u32>(a) - b); }
template <> __device__ __forceinline__ int times(int a, int b) { return static_cast<int>(static_cast<u32>(a) * b); }
template <> __device__ __forceinline__ i64 times(i64 a, i64 b) { return static_cast<i64>(static_cast<unsigned long long>(a) * b); }

template <typename T> __device__ __forceinline__ T negated(T x) { return -x; }
template <> __device__ __forceinline__ int negated(int x) { return minus(0, x); }

template <typename T> __device__ __forceinline__ T magnitude(T x) { return fabs(x); }
template <> __device__ __forceinline__ int magnitude(int x) { return x < 0 ? negated(x) : x; }

// −1, 0 or 1; zeros keep their sign, NaN stays.
template <typename T> __device__ __forceinline__ T sign(T x) { return x > 0 ? T(1) : x < 0 ? T(-1) : x; }

// The greater and the smaller of two numbers: NaN if either is, and −0 below 0, as in Java.
template <typename T>
__device__ __forceinline__ T greater(T a, T b) {
  return a > b || a != a ? a : b > a || b != b ? b : signbit(a) ? b : a;
}
template <typename T>
__device__ __forceinline__ T smaller(T a, T b) {
  return a < b || a != a ? a : b < a || b != b ? b : signbit(a) ? a : b;
}
template <> __device__ __forceinline__ int greater(int a, int b) { return a > b ? a : b; }
template <> __device__ __forceinline__ int smaller(int a, int b) { return a < b ? a : b; }

// As Java casts: to whole numbers towards zero, NaN to 0, saturating; to BOOL by ≠ 0.
struct Bool {
  u8 value;
};
template <typename To, typename From>
__device__ __forceinline__ To cast(From x) {
  return static_cast<To>(x);
}
__device__ __forceinline__ int whole(double x) {
  return x != x ? 0 : x >= 2147483647.0 ? 2147483647 : x <= -2147483648.0 ? -2147483647 - 1 : static_cast<int>(x);
}
template <> __device__ __forceinline__ int cast(float x) { return whole(x); }
template <> __device__ __forceinline__ int cast(double x) { return whole(x); }
template <> __device__ __forceinline__ Bool cast(float x) { return {x != 0}; }
template <> __device__ __forceinline__ Bool cast(double x) { return {x != 0}; }
template <> __device__ __forceinline__ Bool cast(int x) { return {x != 0}; }
template <> __device__ __forceinline__ Bool cast(u8 x) { return {x != 0}; }

// Neither branch overflows.
template <typename T>
__device__ __forceinline__ T sigmoid(T x) {
  T e = exp(-fabs(x));
  return (x >= 0 ? T(1) : e) / (1 + e);
}

// x / (1 + |x|), whose quotient is none at ±∞.
template <typename T>
__device__ __forceinline__ T softsign(T x) {
  return isinf(x) ? copysign(T(1), x) : x / (1 + fabs(x));
}

// What a division towards 0 leaves, with the sign of a; of whole numbers by 0, 0.
template <typename T> __device__ __forceinline__ T rest(T a, T b) { return fmod(a, b); }
template <> __device__ __forceinline__ int rest(int a, int b) { return b == 0 || b == -1 ? 0 : a % b; }

// ln(1 + e^x).
template <typename T>
__device__ __forceinline__ T softplus(T x) {
  T positive = x <= 0 ? T(0) : x;  // NaN stays
  return positive + log1p(exp(-fabs(x)));
}

// x σ(x).
// Far below 0 the product is representable where σ is not; further it is −0, also at −∞.
__device__ __forceinline__ double silu(double x) {
  double cut = x < -1000 ? -1000 : x;  // NaN stays
  return x > -700 ? x * sigmoid(x) : cut * exp(x + 64) * 1.6038108905486378e-28;  // e^−64
}
__device__ __forceinline__ float silu(float x) {
  float cut = x < -1000 ? -1000 : x;
  float half = exp(x / 2);
  return x > -80 ? x * sigmoid(x) : cut * half * half;
}

// √π e^z² erfc z for z ≥ ¾: a continued fraction (Abramowitz and Stegun 7.1.14), the longer the smaller z.
__device__ __forceinline__ double erfc_fraction(double z) {
  double tail = z;
  for (int k = static_cast<int>(12 + 220 / (z * z)); k >= 1; k--) {
    tail = z + k / 2.0 / tail;
  }
  return 1 / tail;
}

// x Φ(x) = x/2 · erfc(−x/√2). Below −1 the library's erfc is not good to the last places, nor is z, which is why e^−z² is
// written as e^(−x²/2), and what rounding takes from x² put back.
__device__ __forceinline__ double gelu(double of) {
  double x = of < -1000 ? -1000 : of;  // −0 at −∞, too; NaN stays
  double z = x * 0.70710678118654752440;
  if (z > -0.75) {
    return 0.5 * x * (1 + erf(z));
  }
  double square = x * x;
  double gaussian = z < -40 ? 0 : exp(-0.5 * square) * (1 - 0.5 * fma(x, x, -square));
  return 0.5 * x * gaussian * 0.56418958354775628695 * erfc_fraction(-z);
}
// In double: rounding z to float costs 25 units in the last place at −5.
__device__ __forceinline__ float gelu(float x) {
  float cut = x < -1000 ? -1000 : x;
  return static_cast<float>(0.5 * cut * erfc(cut * -0.70710678118654752440));
}
