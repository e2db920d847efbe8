// Formulas (carousel.tensor.op.Formula): straight lines of rows, run over many tensors in one launch, in place. FormulaSource.java
// writes the struct F of a formula: T, INPUTS, OUTPUTS, CONSTANTS, and apply(x, c, y) for one element.
#pragma once
#include "common.cuh"
#include "scalar.cuh"

// The rows as functions of their operands: row_add(a, b).
#define UNARY(name, type, In, Out, expression) \
  __device__ __forceinline__ Out row_##name(In x) { using T = In; return expression; }
#include "unary_rows.cuh"
#undef UNARY
#define BINARY(name, type, In, Out, expression) \
  __device__ __forceinline__ Out row_##name(In a, In b) { return expression; }
#include "binary_rows.cuh"
#undef BINARY
#define TERNARY(name, type, A, T, expression) \
  __device__ __forceinline__ T row_##name(A a, T b, T c) { return expression; }
#include "ternary_rows.cuh"
#undef TERNARY

const int BLOCK_ELEMENTS = 4096;  // FormulaLaunches.BLOCK_ELEMENTS

// What a formula is applied to, as words: this, then the addresses of inputs, targets and constants, or these themselves.
struct Part {
  i64 first_block;
  i64 count;   // elements
  i64 rows;    // address of int [count / width], or 0: which rows of those operands that are tables, -1 for none
  i64 width;   // of a row
  i64 tables;  // bit k: operand k is a table
  i64 size;    // rows of a table
  i64 known;   // bit k: constant k is the word itself, not at an address
};

template <typename F>
struct Operands {
  typename F::T *of[F::INPUTS + F::OUTPUTS];
  typename F::T constants[F::CONSTANTS + 1];
};

// One pack of W elements, number p.
template <int W, typename F>
__device__ __forceinline__ void apply_packs(const Operands<F> &at, i64 p) {
  using T = typename F::T;
  Pack<T, W> in[F::INPUTS + 1];
  Pack<T, W> out[F::OUTPUTS];
#pragma unroll
  for (int k = 0; k < F::INPUTS; k++) {
    in[k] = load<W>(at.of[k], p);
  }
#pragma unroll
  for (int i = 0; i < W; i++) {
    T x[F::INPUTS + 1];
    T y[F::OUTPUTS];
#pragma unroll
    for (int k = 0; k < F::INPUTS; k++) {
      x[k] = in[k].of[i];
    }
    F::apply(x, at.constants, y);
#pragma unroll
    for (int k = 0; k < F::OUTPUTS; k++) {
      out[k].of[i] = y[k];
    }
  }
#pragma unroll
  for (int k = 0; k < F::OUTPUTS; k++) {
    store<W>(at.of[F::INPUTS + k], p, out[k]);
  }
}

// Element `own` of operands [count / width, width]; that of tables lies elsewhere.
template <typename F>
__device__ __forceinline__ void apply_one(const Operands<F> &at, i64 own, i64 in_table, i64 tables) {
  using T = typename F::T;
  T x[F::INPUTS + 1];
  T y[F::OUTPUTS];
#pragma unroll
  for (int k = 0; k < F::INPUTS; k++) {
    x[k] = at.of[k][tables >> k & 1 ? in_table : own];
  }
  F::apply(x, at.constants, y);
#pragma unroll
  for (int k = 0; k < F::OUTPUTS; k++) {
    at.of[F::INPUTS + k][tables >> (F::INPUTS + k) & 1 ? in_table : own] = y[k];
  }
}

// parts: `count` of them, by rising first_block. Each block takes BLOCK_ELEMENTS of one part.
template <typename F>
__device__ __forceinline__ void run_formula(const i64 *parts, int count, int op, int *error) {
  using T = typename F::T;
  const int HEAD = sizeof(Part) / 8;
  const int WORDS = HEAD + F::INPUTS + F::OUTPUTS + F::CONSTANTS;
  int low = 0;
  for (int high = count; high - low > 1;) {
    int middle = (low + high) / 2;
    if (parts[static_cast<i64>(middle) * WORDS] <= blockIdx.x) {
      low = middle;
    } else {
      high = middle;
    }
  }
  const i64 *words = parts + static_cast<i64>(low) * WORDS;
  Part part = *reinterpret_cast<const Part *>(words);
  Operands<F> at;
  u64 addresses = 0;
#pragma unroll
  for (int k = 0; k < F::INPUTS + F::OUTPUTS; k++) {
    at.of[k] = reinterpret_cast<T *>(words[HEAD + k]);
    addresses |= words[HEAD + k];
  }
#pragma unroll
  for (int k = 0; k < F::CONSTANTS; k++) {
    const i64 *word = words + HEAD + F::INPUTS + F::OUTPUTS + k;
    at.constants[k] = *reinterpret_cast<const T *>(part.known >> k & 1 ? reinterpret_cast<i64>(word) : *word);
  }
  i64 begin = (blockIdx.x - part.first_block) * BLOCK_ELEMENTS;
  i64 end = begin + BLOCK_ELEMENTS < part.count ? begin + BLOCK_ELEMENTS : part.count;
  const int W = 16 / sizeof(T);
  i64 done = begin;
  if (part.rows == 0 && addresses % 16 == 0) {
    for (i64 p = begin / W + threadIdx.x; p < end / W; p += blockDim.x) {
      apply_packs<W>(at, p);
    }
    done = end / W * W;
  }
  for (i64 i = done + threadIdx.x; i < end; i += blockDim.x) {
    i64 in_table = i;
    if (part.rows != 0) {
      int row = reinterpret_cast<const int *>(part.rows)[i / part.width];
      if (row == -1) {
        continue;
      }
      if (row < 0 || row >= part.size) {
        report(error, op, row, static_cast<int>(part.size));
        continue;
      }
      in_table = row * part.width + i % part.width;
    }
    apply_one(at, i, in_table, part.tables);
  }
}
