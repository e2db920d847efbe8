package carousel.cuda;

import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The recurrent cells that have kernels, by the labels of their composites: {@code lstm.scan} and {@code
 * lstm.gates}. What is said here of a cell is what its policy in {@code cells.cuh} says.
 */
enum RecurrentCell {
  /** {@code h = tanh(z + u)}. */
  ELMAN_TANH("recurrent_elman.cu", 1, Trait.NO_GATES),
  /** {@code h = max(z + u, 0)}. */
  ELMAN_RELU("recurrent_elman.cu", 1, Trait.NO_GATES),
  /** {@code h = z + u}. */
  ELMAN_IDENTITY("recurrent_elman.cu", 1, Trait.NO_GATES),
  /** Gates i f g o. */
  LSTM("recurrent_lstm.cu", 4, Trait.C),
  /** Gates i f g o; vectors pi pf po. */
  PEEPHOLE("recurrent_peephole.cu", 4, Trait.C, Trait.PEEPHOLES),
  /** Gates i f g o; of which o, and in the next step i and f, see c by products of their own. */
  MATRIX_PEEPHOLE("recurrent_matrix_peephole.cu", 4, Trait.C, Trait.LOOKS, Trait.NO_GATES),
  /** Gates i g o. */
  CIFG("recurrent_cifg.cu", 3, Trait.C),
  /** Gates r z n; n's product is of what r let through, so that there are two in a step. */
  GRU("recurrent_gru.cu", 3, Trait.READS_H, Trait.KEEPS, Trait.RESETS, Trait.NO_GATES),
  /** Gates r z n; vector bh, inside the reset. */
  GRU_AFTER("recurrent_gru_after.cu", 3, Trait.READS_H, Trait.KEEPS, Trait.SPLITS);

  private enum Trait {
    C,
    PEEPHOLES,
    READS_H,
    KEEPS,
    SPLITS,
    RESETS,
    LOOKS,
    NO_GATES
  }

  private final String file;
  private final int gates;
  private final Set<Trait> traits;

  RecurrentCell(String file, int gates, Trait... traits) {
    this.file = file;
    this.gates = gates;
    this.traits = Set.of(traits);
  }

  /** The cell whose composite has this label and suffix, e.g. {@code lstm.scan}; null if none has. */
  static @Nullable RecurrentCell of(String label, String suffix) {
    for (RecurrentCell cell : values()) {
      if (label.equals(cell.label() + suffix)) {
        return cell;
      }
    }
    return null;
  }

  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The file of its kernels over time. */
  String file() {
    return file;
  }

  /** G: blocks of H columns in {@code wx}. */
  int gates() {
    return gates;
  }

  /** P: blocks of H columns in {@code wh}. */
  int products() {
    return resets() ? gates - 1 : gates;
  }

  /** Matrices {@code [H,H]} of a second product in a step, beside {@code wh}. */
  int matrices() {
    return resets() ? 1 : looks() ? 3 : 0;
  }

  /** K: products of a unit in a step. */
  int allProducts() {
    return products() + matrices();
  }

  /** B: blocks of H columns in what backward writes per step. */
  int pulled() {
    return splits() ? gates + 1 : gates;
  }

  /** How many tensors the state has: h, or h and c. */
  int states() {
    return hasC() ? 2 : 1;
  }

  /** How many weights {@code [H]} there are. */
  int vectors() {
    return traits.contains(Trait.PEEPHOLES) ? 3 : splits() ? 1 : 0;
  }

  /** Which gate's sum the i-th vector enters, multiplied by c. */
  int peepholeGate(int i) {
    return i == 2 ? 3 : i;
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

  /** Whether its pointwise part is one composite of its own, without products. */
  boolean hasGates() {
    return !traits.contains(Trait.NO_GATES);
  }
}
