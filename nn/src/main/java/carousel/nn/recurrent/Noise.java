package carousel.nn.recurrent;

import carousel.tensor.TensorException;
import java.util.Arrays;
import java.util.List;

/**
 * The noise of a layer over time while it is trained, that is, inside of {@link
 * carousel.nn.Training#with}: rates of dropout, and of states that stay. It has no parameters, and goes
 * around the step of any cell:
 *
 * <pre>{@code
 * Recurrent.of(lstm).withNoise(Noise.none().inputs(0.2).states(0.3, 0).outputs(0.2));   // h, not c
 * Recurrent.of(lstm).withNoise(Noise.none().zoneout(0.05, 0.5));                        // h, then c
 * Recurrent.of(gru).withNoise(Noise.none().candidate(0.25, Noise.Per.STEP));
 * }</pre>
 *
 * <ul>
 *   <li><b>Variational dropout</b> {@code ṽ = v ⊙ m / (1 − p)}, {@code m ~ Bernoulli(1 − p)}, of inputs {@code
 *       [N,D]}, of states {@code [N,C]} as weights multiply them, and of outputs {@code [N,H]}: <em>one mask
 *       for all steps of a run</em>. Source: Gal and Ghahramani 2016, who drop rows of weights. What a cell
 *       carries on beside its products (an LSTM's c, a GRU's {@code z ⊙ H'}) is neither dropped nor scaled; in
 *       a cell of your own that does so, see {@link Cell#step(Tensor, RecurrentState, RecurrentState)}.
 *   <li><b>Zoneout</b> {@code s = m ⊙ s' + (1 − m) ⊙ cell(x, s')}, {@code m ~ Bernoulli(z)}: a unit keeps its
 *       old value s', masks {@code [T,N,C]}. Outside of training m is its expectation z, so that this noise
 *       alone changes what a layer computes there. Source: Krueger, Maharaj, Kramár, Pezeshki, Ballas, Ke,
 *       Goyal, Bengio, Courville and Pal 2016.
 *   <li><b>Recurrent dropout</b> {@code C = f ⊙ C' + i ⊙ (g ⊙ m / (1 − p))}, of what a {@link CandidateCell}
 *       adds to its memory. Source: Semeniuta, Severyn and Barth 2016.
 * </ul>
 *
 * <p>Masks are drawn once per run, before the first step, in the order of the parameters below; so results
 * depend neither on whether a kernel runs nor on the number of threads. With a rate of 1 everything is
 * dropped, or kept. Two runs, the windows of truncated backpropagation among them, have different masks.
 *
 * @param inputs the rate at which inputs are dropped
 * @param states the rates at which tensors of the state are dropped, in the order of the record: one for
 *     each, one for all, or none
 * @param outputs the rate at which outputs are dropped
 * @param zoneout the rates at which tensors of the state keep their values, likewise
 * @param candidate the rate at which candidates are dropped
 * @param per how often a mask of candidates is drawn
 */
public record Noise(
    double inputs,
    List<Double> states,
    double outputs,
    List<Double> zoneout,
    double candidate,
    Per per) {
  /** What a mask is drawn for. */
  public enum Per {
    /** A mask for every step. */
    STEP,
    /** One mask for all steps of a run. */
    SEQUENCE
  }

  private static final Noise NONE = new Noise(0, List.of(), 0, List.of(), 0, Per.STEP);

  /** Checks the rates and copies the lists. */
  public Noise {
    check("inputs", inputs);
    states = List.copyOf(states);
    states.forEach(rate -> check("states", rate));
    check("outputs", outputs);
    zoneout = List.copyOf(zoneout);
    zoneout.forEach(rate -> check("zoneout", rate));
    check("candidate", candidate);
  }

  private static void check(String what, double rate) {
    if (!(rate >= 0 && rate <= 1)) {
      throw new TensorException("noise: the rate of " + what + " must be in [0, 1], got " + rate);
    }
  }

  /**
   * No noise.
   *
   * @return rates of 0
   */
  public static Noise none() {
    return NONE;
  }

  /**
   * This noise, and dropout of inputs by one mask.
   *
   * @param rate p
   * @return the noise
   */
  public Noise inputs(double rate) {
    return new Noise(rate, states, outputs, zoneout, candidate, per);
  }

  /**
   * This noise, and dropout of the states that weights multiply, by one mask.
   *
   * @param rates p, for each tensor of the state or one for all
   * @return the noise
   */
  public Noise states(double... rates) {
    return new Noise(inputs, boxed(rates), outputs, zoneout, candidate, per);
  }

  /**
   * This noise, and dropout of outputs by one mask. What is carried from step to step is not touched.
   *
   * @param rate p
   * @return the noise
   */
  public Noise outputs(double rate) {
    return new Noise(inputs, states, rate, zoneout, candidate, per);
  }

  /**
   * This noise, and units that keep their values, by a mask for every step.
   *
   * @param rates z, for each tensor of the state or one for all
   * @return the noise
   */
  public Noise zoneout(double... rates) {
    return new Noise(inputs, states, outputs, boxed(rates), candidate, per);
  }

  /**
   * This noise, and dropout of what is added to the memory.
   *
   * @param rate p
   * @param each how often a mask is drawn
   * @return the noise
   */
  public Noise candidate(double rate, Per each) {
    return new Noise(inputs, states, outputs, zoneout, rate, each);
  }

  private static List<Double> boxed(double... rates) {
    return Arrays.stream(rates).boxed().toList();
  }

  /** Whether there is none, in training or outside of it. */
  boolean isNone() {
    return inputs == 0
        && outputs == 0
        && candidate == 0
        && states.stream().allMatch(rate -> rate == 0)
        && !changesInference();
  }

  /** Whether what is computed outside of training depends on it. */
  boolean changesInference() {
    return zoneout.stream().anyMatch(rate -> rate > 0);
  }

  /** The rate of the k-th tensor of a state: of one for each, one for all, or none. */
  static double rate(List<Double> rates, int k) {
    return rates.isEmpty() ? 0 : rates.get(rates.size() == 1 ? 0 : k);
  }
}
