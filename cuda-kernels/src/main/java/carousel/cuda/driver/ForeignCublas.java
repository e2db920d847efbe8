package carousel.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import carousel.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * cuBLAS through {@code java.lang.foreign}, for the majors that JCuda has no binding of. Signatures: cuBLAS
 * library reference, sections 2.4 (helpers) and 2.8 (strided batches).
 */
final class ForeignCublas implements Blas {
  // (handle, opA, opB, m, n, k, *alpha, A, lda, strideA, B, ldb, strideB, *beta, C, ldc, strideC,
  // batch)
  private static final FunctionDescriptor GEMM =
      FunctionDescriptor.of(
          JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG,
          JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT,
          JAVA_LONG, JAVA_INT);
  // (handle, opA, opB, m, n, k, *alpha, A, typeA, lda, strideA, B, typeB, ldb, strideB, *beta, C,
  // typeC, ldc, strideC, batch, computeType, algo)
  private static final FunctionDescriptor GEMM_EX =
      FunctionDescriptor.of(
          JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG,
          JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS,
          JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final int R_32F = 0; // cudaDataType
  private static final int COMPUTE_32F_FAST_16BF = 75; // cublasComputeType_t
  private static final int GEMM_DEFAULT = -1; // cublasGemmAlgo_t

  private final SymbolLookup library;
  private final MemorySegment handle;
  private final MethodHandle single;
  private final MethodHandle twice;
  private final @Nullable MethodHandle rounded;
  private final Arena arena = Arena.ofAuto();
  private final MemorySegment one32 = arena.allocateFrom(JAVA_FLOAT, 1f);
  private final MemorySegment one64 = arena.allocateFrom(JAVA_DOUBLE, 1d);
  private final MemorySegment beta32 = arena.allocate(JAVA_FLOAT);
  private final MemorySegment beta64 = arena.allocate(JAVA_DOUBLE);

  /**
   * A handle for the device that is current.
   *
   * @param library the open library
   * @param stream the stream's {@code CUstream}
   * @param precision how products of F32 round
   */
  ForeignCublas(SymbolLookup library, long stream, Precision precision) {
    this.library = library;
    this.single = function("cublasSgemmStridedBatched", GEMM);
    this.twice = function("cublasDgemmStridedBatched", GEMM);
    this.rounded =
        precision == Precision.BF16 ? function("cublasGemmStridedBatchedEx", GEMM_EX) : null;
    MemorySegment out = arena.allocate(ADDRESS);
    call("cublasCreate_v2", FunctionDescriptor.of(JAVA_INT, ADDRESS), out);
    this.handle = out.get(ADDRESS, 0);
    call(
        "cublasSetStream_v2",
        FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS),
        handle,
        MemorySegment.ofAddress(stream));
    call(
        "cublasSetMathMode",
        FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
        handle,
        precision.mathMode());
  }

  private MethodHandle function(String name, FunctionDescriptor type) {
    return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), type);
  }

  private void call(String name, FunctionDescriptor type, Object... arguments) {
    try {
      CublasStatus.check(name, (int) function(name, type).invokeWithArguments(arguments));
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(name + " is callable", e);
    }
  }

  /** One at a time: cuBLAS reads beta before it returns, and its handle is for one thread. */
  @Override
  public synchronized void gemm(Gemm product) {
    boolean f32 = product.type() == DType.F32;
    if (f32 && rounded != null) {
      rounded(rounded, product);
      return;
    }
    beta32.set(JAVA_FLOAT, 0, (float) product.beta());
    beta64.set(JAVA_DOUBLE, 0, product.beta());
    // Typed here: the arguments of an exact call are of the types they are written with.
    MethodHandle function = f32 ? single : twice;
    MemorySegment one = f32 ? one32 : one64;
    MemorySegment beta = f32 ? beta32 : beta64;
    ColumnMajor as = ColumnMajor.of(product);
    int status;
    try {
      status =
          (int)
              function.invokeExact(
                  handle,
                  as.left(),
                  as.right(),
                  as.rows(),
                  as.columns(),
                  as.inner(),
                  one,
                  product.b().address(),
                  as.leftLead(),
                  product.b().apart(),
                  product.a().address(),
                  as.rightLead(),
                  product.a().apart(),
                  beta,
                  product.y().address(),
                  as.lead(),
                  product.y().apart(),
                  product.batch());
    } catch (Throwable e) {
      throw new AssertionError("cuBLAS is callable", e);
    }
    CublasStatus.check(f32 ? "cublasSgemmStridedBatched" : "cublasDgemmStridedBatched", status);
  }

  private void rounded(MethodHandle function, Gemm product) {
    beta32.set(JAVA_FLOAT, 0, (float) product.beta());
    ColumnMajor as = ColumnMajor.of(product);
    int status;
    try {
      status =
          (int)
              function.invokeExact(
                  handle,
                  as.left(),
                  as.right(),
                  as.rows(),
                  as.columns(),
                  as.inner(),
                  one32,
                  product.b().address(),
                  R_32F,
                  as.leftLead(),
                  product.b().apart(),
                  product.a().address(),
                  R_32F,
                  as.rightLead(),
                  product.a().apart(),
                  beta32,
                  product.y().address(),
                  R_32F,
                  as.lead(),
                  product.y().apart(),
                  product.batch(),
                  COMPUTE_32F_FAST_16BF,
                  GEMM_DEFAULT);
    } catch (Throwable e) {
      throw new AssertionError("cuBLAS is callable", e);
    }
    CublasStatus.check("cublasGemmStridedBatchedEx", status);
  }
}
