package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What ops mean, by examples worked by hand, on every device: this is what holds the reference
 * itself, where no golden of PyTorch does.
 */
@ParameterizedClass
@MethodSource("carousel.tensor.DevicesUnderTest#all")
class OpsTest {
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;
  private final TensorScope scope;

  OpsTest(Device device) {
    scope = TensorScope.open(device);
  }

  @AfterEach
  void close() {
    scope.close();
  }

  @Test
  void elementsOfWholeNumbersWrapAsInJava() {
    Tensor x = Tensor.of(Integer.MIN_VALUE, Integer.MAX_VALUE, 46341, -3, 0);
    assertThat(x.neg().toIntArray())
        .containsExactly(Integer.MIN_VALUE, -Integer.MAX_VALUE, -46341, 3, 0);
    assertThat(x.abs().toIntArray())
        .containsExactly(Integer.MIN_VALUE, Integer.MAX_VALUE, 46341, 3, 0);
    assertThat(x.square().toIntArray()).containsExactly(0, 1, -2_147_479_015, 9, 0);
    assertThat(x.add(1).toIntArray())
        .containsExactly(Integer.MIN_VALUE + 1, Integer.MIN_VALUE, 46342, -2, 1);
    assertThat(x.sub(1).get(0)).isEqualTo(Integer.MAX_VALUE);
    assertThat(x.mul(x).toIntArray()).isEqualTo(x.square().toIntArray());
    assertThat(x.sum().item()).isEqualTo(46341 - 3 - 1);
  }

  /** Whole numbers above 2²⁴ are not rounded to float on the way. */
  @Test
  void wholeNumbersStayExact() {
    int odd = (1 << 24) + 1;
    Tensor x = Tensor.of(odd, -odd);
    assertThat(x.relu().toIntArray()).containsExactly(odd, 0);
    assertThat(x.sign().toIntArray()).containsExactly(1, -1);
    assertThat(x.heaviside().toIntArray()).containsExactly(1, 0);
    assertThat(x.clamp(-5, odd - 1).toIntArray()).containsExactly(odd - 1, -5);
    assertThat(x.maximum(odd - 1).toIntArray()).containsExactly(odd, odd - 1);
    assertThat(x.max().item()).isEqualTo(odd);
    assertThat(x.eq(odd - 1).any().item()).isZero();
    assertThat(x.argmin(0).item()).isEqualTo(1);
    assertThat(x.sort(0, false).values().toIntArray()).containsExactly(-odd, odd);
  }

  @Test
  void logic() {
    Tensor a = Tensor.of(Shape.of(4), true, true, false, false);
    Tensor b = Tensor.of(Shape.of(4), true, false, true, false);
    assertThat(a.and(b).toBooleanArray()).containsExactly(true, false, false, false);
    assertThat(a.or(b).toBooleanArray()).containsExactly(true, true, true, false);
    assertThat(a.xor(b).toBooleanArray()).containsExactly(false, true, true, false);
    assertThat(a.not().toBooleanArray()).containsExactly(false, false, true, true);
    assertThat(a.eq(b).toBooleanArray()).containsExactly(true, false, false, true);
    assertThat(a.any().item()).isEqualTo(1);
    assertThat(a.all().item()).isZero();
    assertThat(a.reshape(2, 2).all(1).toBooleanArray()).containsExactly(true, false);
    Tensor none = Tensor.zeros(DType.BOOL, 0);
    assertThat(none.any().item()).isZero();
    assertThat(none.all().item()).isEqualTo(1);
  }

  @Test
  void comparisonsWithNanAreFalse() {
    Tensor x = Tensor.of(NAN, 1, INF);
    assertThat(x.eq(x).toBooleanArray()).containsExactly(false, true, true);
    assertThat(x.ne(x).toBooleanArray()).containsExactly(true, false, false);
    assertThat(x.lt(2).toBooleanArray()).containsExactly(false, true, false);
    assertThat(x.ge(1).toBooleanArray()).containsExactly(false, true, true);
    assertThat(x.isNan().toBooleanArray()).containsExactly(true, false, false);
    assertThat(x.isFinite().toBooleanArray()).containsExactly(false, true, false);
  }

  @Test
  void whereTakesNothingFromTheOtherSide() {
    Tensor mask = Tensor.of(Shape.of(2, 1), true, false);
    Tensor y = Tensor.where(mask, Tensor.of(1.0, 2), Tensor.of(NAN, INF));
    assertThat(y.toDoubleArray()).containsExactly(1, 2, NAN, INF);
    assertThat(Tensor.where(mask, Tensor.of(1), Tensor.of(2)).toIntArray()).containsExactly(1, 2);
  }

  @Test
  void castsCutSaturateAndTest() {
    Tensor x = Tensor.of(1.9, -1.9, 3e9, -INF, NAN, -0.0, 0.1);
    assertThat(x.cast(DType.I32).toIntArray())
        .containsExactly(1, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, 0, 0, 0);
    assertThat(x.cast(DType.BOOL).toBooleanArray())
        .containsExactly(true, true, true, true, true, false, true);
    assertThat(x.cast(DType.F32).get(6)).isEqualTo(0.1f);
    assertThat(Tensor.of(1e300, 5e-324).cast(DType.F32).toFloatArray())
        .containsExactly(Float.POSITIVE_INFINITY, 0);
    assertThat(x.cast(DType.F64)).isSameAs(x);
  }

  @Test
  void matrixProducts() {
    Tensor a = Tensor.of(Shape.of(2, 3), 1.0, 2, 3, 4, 5, 6);
    Tensor b = Tensor.of(Shape.of(3, 2), 1.0, 0, 0, 1, 1, 1);
    assertThat(a.matmul(b).toDoubleArray()).containsExactly(4, 5, 10, 11);
    assertThat(a.transpose(0, 1).matmul(b.transpose(0, 1)).toDoubleArray())
        .containsExactly(1, 4, 5, 2, 5, 7, 3, 6, 9);
    Tensor batch = Tensor.stack(List.of(a, a.neg()), 0);
    assertThat(batch.matmul(b).toDoubleArray()).containsExactly(4, 5, 10, 11, -4, -5, -10, -11);
    assertThat(batch.matmul(batch.transpose(1, 2)).shape()).isEqualTo(Shape.of(2, 2, 2));
    assertThat(a.matmul(Tensor.stack(List.of(b, b.mul(2)), 0)).toDoubleArray())
        .containsExactly(4, 5, 10, 11, 8, 10, 20, 22);
  }

  @Test
  void productsOverNothingAreZero() {
    Tensor y = Tensor.zeros(2, 0).matmul(Tensor.zeros(0, 3));
    assertThat(y.shape()).isEqualTo(Shape.of(2, 3));
    assertThat(y.toFloatArray()).containsOnly(0);
    assertThat(Tensor.zeros(2, 3, 0).matmul(Tensor.zeros(0, 4)).toFloatArray())
        .hasSize(24)
        .containsOnly(0);
    assertThat(Tensor.zeros(0, 3, 5).matmul(Tensor.zeros(5, 4)).shape())
        .isEqualTo(Shape.of(0, 3, 4));
    assertThat(Tensor.zeros(2, 0, 5).matmul(Tensor.zeros(5, 4)).shape())
        .isEqualTo(Shape.of(2, 0, 4));
  }

  @Test
  void gatherAndScatterAreAdjoint() {
    Tensor x = Tensor.of(Shape.of(2, 3), 1f, 2, 3, 4, 5, 6);
    Tensor index = Tensor.of(Shape.of(2, 2), 2, 0, 1, 1);
    assertThat(x.gather(index, 1).toFloatArray()).containsExactly(3, 1, 5, 5);
    Tensor source = Tensor.of(Shape.of(2, 2), 10f, 20, 30, 40);
    assertThat(x.scatterAdd(index, source, -1).toFloatArray()).containsExactly(21, 2, 13, 4, 75, 6);
    assertThat(x.toFloatArray()).as("the base").containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(x.gather(Tensor.of(Shape.of(1, 3), 1, 0, 1), 0).toFloatArray())
        .containsExactly(4, 2, 6);
  }

  @Test
  void slicesByIndex() {
    Tensor w = Tensor.of(Shape.of(3, 2), 1f, 2, 3, 4, 5, 6);
    Tensor tokens = Tensor.of(Shape.of(2, 2), 2, 0, 1, 2);
    Tensor y = w.indexSelect(tokens, 0);
    assertThat(y.shape()).isEqualTo(Shape.of(2, 2, 2));
    assertThat(y.toFloatArray()).containsExactly(5, 6, 1, 2, 3, 4, 5, 6);
    assertThat(w.indexSelect(Tensor.of(Shape.SCALAR, 1), 1).toFloatArray())
        .containsExactly(2, 4, 6);
    assertThat(w.indexAdd(tokens, y.onesLike(), 0).toFloatArray())
        .containsExactly(2, 3, 4, 5, 7, 8);
  }

  @Test
  void joins() {
    Tensor a = Tensor.of(Shape.of(2, 1), 1, 2);
    Tensor b = Tensor.of(Shape.of(2, 2), 3, 4, 5, 6);
    assertThat(Tensor.concat(List.of(a, b), 1).toIntArray()).containsExactly(1, 3, 4, 2, 5, 6);
    assertThat(Tensor.concat(List.of(b, b), -2).shape()).isEqualTo(Shape.of(4, 2));
    assertThat(Tensor.stack(List.of(a, a.neg()), -1).toIntArray()).containsExactly(1, -1, 2, -2);
    assertThat(Tensor.stack(List.of(a), 0).shape()).isEqualTo(Shape.of(1, 2, 1));
    assertThat(Tensor.concat(List.of(Tensor.zeros(0, 2), Tensor.ones(1, 2)), 0).toFloatArray())
        .containsExactly(1, 1);
  }

  @Test
  void pads() {
    Tensor x = Tensor.of(Shape.of(1, 2), 1f, 2f);
    assertThat(x.pad(1, 1, 2, 0).toFloatArray()).containsExactly(0, 1, 2, 0, 0);
    assertThat(x.pad(0, 0, 1, -3).toFloatArray()).containsExactly(1, 2, -3, -3);
    assertThat(x.pad(-1, 0, 0, 7).toFloatArray()).containsExactly(1, 2);
    assertThat(x.gt(1).pad(1, 1, 0, 0).toBooleanArray()).containsExactly(false, false, true);
    assertThat(x.gt(1).pad(1, 1, 0, 1).toBooleanArray()).containsExactly(true, false, true);
    assertThat(Tensor.zeros(0).pad(0, 1, 1, 2).toFloatArray()).containsExactly(2, 2);
  }

  @Test
  void sortsStablyWithNanGreatest() {
    Tensor x = Tensor.of(2.0, NAN, -0.0, 1, 0.0, -INF, 2);
    Reductions.Sorted up = x.sort(0, false);
    assertThat(up.values().toDoubleArray()).containsExactly(-INF, -0.0, 0, 1, 2, 2, NAN);
    assertThat(up.indices().toIntArray()).containsExactly(5, 2, 4, 3, 0, 6, 1);
    assertThat(x.sort(0, true).indices().toIntArray()).containsExactly(1, 0, 6, 3, 2, 4, 5);
    assertThat(x.topK(3, 0).indices().toIntArray()).containsExactly(1, 0, 6);
    assertThat(x.topK(0, 0).values().size()).isZero();
    assertThat(x.argmax(0).item()).isEqualTo(1);
    assertThat(x.argmin(0).item()).isEqualTo(1);
  }

  @Test
  void reductionsKeepOrDropAxes() {
    Tensor x = Tensor.arange(DType.F64, 1, 7, 1).reshape(2, 3);
    assertThat(x.sum().shape()).isEqualTo(Shape.SCALAR);
    assertThat(x.sum(new int[0], true).shape()).isEqualTo(Shape.of(1, 1));
    assertThat(x.sum(-1).toDoubleArray()).containsExactly(6, 15);
    assertThat(x.sum(0, true).shape()).isEqualTo(Shape.of(1, 3));
    assertThat(x.mean(0).toDoubleArray()).containsExactly(2.5, 3.5, 4.5);
    assertThat(x.max(1, 0).item()).isEqualTo(6);
    assertThat(x.min(1, true).toDoubleArray()).containsExactly(1, 4);
    assertThat(x.prod(1).toDoubleArray()).containsExactly(6, 120);
    assertThat(x.prod(new int[0], true).shape()).isEqualTo(Shape.of(1, 1));
    assertThat(x.norm().item()).isCloseTo(Math.sqrt(91), within(1e-14));
    assertThat(x.norm(0, true).shape()).isEqualTo(Shape.of(1, 3));
    assertThat(x.logSumExp(1, true).shape()).isEqualTo(Shape.of(2, 1));
    assertThat(x.variance().item()).isCloseTo(3.5, within(1e-14));
    assertThat(x.variance(1, true, 0).toDoubleArray()[1]).isCloseTo(2.0 / 3, within(1e-14));
    assertThat(Tensor.full(DType.F64, 5).sum().item()).isEqualTo(5);
    assertThat(Tensor.full(DType.F64, 5).variance().item()).isNaN();
    assertThat(x.gt(3).any(1, true).shape()).isEqualTo(Shape.of(2, 1));
    assertThat(x.gt(3).all(1, true).toBooleanArray()).containsExactly(false, true);
  }

  @Test
  void productsOfNothingAreOne() {
    Tensor empty = Tensor.zeros(3, 0);
    assertThat(empty.prod(1).toFloatArray()).containsExactly(1, 1, 1);
    assertThat(empty.prod(0).size()).isZero();
    assertThat(empty.cast(DType.I32).prod(1).toIntArray()).containsExactly(1, 1, 1);
    assertThat(Tensor.zeros(0, 2).max(1).size()).as("nothing to choose for").isZero();
  }

  @Test
  void scalarOperandsTakeTheTypeOfTheTensor() {
    Tensor x = Tensor.of(2f);
    for (Tensor y :
        List.of(
            x.add(1),
            x.sub(1),
            x.mul(3),
            x.div(2),
            x.pow(2),
            x.maximum(3),
            x.minimum(1),
            x.leakyRelu(0.1),
            x.elu(1),
            x.clamp(0, 1),
            x.fma(2, x))) {
      assertThat(y.dtype()).isEqualTo(DType.F32);
    }
    assertThat(x.fma(3, Tensor.of(1f)).item()).isEqualTo(7);
    assertThat(x.fma(Tensor.of(3f), Tensor.of(2f)).item()).isEqualTo(8);
    assertThat(x.clamp(Tensor.of(3f), Tensor.of(4f)).item()).isEqualTo(3);
    assertThat(x.leakyRelu(Tensor.of(0.1f)).item()).isEqualTo(2);
    assertThat(x.neg().elu(Tensor.of(2f)).item()).isCloseTo(2 * Math.expm1(-2), within(1e-6));
    assertThat(Tensor.of(-3).maximum(Tensor.of(-5)).item()).isEqualTo(-3);
    assertThat(Tensor.of(-3).minimum(Tensor.of(-5)).item()).isEqualTo(-5);
    assertThat(Tensor.of(3).le(3).item()).isEqualTo(1);
    assertThat(Tensor.of(3).gt(Tensor.of(3)).item()).isZero();
    assertThat(Tensor.of(3).lt(Tensor.of(4)).item()).isEqualTo(1);
    assertThat(Tensor.of(3).le(Tensor.of(2)).item()).isZero();
    assertThat(Tensor.of(3).ge(Tensor.of(2)).item()).isEqualTo(1);
    assertThat(Tensor.of(3).eq(Tensor.of(3)).item()).isEqualTo(1);
    assertThat(Tensor.of(3).ne(Tensor.of(3)).item()).isZero();
    assertThat(Tensor.of(3).ne(2).item()).isEqualTo(1);
    assertThat(Tensor.of(2.0).pow(Tensor.of(0.5)).item()).isCloseTo(Math.sqrt(2), within(1e-15));
  }

  @Test
  void sumToUndoesBroadcasting() {
    Tensor x = Tensor.ones(DType.F64, 2, 3, 4);
    assertThat(x.sumTo(Shape.of(3, 1)).toDoubleArray()).containsExactly(8, 8, 8);
    assertThat(x.sumTo(Shape.SCALAR).item()).isEqualTo(24);
    assertThat(x.sumTo(Shape.of(1, 2, 3, 4).without(0))).isSameAs(x);
    assertThat(x.sumTo(Shape.of(1, 3, 4)).shape()).isEqualTo(Shape.of(1, 3, 4));
    assertThat(Tensor.ones(0, 3).sumTo(Shape.of(1, 3)).toFloatArray()).containsOnly(0).hasSize(3);
    assertThat(Tensor.ones(1, 3).sumTo(Shape.of(3)).shape()).isEqualTo(Shape.of(3));
  }
}
