package carousel.exchange.onnx;

import carousel.exchange.onnx.RecurrentWeights.Operator;
import carousel.exchange.onnx.RecurrentWeights.Settings;
import carousel.nn.Parameter;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Recurrent.Direction;
import carousel.nn.recurrent.RecurrentState;
import carousel.nn.recurrent.Sequence;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A node LSTM, GRU or RNN to a layer. */
final class RecurrentReader {
  /** Those that are no operators of their own, from which the others have their defaults. */
  private static final Set<OnnxActivation.Function> NO_DEFAULTS =
      Set.of(OnnxActivation.Function.AFFINE, OnnxActivation.Function.SCALED_TANH);

  private final NodeProto node;
  private final Operator operator;
  private final Function<String, Value> values;
  private final Function<String, Start> starts;
  private final Weights weights;
  private final int directions;

  /**
   * What an initial state is.
   *
   * @param isGiven whether a run is given it: what is known only then, or differs from row to row
   * @param row its values, or those of a row of it; null for zeros, and where they are not known
   */
  record Start(boolean isGiven, @Nullable Tensor row) {
    static final Start GIVEN = new Start(true, null);
    static final Start ZEROS = new Start(false, null);
  }

  private RecurrentReader(
      NodeProto node,
      Function<String, Value> values,
      Function<String, Start> starts,
      Weights weights) {
    this.node = node;
    this.operator = Operator.valueOf(node.operator());
    this.values = values;
    this.starts = starts;
    this.weights = weights;
    this.directions = node.text("direction", "forward").equals("bidirectional") ? 2 : 1;
  }

  /**
   * The layer that computes what a node does; its parameters belong to the innermost scope.
   *
   * @param values what the names of the graph stand for
   * @param starts what initial states are
   * @param weights reads tensors
   * @throws OnnxException if there is none
   */
  static Sequence of(
      NodeProto node,
      Function<String, Value> values,
      Function<String, Start> starts,
      Weights weights) {
    return new RecurrentReader(node, values, starts, weights).layer();
  }

  /** Whether a node reads {@code [N,T,D]}, which its layer does not. */
  static boolean isBatchFirst(NodeProto node) {
    return node.integer("layout", 0) == 1;
  }

  private Sequence layer() {
    String direction = node.text("direction", "forward");
    if (!List.of("forward", "reverse", "bidirectional").contains(direction)) {
      throw node.wrong(
          String.format(
              Locale.ROOT,
              "attribute direction is %s; it can be forward, reverse or bidirectional",
              OnnxException.quote(direction)));
    }
    checkAttributes();
    var settings = settings();
    var each = directions(settings);
    if (directions == 2) {
      return new Bidirectional(
          recurrent(each, 0, Direction.FORWARD), recurrent(each, 1, Direction.REVERSE));
    }
    return recurrent(each, 0, direction.equals("forward") ? Direction.FORWARD : Direction.REVERSE);
  }

  private void checkAttributes() {
    String own =
        switch (operator) {
          case LSTM -> "input_forget";
          case GRU -> "linear_before_reset";
          case RNN -> "output_sequence";
        };
    node.requireOnly(
        "hidden_size",
        "direction",
        "layout",
        "clip",
        "activations",
        "activation_alpha",
        "activation_beta",
        own);
    if (node.integer("layout", 0) < 0 || node.integer("layout", 0) > 1) {
      throw node.wrong(
          String.format(
              Locale.ROOT, "attribute layout is %d; it can be 0 or 1", node.integer("layout", 0)));
    }
    if (node.integer("input_forget", 0) < 0 || node.integer("input_forget", 0) > 1) {
      throw node.wrong(
          String.format(
              Locale.ROOT,
              "attribute input_forget is %d; it can be 0 or 1",
              node.integer("input_forget", 0)));
    }
  }

  private List<Settings> settings() {
    boolean coupled = operator == Operator.LSTM && node.integer("input_forget", 0) == 1;
    boolean resetAfter = operator == Operator.GRU && node.integer("linear_before_reset", 0) != 0;
    double clip = node.single("clip", Clip.NONE);
    if (!(clip >= 0)) {
      throw node.wrong(
          String.format(Locale.ROOT, "attribute clip is %s; it bounds, so it is 0 or more", clip));
    }
    var activations = activations();
    int each = activations.size() / directions;
    var settings = new ArrayList<Settings>();
    for (int d = 0; d < directions; d++) {
      settings.add(
          new Settings(coupled, resetAfter, clip, activations.subList(d * each, (d + 1) * each)));
    }
    return settings;
  }

  /** Functions that have an α or β take it off the lists, in order; what is missing is standard. */
  private List<OnnxActivation> activations() {
    int wanted = operator.defaults().size() * directions;
    var labels = node.texts("activations");
    var alphas = node.singles("activation_alpha").iterator();
    var betas = node.singles("activation_beta").iterator();
    var activations = new ArrayList<OnnxActivation>();
    if (labels.isEmpty()) {
      for (int d = 0; d < directions; d++) {
        activations.addAll(operator.defaults());
      }
      return activations;
    }
    if (labels.size() != wanted) {
      throw node.wrong(
          String.format(
              Locale.ROOT,
              "attribute activations lists %d functions, %d are wanted",
              labels.size(),
              wanted));
    }
    for (var label : labels) {
      var f =
          OnnxActivation.Function.named(label)
              .orElseThrow(() ->
                  node.wrong(
                      String.format(
                          Locale.ROOT,
                          "attribute activations names %s, which is no function of the standard",
                          OnnxException.quote(label))));
      if (NO_DEFAULTS.contains(f) && !(alphas.hasNext() && betas.hasNext())) {
        throw node.wrong(
            String.format(
                Locale.ROOT,
                "attribute activations names %s, whose α and β the standard does not give; name them",
                f.label()));
      }
      activations.add(
          new OnnxActivation(
              f,
              f.hasAlpha() && alphas.hasNext() ? alphas.next() : f.defaultAlpha(),
              f.hasBeta() && betas.hasNext() ? betas.next() : f.defaultBeta()));
    }
    return activations;
  }

  /** The weights of each direction, after all shapes were checked. */
  private List<RecurrentWeights> directions(List<Settings> settings) {
    Tensor r = tensor("R", 2);
    int hidden = r.rank() == 3 ? r.dim(2) : 0;
    if (node.integer("hidden_size", hidden) != hidden) {
      throw node.wrong(
          String.format(
              Locale.ROOT,
              "attribute hidden_size is %d, R has the shape %s",
              node.integer("hidden_size", hidden),
              r.shape()));
    }
    int gates = operator.gates();
    Tensor w = tensor("W", 1);
    int inputs = w.rank() == 3 ? w.dim(2) : 0;
    Tensor rs = checked("R", r, directions, gates * hidden, hidden);
    Tensor ws = checked("W", w, directions, gates * hidden, inputs);
    Tensor bs =
        node.input(3).isEmpty()
            ? null
            : checked("B", tensor("B", 3), directions, 2 * gates * hidden);
    Tensor ps =
        operator != Operator.LSTM || node.input(7).isEmpty()
            ? null
            : checked("P", tensor("P", 7), directions, 3 * hidden);
    var each = new ArrayList<RecurrentWeights>();
    for (int d = 0; d < directions; d++) {
      Tensor b = bs == null ? null : bs.select(0, d);
      each.add(
          new RecurrentWeights(
              operator,
              settings.get(d),
              ws.select(0, d),
              rs.select(0, d),
              b == null ? null : b.narrow(0, 0, gates * hidden),
              b == null ? null : b.narrow(0, gates * hidden, gates * hidden),
              ps == null ? null : ps.select(0, d)));
    }
    return each;
  }

  private Tensor tensor(String what, int input) {
    String name = node.input(input);
    if (name.isEmpty()) {
      throw node.wrong("has no " + what);
    }
    if (values.apply(name) instanceof Value.Constant constant) {
      return weights.tensor(constant);
    }
    throw node.wrong(
        String.format(
            Locale.ROOT,
            "%s, %s, is not a tensor of the file and not computed from such alone, but depends on an"
                + " input of the graph; write the weights into the file when it is exported",
            what,
            OnnxException.quote(name)));
  }

  private Tensor checked(String what, Tensor tensor, int... dims) {
    if (!tensor.shape().equals(Shape.of(dims)) || tensor.size() == 0) {
      throw node.wrong(
          String.format(
              Locale.ROOT,
              "%s has the shape %s, its neighbours want %s",
              what,
              tensor.shape(),
              Arrays.toString(dims)));
    }
    return tensor;
  }

  private Recurrent<?> recurrent(List<RecurrentWeights> each, int d, Direction direction) {
    return recurrent(CellReader.of(each.get(d)), d, direction);
  }

  private <S extends RecurrentState> Recurrent<S> recurrent(
      Cell<S> cell, int d, Direction direction) {
    var rows = new ArrayList<@Nullable Tensor>();
    rows.add(start("initial_h", 5, d, cell.outputs()));
    if (operator == Operator.LSTM) {
      rows.add(start("initial_c", 6, d, cell.outputs()));
    }
    if (rows.stream().allMatch(row -> row == null)) {
      return new Recurrent<>(cell, direction, List.of());
    }
    Tensor like = cell.zero(1).tensors().getFirst().select(0, 0);
    return new Recurrent<>(
        cell, direction, rows.stream().map(row -> Parameter.of(row == null ? like : row)).toList());
  }

  /** The initial row of a direction; null for zeros, and where it is known only in a run. */
  private @Nullable Tensor start(String what, int input, int d, int hidden) {
    String name = node.input(input);
    if (name.isEmpty()) {
      return null;
    }
    Tensor row = starts.apply(name).row();
    if (row == null) {
      return null;
    }
    boolean isBatchFirst = isBatchFirst(node);
    int side = isBatchFirst ? 1 : 0;
    boolean fits = row.rank() == 3 && row.dim(side) == directions && row.dim(1 - side) > 0;
    if (!fits || row.dim(2) != hidden) {
      throw node.wrong(
          String.format(
              Locale.ROOT,
              "%s has the shape %s, wanted is [%s,%d]",
              what,
              row.shape(),
              isBatchFirst ? "N," + directions : directions + ",N",
              hidden));
    }
    if (starts.apply(name).isGiven()) {
      return null;
    }
    Tensor first = row.select(side, d).select(0, 0);
    return first.abs().max().item() == 0 ? null : first;
  }
}
