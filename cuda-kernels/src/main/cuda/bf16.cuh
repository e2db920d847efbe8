// Numbers of 16 bits, with the range of a float and 8 bits of precision: half the room for what products read. They are
// made by integer arithmetic alone, so that every compiler takes it and every device gives the same bits.
#pragma once
#include "common.cuh"

struct bf16 {
  unsigned short bits;  // the upper half of a float
};

// A number as it is stored: as it is, or rounded to the nearest bf16, ties to even.
template <typename S>
struct Stored {
  static __device__ __forceinline__ S of(S x) { return x; }
};
template <>
struct Stored<bf16> {
  static __device__ __forceinline__ bf16 of(float x) {
    u32 bits = __float_as_uint(x);
    bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    u32 rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
    return {static_cast<unsigned short>((nan ? bits | 0x400000u : rounded) >> 16)};
  }
};
