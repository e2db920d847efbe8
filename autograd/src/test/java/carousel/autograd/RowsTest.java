package carousel.autograd;

import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Gradients of tables from which few rows were looked up. */
class RowsTest {
  private final TensorScope scope = TensorScope.open();
  private final Named table = new Named("table", Philox.of(1).normal(F64, 0, 1, 50, 3));
  private final Tensor tokens = Tensor.of(Shape.of(2, 3), 7, 49, 7, 0, 7, 3);
  private final Tensor weight = Philox.of(2).normal(F64, 0, 1, 2, 3, 3);

  private record Named(String name, Tensor value) implements Leaf {}

  @AfterEach
  void close() {
    scope.close();
  }

  private Tensor lookup() {
    return table.value.indexSelect(tokens, 0).mul(weight).sum();
  }

  /** The same sum through another op, whose gradient is dense. */
  private Tensor densely() {
    return table.value.add(0).indexSelect(tokens, 0).mul(weight).sum();
  }

  private Rows rows(Gradients g) {
    return Objects.requireNonNull(g.unscaledRows(table));
  }

  private Gradients sparse() {
    return Grad.of(this::lookup, List.of(table));
  }

  private Gradients dense() {
    var g = Grad.of(this::densely, List.of(table));
    assertThat(g.unscaledRows(table)).isNull();
    return g;
  }

  private static void same(Tensor actual, Tensor expected) {
    assertThat(actual.sub(expected).abs().max().item()).isLessThan(1e-14);
  }

  @Test
  void holdOnlyWhatWasLookedUp() {
    Rows rows = rows(sparse());
    // Six were looked up; 7 three times.
    assertThat(rows.index().toIntArray()).containsExactly(0, 3, 7, 49, -1, -1);
    assertThat(rows.values().shape()).isEqualTo(Shape.of(6, 3));
    assertThat(rows.values().slice(0, 4, 6, 1).toDoubleArray()).containsOnly(0);
    assertThat(rows.dense().sameValues(dense().get(0))).isTrue();
    assertThat(sparse().get(0).sameValues(dense().get(0))).isTrue();
  }

  @Test
  void addUpOverLookups() {
    var twice = Grad.of(() -> lookup().add(lookup().mul(3)), List.of(table));
    assertThat(rows(twice).index().toIntArray()).startsWith(0, 3, 7, 49, -1).hasSize(12);
    same(twice.get(0), dense().get(0).mul(4));
  }

  @Test
  void haveTheNormOfTheWholeAndAreClippedByIt() {
    assertThat(sparse().norm()).isCloseTo(dense().norm(), within(1e-14));
    var clipped = sparse().clipNorm(0.1);
    same(clipped.get(0), dense().clipNorm(0.1).get(0));
    assertThat(rows(clipped).values().shape()).isEqualTo(Shape.of(6, 3));
    assertThat(clipped.norm()).isCloseTo(0.1, within(1e-6));
    same(sparse().clipValue(0.2).get(0), dense().clipValue(0.2).get(0));
  }

  @Test
  void addUpOverBatches() {
    Tensor others = Tensor.of(9, 3);
    var more = Grad.of(() -> table.value.indexSelect(others, 0).square().sum(), List.of(table));
    var sum = sparse().scale(0.5).plus(more.scale(2));
    assertThat(rows(sum).index().toIntArray()).containsExactly(-1, 0, 3, 7, 9, 49, -1, -1);
    same(sum.get(0), dense().get(0).mul(0.5).add(more.get(0).mul(2)));
    var mixed = sparse().plus(dense());
    assertThat(mixed.unscaledRows(table)).isNull();
    same(mixed.get(0), dense().get(0).mul(2));
  }

  @Test
  void becomeDenseWhereBatchesLookUpAsManyAsThereAre() {
    Gradients sum = sparse();
    for (int batch = 1; batch < 9; batch++) {
      assertThat(rows(sum).index().dim(0)).isLessThan(50);
      sum = sum.plus(sparse());
    }
    assertThat(sum.unscaledRows(table)).isNull();
    same(sum.get(0), dense().get(0).mul(9));
  }

  @Test
  void becomeDenseWhereTheTableIsUsedOtherwise() {
    var tied = Grad.of(() -> lookup().add(table.value.square().sum()), List.of(table));
    assertThat(tied.unscaledRows(table)).isNull();
    same(tied.get(0), dense().get(0).add(table.value.mul(2)));
  }

  @Test
  void areNotWorthItForAsManyLookupsAsRows() {
    Tensor all = Tensor.of(new int[50]);
    var g = Grad.of(() -> table.value.indexSelect(all, 0).sum(), List.of(table));
    assertThat(g.unscaledRows(table)).isNull();
    assertThat(g.get(0).sum().item()).isEqualTo(150);
  }

  @Test
  void areDifferentiableAgain() {
    Tensor direction = Philox.of(3).normal(F64, 0, 1, 50, 3);
    var hvp =
        Grad.hvp(
            () -> table.value.indexSelect(tokens, 0).square().sum(),
            List.of(table.value),
            List.of(direction));
    double[] seen = new double[50];
    for (int token : tokens.toIntArray()) {
      seen[token] += 2;
    }
    same(hvp.getFirst(), direction.mul(Tensor.of(seen).unsqueeze(1)));
  }

  @Test
  void outliveTheTokens() {
    Rows rows;
    try (var step = TensorScope.open()) {
      Tensor mine = tokens.copy();
      var g = Grad.of(() -> table.value.indexSelect(mine, 0).mul(weight).sum(), List.of(table));
      mine.fill(1);
      rows = rows(g);
      step.keep(rows.index());
      step.keep(rows.values());
    }
    assertThat(rows.dense().sameValues(dense().get(0))).isTrue();
  }

  @Test
  void noticeTokensThatChangeBeforeBackward() {
    assertThatThrownBy(() ->
            Grad.of(
                () -> {
                  Tensor y = lookup();
                  tokens.fill(1);
                  return y;
                },
                List.of(table)))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("changed in place");
  }

  @Test
  void sayWhatIsNoneOfThem() {
    assertThatThrownBy(() -> new Rows(Shape.of(5, 2), Tensor.of(1, 2), Tensor.zeros(2, 3)))
        .isInstanceOf(TensorException.class)
        .hasMessage("rows: index I32 [2] and values [2,3] are no rows of [5,2]");
  }
}
