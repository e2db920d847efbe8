package carousel.tensor.cpu.scan;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Bytes;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Tiles;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One run of a kernel: its sizes, its inputs as dense tensors, and what is lent for its time. */
final class ScanCall {
  /** The inputs of a scan, before its states and weights. */
  static final int X = 0;

  static final int WX = 1;
  static final int B = 2;
  static final int STATES = 3;

  final Plan plan;
  final Tiles tiles;
  final DType type;
  final Pointwise.Loop copy;
  final boolean reverse;
  final Tensor[] inputs;
  final Frame frame;
  final Packer packer;
  final int depth;
  final int @Nullable [] lengths;
  final List<Object> lent = new ArrayList<>();
  final Heap heap;

  ScanCall(
      Plan plan,
      Tiles tiles,
      DType type,
      Pointwise.Loop copy,
      boolean reverse,
      boolean ragged,
      Tensor... given) {
    this.plan = plan;
    this.tiles = tiles;
    this.type = type;
    this.copy = copy;
    this.reverse = reverse;
    heap = Heap.of(tiles);
    inputs = new Tensor[given.length];
    for (int i = 0; i < given.length; i++) {
      inputs[i] = Matrix.dense(given[i]);
    }
    Tensor x = inputs[X];
    depth = x.dim(2);
    int units = inputs[STATES].dim(1);
    frame =
        Frame.of(
            x.dim(0),
            x.dim(1),
            units,
            tiles.lanes(),
            type.bytes(),
            reverse,
            tiles.maxRows(),
            plan.blocks.size());
    packer = new Packer(frame, tiles);
    lengths = ragged ? inputs[inputs.length - 1].toIntArray() : null;
  }

  /** Memory of the current scope. */
  long memory(long bytes) {
    return empty(bytes).address();
  }

  Tensor empty(long bytes) {
    int row = 4096 * type.bytes();
    int rows = Math.toIntExact(Math.ceilDiv(Math.max(1, bytes), row));
    return Tensor.empty("scan", inputs[X].device(), type, Shape.of(rows, 4096));
  }

  /** Left operands of products, for two steps each. */
  Object[][] arrays(int count) {
    Object[][] arrays = new Object[count][2];
    int length = frame.vectors() * frame.arrayRows() * frame.lanes();
    for (Object[] pair : arrays) {
      for (int parity = 0; parity < 2; parity++) {
        pair[parity] = heap.lend(tiles, length);
        lent.add(pair[parity]);
      }
    }
    return arrays;
  }

  void giveBack() {
    lent.forEach(heap::giveBack);
  }

  Matrix weight(int input, int row, int column) {
    return Matrix.of(inputs[input])
        .at((long) row * frame.units(), (long) column * frame.units() * frame.size());
  }

  void packVectors() {
    plan.vectorBlocks.forEach((vector, block) ->
        packer.scatterVector(weight(vector.index(), 0, vector.chunk()).address(), block));
  }

  /** A stage, ready to run; {@code ofStep} tells the step from its gradient. */
  Recurrence.Stage stage(
      Plan.Stage stage,
      Pointwise.@Nullable Loop loop,
      List<Recurrence.Product> products,
      Object[][] arrays,
      boolean ofStep) {
    Program program = stage.program();
    int count = program == null ? 0 : program.arrays().size();
    Object[][] kept = new Object[count][];
    boolean[] ahead = new boolean[count];
    for (int i = 0; program != null && i < count; i++) {
      int array = program.arrays().get(i);
      kept[i] = arrays[array];
      ahead[i] = ofStep && plan.isState(array);
    }
    return new Recurrence.Stage(products, loop, program, kept, ahead);
  }

  /** The address of two vectors of zeros. */
  long zeros() {
    long zeros = memory(frame.rowBytes());
    Bytes.clear(zeros, frame.rowBytes());
    return zeros;
  }
}
