// Sums of many terms, as many as there are rows: of floats in double, of doubles with what every addition rounds away (Knuth's
// TwoSum), of whole numbers in 64 bits. So they round about once, however many terms there are.
#pragma once
#include "scalar.cuh"

template <typename T> struct LongSum;

template <>
struct LongSum<float> {
  double sum;
  __device__ __forceinline__ void add(double x) { sum = plus(sum, x); }
  __device__ __forceinline__ void add(LongSum s) { add(s.sum); }
  __device__ __forceinline__ double value() const { return sum; }
};

template <>
struct LongSum<double> {
  double sum, lost;
  __device__ __forceinline__ void add(double x) {
    double after = plus(sum, x);
    double rest = minus(after, sum);
    lost = plus(lost, plus(minus(sum, minus(after, rest)), minus(x, rest)));
    sum = after;
  }
  __device__ __forceinline__ void add(LongSum s) {
    add(s.sum);
    lost = plus(lost, s.lost);
  }
  // Beside an infinity what was lost is NaN.
  __device__ __forceinline__ double value() const { return lost != lost ? sum : plus(sum, lost); }
};

template <>
struct LongSum<int> {
  i64 sum;
  __device__ __forceinline__ void add(int x) { sum += x; }
  __device__ __forceinline__ void add(LongSum s) { sum += s.sum; }
  __device__ __forceinline__ i64 value() const { return sum; }
};
