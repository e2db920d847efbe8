// The emulated device apart from its kernels: memory, and the matrix products that cuBLAS would do.
#include <stdlib.h>
#include <string.h>

#define EXPORT extern "C" __attribute__((visibility("default")))

// Filled with nonsense (NaN, −1): whoever reads what was never written shall notice.
EXPORT void *emulated_allocate(size_t bytes) {
  void *memory = nullptr;
  if (posix_memalign(&memory, 256, bytes) != 0) {
    return nullptr;
  }
  return memset(memory, 0xFF, bytes);
}

EXPORT void emulated_free(void *memory) { free(memory); }

// Where a batch of matrices lies; EmulatedDriver writes these structs.
template <typename T>
struct Matrix {
  T *first;
  long row, column, apart;  // in elements
};

// Operands as they are, or rounded to 8 bits, ties to even.
struct AsTheyAre {
  template <typename T> static T of(T x) { return x; }
};
struct Rounded {
  static float of(float x) {
    if (x != x) {
      return x;
    }
    unsigned bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
    memcpy(&x, &bits, sizeof x);
    return x;
  }
};

// y [m,n] = a [m,k] · b [k,n] + beta y, sums in the order of k.
template <typename Operand, typename T>
static void gemm(long m, long n, long k, Matrix<T> a, Matrix<T> b, Matrix<T> y, double beta, long batch) {
  for (long t = 0; t < batch; t++) {
    for (long i = 0; i < m; i++) {
      T *row = y.first + t * y.apart + i * y.row;
      for (long j = 0; j < n; j++) {
        row[j] = beta == 0 ? 0 : static_cast<T>(beta) * row[j];
      }
      for (long l = 0; l < k; l++) {
        T left = Operand::of(a.first[t * a.apart + i * a.row + l * a.column]);
        const T *right = b.first + t * b.apart + l * b.row;
        for (long j = 0; j < n; j++) {
          row[j] += left * Operand::of(right[j * b.column]);
        }
      }
    }
  }
}

// sizes: m, n, k, batch; a, b, y: address, row, column, apart.
EXPORT void emulated_gemm(int f64, int bf16, const long *sizes, const long *a, const long *b, const long *y,
                          double beta) {
#define GEMM(Operand, T)                                                                                       \
  gemm<Operand>(sizes[0], sizes[1], sizes[2], MATRIX(T, a), MATRIX(T, b), MATRIX(T, y), beta, sizes[3])
#define MATRIX(T, x) Matrix<T>{reinterpret_cast<T *>(x[0]), x[1], x[2], x[3]}
  if (f64) {
    GEMM(AsTheyAre, double);
  } else if (bf16) {
    GEMM(Rounded, float);
  } else {
    GEMM(AsTheyAre, float);
  }
}
