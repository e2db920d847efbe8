package carousel.tensor.cpu.scan;

import carousel.tensor.Tensor;
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

/**
 * The gradients of all weights of a recurrence. A weight may be read by several products, as a whole or
 * in part: a block that no other overlaps is written where it belongs, the others are computed aside and
 * added up, in the order of the products. What no product reads is zero.
 */
final class WeightGradients {
  private final ScanCall call;
  private final Plan plan;
  private final @Nullable Tensor[] gradients;

  /** Of each weight: what products read of it. */
  private final Map<Integer, List<Use>> uses = new HashMap<>();

  /** What is computed aside, and where it is to be added. */
  private final List<Aside> asides = new ArrayList<>();

  /** A block of a weight that a product reads. */
  private record Use(int row, int column, int rows, int columns) {
    boolean overlaps(Use other) {
      return row < other.row + other.rows
          && other.row < row + rows
          && column < other.column + other.columns
          && other.column < column + columns;
    }
  }

  private record Aside(DenseRows from, DenseRows to, int rows, int columns) {}

  /**
   * The gradients of weights.
   *
   * @param gradients of the inputs of the kernel; those of weights are all there, or none
   */
  WeightGradients(ScanCall call, @Nullable Tensor[] gradients) {
    this.call = call;
    this.plan = call.plan;
    this.gradients = gradients;
    for (Stage.Group group : plan.groups) {
      for (Value member : group.members()) {
        for (Term term : member.terms()) {
          uses.computeIfAbsent(term.weight(), w -> new ArrayList<>()).add(use(term, member));
        }
      }
    }
  }

  private static Use use(Term term, Value sum) {
    return new Use(term.row(), term.column(), term.factor().width(), sum.width());
  }

  /** Computes those that have a tensor. */
  void run() {
    clearUnread();
    var products = new WeightGradient(call.frame, call.tiles, call.copy, call::memory);
    for (Stage.Group group : plan.groups) {
      List<WeightGradient.Weight> weights = new ArrayList<>();
      if (group.origin() == Stage.Origin.PRODUCT) {
        var x = DenseRows.of(call.input(Scan.Inputs.X));
        var source = WeightGradient.Source.of(x, call.depth());
        input(group, gradients[Scan.Inputs.WX], source, weights);
        input(group, gradients[Scan.Inputs.B], WeightGradient.Source.ones(), weights);
      }
      for (int q = 0; q < group.arrays().size(); q++) {
        product(group, q, weights);
      }
      if (!weights.isEmpty()) {
        products.of(plan.gradientOf(group), weights);
      }
    }
    asides.forEach(this::add);
  }

  private void product(Stage.Group group, int q, List<WeightGradient.Weight> weights) {
    List<DenseRows> members = new ArrayList<>();
    for (Value sum : group.members()) {
      Term term = sum.terms().get(q);
      Tensor gradient = call.capturedOf(gradients, term.weight());
      if (gradient == null) {
        return;
      }
      Use use = use(term, sum);
      DenseRows to = call.matrix(gradient, use.row(), use.column());
      boolean alone =
          uses.getOrDefault(term.weight(), List.of()).stream().filter(use::overlaps).count() == 1;
      if (!alone) {
        long rowBytes = (long) use.columns() * call.frame.size();
        var aside = new DenseRows(call.memory(use.rows() * rowBytes), rowBytes);
        asides.add(new Aside(aside, to, use.rows(), use.columns()));
        to = aside;
      }
      members.add(to);
    }
    Value factor = group.members().getFirst().terms().get(q).factor();
    var source = WeightGradient.Source.of(plan.historyOf(factor), factor.width());
    weights.add(new WeightGradient.Weight(source, members));
  }

  private void input(
      Stage.Group group,
      @Nullable Tensor gradient,
      WeightGradient.Source source,
      List<WeightGradient.Weight> weights) {
    if (gradient != null) {
      List<DenseRows> members = new ArrayList<>();
      for (Value member : group.members()) {
        members.add(call.matrix(gradient, 0, Stage.Group.inputOf(member).offset()));
      }
      weights.add(new WeightGradient.Weight(source, members));
    }
  }

  /** Fills gradients with zeros of which not every element is written, or one more often than once. */
  private void clearUnread() {
    uses.forEach((weight, all) -> {
      Tensor gradient = call.capturedOf(gradients, weight);
      long area = all.stream().mapToLong(use -> (long) use.rows() * use.columns()).sum();
      boolean apart = all.stream().allMatch(use -> all.stream().filter(use::overlaps).count() == 1);
      if (gradient != null && !(apart && area == gradient.size())) {
        gradient.fill(0);
      }
    });
    if (call.places.affine()) {
      clearUnread(gradients[Scan.Inputs.WX]);
      clearUnread(gradients[Scan.Inputs.B]);
    }
    Map<Integer, Integer> columns = new HashMap<>();
    for (Value value : plan.givenBlocks.keySet()) {
      if (value.kind() != Kind.NUMBER) {
        columns.merge(value.index(), value.width(), Integer::sum);
      }
    }
    columns.forEach((index, read) -> {
      Tensor gradient = call.capturedOf(gradients, index);
      if (gradient != null && read < gradient.dim(Tensor.LAST)) {
        gradient.fill(0);
      }
    });
  }

  /** As {@link #clearUnread()}, of what multiplies the input, or is added to it. */
  private void clearUnread(@Nullable Tensor gradient) {
    int read = 0;
    for (Stage.Group group : plan.groups) {
      boolean product = group.origin() == Stage.Origin.PRODUCT;
      read += product ? group.members().size() * group.block().width() : 0;
    }
    if (gradient != null && read < gradient.dim(Tensor.LAST)) {
      gradient.fill(0);
    }
  }

  private void add(Aside aside) {
    for (int r = 0; r < aside.rows(); r++) {
      long from = aside.from().address() + r * aside.from().rowBytes();
      long to = aside.to().address() + r * aside.to().rowBytes();
      for (int c = 0; c < aside.columns(); c++) {
        if (call.frame.size() == Float.BYTES) {
          Bytes.f32(to + 4L * c, Bytes.f32(to + 4L * c) + Bytes.f32(from + 4L * c));
        } else {
          Bytes.f64(to + 8L * c, Bytes.f64(to + 8L * c) + Bytes.f64(from + 8L * c));
        }
      }
    }
  }
}
