package carousel.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.init.Init;
import carousel.nn.recurrent.AffineCell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.HiddenState;
import carousel.nn.recurrent.LstmState;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Vjp;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Cells that keep the contract, and faults in cells, each of which it finds and names. */
@ExtendWith(ScopeExtension.class)
class CellContractTest {
  private static final int D = 3;
  private static final int H = 4;

  /** One step of a cell of this test. */
  @FunctionalInterface
  interface StepOf {
    Tensor apply(Own cell, Tensor z, Tensor h);
  }

  /** A cell whose step is given. */
  record Own(Parameter wx, Parameter b, Parameter u, StepOf code)
      implements AffineCell<HiddenState> {
    static Own of(DType type, StepOf code) {
      var init = Init.uniform(0.6).as(type);
      var rng = Philox.of(3);
      return new Own(
          init.parameter(rng, D, H),
          Parameter.of(Tensor.zeros(type, H)),
          init.parameter(rng, H, H),
          code);
    }

    @Override
    public Parameters parameters() {
      return Parameters.of(
          List.of(
              new Parameters.Named("wx", wx),
              new Parameters.Named("b", b),
              new Parameters.Named("u", u)));
    }

    @Override
    public int outputs() {
      return H;
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      return new HiddenState(code.apply(this, z, state.h()));
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(u.value().zerosLike(Shape.of(batch, H)));
    }
  }

  private static final StepOf ELMAN = (c, z, h) -> z.add(h.matmul(c.u().value())).tanh();

  private static Own own(StepOf code) {
    return Own.of(DType.F64, code);
  }

  private static AbstractThrowableAssert<?, ?> broken(CellContract<?> contract) {
    return assertThatThrownBy(contract::check).isInstanceOf(AssertionError.class);
  }

  private static boolean makesKernels() {
    return Device.standard().backend().makesKernels();
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void aCellWithAKernel(DType type) {
    var cell = Own.of(type, ELMAN);
    ContractReport report = CellContract.of(cell).withKernel().check();
    assertThat(report.checks()).isGreaterThan(100);
    assertThat(report.toString())
        .contains("cell Own keeps its contract", "slopes to order 2 agree")
        .contains(makesKernels() ? "one kernel for all steps" : "no kernel");
    assertThat(cell.b().value().abs().max().item()).as("restored").isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"lstm", "gru", "matrix-peephole"})
  void cellsOfTheLibrary(String name) {
    var cell = Cells.of(name, D, H, Init.normal(0.5).as(DType.F64), Philox.of(2));
    assertThat(CellContract.of(cell).withKernel().check().notes()).isNotEmpty();
  }

  @Test
  void aCellWithoutAKernelUnlessOneIsWanted() {
    Own cell = own((c, z, h) -> z.add(h.cumsum(1).matmul(c.u().value())).tanh());
    assertThat(CellContract.of(cell).check().toString())
        .contains("no kernel; it runs op by op")
        .contains("cumsum");
    if (makesKernels()) {
      broken(CellContract.of(cell).withKernel())
          .hasMessageContaining("cell Own breaks its contract in 1 place")
          .hasMessageContaining("withKernel(): it has none on cpu")
          .hasMessageContaining("cumsum");
    }
  }

  private static final CustomOp SPIKE =
      CustomOp.of(
          "spike",
          v -> v.gt(0.2).cast(v.dtype()),
          Vjp.fromInput((g, v) -> g.div(v.sub(0.2).abs().mul(3).add(1).square())));

  @Test
  void aSpikingCellWhereThatIsDeclared() {
    Own cell = own((c, z, h) -> SPIKE.apply(z.add(h.matmul(c.u().value()))).mul(0.7));
    assertThat(CellContract.of(cell).surrogate().withKernel().check().toString())
        .contains("not held to differences");
    broken(CellContract.of(cell))
        .hasMessageContaining("gradient, order 1")
        .hasMessageContaining("say surrogate()");
  }

  @Test
  void aRuleForOneDerivative() {
    var once =
        CustomOp.of(
            "once",
            Tensor::tanh,
            Vjp.once(Vjp.fromOutput((g, y) -> g.mul(y.square().neg().add(1)))));
    Own cell = own((c, z, h) -> once.apply(z.add(h.matmul(c.u().value()))));
    assertThat(CellContract.of(cell).withOrder(1).check().notes())
        .anyMatch(note -> note.contains("slopes to order 1 agree"));
    broken(CellContract.of(cell)).hasMessageContaining("once: its rule is declared");
  }

  @Test
  void aWrongRuleWrittenByHand() {
    var wrong =
        CustomOp.of("myTanh", Tensor::tanh, Vjp.fromOutput((g, y) -> g.mul(y.neg().add(1))));
    broken(CellContract.of(own((c, z, h) -> wrong.apply(z.add(h.matmul(c.u().value()))))))
        .hasMessageContaining("cell Own breaks its contract")
        .hasMessageContaining("gradient, order 1, wx[")
        .hasMessageContaining("differences say");
  }

  @Test
  void aStepThatRemembersOutsideOfItsState() {
    int[] steps = {0};
    broken(CellContract.of(own((c, z, h) -> ELMAN.apply(c, z, h).mul(1 + 0.01 * steps[0]++))))
        .hasMessageContaining("cell Own breaks its contract")
        .hasMessageContaining("what changes belongs in the cell's state");
    // Begun anew with every sequence: nothing but pieces tells.
    int[] at = {0};
    Own cell = own((c, z, h) -> ELMAN.apply(c, z, h).mul(1 + 0.1 * at[0]++));
    var counting =
        new AffineCell<HiddenState>() {
          @Override
          public Parameter wx() {
            return cell.wx();
          }

          @Override
          public Parameter b() {
            return cell.b();
          }

          @Override
          public Parameters parameters() {
            return cell.parameters();
          }

          @Override
          public int outputs() {
            return H;
          }

          @Override
          public HiddenState step(Tensor z, HiddenState state) {
            return cell.step(z, state);
          }

          @Override
          public Tensor project(Tensor x) {
            at[0] = 0;
            return cell.project(x);
          }

          @Override
          public HiddenState zero(int batch) {
            return cell.zero(batch);
          }
        };
    broken(CellContract.of(counting))
        .hasMessageContaining("in pieces of 2 and 3 steps: ")
        .hasMessageContaining("what a step remembers belongs in the cell's state");
  }

  /** A kernel that computes something else: the step is another where it is traced. */
  @Test
  void aStepThatIsAnotherInItsKernel() {
    Own cell =
        own((c, z, h) -> {
          boolean traced = false;
          try {
            traced = Double.isNaN(z.select(0, 0).select(0, 0).item());
          } catch (RuntimeException e) { // what says that it has no values there, swallowed
            traced = true;
          }
          return ELMAN.apply(c, z, h).mul(traced ? 1.001 : 1);
        });
    if (makesKernels()) {
      broken(CellContract.of(cell))
          .hasMessageContaining("forward, T = 5, N = 3, by kernel: y F64 [5,3,4], element ")
          .hasMessageContaining("wanted is what its code gives op by op");
    }
  }

  /** A state of one memory under two names. */
  record Shared(Own cell) implements AffineCell<LstmState> {
    @Override
    public Parameter wx() {
      return cell.wx();
    }

    @Override
    public Parameter b() {
      return cell.b();
    }

    @Override
    public Parameters parameters() {
      return cell.parameters();
    }

    @Override
    public int outputs() {
      return H;
    }

    @Override
    public LstmState step(Tensor z, LstmState state) {
      Tensor h = ELMAN.apply(cell, z, state.h());
      return new LstmState(h, state.c().add(h));
    }

    @Override
    public LstmState zero(int batch) {
      Tensor zero = cell.zero(batch).h();
      return new LstmState(zero, zero);
    }
  }

  @Test
  void zerosThatShareMemory() {
    broken(CellContract.of(new Shared(own(ELMAN))))
        .hasMessageContaining("cell Shared breaks its contract")
        .hasMessageContaining("zero(3), c: is the memory of h");
  }

  @Test
  void zerosOfAnotherType() {
    var narrow = Own.of(DType.F32, ELMAN);
    Own wide = own(ELMAN);
    broken(CellContract.of(new Own(wide.wx(), wide.b(), narrow.u(), ELMAN)))
        .hasMessageContaining("zero(1): is F32, and wx is F64");
  }

  @Test
  void aParameterThatNothingReads() {
    broken(CellContract.of(own((c, z, h) -> z.add(h).tanh())))
        .hasMessageContaining("unread, order 1, u")
        .hasMessageContaining("without(..)");
    assertThat(CellContract.of(own((c, z, h) -> z.add(h).tanh())).without("u").check().checks())
        .isPositive();
  }

  @Test
  void settingsThatMakeNoSense() {
    assertThatThrownBy(() -> CellContract.of(own(ELMAN)).withOrder(0))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("order of 1 or more");
    assertThat(new ArrayList<>(CellContract.of(own(ELMAN)).without("u").without("w*").without()))
        .containsExactly("u", "w*");
  }
}
