package carousel.tensor.cpu.scan;

import carousel.tensor.DType;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.spi.Setting;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Term;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Kernels as text: what was traced, and how it is run. With {@code -Dcarousel.dump=DIR} every kernel
 * that is made is written to a file there, and of a step without one the reason.
 */
final class Dump {

  private final Plan plan;
  private final StringBuilder text = new StringBuilder();

  private Dump(Plan plan) {
    this.plan = plan;
  }

  /**
   * Writes what came of a step, if that is wanted.
   *
   * @param signature what the step computes
   * @param what gives the text
   */
  static void write(DType type, String signature, Supplier<String> what) {
    String named = Setting.DUMP.value();
    if (named == null) {
      return;
    }
    try {
      Path folder = Files.createDirectories(Path.of(named));
      String name = String.format(Locale.ROOT, "scan-%s-%08x.txt", type, signature.hashCode());
      Files.writeString(folder.resolve(name), what.get());
    } catch (IOException | InvalidPathException e) {
      System.getLogger("carousel.tensor")
          .log(Level.WARNING, "-Dcarousel.dump={0}: nothing is written there: {1}", named, e);
    }
  }

  /** A plan in words. */
  static String of(Plan plan) {
    var dump = new Dump(plan);
    plan.step.graph().values().forEach(value -> dump.line(value.toString()));
    dump.line("");
    plan.blocks.forEach(dump::block);
    dump.stages("step", plan.forward);
    dump.stages("gradient", plan.backward);
    plan.carried.forEach(back -> dump.line("  carried " + dump.product(back)));
    return dump.text.toString();
  }

  private void line(String line) {
    text.append(line).append('\n');
  }

  private void block(Block block) {
    List<String> held = new ArrayList<>();
    for (Value value : plan.step.graph().values()) {
      Slot slot = plan.placeOf(value);
      if (slot != null && slot.block() == block) {
        held.add("%" + value.id());
      }
    }
    line(
        String.format(
            Locale.ROOT,
            "b%d %d x [%d] %s %s",
            block.id(),
            block.members(),
            block.width(),
            block.rows(),
            held));
  }

  private void stages(String what, List<Stage> stages) {
    for (int s = 0; s < stages.size(); s++) {
      Stage stage = stages.get(s);
      line("");
      line(what + ", stage " + s);
      stage.folds().forEach(program -> program("fold", program));
      stage.groups().forEach(group -> line("  product " + product(group)));
      stage.returns().forEach(back -> line("  product " + product(back)));
      stage.programs().forEach(program -> program("program", program));
    }
  }

  private String product(Stage.Group group) {
    return String.format(
        Locale.ROOT,
        "b%d = %s + a%s · %s",
        group.block().id(),
        group.origin(),
        group.arrays(),
        group.members().stream().map(Value::toString).toList());
  }

  private String product(Stage.Return back) {
    List<String> terms = new ArrayList<>();
    for (Term term : back.terms()) {
      terms.add(
          String.format(
              Locale.ROOT,
              "g%d · w%d[%d,%d]ᵀ",
              plan.cotangentArray(term.factor()),
              term.weight(),
              term.row(),
              term.column()));
    }
    return String.format(
        Locale.ROOT, "b%d %s %s", back.block().id(), back.onto() ? "+=" : "=", terms);
  }

  private void program(String what, StageProgram program) {
    line(String.format(Locale.ROOT, "  %s of width %d", what, program.width()));
    List<Pointwise.Instruction> code = program.code().code();
    for (int i = 0; i < code.size(); i++) {
      line("    " + words(program, i, code.get(i)));
    }
  }

  private static String words(StageProgram program, int i, Pointwise.Instruction instruction) {
    return switch (instruction) {
      case Pointwise.Load load -> "r" + i + " = " + slot(program.slots().get(load.slot()));
      case Pointwise.Constant constant -> "r" + i + " = " + constant.value();
      case Pointwise.Lane _ -> "r" + i + " = lane";
      case Pointwise.Swap swap -> "r" + i + " = r" + swap.register() + " xor " + swap.distance();
      case Pointwise.Apply apply ->
          "r" + i + " = " + apply.op().label() + " " + registers(apply.operands());
      case Pointwise.Store store ->
          slot(program.slots().get(store.slot())) + " = r" + store.register();
      case Pointwise.Keep keep ->
          "a" + program.arrays().get(keep.array()) + " = r" + keep.register();
    };
  }

  private static String registers(List<Integer> operands) {
    return operands.stream().map(r -> "r" + r).collect(Collectors.joining(" "));
  }

  private static String slot(Slot slot) {
    return "b"
        + slot.block().id()
        + "."
        + slot.member()
        + (slot.ahead() > 0 ? " next" : "")
        + (slot.vector() == Slot.EACH ? "" : " vector " + slot.vector());
  }
}
