package carousel.cuda.scan;

import static carousel.cuda.launch.ParameterType.I32;
import static carousel.cuda.launch.ParameterType.I64;
import static carousel.cuda.launch.ParameterType.POINTER;

import carousel.cuda.driver.BatchedGemm.Matrix;
import carousel.cuda.driver.Grid;
import carousel.cuda.driver.Precision;
import carousel.cuda.launch.Kernel;
import carousel.cuda.launch.Launcher;
import carousel.cuda.launch.ParameterType;
import carousel.cuda.launch.TypedKernels;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** The kernels of the recurrent cells. */
public final class RecurrentKernels {
  /**
   * Kernels of every cell: whole sequences, one step of them, and the pointwise part alone. They take
   * pointers, then numbers: see {@code recurrent.cuh} and {@code gates.cuh}.
   */
  enum Kind {
    SCAN_FORWARD(15, 8),
    SCAN_BACKWARD(19, 7),
    STEP_FORWARD(11, 7),
    STEP_BACKWARD(13, 7),
    GATES_FORWARD(11, 2),
    GATES_BACKWARD(14, 2);

    private final ParameterType[] parameters;

    Kind(int pointers, int numbers) {
      List<ParameterType> all = new ArrayList<>(Collections.nCopies(pointers, POINTER));
      all.addAll(Collections.nCopies(numbers, I32));
      this.parameters = all.toArray(ParameterType[]::new);
    }

    private boolean ofGates() {
      return this == GATES_FORWARD || this == GATES_BACKWARD;
    }

    /** Whether it multiplies, and so reads what is rounded. */
    private boolean ofSequences() {
      return this == SCAN_FORWARD || this == SCAN_BACKWARD;
    }
  }

  private static final Map<Kind, Map<RecurrentCell, Map<CellScanType, Kernel>>> KERNELS =
      new EnumMap<>(Kind.class);
  private static final int COLUMNS = 32; // per block, as in columns.cu
  private static final Map<DType, Kernel> COLUMN_SUMS =
      TypedKernels.kernels(
          DType::isFloating,
          type ->
              new Kernel(
                  "columns.cu",
                  "column_sums_" + TypedKernels.suffix(type),
                  POINTER,
                  I64,
                  POINTER,
                  I64,
                  POINTER,
                  I64,
                  I32));

  static {
    for (Kind kind : Kind.values()) {
      Map<RecurrentCell, Map<CellScanType, Kernel>> ofKind = new EnumMap<>(RecurrentCell.class);
      for (RecurrentCell cell : RecurrentCell.values()) {
        if (!kind.ofGates() || cell.composite() != null) {
          ofKind.put(cell, kernels(kind, cell));
        }
      }
      KERNELS.put(kind, ofKind);
    }
  }

  private static Map<CellScanType, Kernel> kernels(Kind kind, RecurrentCell cell) {
    Map<CellScanType, Kernel> kernels = new EnumMap<>(CellScanType.class);
    for (CellScanType type : CellScanType.values()) {
      if (kind.ofSequences() || !type.narrows()) {
        kernels.put(type, kernel(kind, cell, type));
      }
    }
    return kernels;
  }

  private RecurrentKernels() {}

  private static Kernel kernel(Kind kind, RecurrentCell cell, CellScanType type) {
    String name = kind.name().toLowerCase(Locale.ROOT);
    String symbol = name + "_" + cell.label() + "_" + type.suffix();
    return new Kernel(kind.ofGates() ? "gates.cu" : cell.file(), symbol, kind.parameters);
  }

  /** All of them. */
  public static Stream<Kernel> all() {
    return Stream.concat(
        COLUMN_SUMS.values().stream(),
        KERNELS.values().stream()
            .flatMap(cells -> cells.values().stream())
            .flatMap(types -> types.values().stream()));
  }

  /**
   * {@code y_j = Σ_r a_rj b_rj}; without b (address 0), the sums of a's columns.
   *
   * @param y dense
   */
  static void columnSums(Launcher launcher, Tensor y, Matrix a, Matrix b, long rows, int columns) {
    launcher
        .call(TypedKernels.of(COLUMN_SUMS, y.dtype()))
        .pointer(a.address())
        .i64(a.lead())
        .pointer(b.address())
        .i64(b.lead())
        .pointer(Engine.address(y))
        .i64(rows)
        .i32(columns)
        .start(Grid.of(Math.ceilDiv(columns, COLUMNS)));
  }

  /** One of the kernels of a cell; what does not multiply is the same whatever products round to. */
  static Kernel of(Kind kind, RecurrentCell cell, CellScanType type) {
    var ofKind = Objects.requireNonNull(KERNELS.get(kind), "all kinds are in the table");
    var ofCell = Objects.requireNonNull(ofKind.get(cell), "a cell's composites have kernels");
    CellScanType found = kind.ofSequences() ? type : CellScanType.of(type.numbers(), Precision.F32);
    return Objects.requireNonNull(ofCell.get(found), "all types are in the table");
  }
}
