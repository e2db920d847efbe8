package carousel.nn.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Attention against loops over queries and keys. */
class AttentionTest {
  private static final int M = 3;
  private static final int N = 4;
  private static final int D = 5;
  private static final int E = 2;

  private TensorScope scope;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static Tensor random(int seed, int... dims) {
    return Philox.of(seed).normal(DType.F64, 0, 1, dims);
  }

  private static double[] byLoops(Tensor q, Tensor k, Tensor v, boolean[] mask) {
    double[] y = new double[M * E];
    for (int m = 0; m < M; m++) {
      double sum = 0;
      for (int n = 0; n < N; n++) {
        if (mask[m * N + n]) {
          double score = 0;
          for (int d = 0; d < D; d++) {
            score += q.get(m, d) * k.get(n, d);
          }
          double weight = Math.exp(score / Math.sqrt(D));
          sum += weight;
          for (int e = 0; e < E; e++) {
            y[m * E + e] += weight * v.get(n, e);
          }
        }
      }
      for (int e = 0; e < E; e++) {
        y[m * E + e] = sum == 0 ? 0 : y[m * E + e] / sum;
      }
    }
    return y;
  }

  private static void close(Tensor y, double... expected) {
    double[] actual = y.toDoubleArray();
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(1e-14));
    }
  }

  @Test
  void isAMeanOfValuesByTheirKeys() {
    Tensor q = random(1, M, D);
    Tensor k = random(2, N, D);
    Tensor v = random(3, N, E);
    boolean[] all = new boolean[M * N];
    Arrays.fill(all, true);
    close(Attention.scaledDotProduct(q, k, v), byLoops(q, k, v, all));
    boolean[] some = {
      true, false, true, false, false, false, false, false, true, true, true, false
    };
    Tensor mask = Tensor.of(Shape.of(M, N), some);
    close(Attention.scaledDotProduct(q, k, v, mask), byLoops(q, k, v, some));
  }

  @Test
  void batchesAndHeadsBroadcast() {
    Tensor q = random(1, 2, 3, M, D);
    Tensor k = random(2, 1, N, D);
    Tensor v = random(3, N, E);
    Tensor y = Attention.scaledDotProduct(q, k, v);
    assertThat(y.shape()).isEqualTo(Shape.of(2, 3, M, E));
    Tensor one = q.select(0, 1).select(0, 2);
    Tensor alone = Attention.scaledDotProduct(one, k.select(0, 0), v);
    close(y.select(0, 1).select(0, 2), alone.toDoubleArray());
  }

  /** A query without keys gives 0, and its gradients are 0: none of them is NaN. */
  @Test
  void gradientsToSecondOrderWithAnEmptyQuery() {
    Tensor mask = Tensor.of(Shape.of(M, N), 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0).ne(0);
    Tensor q = random(1, M, D);
    GradCheck.standard()
        .withOrder(2)
        .run(
            "attention",
            in -> Attention.scaledDotProduct(in[0], in[1], in[2], mask),
            q,
            random(2, N, D),
            random(3, N, E))
        .require();
    Tensor k = random(2, N, D);
    Tensor v = random(3, N, E);
    Tensor by = Grad.of(() -> Attention.scaledDotProduct(q, k, v, mask).sum(), q).get(0);
    assertThat(by.select(0, 1).toDoubleArray()).containsOnly(0);
  }

  /**
   * A mask of too few axes is an error whatever the sizes are: also where there are as many queries as rows, so that
   * {@code [rows,n]} could pass for {@code [m,n]}, and where a size is 1.
   */
  @Test
  void aMaskHasAllAxesOfTheScores() {
    for (int rows : new int[] {M, 1, 7}) {
      Tensor q = random(1, rows, M, D);
      Tensor k = random(2, rows, N, D);
      Tensor v = random(3, rows, N, E);
      for (Shape fewer : List.of(Shape.of(rows, N), Shape.of(M, N), Shape.of(1, N), Shape.of(N))) {
        Tensor mask = Tensor.ones(DType.BOOL, fewer.toArray());
        assertThatThrownBy(() -> Attention.scaledDotProduct(q, k, v, mask))
            .isInstanceOf(TensorException.class)
            .hasMessageContaining("the mask is " + fewer + ", the scores of queries and keys are [")
            .hasMessageContaining("[1,m,n]")
            .hasMessageContaining("[N,1,n]");
      }
      assertThatThrownBy(
              () -> Attention.scaledDotProduct(q, k, v, Tensor.ones(DType.BOOL, 1, rows, 1, N)))
          .hasMessageContaining("the mask is [1," + rows + ",1,4]");
      assertThatThrownBy(
              () -> Attention.scaledDotProduct(q, k, v, Tensor.ones(DType.BOOL, rows, M, N + 1)))
          .hasMessageContaining("[" + rows + ",3,5], the scores");
    }
  }

  /** Padding of keys, as many rows as queries: each row is what it is alone, without its padding. */
  @Test
  void paddedKeysAreNotSeen() {
    Tensor q = random(1, M, M, D);
    Tensor k = random(2, M, N, D);
    Tensor v = random(3, M, N, E);
    Tensor lengths = Tensor.of(2, 4, 1);
    Tensor there = Tensor.arange(N).unsqueeze(0).lt(lengths.unsqueeze(1));
    Tensor causal = Tensor.ones(DType.BOOL, M, N).tril(0);
    Tensor y = Attention.scaledDotProduct(q, k, v, there.unsqueeze(1));
    Tensor both = Attention.scaledDotProduct(q, k, v, causal.unsqueeze(0).and(there.unsqueeze(1)));
    for (int row = 0; row < M; row++) {
      int n = (int) lengths.get(row);
      Tensor keys = k.select(0, row).narrow(0, 0, n);
      Tensor values = v.select(0, row).narrow(0, 0, n);
      Tensor alone = Attention.scaledDotProduct(q.select(0, row), keys, values);
      close(y.select(0, row), alone.toDoubleArray());
      Tensor past =
          Attention.scaledDotProduct(q.select(0, row), keys, values, causal.narrow(1, 0, n));
      close(both.select(0, row), past.toDoubleArray());
    }
    // The same queries and keys under several masks.
    Tensor one =
        Attention.scaledDotProduct(q.narrow(0, 0, 1), k.narrow(0, 0, 1), v, there.unsqueeze(1));
    assertThat(one.shape()).isEqualTo(Shape.of(M, M, E));
  }

  @Test
  void saysWhatDoesNotFit() {
    Tensor q = random(1, M, D);
    assertThatThrownBy(() -> Attention.scaledDotProduct(q, random(2, N, 4), random(3, N, E)))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("scaledDotProduct: wants queries [..,m,d]")
        .hasMessageContaining("got [3,5], [4,4] and [4,2]");
    assertThatThrownBy(() -> Attention.scaledDotProduct(q, q, q, Tensor.ones(M, M)))
        .hasMessageContaining("the mask must be BOOL, got F32 [3,3]");
  }
}
