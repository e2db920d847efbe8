package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Engine;
import carousel.tensor.InPlace;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.host.HostMemory;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Formula;
import carousel.tensor.op.Op;
import carousel.tensor.trace.FormulaTrace;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Formulas read from code, and the loops made of them, against the code. */
class FormulaTest {
  private static final Composite SQUARED =
      Composite.of("squared", (UnaryOperator<Tensor>) Tensor::square);

  /** Rows with bodies of one, two and three operands, some of them long where the type has such. */
  private static Tensor code(Tensor a, Tensor b) {
    boolean f32 = a.dtype() == DType.F32;
    Tensor gate = f32 ? a.mul(0.3).sigmoid() : a.mul(0.3).abs();
    Tensor kept = gate.mul(f32 ? b.tanh() : b.neg()).fma(gate, Op.apply(SQUARED, a));
    return kept.sub(f32 ? b.exp() : b.sqrt()).clamp(-2, 3).maximum(a.div(7));
  }

  private static Formula.Call traced(BinaryOperator<Tensor> code, Tensor a, Tensor b, Tensor to) {
    var trace = new FormulaTrace(a);
    Tensor x = trace.input(a);
    Tensor y = trace.input(b);
    trace.result(to, trace.run(() -> code.apply(x, y)));
    return trace.call();
  }

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void giveTheBitsOfTheCode(Kernels kernels) {
    var device = Device.of(kernels.description(), new CpuBackend(HostMemory.pool(), kernels));
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      for (int size : new int[] {0, 1, 3, 16, 21, 65_536, 70_001}) {
        try (var scope = TensorScope.open(device)) {
          Tensor a = Philox.of(1).normal(type, 0, 2, size);
          Tensor b = Philox.of(2).normal(type, 0, 2, size);
          Tensor expected = code(a, b);
          int version = Engine.storage(a).version();
          boolean ran = InPlace.run(List.of(traced(FormulaTest::code, a, b, a)));
          assertThat(ran).isEqualTo(!(kernels instanceof ScalarKernels));
          if (ran) {
            assertThat(a.sameValues(expected)).as(type + " " + size).isTrue();
            assertThat(Engine.storage(a).version()).isGreaterThan(version);
          }
        }
      }
    }
  }

  @Test
  void areEqualForOtherNumbers() {
    try (var scope = TensorScope.open()) {
      Tensor a = Tensor.ones(4);
      Tensor b = Tensor.ones(4);
      var one = traced((x, y) -> x.mul(2).add(y), a, b, a);
      var other = traced((x, y) -> x.mul(3).add(y), a, b, a);
      assertThat(one.formula()).isEqualTo(other.formula());
      assertThat(numbers(one)).containsExactly(2.0);
      assertThat(numbers(other)).containsExactly(3.0);
      assertThat(traced((x, y) -> y.add(x.mul(3)), a, b, a).formula())
          .isNotEqualTo(other.formula());
    }
  }

  private static Tensor powers(Tensor x, Tensor y) {
    Tensor power = x;
    for (int i = 0; i < 20; i++) {
      power = power.pow(y);
    }
    return power;
  }

  @Test
  void areMadeAnewOnlyWhenTheCodeChanges() {
    try (var scope = TensorScope.open()) {
      Tensor a = Tensor.ones(4);
      var trace = new FormulaTrace(a);
      List<UnaryOperator<Tensor>> codes =
          List.of(
              x -> x.mul(2).add(1),
              x -> x.mul(2).add(1).neg().exp(),
              x -> x.mul(2),
              x -> x.add(1).mul(2),
              x -> x,
              x -> x.mul(x).mul(2));
      for (var code : codes) {
        Formula.Call once = again(trace, code, a);
        Formula.Call twice = again(trace, code, a);
        assertThat(twice.formula()).isSameAs(once.formula());
        same(once, again(new FormulaTrace(a), code, a));
      }
      Formula.Call two = again(trace, x -> x.mul(2), a);
      Formula.Call three = again(trace, x -> x.mul(3), a);
      assertThat(three.formula()).isSameAs(two.formula());
      assertThat(numbers(three)).containsExactly(3.0);
      assertThatThrownBy(() -> again(trace, Tensor::sum, a)).isInstanceOf(TensorException.class);
      same(again(trace, x -> x.mul(2), a), two);
    }
  }

  private static List<Double> numbers(Formula.Call call) {
    return call.constants().stream().map(Formula.Scalar::value).toList();
  }

  private static void same(Formula.Call actual, Formula.Call expected) {
    assertThat(actual.formula()).isEqualTo(expected.formula());
    assertThat(numbers(actual)).isEqualTo(numbers(expected));
    assertThat(actual.inputs()).isEqualTo(expected.inputs());
    assertThat(actual.targets()).isEqualTo(expected.targets());
  }

  private static Formula.Call again(FormulaTrace trace, UnaryOperator<Tensor> code, Tensor a) {
    trace.again();
    Tensor x = trace.input(a);
    trace.result(a, trace.run(() -> code.apply(x)));
    return trace.call();
  }

  @Test
  void runWhereOneHasNoLoopNotAtAll() {
    try (var scope = TensorScope.open()) {
      Tensor a = Tensor.ones(4);
      Tensor b = Tensor.ones(4);
      var fine = traced((x, y) -> x.add(y), a, b, a);
      // The sine has no body for all arguments; and twenty powers would be too long.
      var none = traced((x, y) -> x.sin().add(y), b, a, b);
      var tooLong = traced(FormulaTest::powers, b, a, b);
      assertThat(InPlace.run(List.of(fine, none))).isFalse();
      assertThat(InPlace.run(List.of(fine, tooLong))).isFalse();
      assertThat(a.toFloatArray()).containsOnly(1);
      assertThat(InPlace.run(List.of())).isTrue();
    }
  }

  @Test
  void areNotReadFromCodeThatDoesMore() {
    try (var scope = TensorScope.open()) {
      Tensor a = Tensor.ones(2, 2);
      for (BinaryOperator<Tensor> more :
          List.<BinaryOperator<Tensor>>of(
              (x, y) -> x.sum(),
              (x, y) -> x.transpose(0, 1),
              (x, y) -> Tensor.where(x.gt(0), x, y),
              (x, y) -> x.mul(x.get(0, 0)),
              (x, y) -> x.mul(Tensor.ones(2)))) {
        assertThatThrownBy(() -> traced(more, a, a, a)).isInstanceOf(TensorException.class);
      }
    }
  }

  @Test
  void takeDenseOperandsOfOneShape() {
    try (var scope = TensorScope.open()) {
      Tensor a = Tensor.ones(2, 3);
      var trace = new FormulaTrace(a);
      for (Tensor other :
          List.of(
              Tensor.ones(3, 2), Tensor.ones(3, 2).transpose(0, 1), Tensor.ones(DType.F64, 2, 3))) {
        assertThatThrownBy(() -> trace.input(other)).isInstanceOf(TensorException.class);
        assertThatThrownBy(() ->
                new Formula.Call(
                    new Formula(List.of(new Formula.Input(0)), List.of(0)),
                    List.of(),
                    List.of(a),
                    List.of(a, other),
                    null))
            .isInstanceOf(TensorException.class)
            .hasMessageContaining("takes no");
      }
    }
  }

  @Test
  void refuseARowOutsideOfATable() {
    assumeTrue(
        !"off".equals(System.getProperty("carousel.vector")),
        "no loops are made without the Vector API");
    try (var scope = TensorScope.open()) {
      Tensor table = Tensor.ones(5, 2);
      Tensor values = Tensor.ones(2, 2);
      for (int wrong : new int[] {-2, 5}) {
        var trace = new FormulaTrace(values, Tensor.of(0, wrong));
        Tensor p = trace.input(table);
        Tensor g = trace.input(values);
        trace.result(table, trace.run(() -> p.add(g)));
        assertThatThrownBy(() -> InPlace.run(List.of(trace.call())))
            .isInstanceOf(TensorException.class)
            .hasMessage("formula: row " + wrong + " is out of range for [5,2]");
      }
      assertThat(table.shape()).isEqualTo(Shape.of(5, 2));
      assertThat(table.toFloatArray()).containsOnly(1);
    }
  }
}
