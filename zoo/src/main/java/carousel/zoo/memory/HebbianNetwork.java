package carousel.zoo.memory;

import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import java.util.stream.DoubleStream;

/**
 * {@code W = Σ ξᵀξ} without its diagonal, over patterns {@code ξ ∈ {−1, 1}^N}; one unit after the other, in a random
 * order, takes {@code s ← sgn(W·s)} until none changes.
 *
 * <p>Source: J. J. Hopfield, PNAS 79:2554 (1982).
 */
final class HebbianNetwork {
  private final Tensor weights;
  private final int patterns;
  private final float[] w;
  private final int n;

  /**
   * Learns.
   *
   * @param patterns F32 {@code [P,N]} of −1 and 1: sums are whole numbers, and exact in any order
   */
  HebbianNetwork(Tensor patterns) {
    this.patterns = patterns.dim(0);
    n = patterns.dim(1);
    weights = patterns.transpose(0, 1).matmul(patterns);
    w = weights.toFloatArray();
  }

  /**
   * What cues become.
   *
   * @param cues {@code [B,N]}
   * @return the states in which nothing changes any more, one after the other
   */
  float[] recall(Tensor cues, Philox rng) {
    var states = cues.toFloatArray();
    var fields = cues.matmul(weights).sub(cues.mul(patterns)).toFloatArray(); // no diagonal
    for (int from = 0; from < states.length; from += n) {
      settle(states, fields, from, rng);
    }
    return states;
  }

  /** The energy {@code −½ sᵀWs} falls with every change, so that this ends. */
  private void settle(float[] states, float[] fields, int from, Philox rng) {
    for (boolean changed = true; changed; ) {
      changed = false;
      for (var i : rng.permutation(n).toIntArray()) {
        float s = states[from + i];
        if (s * fields[from + i] >= 0) {
          continue;
        }
        states[from + i] = -s;
        changed = true;
        for (int j = 0; j < n; j++) {
          fields[from + j] -= 2 * s * w[i * n + j];
        }
        fields[from + i] += 2 * s * w[i * n + i];
      }
    }
  }

  /**
   * How much of a pattern is recalled if {@code N → ∞}: the overlap {@code m = erf(y)} of the largest y with {@code y
   * (√(2α) + 2/√π · exp(−y²)) = erf(y)}; there is none above a load of 0.138, and nothing is recalled.
   *
   * <p>Source: D. J. Amit, H. Gutfreund and H. Sompolinsky, Phys. Rev. Lett. 55:1530 (1985).
   *
   * @param load α, patterns per neuron
   * @return m; 0 where there is no such y
   */
  static double limit(double load) {
    return DoubleStream.iterate(4, y -> y > 0.5, y -> y - 1e-4)
        .filter(
            y -> erf(y) >= y * (Math.sqrt(2 * load) + 2 / Math.sqrt(Math.PI) * Math.exp(-y * y)))
        .findFirst()
        .stream()
        .map(HebbianNetwork::erf)
        .findFirst()
        .orElse(0);
  }

  /** By its series, whose terms shrink once k is larger than x². */
  private static double erf(double x) {
    double sum = 0.0;
    double term = x;
    for (int k = 0; k < 200; k++) {
      sum += term / (2 * k + 1);
      term *= -x * x / (k + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }
}
