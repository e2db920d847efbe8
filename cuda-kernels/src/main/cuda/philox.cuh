// The counter-based generator Philox4x32-10 (Salmon et al., SC 2011), as carousel.tensor.Philox.
#pragma once
#include "common.cuh"

// The four 32-bit words of a block.
struct Words {
  u32 of[4];
};

// Block number `block` of the stream of a seed; the upper half of the counter tells apart what blocks are for.
__device__ __forceinline__ Words philox(i64 seed, i64 block, u32 upper = 0) {
  u32 c0 = static_cast<u32>(block), c1 = static_cast<u32>(static_cast<u64>(block) >> 32), c2 = upper, c3 = 0;
  u32 k0 = static_cast<u32>(seed), k1 = static_cast<u32>(static_cast<u64>(seed) >> 32);
  for (int round = 0; round < 10; round++) {
    u64 p0 = static_cast<u64>(0xD2511F53u) * c0;
    u64 p1 = static_cast<u64>(0xCD9E8D57u) * c2;
    c0 = static_cast<u32>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<u32>(p1);
    c2 = static_cast<u32>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<u32>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// The blocks that decide where 32 bits are just those of a probability (Philox.tie).
const u32 TIES = 1;

// The 24 bits of a uniform number in units of 2^-24.
__device__ __forceinline__ int uniform_bits(u32 word) { return static_cast<int>(word >> 8); }

// A number in [0, 1) with 53 bits, from two words.
__device__ __forceinline__ double unit(u32 low, u32 high) {
  return static_cast<double>((static_cast<u64>(high) << 32 | low) >> 11) * 0x1p-53;
}
