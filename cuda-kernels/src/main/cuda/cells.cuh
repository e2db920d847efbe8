// One unit of one row of a recurrent cell: the pointwise part of a step, and its gradient.
//
// A cell says how many values of each kind there are, and two functions of single numbers:
//   forward   z, u → gates, h, c     z: the input's part of the sums, bias included; u: the products H'·wh
//   backward  dh, dc → dz, du, and what goes on to the state before without passing a product
// Gates are numbered in the order that RecurrentCell states. `kept` is what backward needs besides gates and states.
#pragma once
#include "scalar.cuh"

const int MOST_GATES = 4;
const int MOST_VECTORS = 3;
const int LOOKS = 3;  // of a cell that looks

// A step of a unit: what it reads, and below what it gives.
template <typename T>
struct Step {
  T z[MOST_GATES];
  T u[MOST_GATES];
  T v[MOST_VECTORS];  // the unit's elements of weights that are vectors
  T looks[LOOKS];     // of a cell that looks: the products c'·w, c'·w and c·w
  T h, c;             // the state before

  T gates[MOST_GATES];
  T kept;
  T next_h, next_c;
};

// The gradient of a step: what it reads, and below what it gives.
template <typename T>
struct Pull {
  T gates[MOST_GATES];
  T kept;
  T v[MOST_VECTORS];
  T h, c, next_c;
  T dh, dc;

  T dz[MOST_GATES];
  T du[MOST_GATES];
  T before_h, before_c;
};

// What most cells have in common.
struct Cell {
  static constexpr int VECTORS = 0;
  static constexpr bool READS_H = false;  // whether the state before enters other than by the product
  static constexpr bool HAS_C = false;    // whether there is a second state, seen by its own unit alone
  static constexpr bool KEEPS = false;    // whether backward needs `kept`
  static constexpr bool SPLITS = false;   // whether du differs from dz in the last gate
  static constexpr bool RESETS = false;   // whether the last gate's product is that of `kept`, not of h
  static constexpr bool LOOKS = false;    // whether there are products with c, too
};

// P: how many of a cell's gates have a product with h. K: how many products a unit has in a step.
template <typename C> __device__ constexpr int products_with_h() { return C::RESETS ? C::GATES - 1 : C::GATES; }
template <typename C> __device__ constexpr int products() { return C::GATES + (C::LOOKS ? LOOKS : 0); }

template <typename T> __device__ __forceinline__ T sigmoid_slope(T y) { return y * (1 - y); }
template <typename T> __device__ __forceinline__ T tanh_slope(T y) { return 1 - y * y; }

// a where the gate is 1, b where it is 0, both to the bit.
template <typename T> __device__ __forceinline__ T mixed(T gate, T a, T b) { return gate * a + (1 - gate) * b; }

template <typename T, int N>
__device__ __forceinline__ void same(T (&du)[N], const T (&dz)[N], int gates) {
#pragma unroll
  for (int g = 0; g < gates; g++) {
    du[g] = dz[g];
  }
}

// h = f(z + u).
struct Tanh {
  template <typename T> static __device__ __forceinline__ T of(T x) { return tanh(x); }
  template <typename T> static __device__ __forceinline__ T slope(T y) { return tanh_slope(y); }
};
struct Relu {
  template <typename T> static __device__ __forceinline__ T of(T x) { return x <= 0 ? T(0) : x; }
  template <typename T> static __device__ __forceinline__ T slope(T y) { return y > 0 ? T(1) : T(0); }
};
struct Identity {
  template <typename T> static __device__ __forceinline__ T of(T x) { return x; }
  template <typename T> static __device__ __forceinline__ T slope(T) { return T(1); }
};

template <typename F>
struct Elman : Cell {
  static constexpr int GATES = 1;

  template <typename T>
  static __device__ __forceinline__ void forward(Step<T> &s) {
    s.gates[0] = s.next_h = F::of(s.z[0] + s.u[0]);
  }

  template <typename T>
  static __device__ __forceinline__ void backward(Pull<T> &p) {
    p.dz[0] = p.du[0] = p.dh * F::slope(p.gates[0]);
    p.before_h = 0;
  }
};

// i, f, o = σ, g = tanh; c = f c' + i g, h = o tanh c. With peepholes v = pi, pf, po: i and f see c', o sees c.
template <bool PEEPHOLES>
struct LstmCell : Cell {
  static constexpr int GATES = 4;
  static constexpr int VECTORS = PEEPHOLES ? 3 : 0;
  static constexpr bool HAS_C = true;

  template <typename T>
  static __device__ __forceinline__ void forward(Step<T> &s) {
    T i = s.z[0] + s.u[0];
    T f = s.z[1] + s.u[1];
    T o = s.z[3] + s.u[3];
    if constexpr (PEEPHOLES) {
      i += s.v[0] * s.c;
      f += s.v[1] * s.c;
    }
    s.gates[0] = sigmoid(i);
    s.gates[1] = sigmoid(f);
    s.gates[2] = tanh(s.z[2] + s.u[2]);
    s.next_c = s.gates[1] * s.c + s.gates[0] * s.gates[2];
    if constexpr (PEEPHOLES) {
      o += s.v[2] * s.next_c;
    }
    s.gates[3] = sigmoid(o);
    s.next_h = s.gates[3] * tanh(s.next_c);
  }

  template <typename T>
  static __device__ __forceinline__ void backward(Pull<T> &p) {
    T squashed = tanh(p.next_c);
    T dc = p.dc + p.dh * p.gates[3] * tanh_slope(squashed);
    p.dz[3] = p.dh * squashed * sigmoid_slope(p.gates[3]);
    if constexpr (PEEPHOLES) {
      dc += p.dz[3] * p.v[2];
    }
    p.dz[0] = dc * p.gates[2] * sigmoid_slope(p.gates[0]);
    p.dz[1] = dc * p.c * sigmoid_slope(p.gates[1]);
    p.dz[2] = dc * p.gates[0] * tanh_slope(p.gates[2]);
    p.before_c = dc * p.gates[1];
    if constexpr (PEEPHOLES) {
      p.before_c += p.dz[0] * p.v[0] + p.dz[1] * p.v[1];
    }
    p.before_h = 0;
    same(p.du, p.dz, GATES);
  }
};
using Lstm = LstmCell<false>;
using PeepholeLstm = LstmCell<true>;

// As above with matrices for peepholes: i and f see c' of all units, o sees c. Two stages: c, then h.
struct MatrixPeepholeLstm : Cell {
  static constexpr int GATES = 4;
  static constexpr bool HAS_C = true;
  static constexpr bool LOOKS = true;

  // Gives c, and of o what does not look.
  template <typename T>
  static __device__ __forceinline__ void look(Step<T> &s) {
    s.gates[0] = sigmoid(s.z[0] + s.u[0] + s.looks[0]);
    s.gates[1] = sigmoid(s.z[1] + s.u[1] + s.looks[1]);
    s.gates[2] = tanh(s.z[2] + s.u[2]);
    s.gates[3] = s.z[3] + s.u[3];
    s.next_c = s.gates[1] * s.c + s.gates[0] * s.gates[2];
  }

  // Reads what look gave.
  template <typename T>
  static __device__ __forceinline__ void forward(Step<T> &s) {
    s.gates[3] = sigmoid(s.gates[3] + s.looks[2]);
    s.next_h = s.gates[3] * tanh(s.next_c);
  }

  // The gradient of o's sum, whose product is part of dc.
  template <typename T>
  static __device__ __forceinline__ void pull_look(Pull<T> &p) {
    p.dz[3] = p.dh * tanh(p.next_c) * sigmoid_slope(p.gates[3]);
  }

  template <typename T>
  static __device__ __forceinline__ void backward(Pull<T> &p) {
    pull_look(p);
    T dc = p.dc + p.dh * p.gates[3] * tanh_slope(tanh(p.next_c));
    p.dz[0] = dc * p.gates[2] * sigmoid_slope(p.gates[0]);
    p.dz[1] = dc * p.c * sigmoid_slope(p.gates[1]);
    p.dz[2] = dc * p.gates[0] * tanh_slope(p.gates[2]);
    p.before_c = dc * p.gates[1];
    p.before_h = 0;
    same(p.du, p.dz, GATES);
  }
};

// i, o = σ, g = tanh; c = i g + (1 − i) c', h = o tanh c.
struct Cifg : Cell {
  static constexpr int GATES = 3;
  static constexpr bool HAS_C = true;

  template <typename T>
  static __device__ __forceinline__ void forward(Step<T> &s) {
    s.gates[0] = sigmoid(s.z[0] + s.u[0]);
    s.gates[1] = tanh(s.z[1] + s.u[1]);
    s.gates[2] = sigmoid(s.z[2] + s.u[2]);
    s.next_c = mixed(s.gates[0], s.gates[1], s.c);
    s.next_h = s.gates[2] * tanh(s.next_c);
  }

  template <typename T>
  static __device__ __forceinline__ void backward(Pull<T> &p) {
    T squashed = tanh(p.next_c);
    T dc = p.dc + p.dh * p.gates[2] * tanh_slope(squashed);
    p.dz[0] = dc * (p.gates[1] - p.c) * sigmoid_slope(p.gates[0]);
    p.dz[1] = dc * p.gates[0] * tanh_slope(p.gates[1]);
    p.dz[2] = p.dh * squashed * sigmoid_slope(p.gates[2]);
    p.before_c = dc * (1 - p.gates[0]);
    p.before_h = 0;
    same(p.du, p.dz, GATES);
  }
};

// r, z = σ, n = tanh(z_n + r (u_n + v)); h = z h' + (1 − z) n. Kept: u_n + v.
struct GruResetAfter : Cell {
  static constexpr int GATES = 3;
  static constexpr int VECTORS = 1;
  static constexpr bool READS_H = true;
  static constexpr bool KEEPS = true;
  static constexpr bool SPLITS = true;

  template <typename T>
  static __device__ __forceinline__ void forward(Step<T> &s) {
    s.kept = s.u[2] + s.v[0];
    s.gates[0] = sigmoid(s.z[0] + s.u[0]);
    s.gates[1] = sigmoid(s.z[1] + s.u[1]);
    s.gates[2] = tanh(s.z[2] + s.gates[0] * s.kept);
    s.next_h = mixed(s.gates[1], s.h, s.gates[2]);
  }

  template <typename T>
  static __device__ __forceinline__ void backward(Pull<T> &p) {
    T dn = p.dh * (1 - p.gates[1]) * tanh_slope(p.gates[2]);
    p.dz[0] = dn * p.kept * sigmoid_slope(p.gates[0]);
    p.dz[1] = p.dh * (p.h - p.gates[2]) * sigmoid_slope(p.gates[1]);
    p.dz[2] = dn;
    p.before_h = p.dh * p.gates[1];
    same(p.du, p.dz, GATES);
    p.du[2] = dn * p.gates[0];
  }
};

// r, z = σ, n = tanh(z_n + (r ⊙ h')·wn); h = z h' + (1 − z) n. Kept: r h', whose product needs all units: two stages.
struct GruResetBefore : Cell {
  static constexpr int GATES = 3;
  static constexpr bool READS_H = true;
  static constexpr bool KEEPS = true;
  static constexpr bool RESETS = true;

  template <typename T>
  static __device__ __forceinline__ void reset(Step<T> &s) {
    s.gates[0] = sigmoid(s.z[0] + s.u[0]);
    s.gates[1] = sigmoid(s.z[1] + s.u[1]);
    s.kept = s.gates[0] * s.h;
  }

  // Reads the gates that reset gave, and the product of what it kept.
  template <typename T>
  static __device__ __forceinline__ void forward(Step<T> &s) {
    s.gates[2] = tanh(s.z[2] + s.u[2]);
    s.next_h = mixed(s.gates[1], s.h, s.gates[2]);
  }

  template <typename T>
  static __device__ __forceinline__ void backward(Pull<T> &p) {
    p.dz[1] = p.dh * (p.h - p.gates[2]) * sigmoid_slope(p.gates[1]);
    p.dz[2] = p.dh * (1 - p.gates[1]) * tanh_slope(p.gates[2]);
    p.before_h = p.dh * p.gates[1];
    p.du[1] = p.dz[1];
    p.du[2] = p.dz[2];
  }

  // dkept: the gradient of what was kept. Adds to what goes on to the state before.
  template <typename T>
  static __device__ __forceinline__ void pull_reset(Pull<T> &p, T dkept) {
    p.dz[0] = p.du[0] = dkept * p.h * sigmoid_slope(p.gates[0]);
    p.before_h += dkept * p.gates[0];
  }
};
