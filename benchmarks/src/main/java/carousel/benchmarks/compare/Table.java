package carousel.benchmarks.compare;

import static carousel.benchmarks.compare.Library.CAROUSEL;
import static carousel.benchmarks.compare.Library.CAROUSEL_GRAPH;
import static carousel.benchmarks.compare.Library.DL4J;
import static carousel.benchmarks.compare.Library.LIBTORCH_MKL;
import static carousel.benchmarks.compare.Library.LIBTORCH_OPENBLAS;
import static carousel.benchmarks.compare.Library.MKL;
import static carousel.benchmarks.compare.Library.OPENBLAS;

import carousel.benchmarks.compare.Task.Kind;
import carousel.tensor.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** The tables, each with the work that both sides do. */
enum Table {
  LSTM(
      "LSTM, forward and backward, f32: nn.LSTM; dX and the gradients of all weights on both sides",
      Unit.MILLISECONDS,
      lstm()),
  GRU_AFTER(
      "GRU, reset after the product, forward and backward, f32: nn.GRU; dX and all gradients",
      Unit.MILLISECONDS,
      recurrent(Kind.GRU_AFTER, false)),
  GRU(
      "GRU, reset before the product, forward and backward, f32: a libtorch cell written by hand",
      Unit.MILLISECONDS,
      recurrent(Kind.GRU, false)),
  PEEPHOLE(
      "LSTM with diagonal peepholes, forward and backward, f32: a libtorch cell written by hand",
      Unit.MILLISECONDS,
      peephole(Kind.PEEPHOLE)),
  MATRIX_PEEPHOLE(
      "LSTM with matrix peepholes, forward and backward, f32: a libtorch cell written by hand",
      Unit.MILLISECONDS,
      peephole(Kind.MATRIX_PEEPHOLE)),
  ELMAN(
      "Elman, tanh, forward and backward, f32: nn.RNN; dX and all gradients",
      Unit.MILLISECONDS,
      recurrent(Kind.ELMAN, false)),
  F64("LSTM, forward and backward, f64, beside our f32", Unit.MILLISECONDS, f64()),
  GRAPH(
      "LSTM as a graph of single operations, H=64, f32: a libtorch cell written by hand",
      Unit.MILLISECONDS,
      graph()),
  GEMM("Matrix products C = A·B: m,n,k", Unit.GFLOPS, gemm()),
  TRAIN(
      "A whole training step of the small Zaremba language model: T,B,H,L,V, SGD, clipped at 5",
      Unit.WORDS_PER_SECOND,
      languageModel()),
  MEMORY("Peak resident memory of that training step", Unit.MEBIBYTES, languageModel()),
  FIRST(
      "From the start of the process to the end of the first step",
      Unit.SECONDS_TO_FIRST,
      languageModel()),
  CELLS(
      "Cells that libtorch has no kernel for, T,B,I,H 35,20,200,200, forward and backward, f32:"
          + " written by hand, and with nn.LSTM where that will do",
      Pass.WHOLE,
      cells()),
  CELLS_FORWARD("The same cells, outputs alone, without gradients", Pass.FORWARD, cells());

  final String title;
  final Unit unit;
  final Pass pass;
  final List<Row> rows;

  Table(String title, Unit unit, List<Row> rows) {
    this(title, unit, Pass.WHOLE, rows);
  }

  Table(String title, Pass pass, List<Row> rows) {
    this(title, Unit.MILLISECONDS, pass, rows);
  }

  Table(String title, Unit unit, Pass pass, List<Row> rows) {
    this.title = title;
    this.unit = unit;
    this.pass = pass;
    this.rows = rows;
  }

  /** As the command line spells it. */
  String option() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static List<Row> lstm() {
    return shapes(
        true,
        shape -> {
          var task = new Task(Kind.LSTM, DType.F32, shape);
          var entries = new ArrayList<>(beside(task));
          entries.add(Entry.of(DL4J, task));
          return entries;
        });
  }

  private static List<Row> recurrent(Kind kind, boolean allQuick) {
    return shapes(allQuick, shape -> beside(new Task(kind, DType.F32, shape)));
  }

  /** Peepholes shall cost little: our LSTM without them is there, too. */
  private static List<Row> peephole(Kind kind) {
    return shapes(
        false,
        shape -> {
          var entries = new ArrayList<>(beside(new Task(kind, DType.F32, shape)));
          entries.add(
              1,
              new Entry(CAROUSEL, new Task(Kind.LSTM, DType.F32, shape), "carousel, plain LSTM"));
          return entries;
        });
  }

  private static List<Row> f64() {
    return shapes(
        false,
        shape -> {
          var entries = new ArrayList<>(beside(new Task(Kind.LSTM, DType.F64, shape)));
          entries.add(
              1, new Entry(CAROUSEL, new Task(Kind.LSTM, DType.F32, shape), "carousel, f32"));
          return entries;
        });
  }

  /** The shapes of recurrent layers, T,B,I,H,L. */
  private static List<Row> shapes(boolean allQuick, Function<int[], List<Entry>> entries) {
    int[][] shapes = {
      {20, 20, 200, 200, 2},
      {35, 20, 200, 200, 1},
      {35, 20, 650, 650, 2},
      {35, 20, 1500, 1500, 1},
      {128, 64, 512, 512, 1},
      {512, 16, 128, 128, 1},
    };
    List<Row> rows = new ArrayList<>();
    for (int[] shape : shapes) {
      boolean small = shape[3] <= 200;
      List<Entry> of = entries.apply(shape);
      rows.add(new Row(of.getFirst().task().shape(), allQuick || small, of));
    }
    return List.copyOf(rows);
  }

  private static List<Entry> beside(Task task) {
    return List.of(
        Entry.of(CAROUSEL, task), Entry.of(LIBTORCH_OPENBLAS, task), Entry.of(LIBTORCH_MKL, task));
  }

  private static List<Row> graph() {
    var task = new Task(Kind.LSTM_BY_HAND, DType.F32, 35, 20, 64, 64, 1);
    return List.of(
        new Row(
            task.shape(),
            true,
            List.of(
                Entry.of(CAROUSEL_GRAPH, task),
                Entry.of(LIBTORCH_OPENBLAS, task),
                Entry.of(LIBTORCH_MKL, task))));
  }

  /** Of each cell what libtorch can do best: by hand, and by nn.LSTM where that computes the same. */
  private static List<Row> cells() {
    int[] shape = {35, 20, 200, 200, 1};
    int[] projected = {35, 20, 200, 200, 1, 100};
    return List.of(
        cell("LSTM (reference)", true, Kind.LSTM_BY_HAND, Kind.LSTM, shape),
        cell("layer-norm LSTM", false, Kind.LAYER_NORM_LSTM, Kind.LAYER_NORM_LSTM, shape),
        cell("LSTM with resets", false, Kind.RESET_LSTM_BY_HAND, Kind.RESET_LSTM, shape),
        cell("LSTMP, P=100", false, Kind.LSTMP_BY_HAND, Kind.LSTMP, projected),
        cell("sLSTM", false, Kind.SLSTM, Kind.SLSTM, shape));
  }

  private static Row cell(String name, boolean reference, Kind hand, Kind module, int... sizes) {
    var written = new Task(hand, DType.F32, sizes);
    List<Entry> entries = new ArrayList<>();
    entries.add(Entry.of(CAROUSEL, written));
    entries.add(new Entry(LIBTORCH_OPENBLAS, written, "by hand, OpenBLAS"));
    entries.add(new Entry(LIBTORCH_MKL, written, "by hand, MKL"));
    if (module != hand) {
      var task = new Task(module, DType.F32, sizes);
      entries.add(new Entry(LIBTORCH_OPENBLAS, task, "nn.LSTM, OpenBLAS"));
      entries.add(new Entry(LIBTORCH_MKL, task, "nn.LSTM, MKL"));
    }
    return new Row(name, true, reference, entries);
  }

  private static List<Row> gemm() {
    int[][] shapes = {
      {16, 800, 200},
      {20, 800, 200},
      {20, 2600, 650},
      {24, 2600, 650},
      {20, 6000, 1500},
      {1024, 1024, 1024},
      {2048, 2048, 2048},
      {700, 6000, 1500},
    };
    List<Row> rows = new ArrayList<>();
    for (DType dtype : List.of(DType.F32, DType.F64)) {
      for (int[] shape : shapes) {
        var task = new Task(Kind.GEMM, dtype, shape);
        boolean quick = dtype == DType.F32 && Arrays.stream(shape).max().orElseThrow() <= 2600;
        rows.add(
            new Row(
                (dtype + " " + task.shape()).toLowerCase(Locale.ROOT),
                quick,
                List.of(Entry.of(CAROUSEL, task), Entry.of(OPENBLAS, task), Entry.of(MKL, task))));
      }
    }
    return List.copyOf(rows);
  }

  private static List<Row> languageModel() {
    var task = new Task(Kind.LANGUAGE_MODEL, DType.F32, 20, 20, 200, 2, 10000);
    return List.of(new Row(task.shape(), true, beside(task)));
  }
}
