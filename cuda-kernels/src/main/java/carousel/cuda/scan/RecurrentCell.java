package carousel.cuda.scan;

import carousel.cuda.scan.CellSteps.CellStep;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.GateComposites;
import carousel.tensor.op.GateOrder;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The recurrent cells that have kernels. What is said here of a cell is what its policy in {@code
 * cells.cuh} says: what a step computes, which scans are compared with ({@link StepMatch}), the order of the
 * gates, and the weights. The pointwise part of one step is found by the composite itself.
 */
public enum RecurrentCell {
  /** {@code h = tanh(z + u)}. */
  ELMAN_TANH("recurrent_elman.cu", GateOrder.of("h"), null, CellSteps.elman(Tensor::tanh)),
  /** {@code h = max(z + u, 0)}. */
  ELMAN_RELU("recurrent_elman.cu", GateOrder.of("h"), null, CellSteps.elman(Tensor::relu)),
  /** {@code h = z + u}. */
  ELMAN_IDENTITY("recurrent_elman.cu", GateOrder.of("h"), null, CellSteps.elman(sum -> sum)),
  /** The cell of the literature. */
  LSTM(
      "recurrent_lstm.cu",
      GateOrder.of("i", "f", "g", "o"),
      GateComposites.LSTM,
      CellSteps::lstm,
      Trait.C),
  /** Vectors pi pf po. */
  PEEPHOLE(
      "recurrent_peephole.cu",
      GateOrder.of("i", "f", "g", "o"),
      GateComposites.PEEPHOLE,
      CellSteps::peephole,
      Trait.C,
      Trait.PEEPHOLES),
  /** Its o, and in the next step i and f, see c by products of their own. */
  MATRIX_PEEPHOLE(
      "recurrent_matrix_peephole.cu",
      GateOrder.of("i", "f", "g", "o"),
      null,
      CellSteps::matrixPeephole,
      Trait.C,
      Trait.LOOKS),
  /** Forgets what it does not take in. */
  CIFG(
      "recurrent_cifg.cu",
      GateOrder.of("i", "g", "o"),
      GateComposites.CIFG,
      CellSteps::cifg,
      Trait.C),
  /** The product of n is of what r let through, so that there are two in a step. */
  GRU(
      "recurrent_gru.cu",
      GateOrder.of("r", "z", "n"),
      null,
      CellSteps::gru,
      Trait.READS_H,
      Trait.KEEPS,
      Trait.RESETS),
  /** Vector bh, inside the reset; a step without it is one where it is 0. */
  GRU_AFTER(
      "recurrent_gru_after.cu",
      GateOrder.of("r", "z", "n"),
      GateComposites.GRU_AFTER,
      CellSteps::gruAfter,
      Trait.READS_H,
      Trait.KEEPS,
      Trait.SPLITS);

  /** The gates that the vectors of peepholes belong to, in their order. */
  private static final GateOrder PEEPHOLES = GateOrder.of("i", "f", "o");

  private enum Trait {
    C,
    PEEPHOLES("pi", "pf", "po"),
    READS_H,
    KEEPS,
    SPLITS("bh"),
    RESETS("wn"),
    LOOKS("wci", "wcf", "wco");

    /** The weights of a cell that has the trait, beside wh. */
    private final List<String> names;

    Trait(String... names) {
      this.names = List.of(names);
    }
  }

  private final String file;
  private final GateOrder order;
  private final @Nullable Composite composite;
  private final CellStep step;
  private final Set<Trait> traits;
  private final List<String> matrices;
  private final List<String> vectors;

  RecurrentCell(
      String file, GateOrder order, @Nullable Composite composite, CellStep step, Trait... traits) {
    this.file = file;
    this.order = order;
    this.composite = composite;
    this.step = step;
    this.traits = Set.of(traits);
    this.matrices = resets() ? Trait.RESETS.names : looks() ? Trait.LOOKS.names : List.of();
    this.vectors =
        hasPeepholes() ? Trait.PEEPHOLES.names : splits() ? Trait.SPLITS.names : List.of();
  }

  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The file of its kernels over time. */
  String file() {
    return file;
  }

  /** The blocks of {@code wx}. */
  GateOrder order() {
    return order;
  }

  /** G: blocks of H columns in {@code wx}. */
  int gates() {
    return order.size();
  }

  /** P: blocks of H columns in {@code wh}. */
  int products() {
    return resets() ? gates() - 1 : gates();
  }

  /** What a step computes. */
  CellStep step() {
    return step;
  }

  /** All weights but those of the input. */
  List<CellWeight> weights() {
    Stream<CellWeight> wh = Stream.of(new CellWeight(CellSteps.WH, products()));
    Stream<CellWeight> others = matrices.stream().map(name -> new CellWeight(name, 1));
    Stream<CellWeight> last = vectors.stream().map(name -> new CellWeight(name, 0));
    return Stream.of(wh, others, last).flatMap(weights -> weights).toList();
  }

  /** The names of the matrices {@code [H,H]} of a second product in a step, beside {@code wh}. */
  List<String> matrixNames() {
    return matrices;
  }

  int matrices() {
    return matrices.size();
  }

  /** K: products of a unit in a step. */
  int allProducts() {
    return products() + matrices();
  }

  /** B: blocks of H columns in what backward writes per step. */
  int pulled() {
    return splits() ? gates() + 1 : gates();
  }

  /** How many tensors the state has: h, or h and c. */
  int states() {
    return hasC() ? 2 : 1;
  }

  /** The names of the weights {@code [H]}. */
  List<String> vectorNames() {
    return vectors;
  }

  int vectors() {
    return vectors.size();
  }

  /** Whether a step may do without the vectors, which are 0 then: of biases, which a cell may be without. */
  boolean mayLackVectors() {
    return splits();
  }

  /** Which gate's sum the i-th vector enters, multiplied by c. */
  int peepholeGate(int i) {
    return order.indexOf(PEEPHOLES.names().get(i));
  }

  /** Whether the c that the i-th vector is multiplied by is the new one. */
  boolean seesNext(int i) {
    return i == PEEPHOLES.indexOf("o");
  }

  boolean hasC() {
    return traits.contains(Trait.C);
  }

  boolean hasPeepholes() {
    return traits.contains(Trait.PEEPHOLES);
  }

  /** Whether the pointwise part reads the state h. */
  boolean readsH() {
    return traits.contains(Trait.READS_H);
  }

  /** Whether backward needs one more number per unit than gates and states. */
  boolean keeps() {
    return traits.contains(Trait.KEEPS);
  }

  /** Whether the last gate's product has another gradient than its sum. */
  boolean splits() {
    return traits.contains(Trait.SPLITS);
  }

  /** Whether the last gate's product, by a matrix of its own, is of what another gate let through. */
  boolean resets() {
    return traits.contains(Trait.RESETS);
  }

  /** Whether there are products with c, too: the last gate's with the new one, others' with the one before. */
  boolean looks() {
    return traits.contains(Trait.LOOKS);
  }

  /** The pointwise part of a step, where that is one composite, without products; null where it is not. */
  public @Nullable Composite composite() {
    return composite;
  }
}
