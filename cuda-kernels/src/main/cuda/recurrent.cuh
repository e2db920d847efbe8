// The kernels of one recurrent cell, in one element type. RECURRENT(lstm, Lstm, f32, float) defines:
//   scan_forward_lstm_f32, scan_backward_lstm_f32   whole sequences in one cooperative launch
//   step_forward_lstm_f32, step_backward_lstm_f32   the pointwise part of one step, products done elsewhere
// SCAN(lstm, Lstm, bf16, float, bf16) defines whole sequences alone, with another type for what products read.
#pragma once
#include "scan_backward.cuh"
#include "scan_forward.cuh"
#include "step.cuh"

const int SCAN_THREADS = 256;

// gates [T,N,G·H], states [T+1,N,lead], kept [T,N,lead], y [T,N,H]: see Forward. barrier: 0 at first.
// own: units per block; rounded (0 at first), beyond, resident, chunk: see ScanForward.
#define SCAN_FORWARD(cell, C, type, T, S)                                                                             \
  extern "C" __global__ void __launch_bounds__(SCAN_THREADS, 1) scan_forward_##cell##_##type(                         \
      T *gates, const T *bias, const T *wh, const T *wn, const T *v0, const T *v1, const T *v2, T *h, T *c, T *kept,  \
      T *y, const int *lengths, S *rounded, S *beyond, u32 *barrier, int steps, int rows, int hidden, int lead,       \
      int reverse, int own, int resident, int chunk) {                                                                \
    DYNAMIC_SHARED(S, shared);                                                                                        \
    Forward<T> f = {gates, bias, wh, wn, {v0, v1, v2}, h, c, kept, y, lengths, steps, rows, hidden, lead, reverse};   \
    ScanForward<C, T, S>(f, own, resident, chunk, rounded, beyond, barrier, shared).run();                            \
  }

// As above; dy [T,N,H], dh_last, dc_last [N,H] or null → dz [T,N,B·H], dh_first, dc_first [N,H].
// shares, beyond, resident: see ScanBackward.
#define SCAN_BACKWARD(cell, C, type, T, S)                                                                            \
  extern "C" __global__ void __launch_bounds__(SCAN_THREADS, 1) scan_backward_##cell##_##type(                        \
      const T *gates, const T *wh, const T *wn, const T *v0, const T *v1, const T *v2, const T *h, const T *c,        \
      const T *kept, const T *dy, const T *dh_last, const T *dc_last, const int *lengths, T *dz, T *dh_first,         \
      T *dc_first, T *shares, S *beyond, u32 *barrier, int steps, int rows, int hidden, int lead, int reverse,        \
      int own, int resident) {                                                                                        \
    DYNAMIC_SHARED(S, shared);                                                                                        \
    Backward<T> b = {gates, wh, wn, {v0, v1, v2}, h, c, kept, dy, dh_last, dc_last, lengths, dz, dh_first, dc_first,  \
                     steps, rows, hidden, lead, reverse};                                                             \
    ScanBackward<C, T, S>(b, own, resident, beyond, shares, barrier, shared).run();                                   \
  }

// One step k. u [N,K·H]: see step_forward. y may be null.
#define STEP_FORWARD(cell, C, type, T)                                                                                \
  extern "C" __global__ void step_forward_##cell##_##type(                                                            \
      T *gates, const T *bias, const T *u, const T *v0, const T *v1, const T *v2, T *h, T *c, T *kept, T *y,          \
      const int *lengths, int steps, int rows, int hidden, int lead, int reverse, int k, int stage) {                 \
    Forward<T> f = {gates, bias, nullptr, nullptr, {v0, v1, v2}, h, c, kept, y, lengths, steps, rows, hidden, lead,   \
                    reverse};                                                                                         \
    step_forward<C>(f, Time(k, steps, reverse), u, stage);                                                            \
  }

// The gradient of step k. product [N,H]: what came through the products of the step after. dh, dc [N,H]: what passed by
// them; changed in place.
#define STEP_BACKWARD(cell, C, type, T)                                                                               \
  extern "C" __global__ void step_backward_##cell##_##type(                                                           \
      const T *gates, const T *v0, const T *v1, const T *v2, const T *h, const T *c, const T *kept, const T *dy,      \
      const int *lengths, const T *product, T *dh, T *dc, T *dz, int steps, int rows, int hidden, int lead,           \
      int reverse, int k, int stage) {                                                                                \
    Backward<T> b = {gates, nullptr, nullptr, {v0, v1, v2}, h, c, kept, dy, nullptr, nullptr, lengths, dz, dh, dc,    \
                     steps, rows, hidden, lead, reverse};                                                             \
    step_backward<C>(b, Time(k, steps, reverse), product, stage);                                                     \
  }

#define SCAN(cell, C, type, T, S)     \
  SCAN_FORWARD(cell, C, type, T, S)   \
  SCAN_BACKWARD(cell, C, type, T, S)

#define RECURRENT(cell, C, type, T)  \
  SCAN(cell, C, type, T, T)          \
  STEP_FORWARD(cell, C, type, T)     \
  STEP_BACKWARD(cell, C, type, T)
