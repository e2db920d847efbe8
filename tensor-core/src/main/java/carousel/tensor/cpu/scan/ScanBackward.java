package carousel.tensor.cpu.scan;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Bytes;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.step.Value;
import carousel.tensor.cpu.step.Value.Term;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The way back: from cotangents of outputs to gradients of all inputs. */
final class ScanBackward {
  private final ScanCall call;
  private final List<Pointwise.@Nullable Loop> loops;

  ScanBackward(ScanCall call, List<Pointwise.@Nullable Loop> loops) {
    this.call = call;
    this.loops = loops;
  }

  /** Computes those gradients that have a tensor. */
  void run(@Nullable Tensor[] cotangents, @Nullable Tensor[] gradients) {
    Frame frame = call.frame;
    Packer packer = call.packer;
    if (!clearUnreached(cotangents[0], call.plan.outputGradient)) {
      packer.scatter(
          Matrix.ofRows(Objects.requireNonNull(cotangents[0])), call.plan.outputGradient);
    }
    for (int k = 0; k < call.plan.carries.length; k++) {
      Tensor cotangent = cotangents[1 + k];
      if (!clearUnreached(cotangent, call.plan.carries[k])) {
        packer.scatter(Matrix.ofRows(Objects.requireNonNull(cotangent)), call.plan.carries[k], 0);
      }
    }
    call.plan
        .vectorGradients
        .values()
        .forEach(block -> Bytes.clear(frame.panel(block, 0), frame.bytes(block)));

    Object[][] arrays = call.arrays(call.plan.cotangentArrays.size());
    Map<Term, Long> packed = new HashMap<>();
    List<Recurrence.Stage> stages = new ArrayList<>();
    for (int s = 0; s < call.plan.backward.size(); s++) {
      Plan.Stage stage = call.plan.backward.get(s);
      List<Recurrence.Product> products = new ArrayList<>();
      for (Plan.Return back : stage.returns()) {
        products.add(product(back, arrays, packed));
      }
      if (!products.isEmpty() || stage.program() != null) {
        stages.add(call.stage(stage, loops.get(s), products, arrays, false));
      }
    }
    List<Recurrence.Product> carried = new ArrayList<>();
    for (Plan.Return back : call.plan.carried) {
      carried.add(product(back, arrays, packed));
    }
    long weightBytes = packed.size() * packer.bytesOfColumns(frame.units(), frame.units());
    new Recurrence(frame, call.tiles, call.lengths, call.reverse, call.zeros(), weightBytes)
        .backward(stages, carried);

    for (int k = 0; k < call.plan.carries.length; k++) {
      Tensor gradient = gradients[ScanCall.STATES + k];
      if (gradient != null) {
        packer.gather(call.plan.carries[k], 0, Matrix.of(gradient));
      }
    }
    input(gradients[ScanCall.X]);
    weights(gradients);
    vectors(gradients);
  }

  /** Where no cotangent arrived, it is zero. */
  private boolean clearUnreached(@Nullable Tensor cotangent, Block block) {
    if (cotangent == null) {
      Bytes.clear(call.frame.panel(block, 0), call.frame.bytes(block));
    }
    return cotangent == null;
  }

  private Recurrence.Product product(Plan.Return back, Object[][] arrays, Map<Term, Long> packed) {
    int count = back.terms().size();
    Object[][] left = new Object[count][];
    long[] weights = new long[count];
    int units = call.frame.units();
    for (int q = 0; q < count; q++) {
      Term term = back.terms().get(q);
      left[q] = arrays[call.plan.cotangentArray(term.factor())];
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

  private void input(@Nullable Tensor dx) {
    if (dx == null) {
      return;
    }
    List<InputProduct.Cotangent> all = new ArrayList<>();
    for (Plan.Group group : call.plan.groups) {
      for (int j = 0; group.gated() && j < group.sums().size(); j++) {
        int gate = group.sums().get(j).inputs().getFirst().index();
        long weights = call.memory(call.packer.bytesOfColumns(call.depth, call.frame.units()));
        call.packer.transpose(
            call.weight(ScanCall.WX, 0, gate), call.frame.units(), call.depth, weights);
        all.add(new InputProduct.Cotangent(call.plan.gradientOf(group), j, weights));
      }
    }
    if (all.isEmpty()) {
      dx.fill(0);
    } else {
      new InputProduct(call.frame, call.tiles, call.copy, call.depth).returned(all, Matrix.of(dx));
    }
  }

  private void weights(@Nullable Tensor[] gradients) {
    Frame frame = call.frame;
    clearUnread(frame, gradients);
    var products = new WeightGradient(frame, call.tiles, call.copy);
    for (Plan.Group group : call.plan.groups) {
      List<WeightGradient.Weight> weights = new ArrayList<>();
      if (group.gated()) {
        Matrix x = Matrix.of(call.inputs[ScanCall.X]);
        input(group, gradients[ScanCall.WX], WeightGradient.Source.of(x, call.depth), weights);
        input(group, gradients[ScanCall.B], WeightGradient.Source.ones(), weights);
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
          var source = WeightGradient.Source.of(call.plan.historyOf(first.factor()), frame.units());
          weights.add(new WeightGradient.Weight(source, members));
        }
      }
      if (!weights.isEmpty()) {
        products.of(call.plan.gradientOf(group), weights);
      }
    }
  }

  /** Blocks of a weight that no step reads get no gradient. */
  private void clearUnread(Frame frame, @Nullable Tensor[] gradients) {
    long[] read = new long[gradients.length];
    long square = (long) frame.units() * frame.units();
    for (Value sum : call.plan.step.sums()) {
      sum.terms().forEach(term -> read[term.weight()] += square);
      if (!sum.inputs().isEmpty()) {
        Tensor wx = gradients[ScanCall.WX];
        read[ScanCall.WX] += wx == null ? 0 : (long) wx.dim(0) * frame.units();
        read[ScanCall.B] += frame.units();
      }
    }
    call.plan.vectorGradients.keySet().forEach(v -> read[v.index()] += frame.units());
    for (int i = ScanCall.WX; i < gradients.length; i++) {
      boolean state = i >= ScanCall.STATES && i < ScanCall.STATES + call.plan.step.states();
      Tensor gradient = gradients[i];
      if (gradient != null && !state && read[i] < gradient.size()) {
        gradient.fill(0);
      }
    }
  }

  private void input(
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
  private void vectors(@Nullable Tensor[] gradients) {
    Frame frame = call.frame;
    call.plan.vectorGradients.forEach((vector, block) -> {
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
          sum += call.type == DType.F32 ? Bytes.f32(from) : Bytes.f64(from);
        }
        if (call.type == DType.F32) {
          Bytes.f32(to + 4L * i, (float) sum);
        } else {
          Bytes.f64(to + 8L * i, sum);
        }
      }
    });
  }
}
