package carousel.nn.optim;

import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps that touch the rows of a table that were looked up, and no others. */
class TableRowsTest {
  private static final int V = 60;
  private static final int D = 7;
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private static Parameters table(DType type, int rows) {
    var table = Parameter.of(Philox.of(1).normal(type, 0, 1, rows, D));
    return Parameters.of(List.of(new Parameters.Named("table", table)));
  }

  private static Gradients gradients(Parameters table, Tensor tokens) {
    Tensor weights = Philox.of(5).normal(F64, 0, 1, tokens.dim(0), D);
    return Grad.of(
        () -> {
          Tensor rows = table.get("table").value().indexSelect(tokens, 0);
          return rows.square().mul(weights.cast(rows.dtype())).sum();
        },
        table);
  }

  private static Tensor value(Parameters table) {
    return table.get("table").value();
  }

  /** As PyTorch's, from the paper: without the option for rows. */
  private record Dense(Rule rule) implements Rule {
    @Override
    public List<Slot> slots() {
      return rule.slots();
    }

    @Override
    public Tensor update(Tensor parameter, Tensor gradient, Memory memory) {
      return rule.update(parameter, gradient, memory);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void adaGradOfRowsIsAdaGradOfTheTable(boolean startsAbove) {
    AdaGrad rule = startsAbove ? AdaGrad.rule().withInitial(0.5) : AdaGrad.rule();
    for (DType type : new DType[] {F32, F64}) {
      var sparse = table(type, V);
      var dense = table(type, V);
      var bySparse = rule.over(sparse, 0.1);
      var byDense = new Dense(rule).over(dense, 0.1);
      for (int k = 0; k < 5; k++) {
        Tensor tokens = Tensor.of(5 + k, 59, 5, 0, 17 * k % V);
        assertThat(gradients(sparse, tokens).unscaledRows(sparse.iterator().next())).isNotNull();
        bySparse.step(gradients(sparse, tokens).clipNorm(3));
        byDense.step(gradients(dense, tokens).clipNorm(3));
      }
      assertThat(value(sparse).sameValues(value(dense))).isTrue();
      assertThat(sum(bySparse).sameValues(sum(byDense))).isTrue();
    }
    assertThat(AdaGrad.rule().withWeightDecay(0.1).keepsRowsWithoutGradient()).isFalse();
    assertThat(AdaGrad.rule().withEpsilon(0).keepsRowsWithoutGradient()).isFalse();
  }

  private static Tensor sum(Optimizer optimizer) {
    return Objects.requireNonNull(optimizer.state().get("table.sum"));
  }

  /** What is read or written shows: NaN stands in all that must not be touched, and would spread. */
  @Tag("cpu") // others may compute all
  @DisabledIfSystemProperty(named = "carousel.fused", matches = "off")
  @DisabledIfSystemProperty(named = "carousel.vector", matches = "off")
  @Test
  void rowsThatWereNotLookedUpAreNotEvenRead() {
    for (Rule rule : List.of(AdaGrad.rule(), new LazyRows(Adam.rule()))) {
      var table = table(F32, V);
      var optimizer = rule.over(table, 0.1);
      Tensor tokens = Tensor.of(3, 3, 41);
      var g = gradients(table, tokens);
      Tensor before = value(table).copy();
      var slots = optimizer.state();
      slots.remove("step");
      slots.remove("rate");
      for (int row = 0; row < V; row++) {
        if (row == 3 || row == 41) {
          continue;
        }
        for (Tensor slot : slots.values()) {
          slot.select(0, row).fill(Double.NaN);
        }
      }
      optimizer.step(g);
      int changed = 0;
      for (int row = 0; row < V; row++) {
        Tensor now = value(table).select(0, row);
        assertThat(now.isFinite().all().item()).as("%s, row %d", rule, row).isEqualTo(1);
        if (!now.sameValues(before.select(0, row))) {
          changed++;
        }
      }
      assertThat(changed).as("%s", rule).isEqualTo(2);
    }
  }

  /** The formula by hand, row by row, with the step of the whole. */
  @ParameterizedTest
  @ValueSource(
      ints = {V, 4}) // looked up sparsely; and so many rows that the gradient is a dense one
  void lazyAdamIsAdamOfTheRowsThatHaveGradients(int rows) {
    var table = table(F64, rows);
    double[] p = value(table).toDoubleArray();
    double[] m = new double[p.length];
    double[] v = new double[p.length];
    var optimizer = new LazyRows(Adam.rule()).over(table, 0.1);
    int[][] batches = {{1, 3, 1, 0}, {2, 2, 2, 2}, {3, 1, 1, 1}, {0, 0, 0, 3}};
    for (int t = 1; t <= batches.length; t++) {
      var g = gradients(table, Tensor.of(batches[t - 1]));
      assertThat(g.unscaledRows(table.iterator().next()) == null).isEqualTo(rows == 4);
      double[] slope = g.get(table.iterator().next()).toDoubleArray();
      optimizer.step(g);
      for (int token : java.util.Arrays.stream(batches[t - 1]).distinct().toArray()) {
        for (int i = token * D; i < (token + 1) * D; i++) {
          m[i] = 0.9 * m[i] + 0.1 * slope[i];
          v[i] = 0.999 * v[i] + 0.001 * slope[i] * slope[i];
          double hat = Math.sqrt(v[i] / (1 - Math.pow(0.999, t))) + 1e-8;
          p[i] -= 0.1 * m[i] / (1 - Math.pow(0.9, t)) / hat;
        }
      }
    }
    Tensor expected = Tensor.of(Shape.of(rows, D), p);
    assertThat(value(table).sub(expected).abs().max().item()).isLessThan(1e-13);
  }

  @Test
  void aRuleThatIsNotElementwiseIsLazy() {
    record Normed() implements Rule {
      @Override
      public List<Slot> slots() {
        return List.of(Slot.zeros("sum"));
      }

      @Override
      public Tensor update(Tensor parameter, Tensor gradient, Memory memory) {
        Tensor sum = memory.set("sum", memory.get("sum").add(1));
        return parameter.sub(gradient.div(gradient.square().sum().sqrt())).sub(sum);
      }
    }
    var table = table(F64, V);
    Tensor before = value(table).copy();
    var optimizer = new LazyRows(new Normed()).over(table, 0.1);
    optimizer.step(gradients(table, Tensor.of(3, 3, 41)));
    for (int row = 0; row < V; row++) {
      boolean touched = row == 3 || row == 41;
      assertThat(value(table).select(0, row).sameValues(before.select(0, row))).isEqualTo(!touched);
      assertThat(sum(optimizer).select(0, row).max().item()).isEqualTo(touched ? 1 : 0);
    }
  }

  @Test
  void vectorsAndScalarsMayBeAmongThem() {
    var bias = Parameter.of(Tensor.of(1f, 2, 3));
    var scale = Parameter.of(Tensor.full(F32, 2));
    var empty = Parameter.of(Tensor.zeros(4, 0));
    var all =
        Parameters.of(
            List.of(
                new Parameters.Named("bias", bias),
                new Parameters.Named("scale", scale),
                new Parameters.Named("empty", empty)));
    Tensor mask = Tensor.of(1f, 0, 1);
    var optimizer = new LazyRows(Adam.rule()).over(all, 0.1);
    optimizer.step(
        Grad.of(
            () -> bias.value().mul(mask).sum().mul(scale.value()).add(empty.value().sum()), all));
    assertThat(bias.value().toFloatArray()[1]).isEqualTo(2);
    assertThat(bias.value().toFloatArray()[0])
        .isCloseTo(0.9f, org.assertj.core.data.Offset.offset(1e-5f));
    assertThat(scale.value().item()).isCloseTo(1.9, org.assertj.core.data.Offset.offset(1e-5));
  }

  /** What is remembered is the same: a training goes on lazily from where it stood, and the other way round. */
  @Test
  void aCheckpointOfTheRuleAloneIsOneOfItsLazyForm() {
    Tensor token = Tensor.of(3, 8);
    for (boolean lazyFirst : new boolean[] {true, false}) {
      Rule first = lazyFirst ? new LazyRows(Adam.rule()) : Adam.rule();
      Rule second = lazyFirst ? Adam.rule() : new LazyRows(Adam.rule());
      var table = table(F64, V);
      var before = first.over(table, 0.1);
      before.step(gradients(table, token));
      before.step(gradients(table, Tensor.of(5, 3)));
      var after = second.over(table, 0.5);
      after.restore(before.state());
      assertThat(after.steps()).isEqualTo(2);
      assertThat(after.learningRate()).isEqualTo(0.1);
      Tensor old = value(table).copy();
      var g = gradients(table, token);
      after.step(g);
      Tensor moved = value(table).sub(old);
      assertThat(moved.select(0, 40).abs().max().item()).isZero();
      assertThat(moved.select(0, 5).abs().max().item() > 0)
          .as("by what is remembered of it, which only the rule itself does")
          .isEqualTo(lazyFirst);
      assertThat(moved.select(0, 8).abs().min().item()).isPositive();
      assertThat(after.state().keySet()).isEqualTo(before.state().keySet());
    }
  }

  @Test
  void aLazyRuleIsNotMadeLazyAgain() {
    var lazy = new LazyRows(Adam.rule());
    assertThatThrownBy(() -> new LazyRows(lazy))
        .isInstanceOf(TensorException.class)
        .hasMessageStartingWith(
            "lazyRows: the rule leaves out rows without a gradient already: LazyRows[");
  }
}
