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

/**
 * cuBLAS through {@code java.lang.foreign}, for the majors that JCuda has no binding of. Signatures: cuBLAS
 * library reference, sections 2.4 (helpers) and 2.8 (strided batches).
 */
final class ForeignCublas implements Blas {
  // (handle, opA, opB, m, n, k, *alpha, A, typeA, lda, strideA, B, typeB, ldb, strideB, *beta, C,
  // typeC, ldc, strideC, batch, computeType, algo)
  private static final FunctionDescriptor GEMM =
      FunctionDescriptor.of(
          JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG,
          JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS,
          JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT);

  private final SymbolLookup library;
  private final Precision precision;
  private final MemorySegment handle;
  private final MethodHandle gemm;
  private final Factor alpha = new Factor();
  private final Factor beta = new Factor();

  /** A number as cuBLAS reads it: of the type that it computes in. */
  private static final class Factor {
    private final MemorySegment memory = Arena.ofAuto().allocate(JAVA_DOUBLE);

    MemorySegment of(DType type, double value) {
      if (type == DType.F64) {
        memory.set(JAVA_DOUBLE, 0, value);
      } else {
        memory.set(JAVA_FLOAT, 0, (float) value);
      }
      return memory;
    }
  }

  /**
   * A handle for the device that is current.
   *
   * @param library the open library
   * @param stream the stream's {@code CUstream}
   * @param precision how products of F32 round
   */
  ForeignCublas(SymbolLookup library, long stream, Precision precision) {
    this.library = library;
    this.precision = precision;
    this.gemm = function("cublasGemmStridedBatchedEx", GEMM);
    MemorySegment out = Arena.ofAuto().allocate(ADDRESS);
    call("cublasCreate_v2", FunctionDescriptor.of(JAVA_INT, ADDRESS), out);
    this.handle = out.get(ADDRESS, 0);
    call(
        "cublasSetStream_v2",
        FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS),
        handle,
        MemorySegment.ofAddress(stream));
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

  /** One at a time: cuBLAS reads the factors before it returns, and its handle is for one thread. */
  @Override
  public synchronized void gemm(BatchedGemm product) {
    var type = CublasType.of(product.type(), precision);
    // Typed here: the arguments of an exact call are of the types they are written with.
    MemorySegment one = alpha.of(product.type(), 1);
    MemorySegment kept = beta.of(product.type(), product.beta());
    var as = ColumnMajor.of(product);
    int status;
    try {
      status =
          (int)
              gemm.invokeExact(
                  handle,
                  as.left(),
                  as.right(),
                  as.rows(),
                  as.columns(),
                  as.inner(),
                  one,
                  product.b().address(),
                  type.data(),
                  as.leftLead(),
                  product.b().apart(),
                  product.a().address(),
                  type.data(),
                  as.rightLead(),
                  product.a().apart(),
                  kept,
                  product.y().address(),
                  type.data(),
                  as.lead(),
                  product.y().apart(),
                  product.batch(),
                  type.compute(),
                  CublasType.DEFAULT_ALGORITHM);
    } catch (Throwable e) {
      throw new AssertionError("cuBLAS is callable", e);
    }
    CublasStatus.check("cublasGemmStridedBatchedEx", status);
  }
}
