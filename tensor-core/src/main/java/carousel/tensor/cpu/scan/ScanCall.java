package carousel.tensor.cpu.scan;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Scan;
import carousel.tensor.trace.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One run of a kernel: its sizes, its inputs as dense tensors, and what is lent for its time. */
final class ScanCall {
  final Compiled kernel;
  final Plan plan;
  final Tiles tiles;
  final DType type;
  final Pointwise.Executable copy;
  final boolean reverse;
  final Scan.Inputs places;
  private final Tensor[] given;
  private final @Nullable Tensor[] dense;
  final Frame frame;
  final Packer packer;
  final Copier copier;
  final int @Nullable [] lengths;
  private final List<Object> lent = new ArrayList<>();
  private final Heap heap;

  ScanCall(Compiled kernel, Scan scan, Tensor... given) {
    this.kernel = kernel;
    this.plan = kernel.plan();
    this.tiles = kernel.tiles();
    this.type = kernel.type();
    this.copy = kernel.copy();
    this.reverse = scan.reverse();
    this.places = scan.inputs();
    heap = Heap.of(tiles);
    this.given = given;
    this.dense = new Tensor[given.length];
    frame =
        Frame.of(
            scan.steps(),
            scan.rows(),
            tiles.lanes(),
            type.bytes(),
            reverse,
            tiles.maxRows(),
            plan.blocks.size());
    packer = new Packer(frame, tiles);
    copier = new Copier(frame);
    lengths = places.ragged() ? given[places.lengths()].toIntArray() : null;
  }

  /** Memory of the current scope. */
  long memory(long bytes) {
    return Engine.address(empty(bytes));
  }

  Tensor empty(long bytes) {
    int row = 4096 * type.bytes();
    int rows = Math.toIntExact(Math.ceilDiv(Math.max(1, bytes), row));
    return Engine.empty("scan", given[0].device(), type, Shape.of(rows, 4096));
  }

  /** An input, dense. */
  Tensor input(int place) {
    Tensor known = dense[place];
    if (known == null) {
      known = DenseRows.dense(given[place]);
      dense[place] = known;
    }
    return known;
  }

  /** D, the columns of an affine input. */
  int depth() {
    return given[Scan.Inputs.X].dim(2);
  }

  /** Left operands of products, for two steps each: of the values that are numbered. */
  Object[][] arrays(Map<Value, Integer> numbered) {
    Object[][] arrays = new Object[numbered.size()][2];
    numbered.forEach((value, array) -> {
      int length = frame.vectors(value.width()) * frame.arrayRows() * frame.lanes();
      for (int parity = 0; parity < 2; parity++) {
        arrays[array][parity] = heap.lend(tiles, length);
        lent.add(arrays[array][parity]);
      }
    });
    return arrays;
  }

  void giveBack() {
    lent.forEach(heap::giveBack);
  }

  /** A tensor from one of its rows and columns on. */
  DenseRows matrix(Tensor tensor, int row, int column) {
    return DenseRows.of(tensor).at(row, (long) column * frame.size());
  }

  /** A captured tensor. */
  Tensor captured(int index) {
    return input(places.captured().get(index));
  }

  /** Where the gradient of a captured tensor goes; null if it is not wanted. */
  @Nullable Tensor capturedOf(@Nullable Tensor[] gradients, int index) {
    return gradients[places.captured().get(index)];
  }

  /**
   * Adds a stage, ready to run; one that folds is two.
   *
   * @param ofStep tells the step from its gradient
   */
  void add(
      Stage stage,
      List<PlacedStage.Product> products,
      Object[][] arrays,
      boolean ofStep,
      List<PlacedStage> stages) {
    if (!stage.folds().isEmpty()) {
      stages.add(new PlacedStage(true, List.of(), codes(stage.folds(), arrays, ofStep)));
    }
    if (!products.isEmpty() || !stage.programs().isEmpty()) {
      stages.add(new PlacedStage(false, products, codes(stage.programs(), arrays, ofStep)));
    }
  }

  private List<PlacedStage.Code> codes(
      List<StageProgram> programs, Object[][] arrays, boolean ofStep) {
    List<PlacedStage.Code> codes = new ArrayList<>();
    for (StageProgram program : programs) {
      int count = program.arrays().size();
      Object[][] kept = new Object[count][];
      boolean[] ahead = new boolean[count];
      for (int i = 0; i < count; i++) {
        int array = program.arrays().get(i);
        kept[i] = arrays[array];
        ahead[i] = ofStep && plan.isState(array);
      }
      codes.add(new PlacedStage.Code(kernel.loop(program), program, kept, ahead));
    }
    return codes;
  }

  /** The address of two vectors of zeros. */
  long zeros() {
    long zeros = memory(frame.rowBytes());
    Bytes.clear(zeros, frame.rowBytes());
    return zeros;
  }
}
