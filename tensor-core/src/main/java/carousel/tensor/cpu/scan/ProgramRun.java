package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.scan.Block.RowKind;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.cpu.scan.PlacedStage.Code;
import carousel.tensor.host.Bytes;
import java.util.Arrays;

/** An elementwise program on some bands of rows, one vector of columns after the other. */
final class ProgramRun {
  private final Frame frame;

  private final Pointwise.Executable loop;
  private final StageProgram program;
  private final Object[][] pairs;
  private final boolean[] isAhead;
  private final int slots;

  /** Where each slot begins, for every vector of columns. */
  private final long[] bases;

  /** Where a band's rows begin in each slot; and what a step, and a row, add to that. */
  private final long[] begins;

  private final long[] perStep;
  private final long[] perRow;

  private final long[] at;
  private final int[] offsets;
  private final Object[] arrays;
  private final Object[] before;
  private final int aRow;

  /** From a vector of a left operand to the next. */
  private final int aBlock;

  ProgramRun(Frame frame, Code code, int firstBand, int endBand) {
    this.frame = frame;
    this.aRow = frame.lanes();
    this.aBlock = frame.arrayRows() * frame.lanes();
    this.loop = code.loop();
    this.program = code.program();
    this.pairs = code.arrays();
    this.isAhead = code.ahead();
    this.slots = program.slots().size();
    int vectors = frame.vectors(program.width());
    this.bases = new long[slots * vectors];
    this.begins = new long[slots * frame.bands()];
    this.perStep = new long[slots * frame.bands()];
    this.perRow = new long[slots];
    for (int i = 0; i < slots; i++) {
      Slot slot = program.slots().get(i);
      Block block = slot.block();
      perRow[i] = block.rows() == RowKind.ONE ? 0 : frame.rowBytes();
      for (int band = firstBand; band < endBand; band++) {
        long step = frame.perStep(block, band) * frame.rowBytes();
        perStep[band * slots + i] = step;
        begins[band * slots + i] =
            frame.first(block, band) * frame.rowBytes() + slot.ahead() * step;
      }
      for (int u = 0; u < vectors; u++) {
        bases[u * slots + i] = frame.vector(block, slot.member(), vector(slot, u));
      }
    }
    this.at = new long[slots];
    this.offsets = new int[pairs.length];
    this.arrays = new Object[pairs.length];
    this.before = new Object[pairs.length];
  }

  private static int vector(Slot slot, int u) {
    if (slot.vector() != Slot.EACH) {
      return slot.vector();
    }
    return slot.block().isNarrow() ? 0 : u;
  }

  /** Begins a step. */
  void begin(int ahead, int write) {
    for (int i = 0; i < pairs.length; i++) {
      int parity = isAhead[i] ? ahead : write;
      arrays[i] = pairs[i][parity];
      before[i] = pairs[i][1 - parity];
    }
  }

  /** Rows of a band, counted from its first. */
  void rows(int u, int k, int band, int from, int to) {
    for (int i = 0; i < slots; i++) {
      at[i] = address(i, u, k, band) + from * perRow[i];
    }
    Arrays.fill(offsets, u * aBlock + (frame.arrayRow(band) + from) * aRow);
    loop.run(at, frame.rowBytes(), arrays, offsets, aRow, to - from);
  }

  private long address(int slot, int u, int k, int band) {
    int i = band * slots + slot;
    return bases[u * slots + slot] + begins[i] + k * perStep[i];
  }

  /** Those rows of a band that are at a step; the others {@linkplain #skip skip} it. */
  void ragged(int u, int k, int t, int band, int[] lengths) {
    int first = frame.cuts()[band];
    int end = frame.rows(band);
    for (int n = 0; n < end; ) {
      int from = n;
      boolean valid = t < lengths[first + n];
      while (n < end && t < lengths[first + n] == valid) {
        n++;
      }
      if (valid) {
        rows(u, k, band, from, n);
      } else {
        skip(u, k, band, from, n);
      }
    }
  }

  /** Past a row's end the state stays, and everything else is zero. */
  private void skip(int u, int k, int band, int from, int to) {
    int bytes = frame.lanes() * frame.size();
    for (var instruction : program.code().code()) {
      if (!(instruction instanceof Pointwise.Store store)) {
        continue;
      }
      int i = store.slot();
      RowKind rows = program.slots().get(i).block().rows();
      for (int n = from; n < to; n++) {
        long address = address(i, u, k, band) + n * perRow[i];
        if (rows == RowKind.STATES) {
          Bytes.copy(address - perStep[band * slots + i], address, bytes);
        } else if (rows == RowKind.STEPS) {
          Bytes.clear(address, bytes);
        }
      }
    }
    int first = u * aBlock + (frame.arrayRow(band) + from) * aRow;
    int count = (to - from) * aRow;
    for (int i = 0; i < arrays.length; i++) {
      if (isAhead[i]) {
        System.arraycopy(before[i], first, arrays[i], first, count);
      } else if (arrays[i] instanceof float[] floats) {
        Arrays.fill(floats, first, first + count, 0f);
      } else {
        Arrays.fill((double[]) arrays[i], first, first + count, 0.0);
      }
    }
  }
}
