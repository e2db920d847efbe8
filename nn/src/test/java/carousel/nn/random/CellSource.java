package carousel.nn.random;

import carousel.nn.random.CellProgram.Direction;
import carousel.nn.random.CellProgram.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Writes a cell, and what is done with it, as Java. */
final class CellSource {
  private static final List<String> PARTS = List.of("a", "b", "c");

  private final CellProgram program;

  private CellSource(CellProgram program) {
    this.program = program;
  }

  static String of(CellProgram program) {
    var source = new CellSource(program);
    return source.cell() + source.use();
  }

  private String cell() {
    boolean affine = program.kind() != Kind.PLAIN;
    var text = new StringBuilder();
    String state =
        PARTS.subList(0, program.states().size()).stream()
            .map(name -> "Tensor " + name)
            .collect(Collectors.joining(", "));
    text.append(
        String.format(
            Locale.ROOT,
            """
            record Found(%s)
                implements %s<Found.S> {
              record S(%s) implements RecurrentState {}

            """,
            String.join(", ", components()),
            affine ? "AffineCell" : "Cell",
            state));
    if (!affine) {
      text.append(method("int inputs()", "return wx.value().dim(0);"));
    }
    text.append(method("int outputs()", "return " + program.outputs() + ";"));
    if (program.kind() != Kind.AFFINE) {
      text.append(
          method("Tensor project(Tensor x)", "return " + program.projection().source() + ";"));
    }
    Graph step = program.step();
    var written =
        GraphSource.of(
            step,
            program.stepForms().of(step),
            i -> i == 0 ? "z" : "s." + PARTS.get(i - 1) + "()",
            ".value()",
            "    ");
    text.append("  @Override\n  public S step(Tensor z, S s) {\n").append(written.statements());
    text.append("    return new S(")
        .append(String.join(", ", written.results()))
        .append(");\n  }\n\n");
    Graph output = program.output();
    if (output != null) {
      var given =
          GraphSource.of(
              output,
              program.outputForms().of(output),
              i -> "s." + PARTS.get(i) + "()",
              ".value()",
              "    ");
      text.append("  @Override\n  public Tensor output(S s) {\n").append(given.statements());
      text.append("    return ").append(given.results().getFirst()).append(";\n  }\n\n");
    }
    String zeros =
        program.states().stream()
            .map(columns -> "wx.value().zerosLike(Shape.of(batch, " + columns + "))")
            .collect(Collectors.joining(", "));
    text.append(method("S zero(int batch)", "return new S(" + zeros + ");"));
    if (program.label() != null) {
      text.append(method("String label()", "return \"" + program.label() + "\";"));
    }
    return text.append("}\n\n").toString();
  }

  private static String method(String head, String body) {
    return "  @Override\n  public " + head + " {\n    " + body + "\n  }\n\n";
  }

  private List<String> components() {
    List<String> all = new ArrayList<>(List.of("Parameter wx", "Parameter b"));
    IntStream.range(0, program.weights().size()).forEach(i -> all.add("Parameter w" + i));
    IntStream.range(0, program.captured().size()).forEach(i -> all.add("Tensor c" + i));
    if (program.numbers() > 0) {
      all.add("double[] numbers");
    }
    return all;
  }

  private String use() {
    Call first = program.calls().getFirst();
    List<String> arguments = new ArrayList<>();
    arguments.add(parameter(List.of(program.inputs(), program.gates())));
    arguments.add(parameter(List.of(program.gates())));
    program.weights().forEach(dims -> arguments.add(parameter(dims)));
    for (Capture capture : program.captured()) {
      arguments.add(captured(capture, first.rows()));
    }
    if (program.numbers() > 0) {
      arguments.add("new double[" + program.numbers() + "]");
    }
    var text = new StringBuilder("var rng = Philox.of(1);\n");
    String cell = "new Found(\n    " + String.join(",\n    ", arguments) + ")";
    text.append("var cell = ").append(cell).append(";\n");
    if (program.direction() == Direction.BOTH) {
      text.append("var other = ").append(cell).append(";\n");
    }
    text.append("var layer = ").append(layer()).append(";\n");
    for (int i = 0; i < program.calls().size(); i++) {
      text.append(call(program.calls().get(i), i));
    }
    return text.toString();
  }

  private String layer() {
    String learned = program.learned() ? ".withLearnedStart()" : "";
    return switch (program.direction()) {
      case FORWARD -> "Recurrent.of(cell)" + learned;
      case REVERSE -> "Recurrent.reverse(cell)" + learned;
      case BOTH ->
          String.format(
              Locale.ROOT,
              "new Bidirectional(Recurrent.of(cell)%1$s, Recurrent.reverse(other)%1$s)",
              learned);
    };
  }

  private String parameter(List<Integer> dims) {
    return "Parameter.of(" + uniform(dims) + ")";
  }

  private String uniform(List<Integer> dims) {
    return String.format(
        Locale.ROOT,
        "rng.uniform(DType.%s, -0.9, 0.9%s)",
        program.type(),
        dims.stream().map(d -> ", " + d).collect(Collectors.joining()));
  }

  private String captured(Capture capture, int rows) {
    List<Integer> dims = capture.dims().stream().map(d -> d < 0 ? rows : d).toList();
    String sizes = dims.stream().map(d -> ", " + d).collect(Collectors.joining());
    return switch (capture.kind()) {
      case DRAWN -> uniform(dims);
      case UNIFORM -> "Tensor.full(DType." + program.type() + ", 0.4" + sizes + ")";
      case ZERO_ONE -> "rng.bernoulli(0.6" + sizes + ").cast(DType." + program.type() + ")";
      case MASK -> "rng.bernoulli(0.6" + sizes + ")";
    };
  }

  private String call(Call call, int index) {
    var text = new StringBuilder();
    if (index > 0 && !call.fresh().isEmpty()) {
      text.append("// in place, other values for: ").append(call.fresh()).append('\n');
    } else if (program.numbers() > 0) {
      text.append("// some values for the numbers\n");
    }
    String x =
        switch (call.view()) {
          case SWAPPED ->
              String.format(
                  Locale.ROOT,
                  "rng.normal(DType.%s, 0, 0.8, %d, %d, %d).transpose(0, 1)",
                  program.type(),
                  call.rows(),
                  call.steps(),
                  program.inputs());
          case NARROW ->
              String.format(
                  Locale.ROOT,
                  "rng.normal(DType.%s, 0, 0.8, %d, %d, %d).narrow(Tensor.LAST, 2, %d)",
                  program.type(),
                  call.steps(),
                  call.rows(),
                  program.inputs() + 3,
                  program.inputs());
          default ->
              String.format(
                  Locale.ROOT,
                  "rng.normal(DType.%s, 0, 0.8, %d, %d, %d)",
                  program.type(),
                  call.steps(),
                  call.rows(),
                  program.inputs());
        };
    text.append(String.format(Locale.ROOT, "Tensor x%d = %s;%n", index, x));
    if (call.view() == Call.View.PADDED) {
      text.append("// NaN past the lengths\n");
    }
    String initial = call.given() ? "initial" + index : "List.<RecurrentState>of()";
    if (call.given()) {
      String states =
          IntStream.range(0, program.direction() == Direction.BOTH ? 2 : 1)
              .mapToObj(_ -> "new Found.S(" + drawn(call.rows()) + ")")
              .collect(Collectors.joining(", "));
      text.append(String.format(Locale.ROOT, "var initial%d = List.of(%s);%n", index, states));
    }
    String lengths =
        call.lengths().isEmpty()
            ? "null"
            : call.lengths().stream()
                .map(String::valueOf)
                .collect(Collectors.joining(", ", "Tensor.of(new int[] {", "})"));
    String run = String.format(Locale.ROOT, "layer.run(x%d, %s, %s)", index, initial, lengths);
    if (call.training()) {
      run = "Training.with(Philox.of(9), () -> " + run + ")";
    }
    return text.append(
            String.format(
                Locale.ROOT, "var run%d = %s; // wanted: %s%n", index, run, call.wanted()))
        .toString();
  }

  private String drawn(int rows) {
    return program.states().stream()
        .map(n ->
            String.format(
                Locale.ROOT, "rng.normal(DType.%s, 0, 0.5, %d, %d)", program.type(), rows, n))
        .collect(Collectors.joining(", "));
  }
}
