// The pointwise part of a cell alone, for one step of a cell that is driven by hand: a thread per row and unit.
#pragma once
#include "cells.cuh"

// What is given of one step. All of it is dense: z, gates [N,G·H]; the rest [N,H] or, of u, [N,G·H]; null where the cell
// has no such thing.
template <typename T>
struct Gates {
  const T *z;
  const T *u;  // null where z holds the sums
  const T *v[MOST_VECTORS];
  const T *h, *c;
  int rows, hidden;
};

template <typename C, typename T>
__device__ __forceinline__ void gates_forward(const Gates<T> &in, T *gates, T *kept, T *next_h, T *next_c) {
  for (i64 i = first_element(); i < static_cast<i64>(in.rows) * in.hidden; i += all_threads()) {
    i64 row = i / in.hidden;
    int unit = static_cast<int>(i - row * in.hidden);
    Step<T> s = {};
#pragma unroll
    for (int g = 0; g < C::GATES; g++) {
      i64 at = (row * C::GATES + g) * in.hidden + unit;
      s.z[g] = in.z[at];
      s.u[g] = in.u ? in.u[at] : T(0);
    }
#pragma unroll
    for (int j = 0; j < C::VECTORS; j++) {
      s.v[j] = in.v[j][unit];
    }
    s.h = C::READS_H ? in.h[i] : T(0);
    s.c = C::HAS_C ? in.c[i] : T(0);
    C::forward(s);
#pragma unroll
    for (int g = 0; g < C::GATES; g++) {
      gates[(row * C::GATES + g) * in.hidden + unit] = s.gates[g];
    }
    if (C::KEEPS) {
      kept[i] = s.kept;
    }
    next_h[i] = s.next_h;
    if (C::HAS_C) {
      next_c[i] = s.next_c;
    }
  }
}

// in.z: the activated gates. dnext_h, dnext_c: null for zeros. du: null where u was.
template <typename C, typename T>
__device__ __forceinline__ void gates_backward(
    const Gates<T> &in, const T *kept, const T *next_c, const T *dnext_h, const T *dnext_c, T *dz, T *du, T *dh, T *dc) {
  for (i64 i = first_element(); i < static_cast<i64>(in.rows) * in.hidden; i += all_threads()) {
    i64 row = i / in.hidden;
    int unit = static_cast<int>(i - row * in.hidden);
    Pull<T> p = {};
#pragma unroll
    for (int g = 0; g < C::GATES; g++) {
      p.gates[g] = in.z[(row * C::GATES + g) * in.hidden + unit];
    }
#pragma unroll
    for (int j = 0; j < C::VECTORS; j++) {
      p.v[j] = in.v[j][unit];
    }
    p.kept = C::KEEPS ? kept[i] : T(0);
    p.h = C::READS_H ? in.h[i] : T(0);
    p.c = C::HAS_C ? in.c[i] : T(0);
    p.next_c = C::HAS_C ? next_c[i] : T(0);
    p.dh = dnext_h ? dnext_h[i] : T(0);
    p.dc = dnext_c ? dnext_c[i] : T(0);
    C::backward(p);
#pragma unroll
    for (int g = 0; g < C::GATES; g++) {
      i64 at = (row * C::GATES + g) * in.hidden + unit;
      dz[at] = p.dz[g];
      if (du) {
        du[at] = p.du[g];
      }
    }
    if (C::READS_H) {
      dh[i] = p.before_h;
    }
    if (C::HAS_C) {
      dc[i] = p.before_c;
    }
  }
}

// gates_forward_lstm_f32, gates_backward_lstm_f32.
#define GATES(cell, C, type, T)                                                                                        \
  extern "C" __global__ void gates_forward_##cell##_##type(                                                            \
      const T *z, const T *u, const T *v0, const T *v1, const T *v2, const T *h, const T *c, T *gates, T *kept,        \
      T *next_h, T *next_c, int rows, int hidden) {                                                                    \
    gates_forward<C>(Gates<T>{z, u, {v0, v1, v2}, h, c, rows, hidden}, gates, kept, next_h, next_c);                   \
  }                                                                                                                    \
  extern "C" __global__ void gates_backward_##cell##_##type(                                                           \
      const T *gates, const T *v0, const T *v1, const T *v2, const T *h, const T *c, const T *kept, const T *next_c,   \
      const T *dnext_h, const T *dnext_c, T *dz, T *du, T *dh, T *dc, int rows, int hidden) {                          \
    gates_backward<C>(Gates<T>{gates, nullptr, {v0, v1, v2}, h, c, rows, hidden}, kept, next_c, dnext_h, dnext_c, dz,  \
                      du, dh, dc);                                                                                     \
  }
