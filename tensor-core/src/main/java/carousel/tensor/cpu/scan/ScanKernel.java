package carousel.tensor.cpu.scan;

import carousel.tensor.DType;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Bytes;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.scan.Value.Term;
import carousel.tensor.op.Scan;
import carousel.tensor.spi.Fused;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A recurrence over a whole sequence, forward and backward: one product for the inputs of all steps,
 * the steps themselves on packed weights, one product for each weight's gradient.
 */
final class ScanKernel implements Fused {
  private static final int X = 0;
  private static final int WX = 1;
  private static final int B = 2;
  private static final int STATES = 3;

  private final Plan plan;
  private final Tiles tiles;
  private final DType type;
  private final Pointwise.Loop copy;
  private final List<Pointwise.@Nullable Loop> forward;
  private final List<Pointwise.@Nullable Loop> backward;
  private final boolean reverse;
  private final boolean ragged;

  ScanKernel(
      Plan plan,
      Tiles tiles,
      DType type,
      Pointwise.Loop copy,
      List<Pointwise.@Nullable Loop> forward,
      List<Pointwise.@Nullable Loop> backward,
      Scan scan) {
    this.plan = plan;
    this.tiles = tiles;
    this.type = type;
    this.copy = copy;
    this.forward = forward;
    this.backward = backward;
    this.reverse = scan.reverse();
    this.ragged = scan.ragged();
  }

  /** One call: its sizes, its inputs as dense tensors, and what is lent for its time. */
  private final class Call {
    final Tensor[] inputs;
    final Frame frame;
    final Packer packer;
    final int depth;
    final int @Nullable [] lengths;
    final List<Object> lent = new ArrayList<>();
    final Heap heap = Heap.of(tiles);

    Call(Tensor[] given) {
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
  }

  @Override
  public Result forward(Tensor[] given) {
    Tensor x = given[X];
    int steps = x.dim(0);
    int batch = x.dim(1);
    int units = given[STATES].dim(1);
    Tensor y = Tensor.empty("scan", x.device(), type, Shape.of(steps, batch, units));
    Tensor[] outputs = new Tensor[1 + plan.step.states()];
    outputs[0] = y;
    for (int i = 1; i < outputs.length; i++) {
      outputs[i] = Tensor.empty("scan", x.device(), type, Shape.of(batch, units));
    }
    List<Block> saved = plan.blocks.subList(0, plan.savedBlocks);
    Tensor[] kept = new Tensor[1];
    try (var scope = Scope.openUnwatched()) {
      Call call = new Call(given);
      Frame frame = call.frame;
      kept[0] = scope.keep(call.empty(frame.bytes(saved)));
      frame.place(saved, kept[0].address());
      run(call, outputs);
    }
    return new Result(outputs, kept);
  }

  private void run(Call call, Tensor[] outputs) {
    Frame frame = call.frame;
    Packer packer = call.packer;
    call.packVectors();
    List<InputProduct.Gates> gates = new ArrayList<>();
    for (Plan.Group group : plan.groups) {
      if (group.gated()) {
        gates.add(gates(call, group));
      }
    }
    new InputProduct(frame, tiles, copy, call.depth).project(Matrix.of(call.inputs[X]), gates);

    Object[][] arrays = call.arrays(plan.sourceArrays.size());
    Map<Block, Object> initial = new HashMap<>();
    for (int k = 0; k < plan.stateBlocks.length; k++) {
      Block block = plan.stateBlocks[k];
      packer.scatter(Matrix.of(call.inputs[STATES + k]), block, 0);
      Integer array = plan.sourceArrays.get(plan.step.graph().state(k));
      if (array != null) {
        initial.put(block, arrays[array][0]);
      }
    }
    long weightBytes = 0;
    List<Recurrence.Stage> stages = new ArrayList<>();
    for (int s = 0; s < plan.forward.size(); s++) {
      Plan.Stage stage = plan.forward.get(s);
      List<Recurrence.Product> products = new ArrayList<>();
      for (Plan.Group group : stage.groups()) {
        if (group.arrays().isEmpty()) {
          continue;
        }
        products.add(product(call, group, arrays));
        weightBytes += packer.bytes(group.sums().size(), frame.units()) * group.arrays().size();
      }
      if (!products.isEmpty() || stage.program() != null) {
        stages.add(stage(stage, forward.get(s), products, arrays, true));
      }
    }
    new Recurrence(frame, tiles, call.lengths, reverse, zeros(call), weightBytes)
        .forward(stages, initial, copy);

    Matrix y = Matrix.of(outputs[0]);
    packer.gather(plan.output, y);
    clearPadding(call, y);
    for (int k = 0; k < plan.stateBlocks.length; k++) {
      packer.gather(plan.stateBlocks[k], frame.steps(), Matrix.of(outputs[1 + k]));
    }
    call.giveBack();
  }

  /** Past a row's end the output is 0. */
  private static void clearPadding(Call call, Matrix y) {
    int[] lengths = call.lengths;
    if (lengths == null) {
      return;
    }
    Frame frame = call.frame;
    for (int n = 0; n < frame.batch(); n++) {
      for (int t = lengths[n]; t < frame.steps(); t++) {
        Bytes.clear(
            y.address() + ((long) t * frame.batch() + n) * y.rowBytes(),
            (long) frame.units() * frame.size());
      }
    }
  }

  private InputProduct.Gates gates(Call call, Plan.Group group) {
    List<Matrix> weights = new ArrayList<>();
    List<Matrix> biases = new ArrayList<>();
    for (Value sum : group.sums()) {
      int gate = sum.inputs().getFirst().index();
      weights.add(call.weight(WX, 0, gate));
      biases.add(call.weight(B, 0, gate));
    }
    long packed = call.memory(call.packer.bytes(weights.size(), call.depth));
    long bias = call.memory(call.packer.bytes(weights.size(), 1));
    call.packer.interleave(weights, call.depth, packed);
    call.packer.interleave(biases, 1, bias);
    return new InputProduct.Gates(group.block(), packed, bias);
  }

  private Recurrence.Product product(Call call, Plan.Group group, Object[][] arrays) {
    int count = group.arrays().size();
    Object[][] left = new Object[count][];
    long[] weights = new long[count];
    for (int q = 0; q < count; q++) {
      left[q] = arrays[group.arrays().get(q)];
      List<Matrix> blocks = new ArrayList<>();
      for (Value sum : group.sums()) {
        Term term = sum.terms().get(q);
        blocks.add(call.weight(term.weight(), term.row(), term.column()));
      }
      weights[q] = call.memory(call.packer.bytes(blocks.size(), call.frame.units()));
      call.packer.interleave(blocks, call.frame.units(), weights[q]);
    }
    return new Recurrence.Product(group.block(), group.gated(), left, weights);
  }

  private Recurrence.Stage stage(
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

  private static long zeros(Call call) {
    long zeros = call.memory(call.frame.rowBytes());
    Bytes.clear(zeros, call.frame.rowBytes());
    return zeros;
  }

  @Override
  public @Nullable Tensor[] backward(
      Tensor[] given, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    @Nullable Tensor[] gradients = new Tensor[given.length];
    boolean weights = wanted[WX] || wanted[B];
    for (int i = STATES + plan.step.states(); i < given.length; i++) {
      weights |= wanted[i];
    }
    try (var scope = Scope.openUnwatched()) {
      for (int i = 0; i < given.length; i++) {
        // The gradients of all weights come from one pass, whether all are wanted or one.
        boolean state = i >= STATES && i < STATES + plan.step.states();
        boolean weight = i != X && !state && weights && given[i].dtype().isFloating();
        if (wanted[i] || weight) {
          gradients[i] = Tensor.empty("scan", given[i].device(), type, given[i].shape());
        }
      }
      Call call = new Call(given);
      Frame frame = call.frame;
      frame.place(plan.blocks.subList(0, plan.savedBlocks), result.saved()[0].address());
      List<Block> blocks = plan.blocks.subList(plan.savedBlocks, plan.blocks.size());
      frame.place(blocks, call.memory(frame.bytes(blocks)));
      pull(call, cotangents, gradients);
      call.giveBack();
      for (int i = 0; i < given.length; i++) {
        Tensor gradient = gradients[i];
        if (gradient != null && wanted[i]) {
          scope.keep(gradient);
        } else {
          gradients[i] = null;
        }
      }
    }
    return gradients;
  }

  private void pull(Call call, @Nullable Tensor[] cotangents, @Nullable Tensor[] gradients) {
    Frame frame = call.frame;
    Packer packer = call.packer;
    if (!clearUnreached(call, cotangents[0], plan.outputGradient)) {
      packer.scatter(Matrix.ofRows(Objects.requireNonNull(cotangents[0])), plan.outputGradient);
    }
    for (int k = 0; k < plan.carries.length; k++) {
      Tensor cotangent = cotangents[1 + k];
      if (!clearUnreached(call, cotangent, plan.carries[k])) {
        packer.scatter(Matrix.ofRows(Objects.requireNonNull(cotangent)), plan.carries[k], 0);
      }
    }
    plan.vectorGradients
        .values()
        .forEach(block -> Bytes.clear(frame.panel(block, 0), frame.bytes(block)));

    Object[][] arrays = call.arrays(plan.cotangentArrays.size());
    Map<Term, Long> packed = new HashMap<>();
    List<Recurrence.Stage> stages = new ArrayList<>();
    for (int s = 0; s < plan.backward.size(); s++) {
      Plan.Stage stage = plan.backward.get(s);
      List<Recurrence.Product> products = new ArrayList<>();
      for (Plan.Return back : stage.returns()) {
        products.add(product(call, back, arrays, packed));
      }
      if (!products.isEmpty() || stage.program() != null) {
        stages.add(stage(stage, backward.get(s), products, arrays, false));
      }
    }
    List<Recurrence.Product> carried = new ArrayList<>();
    for (Plan.Return back : plan.carried) {
      carried.add(product(call, back, arrays, packed));
    }
    long weightBytes = packed.size() * packer.bytesOfColumns(frame.units(), frame.units());
    new Recurrence(frame, tiles, call.lengths, reverse, zeros(call), weightBytes)
        .backward(stages, carried);

    for (int k = 0; k < plan.carries.length; k++) {
      Tensor gradient = gradients[STATES + k];
      if (gradient != null) {
        packer.gather(plan.carries[k], 0, Matrix.of(gradient));
      }
    }
    input(call, gradients[X]);
    weights(call, gradients);
    vectors(call, gradients);
  }

  /** Where no cotangent arrived, it is zero. */
  private static boolean clearUnreached(Call call, @Nullable Tensor cotangent, Block block) {
    if (cotangent == null) {
      Bytes.clear(call.frame.panel(block, 0), call.frame.bytes(block));
    }
    return cotangent == null;
  }

  private Recurrence.Product product(
      Call call, Plan.Return back, Object[][] arrays, Map<Term, Long> packed) {
    int count = back.terms().size();
    Object[][] left = new Object[count][];
    long[] weights = new long[count];
    int units = call.frame.units();
    for (int q = 0; q < count; q++) {
      Term term = back.terms().get(q);
      left[q] = arrays[plan.cotangentArray(term.factor())];
      Long known = packed.get(term);
      if (known == null) {
        known = call.memory(call.packer.bytesOfColumns(units, units));
        call.packer.transpose(
            call.weight(term.weight(), term.row(), term.column()), units, units, known);
        packed.put(term, known);
      }
      weights[q] = known;
    }
    return new Recurrence.Product(back.block(), back.onto(), left, weights);
  }

  private void input(Call call, @Nullable Tensor dx) {
    if (dx == null) {
      return;
    }
    List<InputProduct.Cotangent> all = new ArrayList<>();
    for (Plan.Group group : plan.groups) {
      for (int j = 0; group.gated() && j < group.sums().size(); j++) {
        int gate = group.sums().get(j).inputs().getFirst().index();
        long weights = call.memory(call.packer.bytesOfColumns(call.depth, call.frame.units()));
        call.packer.transpose(call.weight(WX, 0, gate), call.frame.units(), call.depth, weights);
        all.add(new InputProduct.Cotangent(plan.gradientOf(group), j, weights));
      }
    }
    if (all.isEmpty()) {
      dx.fill(0);
    } else {
      new InputProduct(call.frame, tiles, copy, call.depth).returned(all, Matrix.of(dx));
    }
  }

  private void weights(Call call, @Nullable Tensor[] gradients) {
    Frame frame = call.frame;
    clearUnread(frame, gradients);
    var products = new WeightGradient(frame, tiles, copy);
    for (Plan.Group group : plan.groups) {
      List<WeightGradient.Weight> weights = new ArrayList<>();
      if (group.gated()) {
        Matrix x = Matrix.of(call.inputs[X]);
        input(call, group, gradients[WX], WeightGradient.Source.of(x, call.depth), weights);
        input(call, group, gradients[B], WeightGradient.Source.ones(), weights);
      }
      for (int q = 0; q < group.arrays().size(); q++) {
        Term first = group.sums().getFirst().terms().get(q);
        Tensor gradient = gradients[first.weight()];
        if (gradient != null) {
          List<Matrix> members = new ArrayList<>();
          for (Value sum : group.sums()) {
            Term of = sum.terms().get(q);
            members.add(block(frame, gradients[of.weight()], of.row(), of.column()));
          }
          var source = WeightGradient.Source.of(plan.historyOf(first.factor()), frame.units());
          weights.add(new WeightGradient.Weight(source, members));
        }
      }
      if (!weights.isEmpty()) {
        products.of(plan.gradientOf(group), weights);
      }
    }
  }

  /** Blocks of a weight that no step reads get no gradient. */
  private void clearUnread(Frame frame, @Nullable Tensor[] gradients) {
    long[] read = new long[gradients.length];
    long square = (long) frame.units() * frame.units();
    for (Value sum : plan.step.sums()) {
      sum.terms().forEach(term -> read[term.weight()] += square);
      if (!sum.inputs().isEmpty()) {
        Tensor wx = gradients[WX];
        read[WX] += wx == null ? 0 : (long) wx.dim(0) * frame.units();
        read[B] += frame.units();
      }
    }
    plan.vectorGradients.keySet().forEach(v -> read[v.index()] += frame.units());
    for (int i = WX; i < gradients.length; i++) {
      boolean state = i >= STATES && i < STATES + plan.step.states();
      Tensor gradient = gradients[i];
      if (gradient != null && !state && read[i] < gradient.size()) {
        gradient.fill(0);
      }
    }
  }

  private void input(
      Call call,
      Plan.Group group,
      @Nullable Tensor gradient,
      WeightGradient.Source source,
      List<WeightGradient.Weight> weights) {
    if (gradient != null) {
      List<Matrix> members = new ArrayList<>();
      for (Value sum : group.sums()) {
        members.add(block(call.frame, gradient, 0, sum.inputs().getFirst().index()));
      }
      weights.add(new WeightGradient.Weight(source, members));
    }
  }

  private static Matrix block(Frame frame, @Nullable Tensor tensor, int row, int column) {
    Tensor gradient = Objects.requireNonNull(tensor);
    return Matrix.of(gradient)
        .at((long) row * frame.units(), (long) column * frame.units() * frame.size());
  }

  /** The gradients of weights without rows: what each row of the batch gathered, added up. */
  private void vectors(Call call, @Nullable Tensor[] gradients) {
    Frame frame = call.frame;
    plan.vectorGradients.forEach((vector, block) -> {
      Tensor gradient = gradients[vector.index()];
      if (gradient == null) {
        return;
      }
      long to = gradient.address() + (long) vector.chunk() * frame.units() * frame.size();
      for (int i = 0; i < frame.units(); i++) {
        long from =
            frame.vector(block, 0, i / frame.lanes()) + (long) (i % frame.lanes()) * frame.size();
        double sum = 0;
        for (int n = 0; n < frame.batch(); n++, from += frame.rowBytes()) {
          sum += type == DType.F32 ? Bytes.f32(from) : Bytes.f64(from);
        }
        if (type == DType.F32) {
          Bytes.f32(to + 4L * i, (float) sum);
        } else {
          Bytes.f64(to + 8L * i, sum);
        }
      }
    });
  }
}
