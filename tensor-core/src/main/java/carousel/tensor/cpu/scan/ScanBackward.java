package carousel.tensor.cpu.scan;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Totals;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Scan;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Kind;
import carousel.tensor.trace.Value.Term;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The way back: from cotangents of outputs to gradients of all inputs. */
final class ScanBackward {
  private final ScanCall call;
  private final Plan plan;

  /** Blocks of weights that are packed already. */
  private final Map<Packed, Long> packed = new HashMap<>();

  private long weightBytes;

  private record Packed(int weight, int row, int column, int rows, int columns) {}

  ScanBackward(ScanCall call) {
    this.call = call;
    this.plan = call.plan;
  }

  /** Computes those gradients that have a tensor. */
  void run(@Nullable Tensor[] cotangents, @Nullable Tensor[] gradients) {
    arrive(cotangents);
    List<Block> given = List.copyOf(plan.givenGradients.values());
    var gathered = new Gathered(call.frame, given, call::memory);
    Object[][] arrays = call.arrays(plan.cotangentArrays);
    List<PlacedStage> stages = new ArrayList<>();
    for (Stage stage : plan.backward) {
      List<PlacedStage.Product> products = new ArrayList<>();
      for (Stage.Return back : stage.returns()) {
        products.add(product(back, arrays));
      }
      call.add(stage, products, arrays, false, stages);
    }
    List<PlacedStage.Product> carried = new ArrayList<>();
    for (Stage.Return back : plan.carried) {
      carried.add(product(back, arrays));
    }
    new Recurrence(call.frame, call.tiles, call.lengths, call.reverse, call.zeros(), weightBytes)
        .backward(stages, carried, gathered);

    for (int k = 0; k < plan.carries.size(); k++) {
      Value state = plan.step.states().get(k);
      Tensor gradient = gradients[call.places.states() + state.index()];
      if (gradient != null) {
        DenseRows to = call.matrix(gradient, 0, state.offset());
        call.copier.gather(Slot.of(plan.carries.get(k)), 0, to);
      }
    }
    if (call.places.affine()) {
      input(gradients[Scan.Inputs.X]);
    }
    sequences(gradients);
    new WeightGradients(call, gradients).run();
    given(gradients);
  }

  /** Cotangents of all outputs; where none arrived, it is zero. */
  private void arrive(@Nullable Tensor... cotangents) {
    int column = 0;
    for (Block block : plan.outputGradients) {
      if (cotangents[0] == null) {
        call.copier.clear(block);
      } else {
        DenseRows from = DenseRows.ofRows(cotangents[0]).at(0, (long) column * call.frame.size());
        call.copier.scatter(from, Slot.of(block));
      }
      column += block.width();
    }
    for (int k = 0; k < plan.carries.size(); k++) {
      Value state = plan.step.states().get(k);
      Tensor cotangent = cotangents[1 + state.index()];
      if (cotangent == null) {
        call.copier.clear(plan.carries.get(k));
      } else {
        DenseRows from =
            DenseRows.ofRows(cotangent).at(0, (long) state.offset() * call.frame.size());
        call.copier.scatter(from, Slot.of(plan.carries.get(k)), 0);
      }
    }
  }

  private PlacedStage.Product product(Stage.Return back, Object[][] arrays) {
    int count = back.terms().size();
    Object[][] left = new Object[count][];
    int[] depths = new int[count];
    long[] weights = new long[count];
    int columns = back.block().width();
    for (int q = 0; q < count; q++) {
      Term term = back.terms().get(q);
      left[q] = arrays[plan.cotangentArray(term.factor())];
      int depth = term.factor().width();
      depths[q] = depth;
      weights[q] =
          packed.computeIfAbsent(
              new Packed(term.weight(), term.row(), term.column(), columns, depth),
              of -> transposed(call.captured(of.weight()), of.row(), of.column(), depth, columns));
    }
    return new PlacedStage.Product(back.block(), back.onto(), left, depths, weights);
  }

  /** Packs the transposed block of a weight that has {@code columns} rows of {@code depth} elements. */
  private long transposed(Tensor weight, int row, int column, int depth, int columns) {
    long bytes = call.packer.bytesOfColumns(columns, depth);
    weightBytes += bytes;
    long into = call.memory(bytes);
    call.packer.transpose(call.matrix(weight, row, column), depth, columns, into);
    return into;
  }

  private void input(@Nullable Tensor dx) {
    if (dx == null) {
      return;
    }
    List<InputProduct.Cotangent> all = new ArrayList<>();
    for (Stage.Group group : plan.groups) {
      for (int j = 0; group.origin() == Stage.Origin.PRODUCT && j < group.members().size(); j++) {
        int column = Stage.Group.inputOf(group.members().get(j)).offset();
        int width = group.block().width();
        Tensor wx = call.input(Scan.Inputs.WX);
        long weights = transposed(wx, 0, column, width, call.depth());
        all.add(new InputProduct.Cotangent(plan.gradientOf(group), j, weights));
      }
    }
    new InputProduct(call.frame, call.tiles, call.copy, call.depth())
        .returned(all, DenseRows.of(dx));
  }

  /** The gradients of inputs that are read as they are: columns that no step reads have none. */
  private void sequences(@Nullable Tensor[] gradients) {
    int[] covered = new int[gradients.length];
    for (int pass = 0; pass < 2; pass++) {
      for (Stage.Group group : plan.groups) {
        for (int j = 0;
            group.origin() == Stage.Origin.SEQUENCE && j < group.members().size();
            j++) {
          Value input = Stage.Group.inputOf(group.members().get(j));
          int place = call.places.sequences().get(input.index());
          Tensor gradient = gradients[place];
          if (gradient != null && pass == 0) {
            covered[place] += input.width();
          } else if (gradient != null) {
            call.copier.gather(
                new Slot(plan.gradientOf(group), j, 0), call.matrix(gradient, 0, input.offset()));
          }
        }
      }
      for (int place : call.places.sequences()) {
        boolean isAffine = call.places.affine() && place == Scan.Inputs.X;
        Tensor gradient = place < 0 || isAffine ? null : gradients[place];
        if (pass == 0 && gradient != null && covered[place] < gradient.dim(2)) {
          gradient.fill(0);
        }
      }
    }
  }

  /** The gradients of what is the same at every step: what each row of the batch gathered. */
  private void given(@Nullable Tensor[] gradients) {
    for (Value value : plan.givenBlocks.keySet()) {
      if (value.kind() != Kind.NUMBER) {
        Tensor gradient = call.capturedOf(gradients, value.index());
        Block block = plan.givenGradients.get(value);
        if (gradient == null) {
          continue;
        }
        if (block == null) {
          clear(gradient, value);
        } else if (value.kind() == Kind.ROWS) {
          call.copier.gather(Slot.of(block), 0, call.matrix(gradient, 0, value.offset()));
        } else {
          addRows(block, Engine.address(gradient) + (long) value.offset() * call.frame.size());
        }
      }
    }
  }

  /** Where nothing flows. */
  private void clear(Tensor gradient, Value value) {
    DenseRows to = call.matrix(gradient, 0, value.offset());
    int rows = value.kind() == Kind.ROWS ? call.frame.batch() : 1;
    for (int n = 0; n < rows; n++) {
      Bytes.clear(to.address() + n * to.rowBytes(), (long) value.width() * call.frame.size());
    }
  }

  /** The sum over the rows of the batch, in their order, in double precision, with what that rounds away. */
  private void addRows(Block block, long to) {
    Frame frame = call.frame;
    for (int i = 0; i < block.width(); i++) {
      long from =
          frame.vector(block, 0, i / frame.lanes()) + (long) (i % frame.lanes()) * frame.size();
      double total = 0;
      double lost = 0;
      for (int n = 0; n < frame.batch(); n++, from += frame.rowBytes()) {
        double row = call.type == DType.F32 ? Bytes.f32(from) : Bytes.f64(from);
        double next = total + row;
        lost += Totals.roundedAway(total, row, next);
        total = next;
      }
      double sum = Totals.joined(total, lost);
      if (call.type == DType.F32) {
        Bytes.f32(to + 4L * i, (float) sum);
      } else {
        Bytes.f64(to + 8L * i, sum);
      }
    }
  }
}
