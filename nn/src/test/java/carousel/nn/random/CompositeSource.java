package carousel.nn.random;

import carousel.nn.random.CompositeProgram.Input;
import carousel.nn.random.CompositeProgram.Run;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Writes a composite, and what is done with it, as Java. */
final class CompositeSource {
  private CompositeSource() {}

  static String of(CompositeProgram program) {
    List<Integer> rows = program.calls().getFirst().rows();
    var text = new StringBuilder("var rng = Philox.of(1);\n");
    for (int i = 0; i < program.captured().size(); i++) {
      Capture capture = program.captured().get(i);
      List<Integer> dims = dims(capture.dims(), rows);
      String sizes = sizes(dims);
      String made =
          switch (capture.kind()) {
            case DRAWN -> "rng.uniform(DType." + program.type() + ", -1, 1" + sizes + ")";
            case UNIFORM -> "Tensor.full(DType." + program.type() + ", 0.4" + sizes + ")";
            case ZERO_ONE -> "rng.bernoulli(0.6" + sizes + ").cast(DType." + program.type() + ")";
            case MASK -> "rng.bernoulli(0.6" + sizes + ")";
          };
      text.append(String.format(Locale.ROOT, "Tensor c%d = %s;%n", i, made));
    }
    if (program.numbers() > 0) {
      text.append(
          String.format(
              Locale.ROOT,
              "var numbers = new double[%d]; // filled before each call%n",
              program.numbers()));
    }
    var body =
        GraphSource.of(
            program.body(), program.forms().of(program.body()), i -> "in[" + i + "]", "", "  ");
    text.append(
        String.format(Locale.ROOT, "var op = new Composite(\"%s\", in -> {%n", program.label()));
    text.append(body.statements());
    text.append("  return new Tensor[] {" + String.join(", ", body.results()) + "};\n});\n");
    for (int i = 0; i < program.calls().size(); i++) {
      Run call = program.calls().get(i);
      if (i > 0 && call.fresh()) {
        text.append("// in place, other values for what is captured\n");
      }
      List<String> inputs = new ArrayList<>();
      for (Input input : program.inputs()) {
        inputs.add(input(program, input, call));
      }
      text.append(
          String.format(
              Locale.ROOT,
              "Tensor[] out%d = Op.applyAll(op,%n    %s);%n",
              i,
              String.join(",\n    ", inputs)));
    }
    return text.toString();
  }

  private static String input(CompositeProgram program, Input input, Run call) {
    List<Integer> dims = dims(input.form().dims(), call.rows());
    String drawn =
        input.form().mask()
            ? "rng.bernoulli(0.5" + sizes(dims) + ")"
            : "rng.normal(DType." + program.type() + ", 0, 0.8" + sizes(dims) + ")";
    return drawn
        + switch (input.view()) {
          case DENSE -> "";
          case NARROW -> " /* columns 1.. of two more */";
          case EXPANDED -> " /* one row, expanded */";
          case SAME -> " /* the tensor before, if alike */";
        };
  }

  private static List<Integer> dims(List<Integer> dims, List<Integer> rows) {
    return dims.stream().map(d -> d < 0 ? rows.get(-1 - d) : d).toList();
  }

  private static String sizes(List<Integer> dims) {
    return IntStream.range(0, dims.size())
        .mapToObj(i -> ", " + dims.get(i))
        .collect(Collectors.joining());
  }
}
