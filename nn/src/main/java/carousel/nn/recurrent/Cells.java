package carousel.nn.recurrent;

import carousel.nn.NearMisses;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.TensorException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The cells by name. The command line offers them, and the contract tests run over them: a cell is
 * covered by being listed here.
 */
public final class Cells {
  private static final double LEAKY_TAU = 3;

  /** Makes a cell. */
  @FunctionalInterface
  public interface Factory {
    /**
     * Makes a cell of given sizes.
     *
     * @param inputs D
     * @param hidden H, also the size of the output
     * @param init how the matrices start
     * @param rng where random numbers come from
     * @return the cell
     */
    Cell<?> make(int inputs, int hidden, Init init, Philox rng);
  }

  private static final Map<String, Factory> FACTORIES = new LinkedHashMap<>();

  static {
    FACTORIES.put("elman", (d, h, init, rng) -> Elman.of(Activation.TANH, d, h, init, rng));
    FACTORIES.put("elman-relu", (d, h, init, rng) -> Elman.of(Activation.RELU, d, h, init, rng));
    FACTORIES.put(
        "elman-identity", (d, h, init, rng) -> Elman.of(Activation.IDENTITY, d, h, init, rng));
    FACTORIES.put("irnn", (d, h, init, rng) -> Elman.irnn(d, h, 1, init, rng));
    FACTORIES.put("jordan", (d, h, init, rng) -> Jordan.of(d, h, h, init, rng));
    FACTORIES.put("leaky", (d, h, init, rng) -> Leaky.of(LEAKY_TAU, d, h, init, rng));
    FACTORIES.put("lstm", Lstm::of);
    FACTORIES.put("peephole", PeepholeLstm::of);
    FACTORIES.put("matrix-peephole", MatrixPeepholeLstm::of);
    FACTORIES.put("cifg", Cifg::of);
    FACTORIES.put("gru", GruResetBefore::of);
    FACTORIES.put("gru-after", GruResetAfter::of);
  }

  /** The classes of these cells, whose kernels this library's own tests hold to them. */
  private static final Set<Class<?>> REGISTERED =
      Set.of(
          Elman.class,
          Jordan.class,
          Leaky.class,
          Lstm.class,
          PeepholeLstm.class,
          MatrixPeepholeLstm.class,
          Cifg.class,
          GruResetBefore.class,
          GruResetAfter.class);

  private Cells() {}

  static boolean isRegistered(Cell<?> cell) {
    return REGISTERED.contains(cell.getClass());
  }

  /** {@return the names of all cells, simple cells first} */
  public static List<String> names() {
    return List.copyOf(FACTORIES.keySet());
  }

  /**
   * Makes a cell by its name.
   *
   * @param name one of {@link #names()}
   * @param inputs D
   * @param hidden H
   * @param init how the matrices start
   * @param rng where random numbers come from
   * @return the cell
   * @throws TensorException if there is no such cell; the message lists the nearest names
   */
  public static Cell<?> of(String name, int inputs, int hidden, Init init, Philox rng) {
    Factory factory = FACTORIES.get(name);
    if (factory == null) {
      throw new TensorException(
          "cell: there is no '" + name + "'; " + NearMisses.among(names(), name));
    }
    return factory.make(inputs, hidden, init, rng);
  }
}
