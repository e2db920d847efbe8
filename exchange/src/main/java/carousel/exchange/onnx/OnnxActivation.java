package carousel.exchange.onnx;

import carousel.tensor.Tensor;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * An activation function as the recurrent operators of ONNX name it, with its two numbers.
 *
 * @param function which
 * @param alpha α, for those that have one; 0 for the others
 * @param beta β, for those that have one; 0 for the others
 */
public record OnnxActivation(Function function, double alpha, double beta) {
  /** {@code 1 / (1 + e^−x)}. */
  public static final OnnxActivation SIGMOID = new OnnxActivation(Function.SIGMOID, 0, 0);

  /** {@code tanh x}. */
  public static final OnnxActivation TANH = new OnnxActivation(Function.TANH, 0, 0);

  /** {@code max(x, 0)}. */
  public static final OnnxActivation RELU = new OnnxActivation(Function.RELU, 0, 0);

  /** {@code x}. */
  public static final OnnxActivation IDENTITY = new OnnxActivation(Function.AFFINE, 1, 0);

  /** The functions of the standard. */
  public enum Function {
    /** {@code max(x, 0)}. */
    RELU("Relu") {
      @Override
      Tensor apply(Tensor x, double alpha, double beta) {
        return x.relu();
      }
    },
    /** {@code tanh x}. */
    TANH("Tanh") {
      @Override
      Tensor apply(Tensor x, double alpha, double beta) {
        return x.tanh();
      }
    },
    /** {@code 1 / (1 + e^−x)}. */
    SIGMOID("Sigmoid") {
      @Override
      Tensor apply(Tensor x, double alpha, double beta) {
        return x.sigmoid();
      }
    },
    /** {@code α x + β}. */
    AFFINE("Affine", 1, 0) {
      @Override
      Tensor apply(Tensor x, double alpha, double beta) {
        return alpha == 1 && beta == 0 ? x : x.mul(alpha).add(beta);
      }
    },
    /** {@code x} where it is positive, else {@code α x}. */
    LEAKY_RELU("LeakyRelu", 0.01) {
      @Override
      Tensor apply(Tensor x, double alpha, double beta) {
        return x.leakyRelu(alpha);
      }
    },
    /** {@code x} where {@code x ≥ α}, else 0. */
    THRESHOLDED_RELU("ThresholdedRelu", 1) {
      @Override
      Tensor apply(Tensor x, double alpha, double beta) {
        return Tensor.where(x.ge(alpha), x, x.scalarLike(0));
      }
    },
    /** {@code α tanh(β x)}. */
    SCALED_TANH("ScaledTanh", 1, 1) {
      @Override
      Tensor apply(Tensor x, double alpha, double beta) {
        return x.mul(beta).tanh().mul(alpha);
      }
    },
    /** {@code min(max(α x + β, 0), 1)}. */
    HARD_SIGMOID("HardSigmoid", 0.2, 0.5) {
      @Override
      Tensor apply(Tensor x, double alpha, double beta) {
        return x.mul(alpha).add(beta).clamp(0, 1);
      }
    },
    /** {@code x} where it is positive, else {@code α (e^x − 1)}. */
    ELU("Elu", 1) {
      @Override
      Tensor apply(Tensor x, double alpha, double beta) {
        return x.elu(alpha);
      }
    },
    /** {@code x / (1 + |x|)}. */
    SOFTSIGN("Softsign") {
      @Override
      Tensor apply(Tensor x, double alpha, double beta) {
        return x.div(x.abs().add(1));
      }
    },
    /** {@code log(1 + e^x)}. */
    SOFTPLUS("Softplus") {
      @Override
      Tensor apply(Tensor x, double alpha, double beta) {
        return x.softplus();
      }
    };

    private final String label;
    private final double[] defaults;

    Function(String label, double... defaults) {
      this.label = label;
      this.defaults = defaults;
    }

    abstract Tensor apply(Tensor x, double alpha, double beta);

    /** The name that stands in a file. */
    String label() {
      return label;
    }

    boolean hasAlpha() {
      return defaults.length > 0;
    }

    boolean hasBeta() {
      return defaults.length > 1;
    }

    double defaultAlpha() {
      return hasAlpha() ? defaults[0] : 0;
    }

    double defaultBeta() {
      return hasBeta() ? defaults[1] : 0;
    }

    /** By the name in a file, whose case does not count. */
    static Optional<Function> named(String label) {
      return Stream.of(values())
          .filter(f -> f.label.toLowerCase(Locale.ROOT).equals(label.toLowerCase(Locale.ROOT)))
          .findFirst();
    }
  }

  /**
   * Applies it elementwise.
   *
   * @param x any tensor
   * @return a tensor of the same shape
   */
  public Tensor apply(Tensor x) {
    return function.apply(x, alpha, beta);
  }

  /** The name and the numbers it has, e.g. {@code Elu(1.0)}. */
  @Override
  public String toString() {
    return function.label
        + (function.hasBeta()
            ? "(" + alpha + ", " + beta + ")"
            : function.hasAlpha() ? "(" + alpha + ")" : "");
  }
}
