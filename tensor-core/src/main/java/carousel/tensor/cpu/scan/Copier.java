package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.host.Bytes;

/** Moves values between tensors and blocks; a single column fills its vector there. */
final class Copier {
  private final Frame frame;

  Copier(Frame frame) {
    this.frame = frame;
  }

  /** A value of all steps from columns of {@code [T,N,C]}. */
  void scatter(DenseRows from, Slot slot) {
    sequence(slot, into(from, slot));
  }

  /** Columns of {@code [T,N,C]} from a value of all steps. */
  void gather(Slot slot, DenseRows to) {
    sequence(slot, outOf(to));
  }

  /** A value at one step from columns of {@code [N,C]}. */
  void scatter(DenseRows from, Slot slot, int step) {
    batch(slot, step, into(from, slot));
  }

  /** Columns of {@code [N,C]} from a value at one step. */
  void gather(Slot slot, int step, DenseRows to) {
    batch(slot, step, outOf(to));
  }

  /** The one row of a value from columns that begin at an address. */
  void scatterVector(long from, Slot slot) {
    Move move = into(new DenseRows(from, 0), slot);
    pieces(slot, (column, at, bytes) -> move.row(0, column, at, bytes));
  }

  /** Fills a block with zeros. */
  void clear(Block block) {
    Bytes.clear(frame.panel(block, 0), frame.bytes(block));
  }

  /** Moves what one row has in one piece. */
  @FunctionalInterface
  private interface Move {
    void row(long row, long columnBytes, long at, int bytes);
  }

  /** Columns of a value that lie side by side in its block: where in a tensor's row, and in row 0 of it. */
  @FunctionalInterface
  private interface Piece {
    void at(long columnBytes, long at, int bytes);
  }

  private Move into(DenseRows from, Slot slot) {
    if (slot.block().isNarrow()) {
      int size = frame.size();
      return (row, column, at, bytes) ->
          Bytes.splat(from.address() + row * from.rowBytes(), size, at, frame.lanes());
    }
    return (row, column, at, bytes) ->
        Bytes.copy(from.address() + row * from.rowBytes() + column, at, bytes);
  }

  private static Move outOf(DenseRows to) {
    return (row, column, at, bytes) ->
        Bytes.copy(at, to.address() + row * to.rowBytes() + column, bytes);
  }

  private void pieces(Slot slot, Piece piece) {
    Block block = slot.block();
    int perPiece = block.members() == 1 ? 2 : 1; // vectors side by side
    int columns = perPiece * frame.lanes();
    for (int from = 0; from < block.width(); from += columns) {
      int bytes = Math.min(columns, block.width() - from) * frame.size();
      long at = frame.vector(block, slot.member(), from / frame.lanes());
      piece.at((long) from * frame.size(), at, bytes);
    }
  }

  private void sequence(Slot slot, Move move) {
    Block block = slot.block();
    int perTask = Math.max(1, 16_384 / (block.width() * frame.batch()));
    int[] order = frame.order();
    Workers.parallel(
        Math.ceilDiv(frame.steps(), perTask),
        task -> {
          int from = task * perTask;
          int to = Math.min(frame.steps(), from + perTask);
          for (int band = 0; band < frame.bands(); band++) {
            int rows = frame.rows(band);
            int first = frame.steps() * frame.cuts()[band] + from * rows;
            int last = first + (to - from) * rows;
            long start = frame.first(block, band) + (long) (from + slot.ahead()) * rows;
            pieces(
                slot,
                (column, row0, bytes) -> {
                  long at = row0 + start * frame.rowBytes();
                  for (int r = first; r < last; r++, at += frame.rowBytes()) {
                    move.row(order[r], column, at, bytes);
                  }
                });
          }
        });
  }

  private void batch(Slot slot, int step, Move move) {
    Block block = slot.block();
    pieces(
        slot,
        (column, row0, bytes) -> {
          for (int band = 0; band < frame.bands(); band++) {
            long row = frame.first(block, band) + (long) step * frame.perStep(block, band);
            long at = row0 + row * frame.rowBytes();
            for (int n = frame.cuts()[band]; n < frame.cuts()[band + 1]; n++) {
              move.row(n, column, at, bytes);
              at += frame.rowBytes();
            }
          }
        });
  }
}
