// A recurrence over a whole sequence in one launch, forwards.
//
// A block owns some units with all their gates. Their recurrent weights stay in shared memory, as does their c; each
// step a block reads the h of all units, some packs of all rows at a time, and adds its units' new h, which the others
// see after the barrier. States have a place of their own for each step: nothing is overwritten that a block may still
// read. Weights that shared memory has no room for lie packed in global memory, small enough to stay in the L2 cache.
//
// T is the type of all numbers but S: that of the weights a block keeps and of the states that blocks hand each other,
// which are all that products read. Where S is narrower, states exist twice: as T, and rounded to be read by the next
// product.
#pragma once
#include "products.cuh"
#include "recurrence.cuh"
#include "tensor_products.cuh"

// One launch for T steps. Packs [0, resident) of the weights' columns lie in shared memory, the others in `beyond`; h
// comes `chunk` packs at a time, into one of two places.
template <typename C, typename T, typename S>
struct ScanForward {
  static constexpr int G = C::GATES;
  static constexpr int P = products_with_h<C>();
  static constexpr int K = products<C>();
  static constexpr int V = pack<S>();
  static constexpr bool NARROWS = sizeof(S) < sizeof(T);

  const Forward<T> &f;
  Units units;
  using Sums = Products<T, S, K>;
  Sums products;
  GridBarrier barrier;
  int packs, resident, chunk;
  Columns<S> w, beyond;
  S *x;
  int x_stride;  // packs
  int place;     // elements of a chunk's place
  T *partial;
  T *c;          // [N·own] of the block's units
  T *looks;      // [2,N·own] of a cell that looks: products with c that the next step needs
  S *rounded;    // global, [2,N,lead]: if NARROWS, what products read
  int slot = 1;  // which of the two the next product reads

  __device__ __forceinline__ ScanForward(
      const Forward<T> &f, int own, int resident, int chunk, S *rounded, S *scratch, u32 *arrived, S *shared)
      : f(f),
        units(f.hidden, own),
        products(f.rows, own),
        barrier{arrived, 0},
        packs((f.hidden + V - 1) / V),
        resident(resident),
        chunk(chunk),
        rounded(rounded) {
    int columns = K * own;
    int rows = products.whole_rows();
    int outside = Sums::stride(packs - resident);
    w = {shared, Sums::stride(resident)};
    beyond = {scratch + static_cast<i64>(blockIdx.x) * columns * outside * V, outside};
    x = shared + static_cast<i64>(columns) * w.stride * V;
    x_stride = Sums::stride(chunk);
    place = rows * x_stride * V;
    partial = reinterpret_cast<T *>(x + 2 * place);
    c = partial + products.slices * columns * rows;
    looks = c + f.rows * own;
  }

  __device__ __forceinline__ bool live(int t, int row) const { return f.lengths == nullptr || t < f.lengths[row]; }

  // The part of a step's sums that does not wait for other blocks.
  __device__ __forceinline__ void input(Step<T> &s, int t, int row, int unit) const {
    const T *z = f.gates + (static_cast<i64>(t) * f.rows + row) * G * f.hidden + unit;
#pragma unroll
    for (int g = 0; g < G; g++) {
      s.z[g] = z[g * f.hidden];
    }
  }

  __device__ __forceinline__ void constants(Step<T> &s, int unit) const {
#pragma unroll
    for (int g = 0; g < G; g++) {
      s.z[g] += f.bias[g * f.hidden + unit];
    }
#pragma unroll
    for (int i = 0; i < C::VECTORS; i++) {
      s.v[i] = f.v[i][unit];
    }
  }

  // Starts copying packs [first, first + chunk) of a state [N, lead] to shared memory.
  __device__ __forceinline__ void fetch(int parity, const S *state, int first) const {
    S *to = x + parity * place;
    int width = min(chunk, packs - first);
    for (int i = threadIdx.x; i < f.rows * width; i += blockDim.x) {
      int row = i / width;
      int p = i - row * width;
      copy_async(to + (row * x_stride + p) * V, state + static_cast<i64>(row) * f.lead + (first + p) * V);
    }
    copy_group();
  }

  // What the next product reads of states [N, lead].
  __device__ __forceinline__ const S *operand(const T *states) const {
    if constexpr (NARROWS) {
      return rounded + slot * f.rows * f.lead;
    } else {
      return states;
    }
  }

  // Leaves one of the numbers that the product after the next barrier reads.
  __device__ __forceinline__ void send(int row, int unit, T value) const {
    if constexpr (NARROWS) {
      rounded[((1 - slot) * f.rows + row) * f.lead + unit] = Stored<S>::of(value);
    }
  }

  // Awaits what all blocks send.
  __device__ __forceinline__ void meet() {
    barrier.arrive();
    barrier.wait();
    slot = 1 - slot;
  }

  // Sums of gates [FROM, FROM + COUNT) of states·w, in parts; the block's threads may read them when this returns. A
  // chunk is on its way while the one before is multiplied.
  template <int FROM, int COUNT>
  __device__ __forceinline__ void multiply(const T *states) {
    const S *state = operand(states);
    typename Sums::template Parts<COUNT> sums = {};
    fetch(0, state, 0);
    int parity = 0;
    for (int first = 0; first < packs; first += chunk) {
      await_copies<0>();
      __syncthreads();
      if (first + chunk < packs) {
        fetch(1 - parity, state, first + chunk);
      }
      if (products.takes_part()) {
        int last = min(first + chunk, packs);
        Columns<S> here = {x + parity * place, x_stride};
        products.template add<FROM, COUNT>(sums, here, first, w, 0, first, min(last, resident));
        if (last > resident) {
          products.template add<FROM, COUNT>(sums, here, first, beyond, resident, max(first, resident), last);
        }
      }
      parity = 1 - parity;
    }
    if (products.takes_part()) {
      products.template leave<FROM, COUNT>(partial, sums);
    }
    __syncthreads();
  }

  // Calls body(row, unit, item) for the block's share of all rows.
  template <typename Body>
  __device__ __forceinline__ void items(Body body) const {
    for (int item = threadIdx.x; item < f.rows * units.own; item += blockDim.x) {
      int row = item / units.own;
      int unit = units.first + item - row * units.own;
      if (unit < f.hidden) {
        body(row, unit, item);
      }
    }
  }

  __device__ __forceinline__ T before_h(Time time, int row, int unit) const {
    return __ldcg(f.h + static_cast<i64>(time.before * f.rows + row) * f.lead + unit);
  }

  __device__ __forceinline__ void step(Time time) {
    Step<T> ahead;  // of this thread's first item, read while the state arrives
    if (threadIdx.x < f.rows * units.own) {
      int row = threadIdx.x / units.own;
      int unit = units.first + threadIdx.x - row * units.own;
      if (unit < f.hidden) {
        input(ahead, time.t, row, unit);
      }
    }
    multiply<0, P>(f.h + static_cast<i64>(time.before) * f.rows * f.lead);
    items([&](int row, int unit, int item) {
      Step<T> s = ahead;
      if (item >= static_cast<int>(blockDim.x)) {
        input(s, time.t, row, unit);
      }
      constants(s, unit);
#pragma unroll
      for (int g = 0; g < P; g++) {
        s.u[g] = products.sum(partial, g, row, unit - units.first);
      }
      s.h = before_h(time, row, unit);
      if constexpr (C::RESETS) {
        reset(s, time, row, unit);
      } else if constexpr (C::LOOKS) {
        look(s, time, row, unit, item);
      } else {
        s.c = C::HAS_C ? c[item] : T(0);
        C::forward(s);
        bool on = live(time.t, row);
        if (C::HAS_C && on) {
          c[item] = s.next_c;
        }
        put<C>(f, time, row, unit, s, on);
        send(row, unit, on ? s.next_h : s.h);
      }
    });
    meet();
  }

  __device__ __forceinline__ void reset(Step<T> &s, Time time, int row, int unit) const {
    C::reset(s);
    put_gates<C, 0, P>(f, time.t, row, unit, s);
    f.kept[(static_cast<i64>(time.t) * f.rows + row) * f.lead + unit] = s.kept;
    send(row, unit, s.kept);
  }

  __device__ __forceinline__ void look(Step<T> &s, Time time, int row, int unit, int item) const {
    s.c = c[item];
    s.looks[0] = looks[item];
    s.looks[1] = looks[f.rows * units.own + item];
    C::look(s);
    bool on = live(time.t, row);
    if (on) {
      c[item] = s.next_c;
    }
    put_gates<C, 0, G>(f, time.t, row, unit, s);
    put_c(f, time, row, unit, s, on);
    send(row, unit, c[item]);
  }

  // The second stage of a cell that resets: the product of what was kept.
  __device__ __forceinline__ void second(Time time) {
    multiply<P, 1>(f.kept + static_cast<i64>(time.t) * f.rows * f.lead);
    items([&](int row, int unit, int) {
      Step<T> s;
      input(s, time.t, row, unit);
#pragma unroll
      for (int g = 0; g < P; g++) {
        s.gates[g] = s.z[g];  // as the first stage left them
      }
      s.z[P] += f.bias[P * f.hidden + unit];
      s.u[P] = products.sum(partial, P, row, unit - units.first);
      s.h = before_h(time, row, unit);
      C::forward(s);
      bool on = live(time.t, row);
      put<C>(f, time, row, unit, s, on);
      send(row, unit, on ? s.next_h : s.h);
    });
    meet();
  }

  // The products with a state c [N, lead], and what the next step needs of them.
  __device__ __forceinline__ void look_at(const T *states) {
    multiply<P, LOOKS>(states);
    items([&](int row, int unit, int item) {
#pragma unroll
      for (int i = 0; i < LOOKS - 1; i++) {
        looks[i * f.rows * units.own + item] = products.sum(partial, P + i, row, unit - units.first);
      }
    });
  }

  // The second stage of a cell that looks: h, and the products with the new c.
  __device__ __forceinline__ void output(Time time) {
    look_at(f.c + static_cast<i64>(time.after) * f.rows * f.lead);
    items([&](int row, int unit, int item) {
      Step<T> s;
      input(s, time.t, row, unit);
      s.gates[G - 1] = s.z[G - 1];  // as the first stage left it
      s.looks[LOOKS - 1] = products.sum(partial, P + LOOKS - 1, row, unit - units.first);
      s.next_c = c[item];
      s.h = before_h(time, row, unit);
      C::forward(s);
      bool on = live(time.t, row);
      put_gates<C, G - 1, G>(f, time.t, row, unit, s);
      put_h(f, time, row, unit, s, on);
      send(row, unit, on ? s.next_h : s.h);
    });
    meet();
  }

  __device__ __forceinline__ void run() {
    fetch_columns<P, K>(w, units, f.wh, f.wn, 0, K * units.own, 0, resident * V);
    fetch_columns<P, K>(beyond, units, f.wh, f.wn, 0, K * units.own, resident * V, packs * V);
    Time start(0, f.steps, f.reverse);
    if (C::HAS_C) {
      items([&](int row, int unit, int item) {
        c[item] = f.c[static_cast<i64>(start.before * f.rows + row) * f.lead + unit];
      });
    }
    __syncthreads();
    if constexpr (C::LOOKS) {
      if constexpr (NARROWS) {
        items([&](int row, int unit, int item) { send(row, unit, c[item]); });
        meet();
      }
      look_at(f.c + static_cast<i64>(start.before) * f.rows * f.lead);
    }
    if constexpr (NARROWS) {
      items([&](int row, int unit, int) { send(row, unit, before_h(start, row, unit)); });
      meet();
    }
    for (int k = 0; k < f.steps; k++) {
      Time time(k, f.steps, f.reverse);
      step(time);
      if constexpr (C::RESETS) {
        second(time);
      }
      if constexpr (C::LOOKS) {
        output(time);
      }
    }
  }
};
