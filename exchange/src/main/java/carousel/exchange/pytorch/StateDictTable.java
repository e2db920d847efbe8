package carousel.exchange.pytorch;

import carousel.nn.Layer;
import carousel.nn.LayerVisitor;
import carousel.nn.Parameter;
import carousel.nn.Transform;
import carousel.nn.layer.Activation;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.layer.TiedLinear;
import carousel.nn.recurrent.AffineCell;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Elman;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Storage;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.GateOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The table of {@link StateDict}: every tensor of PyTorch is an {@link Image} of parts of ours, which
 * is read in both directions.
 */
final class StateDictTable implements LayerVisitor {
  private static final String OWN = "Safetensors.save keeps it under our own names";
  private static final String CELLS =
      "it has LSTM, GRU (GruResetAfter) and RNN with tanh or ReLU (Elman); " + OWN;

  private static final Set<Transform> NONLINEARITIES = Set.of(Activation.TANH, Activation.RELU);

  private final Map<String, Image> images = new LinkedHashMap<>();

  private StateDictTable() {}

  /** All tensors that PyTorch has for a model, in the order of its layers. */
  static List<Image> of(Layer model) {
    var table = new StateDictTable();
    table.visit(model);
    return List.copyOf(table.images.values());
  }

  /**
   * A part of one of PyTorch's tensors.
   *
   * @param ours a view of our weight, in PyTorch's layout
   * @param isAdded whether theirs is added to ours when loaded, and 0 when saved: the second bias
   */
  record Part(Tensor ours, boolean isAdded) {}

  /** Where a part is written to. */
  record Target(Storage storage, long offset, boolean isAdded) {}

  /**
   * One of PyTorch's tensors.
   *
   * @param name its name
   * @param parts what it consists of, one below the other
   * @param module the recurrent module that it belongs to, if it does
   */
  record Image(String name, List<Part> parts, @Nullable RecurrentModule module) {
    boolean isBiasOf(RecurrentModule other) {
      return other.equals(module) && other.isBias(name);
    }

    /** Whether it is a bias of a module that has none among the given names; it is 0, then. */
    boolean isLeftOut(Set<String> given) {
      return module != null && module.isBias(name) && module.isWithoutBias(given);
    }

    Tensor theirs() {
      var theirs = parts.stream().map(p -> p.isAdded() ? p.ours().zerosLike() : p.ours()).toList();
      return theirs.size() == 1 ? theirs.getFirst() : Tensor.concat(theirs, 0);
    }

    DType dtype() {
      return parts.getFirst().ours().dtype();
    }

    Shape shape() {
      var first = parts.getFirst().ours().shape();
      return parts.size() == 1
          ? first
          : first.with(0, parts.stream().mapToInt(part -> part.ours().dim(0)).sum());
    }

    /** The same for all names of one weight. */
    List<Target> targets() {
      return parts.stream()
          .map(p ->
              new Target(Engine.storage(p.ours()), Engine.layout(p.ours()).offset(), p.isAdded()))
          .toList();
    }

    void load(Tensor theirs) {
      int from = 0;
      for (var part : parts) {
        Tensor ours = part.ours();
        Tensor given = parts.size() == 1 ? theirs : theirs.narrow(0, from, ours.dim(0));
        ours.assign(part.isAdded() ? ours.add(given) : given);
        from += given.rank() == 0 ? 0 : given.dim(0);
      }
    }

    @Override
    public String toString() {
      return name + " " + dtype() + " " + shape();
    }
  }

  @Override
  public void parameter(String path, Parameter parameter) {
    same(path, parameter.value());
  }

  @Override
  public boolean layer(String path, Layer layer) {
    switch (layer) {
      case Linear linear -> {
        same(join(path, "weight"), linear.weight().value().transpose(0, 1));
        if (linear.bias() != null) {
          same(join(path, "bias"), linear.bias().value());
        }
      }
      case TiedLinear tied -> {
        same(join(path, "weight"), tied.weight().value());
        if (tied.bias() != null) {
          same(join(path, "bias"), tied.bias().value());
        }
      }
      case Embedding embedding -> same(join(path, "weight"), embedding.weight().value());
      case LayerNorm norm -> {
        same(join(path, "weight"), norm.gain().value());
        same(join(path, "bias"), norm.bias().value());
      }
      case Stacked stack -> sequence(path, stack.layers());
      case Bidirectional pair -> sequence(path, List.of(pair));
      case Recurrent<?> one -> sequence(path, List.of(one));
      case Cell<?> cell -> {
        module(path, cell);
        cell(path, "", cell);
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  /** One recurrent module of PyTorch: alike layers, each of one direction or each of two. */
  private void sequence(String path, List<Sequence> layers) {
    String kind = kind(path, layers.getFirst());
    checkMerges(path, layers);
    for (int k = 0; k < layers.size(); k++) {
      if (!kind(path, layers.get(k)).equals(kind)) {
        throw lacks(
            path,
            String.format(
                Locale.ROOT,
                "a stack of unlike layers, %s and %s",
                kind,
                kind(path, layers.get(k))),
            "keep the layers in a List, which is a ModuleList there");
      }
      switch (layers.get(k)) {
        case Bidirectional pair -> {
          cell(path, "_l" + k, pair.forward().cell());
          cell(path, "_l" + k + "_reverse", pair.backward().cell());
        }
        case Recurrent<?> one -> cell(path, "_l" + k, one.cell());
        default -> throw new AssertionError(kind);
      }
    }
  }

  /** What a layer reads are there the two directions of the one below, side by side. */
  private static void checkMerges(String path, List<Sequence> layers) {
    for (var below : layers.subList(0, layers.size() - 1)) {
      if (below instanceof Bidirectional pair && pair.merge() != Bidirectional.Merge.CONCAT) {
        throw lacks(
            path,
            "directions below a layer that are merged by " + pair.merge(),
            "keep the layers in a List, which is a ModuleList there");
      }
    }
  }

  /** What all layers of a recurrent module have in common. */
  private String kind(String path, Sequence layer) {
    return switch (layer) {
      case Bidirectional pair -> {
        String kind = kind(path, pair.forward());
        requirePlain(path, pair.backward());
        String other = module(path, pair.backward().cell());
        if (!kind.equals(other)) {
          throw lacks(
              path,
              String.format(Locale.ROOT, "directions that differ, %s and %s", kind, other),
              OWN);
        }
        yield "bidirectional " + kind;
      }
      case Recurrent<?> one -> {
        requirePlain(path, one);
        if (one.direction() == Recurrent.Direction.REVERSE) {
          throw lacks(path, "a reverse layer without a forward one", OWN);
        }
        yield module(path, one.cell());
      }
      default -> throw lacks(path, layer.getClass().getSimpleName() + " in a stack", OWN);
    };
  }

  private static void requirePlain(String path, Recurrent<?> layer) {
    if (!layer.start().isEmpty()) {
      throw lacks(path, "a learned initial state", OWN);
    }
  }

  /** PyTorch's name of a cell, with its size. */
  private static String module(String path, Cell<?> cell) {
    String bias = cell instanceof AffineCell<?> affine && affine.b() == null ? " without bias" : "";
    String size = " of " + cell.outputs() + bias;
    return switch (cell) {
      case Lstm _ -> "LSTM" + size;
      case GruResetAfter _ -> "GRU" + size;
      case Elman elman when NONLINEARITIES.contains(elman.activation()) ->
          "RNN " + elman.activation() + size;
      case Elman elman ->
          throw lacks(
              path,
              elman.activation() instanceof Activation known
                  ? "Elman with " + known
                  : "Elman with a function of your own",
              CELLS);
      default -> throw lacks(path, cell.getClass().getSimpleName(), CELLS);
    };
  }

  private void cell(String path, String suffix, Cell<?> cell) {
    switch (cell) {
      case Lstm c -> affine(path, suffix, c, c.gates(), RecurrentModule.LSTM, c.wh(), null);
      case GruResetAfter c ->
          affine(path, suffix, c, c.gates(), RecurrentModule.GRU, c.wh(), c.bh());
      case Elman c ->
          affine(path, suffix, c, RecurrentModule.RNN, RecurrentModule.RNN, c.wh(), null);
      default -> throw new AssertionError(cell.getClass());
    }
  }

  /**
   * The four tensors of a cell. The second bias stands after the first, to which it is added.
   *
   * @param ours the order of our gates
   * @param theirs that of PyTorch
   * @param bh the second bias of n, where that is a weight of its own
   */
  private void affine(
      String path,
      String suffix,
      AffineCell<?> cell,
      GateOrder ours,
      GateOrder theirs,
      Parameter wh,
      @Nullable Parameter bh) {
    var module = new RecurrentModule(path);
    put(
        module,
        "weight_ih" + suffix,
        parts(ours, theirs, cell.wx().value().transpose(0, 1), false));
    put(module, "weight_hh" + suffix, parts(ours, theirs, wh.value().transpose(0, 1), false));
    var bias = cell.b();
    if (bias == null) {
      return;
    } // bias=False
    Tensor b = bias.value();
    put(module, "bias_ih" + suffix, parts(ours, theirs, b, false));
    var second =
        bh == null
            ? parts(ours, theirs, b, true)
            : theirs.names().stream()
                .map(gate ->
                    gate.equals("n")
                        ? new Part(bh.value(), false)
                        : new Part(ours.block(b, 0, gate), true))
                .toList();
    put(module, "bias_hh" + suffix, second);
  }

  /** Blocks of ours, in the order of theirs; a view of all where that is the same. */
  static List<Part> parts(GateOrder ours, GateOrder theirs, Tensor x, boolean isAdded) {
    return ours.equals(theirs)
        ? List.of(new Part(x, isAdded))
        : theirs.names().stream().map(gate -> new Part(ours.block(x, 0, gate), isAdded)).toList();
  }

  private void put(RecurrentModule module, String own, List<Part> parts) {
    put(new Image(module.name(own), parts, module));
  }

  private void same(String name, Tensor ours) {
    put(new Image(name, List.of(new Part(ours, false)), null));
  }

  private void put(Image image) {
    if (images.putIfAbsent(image.name(), image) != null) {
      throw new TensorException(
          "state dict: two weights come out as '" + image.name() + "'; rename a component");
    }
  }

  private static TensorException lacks(String path, String what, String advice) {
    return new TensorException(
        String.format(
            Locale.ROOT,
            "state dict: %sPyTorch has no %s; %s",
            path.isEmpty() ? "" : path + ": ",
            what,
            advice));
  }

  private static String join(String path, String name) {
    return path.isEmpty() ? name : path + "." + name;
  }
}
