package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Term;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** What a plan does, for who wrote the step: products with their sizes, rows with their counts. */
final class Summary {
  private final StringBuilder text = new StringBuilder();

  private Summary() {}

  /** A plan in some lines. */
  static String of(Plan plan) {
    var summary = new Summary();
    int product = 0;
    int sequence = 0;
    for (Stage.Group group : plan.groups) {
      int columns = group.members().size() * group.block().width();
      product += group.origin() == Stage.Origin.PRODUCT ? columns : 0;
      sequence += group.origin() == Stage.Origin.SEQUENCE ? columns : 0;
    }
    if (product > 0) {
      summary.line("before the steps: x·wx + b for all of them, " + columns(product));
    }
    if (sequence > 0) {
      summary.line(
          String.format(
              Locale.ROOT,
              "read at every step: %d columns, of what is projected or multiplied before",
              sequence));
    }
    summary.stages("step", plan.forward);
    summary.stages("gradient", plan.backward);
    for (Stage.Return back : plan.carried) {
      summary.line("gradient, last: " + product(back));
    }
    return summary.text.toString();
  }

  private void line(String line) {
    text.append("  ").append(line).append('\n');
  }

  private void stages(String what, List<Stage> stages) {
    int count = 0;
    for (Stage stage : stages) {
      boolean empty = stage.folds().isEmpty() && stage.programs().isEmpty();
      if (empty && stage.groups().isEmpty() && stage.returns().isEmpty()) {
        continue;
      }
      String where = what + ", stage " + ++count + ": ";
      if (!stage.folds().isEmpty()) {
        int folds = stage.folds().size();
        line(where + folds + (folds == 1 ? " fold" : " folds") + " of all columns of a row");
      }
      stage.groups().forEach(group -> line(where + product(group)));
      stage.returns().forEach(back -> line(where + product(back)));
      for (StageProgram program : stage.programs()) {
        line(where + rows(program) + ", on " + columns(program.width()));
      }
    }
  }

  /** As {@code [N,200] · [200,800]}. */
  private static String product(Stage.Group group) {
    int columns = group.members().size() * group.block().width();
    return group.members().getFirst().terms().stream()
        .map(term ->
            String.format(Locale.ROOT, "[N,%d] · [%d,%d]", width(term), width(term), columns))
        .collect(Collectors.joining(" + "));
  }

  private static int width(Term term) {
    return term.factor().width();
  }

  private static String product(Stage.Return back) {
    Map<String, Integer> counts = new LinkedHashMap<>();
    for (Term term : back.terms()) {
      Value sum = term.factor();
      String sizes =
          String.format(
              Locale.ROOT, "[N,%d] · [%d,%d]ᵀ", sum.width(), back.block().width(), sum.width());
      counts.merge(sizes, 1, Integer::sum);
    }
    return counted(counts);
  }

  private static String columns(int width) {
    return width == 1 ? "1 column" : width + " columns";
  }

  private static String rows(StageProgram program) {
    Map<String, Integer> counts = new LinkedHashMap<>();
    for (Pointwise.Instruction instruction : program.code().code()) {
      if (instruction instanceof Pointwise.Apply apply) {
        counts.merge(apply.op().label(), 1, Integer::sum);
      }
    }
    return counts.isEmpty() ? "copies" : counted(counts);
  }

  private static String counted(Map<String, Integer> counts) {
    return counts.entrySet().stream()
        .map(e -> e.getValue() == 1 ? e.getKey() : e.getValue() + " × " + e.getKey())
        .collect(Collectors.joining(", "));
  }
}
