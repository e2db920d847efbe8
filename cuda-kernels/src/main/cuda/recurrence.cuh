// What a recurrence is given, there and back, and how one unit's part of a step reads and writes it.
#pragma once
#include "cells.cuh"
#include "common.cuh"

// The order of a sequence: step k is at time t, and reads state `before` of T + 1 to write state `after`.
struct Time {
  int t, before, after;

  __device__ __forceinline__ Time(int k, int steps, int reverse)
      : t(reverse ? steps - 1 - k : k), before(reverse ? t + 1 : t), after(reverse ? t : t + 1) {}
};

// What a forward scan is given. States lie [T+1, N, lead], rows of whole packs: the initial one first, or last in reverse.
template <typename T>
struct Forward {
  T *gates;            // [T,N,G·H] x·wx; becomes the activated gates
  const T *bias;       // [G·H]
  const T *wh, *wn;    // see fetch_columns
  const T *v[MOST_VECTORS];
  T *h, *c;            // states; c may be null
  T *kept;             // [T,N,lead]; may be null
  T *y;                // [T,N,H]
  const int *lengths;  // [N]; null if all rows are T long
  int steps, rows, hidden, lead, reverse;
};

// Writes gates [FROM, TO) of one unit.
template <typename C, int FROM, int TO, typename T>
__device__ __forceinline__ void put_gates(const Forward<T> &f, int t, int row, int unit, const Step<T> &s) {
  i64 cell = static_cast<i64>(t) * f.rows + row;
#pragma unroll
  for (int g = FROM; g < TO; g++) {
    f.gates[(cell * C::GATES + g) * f.hidden + unit] = s.gates[g];
  }
}

// Writes the states of one unit after a step, or for rows past their end, that nothing changed.
template <typename T>
__device__ __forceinline__ void put_c(const Forward<T> &f, Time time, int row, int unit, const Step<T> &s, bool live) {
  f.c[static_cast<i64>(time.after * f.rows + row) * f.lead + unit] = live ? s.next_c : s.c;
}
template <typename T>
__device__ __forceinline__ void put_h(const Forward<T> &f, Time time, int row, int unit, const Step<T> &s, bool live) {
  f.h[static_cast<i64>(time.after * f.rows + row) * f.lead + unit] = live ? s.next_h : s.h;
  f.y[(static_cast<i64>(time.t) * f.rows + row) * f.hidden + unit] = live ? s.next_h : T(0);
}

// Writes all that a step of one unit gave.
template <typename C, typename T>
__device__ __forceinline__ void put(const Forward<T> &f, Time time, int row, int unit, const Step<T> &s, bool live) {
  put_gates<C, 0, C::GATES>(f, time.t, row, unit, s);
  if (C::HAS_C) {
    put_c(f, time, row, unit, s, live);
  }
  if (C::KEEPS && !C::RESETS) {
    f.kept[(static_cast<i64>(time.t) * f.rows + row) * f.lead + unit] = s.kept;
  }
  put_h(f, time, row, unit, s, live);
}

// What a backward scan is given; the first lines as Forward left them.
template <typename T>
struct Backward {
  const T *gates;
  const T *wh, *wn;
  const T *v[MOST_VECTORS];
  const T *h, *c, *kept;
  const T *dy;               // [T,N,H]; null for zeros
  const T *dh_last, *dc_last;  // [N,H], of the final state; null for zeros
  const int *lengths;
  T *dz;                     // [T,N,B·H]: gradients of the gates' sums; B = G, or G + 1 with that of the last gate's product
  T *dh_first, *dc_first;    // [N,H], of the initial state
  int steps, rows, hidden, lead, reverse;
};

// Reads what the gradient of a step of one unit reads of the way there.
template <typename C, typename T>
__device__ __forceinline__ void get(const Backward<T> &b, Time time, int row, int unit, Pull<T> &p) {
  i64 cell = static_cast<i64>(time.t) * b.rows + row;
#pragma unroll
  for (int g = 0; g < C::GATES; g++) {
    p.gates[g] = b.gates[(cell * C::GATES + g) * b.hidden + unit];
  }
#pragma unroll
  for (int i = 0; i < C::VECTORS; i++) {
    p.v[i] = b.v[i][unit];
  }
  i64 before = static_cast<i64>(time.before * b.rows + row) * b.lead + unit;
  i64 after = static_cast<i64>(time.after * b.rows + row) * b.lead + unit;
  p.kept = C::KEEPS ? b.kept[cell * b.lead + unit] : T(0);
  p.h = C::READS_H ? b.h[before] : T(0);
  p.c = C::HAS_C ? b.c[before] : T(0);
  p.next_c = C::HAS_C ? b.c[after] : T(0);
}

// Writes the gradients of the sums of gates [from, to) of one unit.
template <typename C, typename T>
__device__ __forceinline__ void put(const Backward<T> &b, int t, int row, int unit, const Pull<T> &p, int from, int to) {
  constexpr int blocks = C::GATES + C::SPLITS;
  T *dz = b.dz + (static_cast<i64>(t) * b.rows + row) * blocks * b.hidden + unit;
#pragma unroll
  for (int g = 0; g < C::GATES; g++) {
    if (g >= from && g < to) {
      dz[g * b.hidden] = p.dz[g];
    }
  }
  if (C::SPLITS) {
    dz[C::GATES * b.hidden] = p.du[C::GATES - 1];
  }
}
