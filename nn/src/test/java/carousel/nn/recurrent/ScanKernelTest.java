package carousel.nn.recurrent;

import static carousel.nn.recurrent.KernelAndBody.close;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.nn.FusedContract;
import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.init.Init;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.Combinations;
import carousel.tensor.contract.Combinations.Numbered;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every cell's kernel over time gives what its body gives: outputs, states and all gradients. */
@Tag("cpu") // other devices' kernels have suites of their own
class ScanKernelTest {
  /**
   * Sizes: some whole vectors, most not; one row, one step, more rows than a tile, several panels, more
   * rows of all steps than weights' gradients sum at a time, more inputs than a product does. Of the
   * ragged rows, some are longer than the one before, and some skip an odd number of steps.
   */
  private record Case(int steps, int rows, int inputs, int units, List<Integer> lengths) {}

  private static final List<Case> CASES =
      List.of(
          new Case(1, 1, 1, 1, List.of()),
          new Case(4, 3, 32, 16, List.of()),
          new Case(3, 20, 7, 37, List.of()),
          new Case(2, 2, 40, 64, List.of()),
          new Case(300, 1, 3, 5, List.of()),
          new Case(28, 22, 3, 21, List.of()),
          new Case(2, 3, 1100, 70, List.of()),
          new Case(5, 9, 6, 19, List.of(2, 0, 5, 1, 4, 0, 4, 2, 1)));

  @TestFactory
  Stream<DynamicTest> everyKernelAgreesWithItsBody() {
    Stream<String> cells =
        FusedContract.chosen(
            Stream.of(Cells.names().stream(), OddCell.names(), StrangeCell.names())
                .flatMap(names -> names));
    return Combinations.numbered(cells)
        .flatMap(cell -> Combinations.numbered(CASES.stream()).flatMap(c -> tests(cell, c)));
  }

  /** Of a cell and a case one way to run, another for the next cell and for the next case. */
  private Stream<DynamicTest> tests(Numbered<String> cell, Numbered<Case> c) {
    return Combinations.numbered(Stream.of(DType.F32, DType.F64))
        .flatMap(type ->
            Combinations.numbered(Stream.of(false, true))
                .filter(reverse ->
                    Combinations.isTried(
                        4, cell.number(), c.number(), type.number(), 2 * reverse.number()))
                .map(reverse ->
                    DynamicTest.dynamicTest(
                        cell.value()
                            + " "
                            + type.value()
                            + " "
                            + c.value()
                            + (reverse.value() ? " reverse" : ""),
                        () -> agree(cell.value(), type.value(), c.value(), reverse.value()))));
  }

  private static Cell<?> cell(String name, Case c, Init init, Philox rng) {
    if (name.startsWith("odd ")) {
      return OddCell.of(name, c.inputs(), c.units(), init, rng);
    }
    if (name.startsWith("strange ")) {
      var sizes = StrangeCell.Sizes.of(c.rows(), c.units());
      return StrangeCell.of(name, sizes, c.inputs(), init, rng);
    }
    return Cells.of(name, c.inputs(), c.units(), init, rng);
  }

  private void agree(String name, DType type, Case c, boolean reverse) {
    try (var scope = TensorScope.open()) {
      var rng = Philox.of(7);
      var init = Init.uniform(0.5).as(type);
      Cell<?> cell = cell(name, c, init, rng);
      for (var named : cell.parameters()) {
        named.value().assign(rng.uniform(type, -0.5, 0.5, named.value().shape().toArray()));
      }
      Recurrent<?> layer = reverse ? Recurrent.reverse(cell) : Recurrent.of(cell);
      Tensor x = rng.normal(type, 0, 1, c.steps(), c.rows(), c.inputs());
      List<Tensor> leaves = new ArrayList<>(List.of(x));
      cell.parameters().forEach(p -> leaves.add(p.value()));
      List<Tensor> start = new ArrayList<>();
      for (Tensor zero : cell.zero(c.rows()).tensors()) {
        start.add(rng.normal(type, 0, 0.5, zero.shape().toArray()));
      }
      leaves.addAll(start);
      var initial = RecurrentState.with(cell.zero(c.rows()), start);
      Tensor lengths =
          c.lengths().isEmpty()
              ? null
              : Tensor.of(c.lengths().stream().mapToInt(Integer::intValue).toArray());
      Tensor weight = rng.normal(type, 0, 1, c.steps(), c.rows(), cell.outputs());
      Supplier<Tensor> loss =
          () -> {
            var run = layer.run(x, Marks.ofLengths(lengths), List.of(initial));
            Tensor sum = run.y().mul(weight).sum();
            double factor = 0.5;
            for (Tensor state : run.states().getFirst().tensors()) {
              sum = sum.add(state.square().sum().mul(factor));
              factor += 0.25;
            }
            return sum;
          };
      requireKernel(loss);
      Tensor[] all = leaves.toArray(new Tensor[0]);
      var fused = Grad.orZero(loss, all);
      var body = FusedContract.BODIES.run(() -> Grad.orZero(loss, all));
      double tolerance = type == DType.F32 ? 2e-4 : 1e-11;
      close("loss", fused.value(), body.value(), tolerance);
      for (int i = 0; i < all.length; i++) {
        close("gradient " + i, fused.get(i), body.get(i), tolerance);
        if (lengths != null) {
          close(
              "gradient " + i + " alone", Grad.orZero(loss, all[i]).get(0), body.get(i), tolerance);
        }
      }
    }
  }

  @Test
  void aCellOfAUserHasAKernel() {
    try (var scope = TensorScope.open()) {
      Tensor x = Layers.random(3, 4, 2, Layers.D);
      requireKernel(() -> Recurrent.of(Layers.cell(Layers.USERS)).apply(x));
    }
  }

  /** As Elman, but centred over the rows of the batch: what a kernel cannot. */
  record Centred(Parameter wx, Parameter wh, Parameter b) implements AffineCell<HiddenState> {
    @Override
    public int outputs() {
      return wh.value().dim(0);
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      Tensor h = z.add(state.h().matmul(wh.value())).tanh();
      return new HiddenState(h.sub(h.mean(0)));
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(wh.value().zerosLike(Shape.of(batch, outputs())));
    }
  }

  /** Gates that multiply the same state, each by a weight of its own. */
  record Apart(Parameter wx, Parameter wh, Parameter uh, Parameter b)
      implements AffineCell<HiddenState> {
    @Override
    public int outputs() {
      return wh.value().dim(0);
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      List<Tensor> a = z.chunk(2, Tensor.LAST);
      Tensor keep = a.get(0).add(state.h().matmul(wh.value())).sigmoid();
      Tensor next = a.get(1).add(state.h().matmul(uh.value())).tanh();
      return new HiddenState(keep.mul(next));
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(wh.value().zerosLike(Shape.of(batch, outputs())));
    }
  }

  /** One pass finds the gradients of both weights, whichever is wanted. */
  @Test
  void oneProductMayReadSeveralWeights() {
    try (var scope = TensorScope.open()) {
      var init = Init.uniform(0.5).as(DType.F64);
      var rng = Philox.of(5);
      var cell =
          new Apart(
              init.parameter(rng, 3, 10),
              init.parameter(rng, 5, 5),
              init.parameter(rng, 5, 5),
              init.parameter(rng, 10));
      Tensor x = rng.normal(DType.F64, 0, 1, 4, 3, 3);
      Supplier<Tensor> loss = () -> Recurrent.of(cell).apply(x).square().sum();
      requireKernel(loss);
      List<Tensor> leaves = new ArrayList<>(List.of(x));
      cell.parameters().forEach(named -> leaves.add(named.value()));
      for (Tensor leaf : leaves) {
        Tensor body = FusedContract.BODIES.run(() -> Grad.of(loss, leaf).get(0));
        close("gradient alone", Grad.of(loss, leaf).get(0), body, 1e-12);
      }
    }
  }

  /** As Elman, with a number drawn at every step. */
  record Noisy(Philox rng, Parameter wx, Parameter wh, Parameter b)
      implements AffineCell<HiddenState> {
    @Override
    public int outputs() {
      return wh.value().dim(0);
    }

    @Override
    public Parameters parameters() {
      return Parameters.of(
          List.of(
              new Parameters.Named("wx", wx),
              new Parameters.Named("wh", wh),
              new Parameters.Named("b", b)));
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      Tensor noise = rng.uniform(DType.F32, 0, 1);
      return new HiddenState(z.add(state.h().matmul(wh.value())).tanh().mul(noise));
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(wh.value().zerosLike(Shape.of(batch, outputs())));
    }
  }

  @Test
  void whatIsDrawnAtEveryStepIsNoConstant() {
    try (var scope = TensorScope.open()) {
      var init = Init.uniform(0.5);
      var rng = Philox.of(5);
      var cell =
          new Noisy(
              rng, init.parameter(rng, 3, 4), init.parameter(rng, 4, 4), init.parameter(rng, 4));
      Tensor x = rng.normal(DType.F32, 0, 1, 3, 2, 3);
      assertThat(hasKernel(() -> Recurrent.of(cell).apply(x))).isFalse();
    }
  }

  @Test
  void aStepThatIsNotUnderstoodRunsAsItIsWritten() {
    try (var scope = TensorScope.open()) {
      var init = Init.uniform(0.5);
      var rng = Philox.of(5);
      var cell =
          new Centred(init.parameter(rng, 3, 4), init.parameter(rng, 4, 4), init.parameter(rng, 4));
      Tensor x = rng.normal(DType.F32, 0, 1, 3, 2, 3);
      Supplier<Tensor> run = () -> Recurrent.of(cell).apply(x);
      assertThat(hasKernel(run)).isFalse();
      close("y", run.get(), FusedContract.BODIES.run(run), 1e-12);
    }
  }

  /** The CPU makes a kernel of every step; another device has some, which its own tests know. */
  private static void requireKernel(Supplier<Tensor> loss) {
    if (Device.standard() == Device.cpu()) {
      assertThat(hasKernel(loss)).as("there is a kernel").isEqualTo(FusedContract.VECTORS);
    }
  }

  private static boolean hasKernel(Supplier<Tensor> loss) {
    boolean[] found = new boolean[1];
    Interpreter watch =
        (Op op, Tensor... inputs) -> {
          if (op instanceof Composite composite && composite.label().endsWith(".scan")) {
            found[0] = composite.fused(inputs) != null;
          }
          return Interpreter.EAGER.apply(op, inputs);
        };
    watch.run(loss);
    return found[0];
  }
}
