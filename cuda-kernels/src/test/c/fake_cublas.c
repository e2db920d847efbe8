// cuBLAS that is not: the calls that Carousel makes, as plain loops over the host's memory, column-major as documented.
typedef long long i64;

int cublasCreate_v2(void **handle) {
  *handle = (void *)55;
  return 0;
}
int cublasSetStream_v2(void *handle, void *stream) { return handle == (void *)55 && stream == (void *)77 ? 0 : 7; }
int cublasSetMathMode(void *handle, int mode) { return handle == (void *)55 && mode == 0 ? 0 : 7; }

#define GEMM(name, T)                                                                                             \
  int name(void *handle, int opa, int opb, int m, int n, int k, const T *alpha, const T *a, int lda, i64 apart,    \
           const T *b, int ldb, i64 bpart, const T *beta, T *c, int ldc, i64 cpart, int batch) {                   \
    if (handle != (void *)55 || lda < (opa ? k : m) || ldb < (opb ? n : k) || ldc < m || m < 0 || n < 0 || k < 0) { \
      return 7;                                                                                                    \
    }                                                                                                              \
    for (int t = 0; t < batch; t++, a += apart, b += bpart, c += cpart) {                                          \
      for (int j = 0; j < n; j++) {                                                                                \
        for (int i = 0; i < m; i++) {                                                                              \
          double sum = 0;                                                                                          \
          for (int l = 0; l < k; l++) {                                                                            \
            sum += (double)a[opa ? l + (i64)i * lda : i + (i64)l * lda] * b[opb ? j + (i64)l * ldb : l + (i64)j * ldb]; \
          }                                                                                                        \
          T *y = c + i + (i64)j * ldc;                                                                             \
          *y = (T)(*alpha * sum + (*beta == 0 ? 0 : *beta * *y));                                                  \
        }                                                                                                          \
      }                                                                                                            \
    }                                                                                                              \
    return 0;                                                                                                      \
  }

GEMM(cublasSgemmStridedBatched, float)
GEMM(cublasDgemmStridedBatched, double)
