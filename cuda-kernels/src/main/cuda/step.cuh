// One step of a recurrence whose products with the weights are done elsewhere: a thread per row and unit.
#pragma once
#include "recurrence.cuh"

// u [N,K·H]: products, or null. Cells with a second product in a step have two stages, each after its product: of one
// that resets, stage 0 computes what enters the second; of one that looks, stage 0 computes c and stage 1 h.
template <typename C, typename T>
__device__ __forceinline__ void step_forward(const Forward<T> &f, Time time, const T *u, int stage) {
  constexpr int G = C::GATES;
  constexpr int P = products_with_h<C>();
  constexpr int K = products<C>();
  for (i64 i = first_element(); i < static_cast<i64>(f.rows) * f.hidden; i += all_threads()) {
    int row = static_cast<int>(i / f.hidden);
    int unit = static_cast<int>(i - static_cast<i64>(row) * f.hidden);
    i64 cell = static_cast<i64>(time.t) * f.rows + row;
    i64 before = static_cast<i64>(time.before * f.rows + row) * f.lead + unit;
    Step<T> s = {};
#pragma unroll
    for (int g = 0; g < G; g++) {
      s.z[g] = f.gates[(cell * G + g) * f.hidden + unit];
      s.gates[g] = s.z[g];
      s.z[g] += f.bias ? f.bias[g * f.hidden + unit] : T(0);
    }
#pragma unroll
    for (int j = 0; j < C::VECTORS; j++) {
      s.v[j] = f.v[j][unit];
    }
    s.h = f.h[before];
    s.c = C::HAS_C ? f.c[before] : T(0);
    if (u) {
      const T *of_unit = u + static_cast<i64>(row) * K * f.hidden + unit;
#pragma unroll
      for (int g = 0; g < G; g++) {
        if (g < P || stage == 1) {
          s.u[g] = of_unit[g * f.hidden];
        }
      }
      if constexpr (C::LOOKS) {
#pragma unroll
        for (int j = 0; j < LOOKS; j++) {
          s.looks[j] = of_unit[(P + j) * f.hidden];
        }
      }
    }
    bool live = f.lengths == nullptr || time.t < f.lengths[row];
    if constexpr (C::RESETS) {
      if (stage == 0) {
        C::reset(s);
        put_gates<C, 0, P>(f, time.t, row, unit, s);
        f.kept[cell * f.lead + unit] = s.kept;
        continue;
      }
    }
    if constexpr (C::LOOKS) {
      if (stage == 0) {
        C::look(s);
        put_gates<C, 0, G>(f, time.t, row, unit, s);
        put_c(f, time, row, unit, s, live);
      } else {
        s.next_c = f.c[static_cast<i64>(time.after * f.rows + row) * f.lead + unit];
        C::forward(s);
        put_gates<C, G - 1, G>(f, time.t, row, unit, s);
        put_h(f, time, row, unit, s, live);
      }
    } else {
      C::forward(s);
      put<C>(f, time, row, unit, s, live);
    }
  }
}

// b.dh_first, b.dc_first: what passes by the products, before and after. Of a cell with two stages, stage 1 comes first,
// then stage 0 with another product: that of the gradient of what was kept, or what comes to c from those who looked.
template <typename C, typename T>
__device__ __forceinline__ void step_backward(const Backward<T> &b, Time time, const T *product, int stage) {
  for (i64 i = first_element(); i < static_cast<i64>(b.rows) * b.hidden; i += all_threads()) {
    int row = static_cast<int>(i / b.hidden);
    int unit = static_cast<int>(i - static_cast<i64>(row) * b.hidden);
    bool live = b.lengths == nullptr || time.t < b.lengths[row];
    Pull<T> p = {};
    if (live) {
      get<C>(b, time, row, unit, p);
    }
    if constexpr (C::RESETS) {
      if (stage == 0) {
        p.before_h = b.dh_first[i];
        if (live) {
          C::pull_reset(p, product[i]);
        }
        b.dh_first[i] = p.before_h;
        put<C>(b, time.t, row, unit, p, 0, 1);
        continue;
      }
    }
    if constexpr (C::LOOKS) {
      if (stage == 1) {
        p.dh = b.dh_first[i] + product[i];
        if (live) {
          p.dh += b.dy ? b.dy[(static_cast<i64>(time.t) * b.rows + row) * b.hidden + unit] : T(0);
          C::pull_look(p);
        }
        b.dh_first[i] = p.dh;
        put<C>(b, time.t, row, unit, p, C::GATES - 1, C::GATES);
        continue;
      }
      p.dh = b.dh_first[i];
      p.dc = b.dc_first[i] + product[i];
    } else {
      p.dh = b.dh_first[i] + product[i];
      p.dc = C::HAS_C ? b.dc_first[i] : T(0);
    }
    if (live) {
      if (b.dy && !C::LOOKS) {
        p.dh += b.dy[(static_cast<i64>(time.t) * b.rows + row) * b.hidden + unit];
      }
      C::backward(p);
    } else {
      p.before_h = p.dh;
      p.before_c = p.dc;
    }
    b.dh_first[i] = p.before_h;
    if (C::HAS_C) {
      b.dc_first[i] = p.before_c;
    }
    put<C>(b, time.t, row, unit, p, C::RESETS ? 1 : 0, C::GATES);
  }
}
