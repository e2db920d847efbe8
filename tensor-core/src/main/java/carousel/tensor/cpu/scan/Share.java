package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.scan.PlacedStage.Code;
import carousel.tensor.cpu.scan.PlacedStage.Product;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * One thread's share of a stage: some bands of rows and some vectors of columns, at any step. All
 * addresses are worked out beforehand; what a step adds to them is the same for all.
 */
final class Share {
  private final Frame frame;
  private final int firstBand;
  private final int endBand;
  private final OneWidth[] widths;

  /**
   * Some bands of rows, and one of several parts of all columns.
   *
   * @param zeros the address of two vectors of zeros
   * @param bands where they begin and end
   * @param part which part of the columns
   * @param parts how many there are
   */
  Share(Frame frame, Tiles tiles, long zeros, PlacedStage stage, int[] bands, int part, int parts) {
    this.frame = frame;
    this.firstBand = bands[0];
    this.endBand = bands[1];
    Set<Integer> all = new TreeSet<>();
    stage.products().forEach(product -> all.add(product.out().width()));
    stage.codes().forEach(code -> all.add(code.program().width()));
    List<OneWidth> list = new ArrayList<>();
    for (int width : all) {
      int[] cuts = Frame.cut(frame.vectors(width), parts, 2);
      if (cuts[part] < cuts[part + 1]) {
        list.add(new OneWidth(tiles, zeros, stage, width, cuts[part], cuts[part + 1]));
      }
    }
    this.widths = list.toArray(new OneWidth[0]);
  }

  /**
   * Runs the share of a step.
   *
   * @param k the step
   * @param t where it stands in the sequence
   * @param lengths of the rows; null if all are as long as the sequence
   * @param read which of each pair of left operands products read
   * @param ahead which of each pair takes the state for the next step
   * @param write which of each pair takes everything else
   */
  void run(int k, int t, int @Nullable [] lengths, int read, int ahead, int write) {
    for (OneWidth columns : widths) {
      columns.run(k, t, lengths, read, ahead, write);
    }
  }

  /** Products and programs of one width. */
  private final class OneWidth {
    private final int first;
    private final int end;
    private final Panels[] products;
    private final ProgramRun[] programs;

    OneWidth(Tiles tiles, long zeros, PlacedStage stage, int width, int first, int end) {
      this.first = first;
      this.end = end;
      List<Product> own =
          stage.products().stream().filter(product -> product.out().width() == width).toList();
      List<Code> codes =
          stage.codes().stream().filter(code -> code.program().width() == width).toList();
      this.products = new Panels[own.size()];
      Arrays.setAll(products, i -> new Panels(frame, tiles, zeros, own.get(i), firstBand, endBand));
      this.programs = new ProgramRun[codes.size()];
      Arrays.setAll(programs, i -> new ProgramRun(frame, codes.get(i), firstBand, endBand));
    }

    void run(int k, int t, int @Nullable [] lengths, int read, int ahead, int write) {
      for (Panels product : products) {
        product.begin(k, first);
      }
      for (ProgramRun program : programs) {
        program.begin(ahead, write);
      }
      for (int u = first; u < end; u++) {
        // The panels that hold this vector's members; interleaved, so that all is still near.
        for (Panels product : products) {
          product.until(u, read);
        }
        for (int band = firstBand; band < endBand; band++) {
          for (ProgramRun program : programs) {
            if (lengths == null) {
              program.rows(u, k, band, 0, frame.rows(band));
            } else {
              program.ragged(u, k, t, band, lengths);
            }
          }
        }
      }
    }
  }
}
