package carousel.zoo.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import org.junit.jupiter.api.Test;

class HebbianNetworkTest {
  /** No unit of what is recalled wants to change, by the sums themselves, and the energy is not above that of the cue. */
  @Test
  void recallsAreFixedPointsOfLowerEnergy() {
    try (var scope = TensorScope.open()) {
      var rng = Philox.of(3);
      Tensor patterns = rng.bernoulli(0.5, 9, 40).cast(DType.F32).mul(2).sub(1);
      Tensor cues = rng.bernoulli(0.5, 6, 40).cast(DType.F32).mul(2).sub(1);
      var states = new HebbianNetwork(patterns).recall(cues, rng);
      var xi = patterns.toFloatArray();
      for (int b = 0; b < 6; b++) {
        var after = new double[40];
        var before = new double[40];
        for (int i = 0; i < 40; i++) {
          after[i] = states[b * 40 + i];
          before[i] = cues.toFloatArray()[b * 40 + i];
        }
        for (int i = 0; i < 40; i++) {
          assertThat(after[i] * field(xi, after, i)).as("unit %d of %d", i, b).isNotNegative();
        }
        assertThat(energy(xi, after)).isLessThanOrEqualTo(energy(xi, before));
      }
    }
  }

  private static double field(float[] xi, double[] s, int i) {
    double sum = 0.0;
    for (int p = 0; p < 9; p++) {
      for (int j = 0; j < 40; j++) {
        if (j != i) {
          sum += xi[p * 40 + i] * xi[p * 40 + j] * s[j];
        }
      }
    }
    return sum;
  }

  private static double energy(float[] xi, double[] s) {
    double sum = 0.0;
    for (int i = 0; i < 40; i++) {
      sum -= s[i] * field(xi, s, i) / 2;
    }
    return sum;
  }

  @Test
  void fewPatternsAreRecalledFromNoisyCues() {
    try (var scope = TensorScope.open()) {
      var rng = Philox.of(4);
      Tensor patterns = rng.bernoulli(0.5, 5, 200).cast(DType.F32).mul(2).sub(1);
      Tensor noise = rng.bernoulli(0.2, 5, 200).cast(DType.F32).mul(-2).add(1);
      assertThat(new HebbianNetwork(patterns).recall(patterns.mul(noise), rng))
          .isEqualTo(patterns.toFloatArray());
    }
  }

  /** α = 0.137905, m = 0.967: Amit, Gutfreund and Sompolinsky 1987. */
  @Test
  void theLimitEndsAtTheCriticalLoad() {
    assertThat(HebbianNetwork.limit(0.1379)).isCloseTo(0.967, within(2e-3));
    assertThat(HebbianNetwork.limit(0.1380)).isZero();
    assertThat(HebbianNetwork.limit(0.01)).isCloseTo(1, within(1e-6));
  }
}
