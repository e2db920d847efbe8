package carousel.exchange.pytorch;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;
import static java.util.stream.Collectors.toSet;

import carousel.exchange.pytorch.StateDictTable.Image;
import carousel.nn.Layer;
import carousel.nn.io.LoadReport;
import carousel.nn.io.Safetensors;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The weights of a model by the names and in the layouts of PyTorch's {@code state_dict}.
 *
 * <pre>{@code
 * Safetensors.save(file, StateDict.of(model));    // model.load_state_dict(load_file(file))
 * StateDict.load(model, Safetensors.load(file));  // save_file(model.state_dict(), file)
 * }</pre>
 *
 * <p>The components of records are the attributes of modules: {@code record Model(Embedding embed,
 * Stacked lstm, Linear head)} is a module whose {@code __init__} makes {@code self.embed}, {@code
 * self.lstm} and {@code self.head}; a list is a {@code ModuleList} or {@code Sequential}, a parameter
 * of a record's own an {@code nn.Parameter}. What the layers hold is mapped by this table, both ways:
 *
 * <table>
 * <caption>Names and layouts</caption>
 * <tr><th>here</th><th>there</th><th>name</th><th>value</th></tr>
 * <tr><td>{@link Linear}</td><td>{@code nn.Linear}</td>
 *     <td>{@code weight [out,in]}</td><td>weightᵀ</td></tr>
 * <tr><td></td><td></td><td>{@code bias [out]}</td><td>bias, if there is one</td></tr>
 * <tr><td>{@code TiedLinear}</td><td>{@code nn.Linear}</td>
 *     <td>{@code weight [V,D]}</td><td>weight, that of the embedding</td></tr>
 * <tr><td></td><td></td><td>{@code bias [V]}</td><td>bias, if there is one</td></tr>
 * <tr><td>{@code Sequential}</td><td>{@code nn.Sequential}</td>
 *     <td>0, 1, …</td><td>its layers; a function is a place without weights</td></tr>
 * <tr><td>{@link Embedding}</td><td>{@code nn.Embedding}</td>
 *     <td>{@code weight [V,D]}</td><td>weight</td></tr>
 * <tr><td>{@link LayerNorm}</td><td>{@code nn.LayerNorm}</td>
 *     <td>{@code weight [D]}</td><td>gain</td></tr>
 * <tr><td></td><td></td><td>{@code bias [D]}</td><td>bias</td></tr>
 * <tr><td>{@code Recurrent} of {@code Elman}, tanh or ReLU</td><td>{@code nn.RNN}</td>
 *     <td>{@code weight_ih_lK [H,D]}</td><td>wxᵀ</td></tr>
 * <tr><td></td><td></td><td>{@code weight_hh_lK [H,H]}</td><td>whᵀ</td></tr>
 * <tr><td></td><td></td><td>{@code bias_ih_lK [H]}, {@code bias_hh_lK [H]}</td>
 *     <td>b and 0; b is their sum</td></tr>
 * <tr><td>{@code Recurrent} of {@code Lstm}</td><td>{@code nn.LSTM}</td>
 *     <td>{@code weight_ih_lK [4H,D]}</td><td>wxᵀ; there gates i f g o</td></tr>
 * <tr><td></td><td></td><td>{@code weight_hh_lK [4H,H]}</td><td>whᵀ</td></tr>
 * <tr><td></td><td></td><td>{@code bias_ih_lK [4H]}, {@code bias_hh_lK [4H]}</td>
 *     <td>b and 0; b is their sum</td></tr>
 * <tr><td>{@code Recurrent} of {@code GruResetAfter}</td><td>{@code nn.GRU}</td>
 *     <td>{@code weight_ih_lK [3H,D]}</td><td>wxᵀ; there gates r z n</td></tr>
 * <tr><td></td><td></td><td>{@code weight_hh_lK [3H,H]}</td><td>whᵀ</td></tr>
 * <tr><td></td><td></td><td>{@code bias_ih_lK [3H]}, {@code bias_hh_lK [3H]}</td>
 *     <td>b and (0, 0, bh); of r and z b is their sum, of n b is the first and bh the second</td></tr>
 * <tr><td>{@code Stacked}</td><td>{@code num_layers}</td>
 *     <td>K counts its layers from 0</td><td></td></tr>
 * <tr><td>{@code Bidirectional}</td><td>{@code bidirectional=True}</td>
 *     <td>{@code …_lK} and {@code …_lK_reverse}</td><td>forward and backward</td></tr>
 * <tr><td>a cell on its own</td><td>{@code nn.RNNCell}, {@code nn.LSTMCell}, {@code nn.GRUCell}</td>
 *     <td>without {@code _lK}</td><td></td></tr>
 * <tr><td>cells without biases, {@code withoutBias()}</td><td>{@code bias=False}</td>
 *     <td>without {@code bias_ih…}, {@code bias_hh…}</td><td></td></tr>
 * </table>
 *
 * <p>A recurrent module of which there are weights and no bias at all is one that was made with {@code
 * bias=False}. If the cells here have biases all the same, these become 0, and learn from there if they
 * are trained. If some of a module's biases are there, in whatever layer or direction, those that are not
 * are missing. {@link #of(Layer, Set)} writes modules whose biases are 0 without them.
 *
 * <p>How a {@code Bidirectional} merges its directions is no part of a module: PyTorch gives both, side by
 * side, so merge them there by hand. Below another layer of a stack that is not possible, and is refused.
 *
 * <p>What PyTorch lacks has no names there, and is refused by name: the other cells, a learned initial
 * state, stacks of unlike layers, a reverse layer without its forward one. {@link Safetensors} saves
 * any model under its own names. What is lacking here is an LSTM with {@code proj_size}.
 *
 * <p>Source: the documentation of PyTorch's modules.
 */
public final class StateDict {
  private StateDict() {}

  /**
   * The weights of a model as PyTorch has them.
   *
   * @param model any layer
   * @return by PyTorch's names, in the order of the model; views of the weights, which change with
   *     them, or new tensors of the innermost scope where the table says more than a layout
   * @throws TensorException if it holds a layer that PyTorch does not have
   */
  public static Map<String, Tensor> of(Layer model) {
    return of(model, Set.of());
  }

  /**
   * The weights of a model as PyTorch has them, some of its recurrent modules made with {@code
   * bias=False}.
   *
   * @param model any layer
   * @param withoutBias the paths of these modules, e.g. {@code encoder.rnn}; empty for the model itself
   * @return as {@link #of(Layer)} gives them, without the biases of these modules
   * @throws TensorException if it holds a layer that PyTorch does not have, if a path is not that of a
   *     recurrent module, or if a bias that would be left out is not 0
   */
  public static Map<String, Tensor> of(Layer model, Set<String> withoutBias) {
    var images = StateDictTable.of(model);
    var left = new HashSet<Image>();
    for (var path : withoutBias) {
      left.addAll(zeros(images, new RecurrentModule(path)));
    }
    var tensors = new LinkedHashMap<String, Tensor>();
    for (var image : images) {
      if (!left.contains(image)) {
        tensors.put(image.name(), image.theirs());
      }
    }
    return tensors;
  }

  /** The biases of a module, which must be 0. */
  private static List<Image> zeros(List<Image> images, RecurrentModule module) {
    var biases = images.stream().filter(image -> image.isBiasOf(module)).toList();
    if (biases.isEmpty()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "state dict: '%s' is not a recurrent module; these are: %s",
              module.path(),
              modules(images).map(each -> each.path()).toList()));
    }
    try (var _ = TensorScope.openUnwatched()) {
      for (var bias : biases) {
        Tensor theirs = bias.theirs();
        if (!theirs.sameValues(theirs.zerosLike())) {
          throw new TensorException(
              String.format(
                  Locale.ROOT,
                  "state dict: %s is not 0, so %s has biases: make it with bias=True",
                  bias,
                  module));
        }
      }
    }
    return biases;
  }

  /**
   * Overwrites the weights of a model by those of PyTorch. All names, types and shapes are compared
   * first, so that the weights of another model change nothing. A weight that is reached by several
   * names must be there under one, and the same under all that are.
   *
   * @param model any layer
   * @param tensors as {@code state_dict} names them
   * @throws TensorException if it holds a layer that PyTorch does not have, or if a name is missing,
   *     unexpected, of another type or of another shape; the message lists all of them
   */
  public static void load(Layer model, Map<String, Tensor> tensors) {
    load(model, tensors, true);
  }

  /**
   * Overwrites those weights of a model that are given, as PyTorch's {@code strict=False} does: for a model
   * with a new head, or part of one. What is given for a weight must fit, or nothing changes.
   *
   * @param model any layer
   * @param tensors as {@code state_dict} names them
   * @return what was loaded, what was not given, and what was given and the model lacks; names are PyTorch's
   * @throws TensorException if it holds a layer that PyTorch does not have, or if a type or a shape differs
   */
  public static LoadReport loadMatching(Layer model, Map<String, Tensor> tensors) {
    return load(model, tensors, false);
  }

  private static LoadReport load(Layer model, Map<String, Tensor> tensors, boolean wholly) {
    var missing = new ArrayList<String>();
    var unexpected = new ArrayList<String>();
    var problems = new ArrayList<String>();
    var images = StateDictTable.of(model);
    var names = tensors.keySet();
    var projected = modules(images).filter(m -> m.projection(names).isPresent()).toList();
    for (var module : projected) {
      problems.add(
          String.format(
              Locale.ROOT,
              "does not fit: %s, an LSTM with proj_size, which no layer here is",
              module.projection(names).orElseThrow()));
    }
    var groups = images.stream().collect(groupingBy(Image::targets, LinkedHashMap::new, toList()));
    var chosen = new ArrayList<Image>();
    for (var group : groups.values()) {
      var given = group.stream().filter(image -> names.contains(image.name())).toList();
      if (group.stream().allMatch(image -> projected.contains(image.module()))) {
        continue;
      }
      if (!given.isEmpty()) {
        chosen.add(given.getFirst());
        compare(given, tensors, problems);
      } else if (group.stream().anyMatch(image -> image.isLeftOut(names))) {
        chosen.add(group.getFirst());
      } else {
        missing.add(group.getFirst().name());
        if (wholly) {
          problems.add("missing: " + group.getFirst());
        }
      }
    }
    var expected = images.stream().map(Image::name).collect(toSet());
    tensors.forEach((name, tensor) -> {
      if (!expected.contains(name) && projected.stream().noneMatch(m -> m.isName(name))) {
        unexpected.add(name);
        if (wholly) {
          problems.add(String.format(Locale.ROOT, "unexpected: %s %s", name, type(tensor)));
        }
      }
    });
    if (!problems.isEmpty()) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "state dict: nothing was loaded, differences: %d\n  %s",
              problems.size(),
              String.join("\n  ", problems)));
    }
    try (var loading = TensorScope.openUnwatched()) {
      for (var image : chosen) {
        Tensor given = tensors.get(image.name());
        image.load(given == null ? image.theirs().zerosLike() : given);
      }
    }
    var loaded = chosen.stream().map(Image::name).filter(names::contains).toList();
    return new LoadReport(loaded, missing, unexpected);
  }

  private static Stream<RecurrentModule> modules(List<Image> images) {
    return images.stream().map(Image::module).flatMap(Stream::ofNullable).distinct();
  }

  /** What is given for one weight, under one name or several. */
  private static void compare(
      List<Image> images, Map<String, Tensor> tensors, List<String> problems) {
    Tensor first = given(images.getFirst(), tensors);
    for (var image : images) {
      Tensor tensor = given(image, tensors);
      if (tensor.dtype() != image.dtype() || !tensor.shape().equals(image.shape())) {
        problems.add(String.format(Locale.ROOT, "does not fit: %s, given %s", image, type(tensor)));
      } else if (!tensor.sameValues(first)) {
        problems.add(
            String.format(
                Locale.ROOT,
                "one weight in the model, two values: %s and %s",
                images.getFirst().name(),
                image.name()));
      }
    }
  }

  private static Tensor given(Image image, Map<String, Tensor> tensors) {
    return Objects.requireNonNull(tensors.get(image.name()));
  }

  private static String type(Tensor tensor) {
    return tensor.dtype() + " " + tensor.shape();
  }
}
