// A block's share of the gradients of all units in a backward scan in bf16, on tensor cores.
//
// Weights lie as lines of one unit each, its numbers for all of the block's products side by side; so do their gradients, a
// line per row. Products with h and the others begin at a multiple of 16, and zeros lie between. A warp takes 32 units ×
// 32 rows; a lane loads four numbers of a line for one instruction, which adds them up in any order.
#pragma once
#include "shares.cuh"
#include "tensor_products.cuh"

template <int P, int K>
struct Shares<float, bf16, P, K> {
  static constexpr int WARP = 32;
  static constexpr int QUAD = 4;  // numbers a lane loads at once
  static constexpr int M = 2;     // tiles of 16 units per warp
  static constexpr int N = 4;     // tiles of 8 rows per warp

  int hidden, own;
  int rows;      // N in whole packs of floats
  int others;    // where the numbers of products [P, K) begin
  int width;     // numbers of a line
  int stride;    // from a line to the next: four lines lie in different banks, four quads of each
  int lines;     // units in whole tiles
  int resident;  // of these in shared memory, also in whole tiles; the others lie `beyond`
  bf16 *w, *beyond;
  bf16 *du;  // [rows in whole tiles, stride]

  __device__ __forceinline__ Shares(int hidden, int own, int rows, int resident, bf16 *scratch, bf16 *shared)
      : hidden(hidden), own(own), rows(rows), resident(resident), w(shared) {
    others = (P * own + 15) / 16 * 16;
    width = others + ((K - P) * own + 15) / 16 * 16;
    stride = ((width / QUAD + 3) / 8 * 8 + 4) * QUAD;
    lines = (hidden + 15) / 16 * 16;
    beyond = scratch + static_cast<i64>(blockIdx.x) * (lines - resident) * stride;
  }

  __device__ __forceinline__ bf16 *end() const { return w + static_cast<i64>(resident) * stride; }

  __device__ __forceinline__ void fetch(const Units &units, const float *wh, const float *wn) const {
    for (int i = threadIdx.x; i < lines * width; i += blockDim.x) {
      int line = i / width;
      int column = i - line * width;
      bool first = column < others;
      int product = (first ? column : column - others) / own;
      int unit = units.first + (first ? column : column - others) - product * own;
      int products = first ? P : K - P;
      float value = 0;
      if (line < hidden && product < products && unit < hidden) {
        value = (first ? wh : wn)[(static_cast<i64>(line) * products + product) * hidden + unit];
      }
      *number(line, column) = Stored<bf16>::of(value);
    }
  }

  __device__ __forceinline__ bf16 *number(int line, int column) const {
    return line < resident ? w + line * stride + column
                           : beyond + static_cast<i64>(line - resident) * stride + column;
  }

  __device__ __forceinline__ void clear() const {
    for (int i = threadIdx.x; i < (rows + 7) / 8 * 8 * stride; i += blockDim.x) {
      du[i] = Stored<bf16>::of(0);
    }
  }

  __device__ __forceinline__ void put(int product, int unit, int row, float value) const {
    int column = product < P ? product * own + unit : others + (product - P) * own + unit;
    du[row * stride + column] = Stored<bf16>::of(value);
  }

  template <int FROM, int TO, typename To>
  __device__ __forceinline__ void multiply(To to) const {
    static_assert((FROM == 0 && TO == P) || (FROM == P && TO == K), "all products with h, or all others");
    int from = FROM == 0 ? 0 : others;
    int end = FROM == 0 ? others : width;
    int g = threadIdx.x % WARP / 4;
    int t = threadIdx.x % 4;
    for (int first = threadIdx.x / WARP * 16 * M; first < lines; first += blockDim.x / WARP * 16 * M) {
      for (int first_row = 0; first_row < rows; first_row += 8 * N) {
        float sums[M][N][4] = {};
        for (int column = from; column < end; column += 4 * QUAD) {
          Pack<u32, 2> b[N];
#pragma unroll
          for (int n = 0; n < N; n++) {
            if (first_row + 8 * n < rows) {
              b[n] = quad(du + (first_row + 8 * n + g) * stride + column, t);
            }
          }
#pragma unroll
          for (int m = 0; m < M; m++) {
            int unit = first + 16 * m + g;
            if (first + 16 * m < lines) {
              Pack<u32, 2> above = quad(number(unit, column), t);
              Pack<u32, 2> below = quad(number(unit + 8, column), t);
              u32 left[4] = {above.of[0], below.of[0], above.of[1], below.of[1]};
#pragma unroll
              for (int n = 0; n < N; n++) {
                if (first_row + 8 * n < rows) {
                  u32 right[2] = {b[n].of[0], b[n].of[1]};
                  multiply_add(sums[m][n], left, right);
                }
              }
            }
          }
        }
        give(to, sums, first + g, first_row + 2 * t);
      }
    }
  }

  static __device__ __forceinline__ Pack<u32, 2> quad(const bf16 *line, int t) {
    return load<2>(reinterpret_cast<const u32 *>(line), t);
  }

  // Stores a lane's sums: of every 8th unit and two rows of every 8.
  template <typename To>
  __device__ __forceinline__ void give(To to, const float (&sums)[M][N][4], int first, int first_row) const {
#pragma unroll
    for (int i = 0; i < 2 * M; i++) {
      int unit = first + 8 * i;
      if (unit < hidden) {
        int owner = unit / own;
        float *of_unit = to(owner, unit - owner * own);
#pragma unroll
        for (int n = 0; n < N; n++) {
          int row = first_row + 8 * n;
          if (row < rows) {
            store<2>(of_unit + row, 0, Pack<float, 2>{sums[i / 2][n][i % 2 * 2], sums[i / 2][n][i % 2 * 2 + 1]});
          }
        }
      }
    }
  }
};
