package carousel.cuda;

import carousel.tensor.DType;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Kernels per element type. */
final class Types {
  private Types() {}

  /** How symbols name a type: {@code f32}, {@code f64}, {@code i32}, {@code bool}. */
  static String suffix(DType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  /** One kernel for each type that is accepted. */
  static Map<DType, Kernel> kernels(Predicate<DType> accepted, Function<DType, Kernel> kernel) {
    Map<DType, Kernel> kernels = new EnumMap<>(DType.class);
    Stream.of(DType.values()).filter(accepted).forEach(t -> kernels.put(t, kernel.apply(t)));
    return kernels;
  }

  /** The kernel of a row and a type. */
  static <R> Kernel of(Map<R, Map<DType, Kernel>> table, R row, DType type) {
    return of(Objects.requireNonNull(table.get(row), "every row has kernels"), type);
  }

  /** The kernel of a type. */
  static Kernel of(Map<DType, Kernel> kernels, DType type) {
    return Objects.requireNonNull(kernels.get(type), "rows check their types before they compute");
  }
}
