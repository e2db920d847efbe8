// The products of a forward scan in bf16, on tensor cores.
//
// A warp takes a tile of 64 columns of weights × 32 rows, and every n-th group of four packs of their sums; lanes take
// what mma.m16n8k16 wants of them. That instruction adds up over k in any order, if both operands have the same: so a lane
// loads a whole pack, 8 numbers, of a column and of a row, and gives them to two instructions.
#pragma once
#include "bf16.cuh"
#include "persistent.cuh"
#include "products.cuh"

// d [16,8] += a [16,16] · b [16,8] of a warp. With lane = 4 g + t: d holds (g, 2t), (g, 2t+1), (g+8, 2t), (g+8, 2t+1); a
// pairs (g, 2t..), (g+8, 2t..), (g, 2t+8..), (g+8, 2t+8..); b pairs (2t.., g), (2t+8.., g).
__device__ __forceinline__ void multiply_add(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
#if __CUDA_ARCH__ >= 800
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif !defined(__CUDA_EMULATOR__)
  __trap();  // earlier devices have no such instruction: CellScanPlan lets them go step by step
#else
  int g = threadIdx.x % 32 / 4;
  int t = threadIdx.x % 4;
  for (int half = 0; half < 2; half++) {
    for (int from = 0; from < 4; from++) {
      for (int i = 0; i < 2; i++) {
        u32 row = __shfl_sync(0xffffffffu, a[2 * half + i], 4 * g + from);
        for (int j = 0; j < 2; j++) {
          u32 column = __shfl_sync(0xffffffffu, b[half], 4 * (2 * t + j) + from);
          d[2 * i + j] += __uint_as_float(row << 16) * __uint_as_float(column << 16);
          d[2 * i + j] += __uint_as_float(row & 0xffff0000u) * __uint_as_float(column & 0xffff0000u);
        }
      }
    }
  }
#endif
}

template <int K>
struct Products<float, bf16, K> {
  static constexpr int V = pack<bf16>();
  static constexpr int WARP = 32;
  static constexpr int M = 4;      // tiles of 16 columns per warp
  static constexpr int N = 4;      // tiles of 8 rows per warp
  static constexpr int PACKS = 4;  // of a column or row that a warp takes at once: one per t

  int rows;  // N in whole tiles
  int own;
  int slices;  // how many warps share the packs of a sum
  int part;
  int first_column, first_row;  // of the warp's tile
  int g, t;

  // A lane's parts of sums.
  template <int COUNT>
  struct Parts {
    float of[M][N][4];
  };

  // Packs from one column (row) to the next, of so many: two of them lie in different banks, four packs of each.
  static __device__ __forceinline__ int stride(int packs) { return (packs + 3) / 8 * 8 + 4; }

  __device__ __forceinline__ Products(int rows, int own) : rows((rows + 7) / 8 * 8), own(own) {
    int across = (K * own + 16 * M - 1) / (16 * M);
    int tiles = across * ((rows + 8 * N - 1) / (8 * N));
    int warp = threadIdx.x / WARP;
    slices = blockDim.x / WARP / tiles;
    part = warp / tiles;
    first_column = warp % tiles % across * 16 * M;
    first_row = warp % tiles / across * 8 * N;
    g = threadIdx.x % WARP / 4;
    t = threadIdx.x % 4;
  }

  __device__ __forceinline__ int whole_rows() const { return rows; }

  __device__ __forceinline__ bool takes_part() const { return part < slices; }

  // A pack of the line that begins at some pack, or zeros past its end.
  static __device__ __forceinline__ Pack<u32, 4> lane_pack(Columns<bf16> lines, int line, int pack, int end) {
    return pack < end ? load<4>(reinterpret_cast<const u32 *>(lines.w), line + pack) : Pack<u32, 4>{};
  }

  // Adds packs [from, to) of x·w for products [FROM, FROM + COUNT). x: rows of a chunk of packs that begins with number
  // x_first; w: columns that begin with number w_first.
  template <int FROM, int COUNT>
  __device__ __forceinline__ void add(
      Parts<COUNT> &sums, Columns<bf16> x, int x_first, Columns<bf16> w, int w_first, int from, int to) const {
    int columns = COUNT * own;
    // Columns beyond the last repeat it; nobody takes their sums.
    int upper[M], lower[M], lines[N];
#pragma unroll
    for (int m = 0; m < M; m++) {
      int column = first_column + 16 * m + g;
      upper[m] = (FROM * own + min(column, columns - 1)) * w.stride - w_first;
      lower[m] = (FROM * own + min(column + 8, columns - 1)) * w.stride - w_first;
    }
#pragma unroll
    for (int n = 0; n < N; n++) {
      lines[n] = min(first_row + 8 * n + g, rows - 1) * x.stride - x_first;
    }
    int turn = (part - from / PACKS % slices + slices) % slices;
    // Twice unrolled it would take all registers; there are many loads in flight as it is.
#pragma unroll 1
    for (int p = from + PACKS * turn; p < to; p += PACKS * slices) {
      Pack<u32, 4> b[N];
#pragma unroll
      for (int n = 0; n < N; n++) {
        if (first_row + 8 * n < rows) {
          b[n] = lane_pack(x, lines[n], p + t, to);
        }
      }
#pragma unroll
      for (int m = 0; m < M; m++) {
        if (first_column + 16 * m < columns) {
          Pack<u32, 4> above = lane_pack(w, upper[m], p + t, to);
          Pack<u32, 4> below = lane_pack(w, lower[m], p + t, to);
#pragma unroll
          for (int n = 0; n < N; n++) {
            if (first_row + 8 * n < rows) {
#pragma unroll
              for (int i = 0; i < 4; i += 2) {
                u32 left[4] = {above.of[i], below.of[i], above.of[i + 1], below.of[i + 1]};
                u32 right[2] = {b[n].of[i], b[n].of[i + 1]};
                multiply_add(sums.of[m][n], left, right);
              }
            }
          }
        }
      }
    }
  }

  // partial [slices, whole rows, K·own]
  template <int FROM, int COUNT>
  __device__ __forceinline__ void leave(float *partial, const Parts<COUNT> &sums) const {
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
      for (int n = 0; n < N; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
          int column = first_column + 16 * m + g + i / 2 * 8;
          int row = first_row + 8 * n + 2 * t + i % 2;
          if (column < COUNT * own && row < rows) {
            partial[at(part, FROM, row, column)] = sums.of[m][n][i];
          }
        }
      }
    }
  }

  // One sum, its parts added in their order.
  __device__ __forceinline__ float sum(const float *partial, int product, int row, int unit) const {
    float total = partial[at(0, product, row, unit)];
    for (int s = 1; s < slices; s++) {
      total += partial[at(s, product, row, unit)];
    }
    return total;
  }

  __device__ __forceinline__ int at(int part, int product, int row, int unit) const {
    return (part * rows + row) * K * own + product * own + unit;
  }
};
