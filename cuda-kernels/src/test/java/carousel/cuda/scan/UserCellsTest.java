package carousel.cuda.scan;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.cuda.Cuda;
import carousel.cuda.scan.UserCell.Step;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Marks;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Replay;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Scan;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * A user's cell has the kernel of one of the library's if its step computes the same, and not if it has the
 * same name; whatever it does, it gives its own results and gradients.
 */
@Tag(Cuda.DEVICE)
public class UserCellsTest {
  private static final int STEPS = 4;
  private static final int ROWS = 3;
  private static final int H = UserCell.UNITS;
  static final int[] WH = {H, 4 * H};
  static final int[] SQUARE = {H, H};
  private static final int[] VECTOR = {H};
  private static final double TOLERANCE = 1e-11;

  /** A cell, made in the scope of its test, and the kernels it is to have. */
  private record Expected(Supplier<Cell<RecurrentState>> cell, @Nullable RecurrentCell kernel) {}

  private static List<Tensor> gates(Tensor z, Tensor h, Tensor wh) {
    return z.add(h.matmul(wh)).chunk(wh.dim(1) / H, Tensor.LAST);
  }

  /** {@code h, c} of activated gates. */
  private static List<Tensor> lstm(Tensor i, Tensor f, Tensor g, Tensor o, Tensor before) {
    Tensor c = f.mul(before).add(i.mul(g));
    return List.of(o.mul(c.tanh()), c);
  }

  public static final Step LSTM =
      (z, s, w) -> {
        List<Tensor> a = gates(z, s.get(0), w.get(0));
        return lstm(
            a.get(0).sigmoid(), a.get(1).sigmoid(), a.get(2).tanh(), a.get(3).sigmoid(), s.get(1));
      };

  /** An LSTM, some of whose parts are other ones. */
  private static Step lstmBut(UnaryOperator<Tensor> f, UnaryOperator<Tensor> g, int... order) {
    return (z, s, w) -> {
      List<Tensor> a = gates(z, s.get(0), w.get(0));
      return lstm(
          a.get(order[0]).sigmoid(),
          f.apply(a.get(order[1])),
          g.apply(a.get(order[2])),
          a.get(order[3]).sigmoid(),
          s.get(1));
    };
  }

  private static Supplier<Cell<RecurrentState>> two(String label, Step step, int[]... weights) {
    return () -> UserCell.of(label, 2, 4, step, weights);
  }

  private static Supplier<Cell<RecurrentState>> one(int gates, Step step, int[]... weights) {
    return () -> UserCell.of("mine", 1, gates, step, weights);
  }

  private static Map<String, Expected> same() {
    Map<String, Expected> cells = new LinkedHashMap<>();
    cells.put("another name", new Expected(two("mine", LSTM, WH), RecurrentCell.LSTM));
    cells.put("the name of another cell", new Expected(two("gru", LSTM, WH), RecurrentCell.LSTM));
    cells.put(
        "sums and products in another order",
        new Expected(
            two(
                "mine",
                (z, s, w) -> {
                  List<Tensor> a = s.get(0).matmul(w.get(0)).add(z).chunk(4, Tensor.LAST);
                  Tensor i = a.get(0).sigmoid();
                  Tensor c = a.get(2).tanh().mul(i).add(s.get(1).mul(a.get(1).sigmoid()));
                  return List.of(c.tanh().mul(a.get(3).sigmoid()), c);
                },
                WH),
            RecurrentCell.LSTM));
    cells.put(
        "c before h",
        new Expected(
            () ->
                UserCell.of(
                        "mine", 2, 4, (z, s, w) -> LSTM.apply(z, s.reversed(), w).reversed(), WH)
                    .withOutput(1),
            RecurrentCell.LSTM));
    cells.put(
        "unused weights", new Expected(two("mine", LSTM, WH, VECTOR, WH), RecurrentCell.LSTM));
    cells.put(
        "a weight that is computed",
        new Expected(
            two(
                "mine",
                (z, s, w) -> LSTM.apply(z, s, List.of(w.get(0).transpose(0, 1))),
                new int[] {4 * H, H}),
            RecurrentCell.LSTM));
    cells.put(
        "an input of its own",
        new Expected(
            () -> {
              var cell = UserCell.of("lstm", 2, 4, LSTM, WH);
              return cell.projecting(x -> x.matmul(cell.wx().value()).tanh());
            },
            RecurrentCell.LSTM));
    cells.put(
        "a product of the input in the step",
        new Expected(
            () ->
                UserCell.of(
                        "mine",
                        1,
                        1,
                        (z, s, w) ->
                            List.of(z.matmul(w.get(1)).add(s.get(0).matmul(w.get(0))).relu()),
                        SQUARE,
                        new int[] {UserCell.INPUTS, H})
                    .projecting(x -> x),
            RecurrentCell.ELMAN_RELU));
    cells.put(
        "one vector for three",
        new Expected(
            two(
                "mine",
                (z, s, w) -> peephole(z, s, w.get(0), w.get(1), w.get(1), w.get(1)),
                WH,
                VECTOR),
            RecurrentCell.PEEPHOLE));
    cells.put(
        "vectors in another order",
        new Expected(
            two(
                "mine",
                (z, s, w) -> peephole(z, s, w.get(0), w.get(3), w.get(1), w.get(2)),
                WH,
                VECTOR,
                VECTOR,
                VECTOR),
            RecurrentCell.PEEPHOLE));
    cells.put(
        "one matrix for two",
        new Expected(
            two(
                "mine",
                (z, s, w) -> looking(z, s, w.get(0), w.get(1), w.get(2), w.get(1)),
                WH,
                SQUARE,
                SQUARE),
            RecurrentCell.MATRIX_PEEPHOLE));
    cells.put(
        "no function",
        new Expected(
            one(1, (z, s, w) -> gates(z, s.get(0), w.get(0)), SQUARE),
            RecurrentCell.ELMAN_IDENTITY));
    return cells;
  }

  private static List<Tensor> peephole(
      Tensor z, List<Tensor> s, Tensor wh, Tensor pi, Tensor pf, Tensor po) {
    List<Tensor> a = gates(z, s.get(0), wh);
    Tensor before = s.get(1);
    Tensor i = a.get(0).add(before.mul(pi)).sigmoid();
    Tensor f = a.get(1).add(before.mul(pf)).sigmoid();
    Tensor c = f.mul(before).add(i.mul(a.get(2).tanh()));
    Tensor o = a.get(3).add(c.mul(po)).sigmoid();
    return List.of(o.mul(c.tanh()), c);
  }

  private static List<Tensor> looking(
      Tensor z, List<Tensor> s, Tensor wh, Tensor wi, Tensor wf, Tensor wo) {
    List<Tensor> a = gates(z, s.get(0), wh);
    Tensor before = s.get(1);
    Tensor i = a.get(0).add(before.matmul(wi)).sigmoid();
    Tensor f = a.get(1).add(before.matmul(wf)).sigmoid();
    Tensor c = f.mul(before).add(i.mul(a.get(2).tanh()));
    Tensor o = a.get(3).add(c.matmul(wo)).sigmoid();
    return List.of(o.mul(c.tanh()), c);
  }

  private static Map<String, Expected> different() {
    Map<String, Supplier<Cell<RecurrentState>>> cells = new LinkedHashMap<>();
    cells.put(
        "another step",
        two(
            "lstm",
            (z, s, w) -> List.of(gates(z, s.get(0), w.get(0)).getFirst().tanh(), s.get(1).mul(0.5)),
            WH));
    cells.put(
        "a constant", two("lstm", lstmBut(x -> x.add(1).sigmoid(), Tensor::tanh, 0, 1, 2, 3), WH));
    cells.put(
        "a factor", two("lstm", lstmBut(x -> x.sigmoid().mul(0.5), Tensor::tanh, 0, 1, 2, 3), WH));
    cells.put(
        "the order of gates", two("lstm", lstmBut(Tensor::sigmoid, Tensor::tanh, 1, 0, 2, 3), WH));
    cells.put("an activation", two("lstm", lstmBut(Tensor::sigmoid, Tensor::relu, 0, 1, 2, 3), WH));
    cells.put(
        "no gradient through a gate",
        two("lstm", lstmBut(x -> x.sigmoid().detach(), Tensor::tanh, 0, 1, 2, 3), WH));
    cells.put(
        "a tensor more",
        two(
            "lstm",
            (z, s, w) -> LSTM.apply(z, List.of(s.get(0).add(w.get(1)), s.get(1)), w),
            WH,
            VECTOR));
    cells.put("another output", () -> UserCell.of("lstm", 2, 4, LSTM, WH).withOutput(1));
    cells.put(
        "the state before as a peephole of o",
        two(
            "lstm",
            (z, s, w) -> {
              List<Tensor> a = gates(z, s.get(0), w.get(0));
              Tensor o = a.get(3).add(s.get(1).mul(w.get(1))).sigmoid();
              return lstm(a.get(0).sigmoid(), a.get(1).sigmoid(), a.get(2).tanh(), o, s.get(1));
            },
            WH,
            VECTOR));
    cells.put(
        "columns that are not read",
        () ->
            UserCell.of(
                "lstm",
                1,
                2,
                (z, s, w) -> List.of(z.narrow(1, 0, H).add(s.get(0).matmul(w.get(0))).tanh()),
                SQUARE));
    cells.put(
        "a number from another step",
        one(
            1,
            (z, s, w) ->
                List.of(
                    s.get(0)
                        .mul(0.75)
                        .add(gates(z, s.get(0), w.get(0)).getFirst().tanh().mul(0.25))),
            SQUARE));
    cells.put(
        "one product for two gates",
        two(
            "matrix_peephole",
            (z, s, w) -> looking(z, s, w.get(0), w.get(1), w.get(1), w.get(1)),
            WH,
            SQUARE));
    Map<String, Expected> all = new LinkedHashMap<>();
    cells.forEach((name, cell) -> all.put(name, new Expected(cell, null)));
    return all;
  }

  @TestFactory
  Stream<DynamicTest> theSameStepHasTheKernel() {
    return tests(same());
  }

  @TestFactory
  Stream<DynamicTest> anotherStepHasItNot() {
    return tests(different());
  }

  private static Stream<DynamicTest> tests(Map<String, Expected> cells) {
    return cells.entrySet().stream()
        .flatMap(cell ->
            Stream.of(false, true)
                .map(reverse ->
                    DynamicTest.dynamicTest(
                        cell.getKey() + (reverse ? ", reverse and ragged" : ""),
                        () -> check(cell.getValue(), reverse))));
  }

  private static void check(Expected expected, boolean reverse) {
    try (var scope = TensorScope.open(Cuda.device())) {
      Cell<RecurrentState> cell = expected.cell().get();
      Recurrent<RecurrentState> layer = reverse ? Recurrent.reverse(cell) : Recurrent.of(cell);
      Marks marks = reverse ? Marks.ofLengths(Tensor.of(2, 0, 4)) : Marks.none();
      compare(layer, marks, expected.kernel());
    }
  }

  /** The first run compares the kernel with the step, which reads values; the recording is the second. */
  @Test
  void replays() {
    try (var scope = TensorScope.open(Cuda.device())) {
      replay(UserCell.of("mine", 2, 4, LSTM, WH));
      replay(
          UserCell.of(
              "mine",
              2,
              4,
              (z, s, w) -> LSTM.apply(z, s, List.of(w.get(0).transpose(0, 1))),
              new int[] {4 * H, H}));
      replay(
          UserCell.of(
              "mine",
              2,
              4,
              (z, s, w) -> peephole(z, s, w.get(0), w.get(1), w.get(1), w.get(1)),
              WH,
              new int[] {1, H}));
    }
  }

  private static void replay(Cell<RecurrentState> cell) {
    Tensor x = Philox.of(9).normal(DType.F64, 0, 1, STEPS, ROWS, UserCell.INPUTS);
    Tensor weight = cell.parameters().stream().toList().getLast().value();
    Supplier<Tensor> gradient =
        () -> Grad.of(() -> Recurrent.of(cell).run(x).y().square().sum(), weight).get(0);
    Tensor wanted = RecurrentCase.BODIES.run(gradient);
    try (var step = Replay.of(gradient)) {
      for (int i = 0; i < 4; i++) {
        close("run " + i, step.run(), wanted);
      }
    }
  }

  /** What starts anew in between has no kernel on a GPU; it runs op by op. */
  @Test
  void resets() {
    try (var scope = TensorScope.open(Cuda.device())) {
      var layer = Recurrent.of(UserCell.of("lstm", 2, 4, LSTM, WH));
      Tensor where = Philox.of(5).uniform(DType.F32, 0, 1, STEPS, ROWS).gt(0.6);
      compare(layer, Marks.none().withResets(where), null);
      compare(layer, Marks.none().withTaken(where), null);
      compare(layer, Marks.none(), RecurrentCell.LSTM);
    }
  }

  /** The kernels that run, if any, and values and gradients. */
  private static void compare(
      Recurrent<RecurrentState> layer, Marks marks, @Nullable RecurrentCell kernel) {
    var rng = Philox.of(7);
    Tensor x = rng.normal(DType.F64, 0, 1, STEPS, ROWS, UserCell.INPUTS);
    List<Tensor> leaves = new ArrayList<>(List.of(x));
    for (var parameter : layer.parameters()) {
      leaves.add(parameter.value());
    }
    List<Tensor> start = new ArrayList<>();
    for (Tensor zero : layer.cell().zero(ROWS).tensors()) {
      start.add(rng.normal(DType.F64, 0, 0.5, zero.shape().toArray()));
    }
    leaves.addAll(start);
    var initial = RecurrentState.with(layer.cell().zero(ROWS), start);
    Tensor weight = rng.normal(DType.F64, 0, 1, STEPS, ROWS, H);
    Supplier<Tensor> loss =
        () -> {
          var run = layer.run(x, marks, List.of(initial));
          Tensor sum = run.y().mul(weight).sum();
          double factor = 0.5;
          for (Tensor state : run.states().getFirst().tensors()) {
            sum = sum.add(state.square().sum().mul(factor));
            factor += 0.25;
          }
          return sum;
        };
    assertThat(kernels(loss)).isEqualTo(kernel == null ? List.of() : List.of(kernel));
    Tensor[] all = leaves.toArray(new Tensor[0]);
    var actual = Grad.orZero(loss, all);
    var wanted = RecurrentCase.BODIES.run(() -> Grad.orZero(loss, all));
    close("loss", actual.value(), wanted.value());
    for (int i = 0; i < all.length; i++) {
      close("gradient " + i, actual.get(i), wanted.get(i));
      close("gradient " + i + " alone", Grad.orZero(loss, all[i]).get(0), wanted.get(i));
    }
  }

  private static List<RecurrentCell> kernels(Supplier<Tensor> loss) {
    List<RecurrentCell> found = new ArrayList<>();
    Interpreter watch =
        (op, in) -> {
          if (op instanceof Composite composite && composite.body() instanceof Scan) {
            if (composite.fused(in) instanceof CellScanKernel kernels) {
              found.add(kernels.cell());
            }
          }
          return Interpreter.EAGER.apply(op, in);
        };
    watch.run(loss);
    return found;
  }

  private static void close(String what, Tensor actual, Tensor wanted) {
    double size = Math.max(1, wanted.abs().max().item());
    assertThat(actual.sub(wanted).abs().max().item() / size).as(what).isLessThan(TOLERANCE);
  }
}
