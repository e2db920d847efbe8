package carousel.cuda.launch;

import carousel.tensor.DType;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Kernels per element type. */
public final class TypedKernels {
  private TypedKernels() {}

  /** How symbols name a type: {@code f32}, {@code f64}, {@code i32}, {@code bool}. */
  public static String suffix(DType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  /** One kernel for each type that is accepted. */
  public static Map<DType, Kernel> kernels(
      Predicate<DType> accepted, Function<DType, Kernel> kernel) {
    Map<DType, Kernel> kernels = new EnumMap<>(DType.class);
    Stream.of(DType.values()).filter(accepted).forEach(t -> kernels.put(t, kernel.apply(t)));
    return kernels;
  }

  /** The kernel of a row and a type. */
  public static <R> Kernel of(Map<R, Map<DType, Kernel>> table, R row, DType type) {
    return of(Objects.requireNonNull(table.get(row), "every row has kernels"), type);
  }

  /** The kernel of a type. */
  public static Kernel of(Map<DType, Kernel> kernels, DType type) {
    return Objects.requireNonNull(kernels.get(type), "rows check their types before they compute");
  }
}
