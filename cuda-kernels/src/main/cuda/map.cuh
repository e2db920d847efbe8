// Elementwise loops: y_i = f(x_i, ...) over operands of any layout.
#pragma once
#include "common.cuh"

// The numbers of the inputs among the operands; y is number 0.
template <int... N>
struct Inputs {};

// How many elements one thread moves at once: 16 bytes of the widest operand.
template <typename... T>
__device__ constexpr int pack_width() {
  unsigned widest = 1;
  ((widest = sizeof(T) > widest ? sizeof(T) : widest), ...);
  return static_cast<int>(16 / widest);
}

// A pack of an operand that is contiguous, or repeats one element.
template <int W, typename T>
__device__ __forceinline__ Pack<T, W> load_or_repeat(const T *x, i64 pack, i64 stride) {
  if (stride != 0) {
    return load<W>(x, pack);
  }
  Pack<T, W> repeated;
  for (int i = 0; i < W; i++) {
    repeated.of[i] = *x;
  }
  return repeated;
}

template <typename Out, int W, typename F, typename... In>
__device__ __forceinline__ Pack<Out, W> map_pack(F f, const Pack<In, W> &...x) {
  Pack<Out, W> y;
  for (int i = 0; i < W; i++) {
    y.of[i] = f(x.of[i]...);
  }
  return y;
}

// y_i = f(x_i, ...) for all elements, shared by all threads of the grid.
template <typename F, typename Out, typename... In, int... N>
__device__ __forceinline__ void map(const Positions<sizeof...(In) + 1> &at, Inputs<N...>, F f, Out *y, const In *...x) {
  constexpr int W = pack_width<Out, In...>();
  i64 done = 0;
  if (at.packed) {
    i64 packs = at.count / W;
    for (i64 p = first_element(); p < packs; p += all_threads()) {
      store<W>(y, p, map_pack<Out, W>(f, load_or_repeat<W>(x, p, at.strides[N][0])...));
    }
    done = packs * W;
  }
  for (i64 i = done + first_element(); i < at.count; i += all_threads()) {
    Offsets<sizeof...(In) + 1> element = offsets(at, i);
    y[element.of[0]] = f(x[element.of[N]]...);
  }
}
