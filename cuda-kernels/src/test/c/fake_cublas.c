// cuBLAS that is not: the calls that Carousel makes, as plain loops over the host's memory, column-major as documented.
#include <string.h>

typedef long long i64;

static int rounding = 0;

int cublasCreate_v2(void **handle) {
  *handle = (void *)55;
  return 0;
}
int cublasSetStream_v2(void *handle, void *stream) {
  return handle == (void *)55 && (stream == (void *)77 || stream == (void *)78) ? 0 : 7;
}

// An operand, rounded to 8 bits where that is asked for, ties to even.
static double operand(double value) {
  if (!rounding) {
    return value;
  }
  float x = (float)value;
  unsigned bits;
  memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
  memcpy(&x, &bits, sizeof x);
  return x;
}

#define GEMM(name, T)                                                                                             \
  static int name(void *handle, int opa, int opb, int m, int n, int k, const T *alpha, const T *a, int lda, i64 apart,    \
           const T *b, int ldb, i64 bpart, const T *beta, T *c, int ldc, i64 cpart, int batch) {                   \
    if (handle != (void *)55 || lda < (opa ? k : m) || ldb < (opb ? n : k) || ldc < m || m < 0 || n < 0 || k < 0) { \
      return 7;                                                                                                    \
    }                                                                                                              \
    for (int t = 0; t < batch; t++, a += apart, b += bpart, c += cpart) {                                          \
      for (int j = 0; j < n; j++) {                                                                                \
        for (int i = 0; i < m; i++) {                                                                              \
          double sum = 0;                                                                                          \
          for (int l = 0; l < k; l++) {                                                                            \
            sum += operand(a[opa ? l + (i64)i * lda : i + (i64)l * lda]) *                                         \
                   operand(b[opb ? j + (i64)l * ldb : l + (i64)j * ldb]);                                          \
          }                                                                                                        \
          T *y = c + i + (i64)j * ldc;                                                                             \
          *y = (T)(*alpha * sum + (*beta == 0 ? 0 : *beta * *y));                                                  \
        }                                                                                                          \
      }                                                                                                            \
    }                                                                                                              \
    return 0;                                                                                                      \
  }

GEMM(single, float)
GEMM(twice, double)

// CUDA_R_32F by CUBLAS_COMPUTE_32F or _32F_FAST_16BF, CUDA_R_64F by CUBLAS_COMPUTE_64F, and the default algorithm: no
// others are known here.
int cublasGemmStridedBatchedEx(void *handle, int opa, int opb, int m, int n, int k, const void *alpha, const void *a,
                               int typea, int lda, i64 apart, const void *b, int typeb, int ldb, i64 bpart,
                               const void *beta, void *c, int typec, int ldc, i64 cpart, int batch, int compute,
                               int algorithm) {
  if (typea != typeb || typea != typec || algorithm != -1) {
    return 7;
  }
  if (typea == 1 && compute == 70) {
    return twice(handle, opa, opb, m, n, k, alpha, a, lda, apart, b, ldb, bpart, beta, c, ldc, cpart, batch);
  }
  if (typea != 0 || (compute != 68 && compute != 75)) {
    return 7;
  }
  rounding = compute == 75;
  int status = single(handle, opa, opb, m, n, k, alpha, a, lda, apart, b, ldb, bpart, beta, c, ldc, cpart, batch);
  rounding = 0;
  return status;
}
