package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.cpu.loop.Exponentials;
import carousel.tensor.cpu.loop.Fold;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.loop.Uniforms;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Formula;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The loops in use, each made when it is first asked for. */
final class Table {
  /** Elements per task of a loop bound by memory. */
  static final int CHEAP = 65_536;

  /** Elements per task of a loop that evaluates an elementary function. */
  static final int COSTLY = 16_384;

  private static final int TYPES = DType.values().length;

  private final Kernels kernels;
  private final AtomicReferenceArray<Loop> unary = loops(Unary.values().length);
  private final AtomicReferenceArray<Loop> binary = loops(Binary.values().length);
  private final AtomicReferenceArray<Loop> ternary = loops(Ternary.values().length);
  private final AtomicReferenceArray<Loop> cast = loops(TYPES);
  private final AtomicReferenceArray<Loop> accumulate = new AtomicReferenceArray<>(1);
  private final AtomicReferenceArray<Fold> folds =
      new AtomicReferenceArray<>(FoldKind.values().length * TYPES);
  private final AtomicReferenceArray<Exponentials> exponentials = new AtomicReferenceArray<>(TYPES);
  private final Map<Typed, Optional<FormulaLoop>> formulas = new ConcurrentHashMap<>();
  private final AtomicReferenceArray<Uniforms> uniforms =
      new AtomicReferenceArray<>(Uniforms.Form.values().length);
  private final AtomicReferenceArray<Tiles> tiles = new AtomicReferenceArray<>(TYPES);

  /** The folds of {@link Kernels}. */
  enum FoldKind {
    SUM,
    PRODUCT,
    SQUARES,
    MAX,
    MIN
  }

  Table(Kernels kernels) {
    this.kernels = kernels;
  }

  private static AtomicReferenceArray<Loop> loops(int rows) {
    return new AtomicReferenceArray<>(rows * TYPES);
  }

  Loop unary(Unary op, DType type) {
    return get(unary, slot(op, type), () -> kernels.unary(op, type));
  }

  Loop binary(Binary op, DType type) {
    return get(binary, slot(op, type), () -> kernels.binary(op, type));
  }

  Loop ternary(Ternary op, DType type) {
    return get(ternary, slot(op, type), () -> kernels.ternary(op, type));
  }

  Loop cast(DType from, DType to) {
    return get(cast, slot(from, to), () -> kernels.cast(from, to));
  }

  Loop accumulate() {
    return get(accumulate, 0, kernels::accumulate);
  }

  Fold fold(FoldKind kind, DType type) {
    return get(
        folds,
        slot(kind, type),
        () ->
            switch (kind) {
              case SUM -> kernels.sum(type);
              case PRODUCT -> kernels.product(type);
              case SQUARES -> kernels.squares(type);
              case MAX -> kernels.max(type);
              case MIN -> kernels.min(type);
            });
  }

  Exponentials exponentials(DType type) {
    return get(exponentials, type.ordinal(), () -> kernels.exponentials(type));
  }

  /** The loop of a formula, or null if there is none. */
  @Nullable FormulaLoop formula(Formula formula, DType type) {
    return formulas
        .computeIfAbsent(
            new Typed(formula, type),
            _ -> Optional.ofNullable(FormulaLoop.of(formula, type, kernels, tiles(type).lanes())))
        .orElse(null);
  }

  /** A formula on a type. */
  private record Typed(Formula formula, DType type) {}

  Uniforms uniforms(Uniforms.Form form) {
    return get(uniforms, form.ordinal(), () -> kernels.uniforms(form));
  }

  Tiles tiles(DType type) {
    return get(tiles, type.ordinal(), () -> kernels.tiles(type));
  }

  /** Elements per task. */
  static int grain(Unary op) {
    return switch (op) {
      case NEG, ABS, SIGN, SQUARE, RELU, HEAVISIDE, NOT, IS_NAN, IS_FINITE -> CHEAP;
      default -> COSTLY;
    };
  }

  /** Elements per task. */
  static int grain(Binary op) {
    return op == Binary.POW || op == Binary.ELU ? COSTLY : CHEAP;
  }

  private static int slot(Enum<?> row, DType type) {
    return row.ordinal() * TYPES + type.ordinal();
  }

  private <T> T get(AtomicReferenceArray<T> made, int slot, Supplier<T> maker) {
    T entry = made.getPlain(slot);
    if (entry == null) {
      synchronized (this) {
        entry = made.get(slot);
        if (entry == null) {
          entry = maker.get();
          made.set(slot, entry);
        }
      }
    }
    return entry;
  }
}
