package carousel.testing;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.autograd.GradReport;
import carousel.autograd.Leaf;
import carousel.nn.Parameters;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Marks;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Recurrent.Direction;
import carousel.nn.recurrent.RecurrentState;
import carousel.nn.recurrent.Sequence.Run;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Agreement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/** What a {@link CellContract} looks at. */
final class CellChecks<S extends RecurrentState> {
  private static final long SEED = 5;
  private static final int CALLS = 4;

  private final CellContract<S> contract;
  private final Findings findings;
  private final Cell<S> cell;
  private final DType type;
  private final Device device;

  CellChecks(CellContract<S> contract, Findings findings) {
    this.contract = contract;
    this.findings = findings;
    this.cell = contract.cell();
    Tensor like = cell.zero(1).tensors().getFirst();
    this.type = like.dtype();
    this.device = like.device();
  }

  void check() {
    try (var scope = TensorScope.open(device)) {
      Map<Parameters.Named, Tensor> zeros = new LinkedHashMap<>();
      var rng = Philox.of(SEED);
      for (var named : cell.parameters()) {
        Tensor value = named.value();
        if (value.size() > 0 && value.abs().max().item() == 0) {
          zeros.put(named, value.copy());
          named.parameter().assign(random(rng, value.shape(), value.dtype()));
        }
      }
      try {
        checks();
      } finally {
        zeros.forEach((named, value) -> named.parameter().assign(value));
      }
    }
  }

  private void checks() {
    zero(1);
    zero(3);
    explain();
    if (findings.areNone()) {
      repeats();
    }
    if (findings.areNone()) {
      pieces();
    }
    for (CellWay way : CellWay.ALL) {
      // One way, in all it says, is enough to act on.
      if (findings.areNone()) {
        try (var scope = TensorScope.open(device)) {
          agrees(way);
        }
      }
    }
    if (findings.areNone()) {
      gradients();
    }
  }

  private static Tensor random(Philox rng, Shape shape, DType type) {
    return rng.normal(type, 0, 0.5, shape.toArray());
  }

  private void zero(int rows) {
    List<Tensor> tensors = findings.attempt("zero(" + rows + ")", () -> cell.zero(rows).tensors());
    if (tensors == null) {
      return;
    }
    for (int i = 0; i < tensors.size(); i++) {
      Tensor t = tensors.get(i);
      String where = "zero(" + rows + "), " + component(i);
      findings.require(
          t.rank() > 0 && t.dim(0) == rows,
          where,
          "is " + t.shape() + ", wanted [" + rows + ",..]: a row for each of the batch");
      findings.require(
          t.dtype() == type && t.device().equals(device),
          where,
          String.format(
              Locale.ROOT,
              "is %s on %s, wanted %s on %s, as the others",
              t.dtype(),
              t.device(),
              type,
              device));
      findings.require(
          t.sameValues(t.zerosLike()), where, "is not zeros; give Recurrent a state to start from");
      for (int k = 0; k < i; k++) {
        findings.require(
            Engine.storage(tensors.get(k)) != Engine.storage(t),
            where,
            "is the memory of "
                + component(k)
                + ", so that their gradients are one; make each with a zerosLike of its own");
      }
    }
    for (var named : cell.parameters()) {
      findings.require(
          named.value().dtype() == type,
          "zero(" + rows + ")",
          "is " + type + ", and " + named.name() + " is " + named.value().dtype());
    }
  }

  private String component(int i) {
    var components = cell.zero(1).getClass().getRecordComponents();
    return components == null ? "tensor " + i : components[i].getName();
  }

  private void explain() {
    Tensor x = Tensor.zeros(type, 4, 3, cell.inputs());
    String text = findings.attempt("explain", () -> Recurrent.of(cell).explain(x));
    if (text == null) {
      return;
    }
    findings.note(text.strip());
    if (contract.wantsKernel() && device.backend().makesKernels()) {
      findings.require(
          text.contains("one kernel"),
          "withKernel()",
          "it has none on " + device + ": " + text.strip());
    }
  }

  /** What a way is run on; made in the scope that is open. */
  private final class Trial {
    private final Recurrent<S> layer;
    private final Tensor x;
    private final List<S> initial;
    private final Marks marks;
    private final List<Leaf> leaves = new ArrayList<>();

    Trial(CellWay way) {
      var rng = Philox.of(SEED);
      Direction direction = way.reverse() ? Direction.REVERSE : Direction.FORWARD;
      var own = new Recurrent<S>(cell, direction, List.of());
      layer = way.start() == CellWay.Start.LEARNED ? own.withLearnedStart() : own;
      layer.start().forEach(p -> p.assign(random(rng, p.value().shape(), type)));
      x = random(rng, Shape.of(way.steps(), way.rows(), cell.inputs()), type).mul(2);
      initial =
          way.start() == CellWay.Start.GIVEN
              ? List.of(
                  RecurrentState.map(cell.zero(way.rows()), t -> random(rng, t.shape(), type)))
              : List.of();
      marks = way.marks().apply(way);
      leaves.add(new Named("x", x));
      for (S state : initial) {
        for (int i = 0; i < state.tensors().size(); i++) {
          leaves.add(new Named("initial " + component(i), state.tensors().get(i)));
        }
      }
      cell.parameters().forEach(leaves::add);
      for (int i = 0; i < layer.start().size(); i++) {
        leaves.add(new Named("start " + component(i), layer.start().get(i).value()));
      }
    }

    Tensor[] run() {
      return tensors(layer.run(x, marks, initial));
    }

    private Tensor[] values() {
      return leaves.stream().map(Leaf::value).toArray(Tensor[]::new);
    }

    /** Outputs, states and gradients, under their names. */
    Results results() {
      var all = Results.of(ignored -> run(), SEED, values());
      List<String> names = new ArrayList<>(List.of("y", "the last output"));
      for (int i = 0; names.size() < all.names().size() - leaves.size(); i++) {
        names.add("the final " + component(i));
      }
      leaves.forEach(leaf -> names.add("the gradient by " + leaf.name()));
      return new Results(names, all.tensors());
    }

    Results second() {
      List<String> names = new ArrayList<>();
      leaves.forEach(leaf -> names.add("the product with the Hessian by " + leaf.name()));
      return new Results(names, Results.second(ignored -> run(), SEED, values()));
    }
  }

  private record Named(String name, Tensor value) implements Leaf {}

  private static Tensor[] tensors(Run run) {
    List<Tensor> all = new ArrayList<>(List.of(run.y(), run.last()));
    run.states().forEach(state -> all.addAll(state.tensors()));
    return all.toArray(new Tensor[0]);
  }

  private void repeats() {
    try (var scope = TensorScope.open(device)) {
      var trial = new Trial(CellWay.FORWARD);
      String where = CellWay.FORWARD + ", op by op";
      Results first = findings.attempt(where, () -> Bodies.INSTANCE.run(trial::results));
      for (int call = 2; call <= CALLS && first != null && findings.areNone(); call++) {
        Results again = findings.attempt(where, () -> Bodies.INSTANCE.run(trial::results));
        if (again != null) {
          findings.same(
              where + ", call " + call,
              again,
              first,
              0,
              "; wanted is what the first call gave: the step has state, or draws random numbers; what changes"
                  + " belongs in the cell's state");
        }
      }
      if (first != null) {
        findings.require(
            first.get(0).shape().equals(Shape.of(5, 3, cell.outputs())),
            where,
            "y is "
                + first.get(0).shape()
                + ", wanted [5,3,"
                + cell.outputs()
                + "] as outputs() says");
      }
    }
  }

  /** Two pieces of a sequence, the state carried, are the sequence. */
  private void pieces() {
    try (var scope = TensorScope.open(device)) {
      var trial = new Trial(CellWay.FORWARD);
      Tensor z = Grad.off(() -> cell.project(trial.x));
      Tensor head = trial.x.narrow(0, 0, 2);
      Tensor tail = trial.x.narrow(0, 2, 3);
      Tensor apart = Tensor.concat(List.of(cell.project(head), cell.project(tail)), 0);
      if (!apart.shape().equals(z.shape()) || !apart.allClose(z, 1e-3, 1e-3)) {
        findings.note("project reads all steps at once: a sequence cannot be run in pieces");
        return;
      }
      String where = CellWay.FORWARD + ", in pieces of 2 and 3 steps";
      Results whole = findings.attempt(where, () -> Results.ofOutputs(trial.run()));
      Results pieces =
          findings.attempt(
              where,
              () -> {
                Run first = trial.layer.run(head, Marks.none(), trial.initial);
                Run second = trial.layer.run(tail, Marks.none(), first.states());
                Tensor[] all = tensors(second);
                all[0] = Tensor.concat(List.of(first.y(), second.y()), 0);
                return Results.ofOutputs(all);
              });
      if (whole != null && pieces != null) {
        findings.same(
            where,
            pieces,
            whole,
            units(),
            "; wanted is what the whole gives: what a step remembers belongs in the cell's state");
      }
    }
  }

  /** Roundings of a recurrence; a mistake is some powers of ten more. */
  private double units() {
    return type == DType.F32 ? 1000 : 50_000;
  }

  private void agrees(CellWay way) {
    var trial = new Trial(way);
    Results wanted =
        findings.attempt(way + ", op by op", () -> Bodies.INSTANCE.run(trial::results));
    Results actual =
        findings.attempt(way + ", by kernel", () -> Agreement.trusting(trial::results));
    if (wanted == null || actual == null) {
      return;
    }
    String advice =
        "; wanted is what its code gives op by op. A step computes the same of its input and its state each"
            + " time, and changes nothing outside; -Dcarousel.dump=DIR writes the kernel";
    findings.same(way + ", by kernel", actual, wanted, units(), advice);
    if (way.steps() == 0) {
      List<Tensor> before = trial.initial.getFirst().tensors();
      for (int i = 0; i < before.size(); i++) {
        findings.same(
            way.toString(), "the final " + component(i), wanted.get(2 + i), before.get(i), 0, "");
      }
    }
    if (contract.order() < 2 || !findings.areNone()) {
      return;
    }
    Supplier<Results> second = trial::second;
    Results expected = findings.attempt(way + ", op by op", () -> Bodies.INSTANCE.run(second));
    Results products = findings.attempt(way + ", by kernel", () -> Agreement.trusting(second));
    if (expected != null && products != null) {
      findings.same(way + ", by kernel", products, expected, 10 * units(), advice);
    }
  }

  private void gradients() {
    if (!contract.isDerivative()) {
      findings.note("gradients are not held to differences: it has a surrogate, as declared");
      return;
    }
    for (CellWay way : List.of(CellWay.FORWARD, CellWay.BOTH)) {
      try (var scope = TensorScope.open(device)) {
        var trial = new Trial(way);
        GradReport report =
            findings.attempt(
                way + ", GradCheck",
                () ->
                    GradCheck.standard()
                        .withOrder(contract.order())
                        .without(contract.without().toArray(new String[0]))
                        .run(contract.name() + ", " + way, trial::run, trial.leaves));
        if (report != null) {
          findings.require(
              report.passed(),
              way.toString(),
              report
                  + "\n  if an op in the step has a rule that is no derivative, by design, say surrogate()");
          findings.note(
              way + ": " + report.compared() + " slopes to order " + contract.order() + " agree");
        }
      }
    }
  }
}
